def embed(texts: list[str]) -> list[list[float]]:
    return [[1.0] for _ in texts]
