"""Things that end with an event loop."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable


def at_end_of_loop(aclose: Callable[[], Awaitable[object]]) -> AsyncGenerator[None]:
    """Have something closed when the running event loop ends.

    A loop that ends in good order, as `asyncio.run` does it, first closes the async generators
    that were begun on it; the one that is returned is such. Keep it as long as it is to count.
    """

    async def open_until_then() -> AsyncGenerator[None]:
        try:
            yield
        finally:
            await aclose()

    guard = open_until_then()
    step = guard.__anext__()  # From here on the loop knows it.
    with contextlib.suppress(StopIteration):
        step.send(None)
    return guard
