def embed(texts: list[str]) -> list[list[float]]:
    return [[float(len(text))] for text in texts]
