raise RuntimeError("the standard library is hidden")
