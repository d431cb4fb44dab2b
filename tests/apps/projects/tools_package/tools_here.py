import statistics  # the standard library's, not the file beside this one


def shout(text: str) -> str:
    assert statistics.mean([1, 3]) == 2
    return text.upper()
