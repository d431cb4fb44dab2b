"""Things that are closed when their event loop ends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from typing import Any, Protocol
from weakref import WeakKeyDictionary, WeakSet

logger = logging.getLogger("langgraph_client")


class Closable(Protocol):
    """Something with connections."""

    async def aclose(self) -> None:
        """Close them."""


def current_loop() -> asyncio.AbstractEventLoop | None:
    """Return the running event loop of asyncio; None where it is trio that runs."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


_ENDS: WeakKeyDictionary[Any, tuple[AsyncGenerator[None], WeakSet[Any]]] = WeakKeyDictionary()


def close_with_loop(thing: Closable) -> None:
    """Have something closed when the running event loop ends, if it is still there then.

    A loop that ends in good order, as `asyncio.run` does it, first closes the async generators
    that were begun on it. One such, for each loop, closes what was noted here.
    """
    loop = asyncio.get_running_loop()
    if loop not in _ENDS:
        noted: WeakSet[Any] = WeakSet()
        guard = _until_the_end(noted)
        step = guard.__anext__()  # From here on the loop knows it.
        with contextlib.suppress(StopIteration):
            step.send(None)
        _ENDS[loop] = (guard, noted)
    _ENDS[loop][1].add(thing)


async def _until_the_end(noted: WeakSet[Any]) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        for thing in list(noted):
            try:
                await thing.aclose()
            except Exception as error:  # The others must be closed, too.
                logger.warning("closing connections failed: %s", type(error).__name__)
