import asyncio

WORDS = ("cat", "dog", "car")


async def embed(texts: list[str]) -> list[list[float]]:
    """Say how often each of three words comes up, as a model behind a network would."""
    await asyncio.sleep(0)
    return [[float(text.count(word)) for word in WORDS] for text in texts]
