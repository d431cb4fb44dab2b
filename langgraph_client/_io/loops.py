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


#: The most seconds for which the end of a loop waits for work that needs its connections.
_PATIENCE = 10.0
_WORK: WeakKeyDictionary[Any, set[asyncio.Task[Any]]] = WeakKeyDictionary()
_ENDS: WeakKeyDictionary[Any, tuple[AsyncGenerator[None], WeakSet[Any]]] = WeakKeyDictionary()


def close_after(task: asyncio.Task[Any]) -> None:
    """Have the connections of a task's loop closed after the task, if the loop ends meanwhile."""
    work = _WORK.setdefault(task.get_loop(), set())
    work.add(task)
    task.add_done_callback(work.discard)


def close_with_loop(thing: Closable) -> None:
    """Have something closed when the running event loop ends, if it is still there then.

    A loop that ends in good order, as `asyncio.run` does it, first closes the async generators
    that were begun on it. One such, for each loop, closes what was noted here.
    """
    loop = asyncio.get_running_loop()
    if loop not in _ENDS:
        _forget_closed_loops()
        noted: WeakSet[Any] = WeakSet()
        guard = _until_the_end(noted)
        step = guard.__anext__()  # From here on the loop knows it.
        with contextlib.suppress(StopIteration):
            step.send(None)
        _ENDS[loop] = (guard, noted)
    _ENDS[loop][1].add(thing)


def _forget_closed_loops() -> None:
    """Forget what was noted for loops that are closed.

    The weak keys are not enough: a guard knows its loop, and so does a task, so they keep it.
    """
    for known in (_ENDS, _WORK):
        for reference in known.keyrefs():
            loop = reference()
            if loop is not None and loop.is_closed():
                known.pop(loop, None)


async def _until_the_end(noted: WeakSet[Any]) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        # The loop closes all its generators side by side. Those that read a stream stop its run,
        # and they begin with that in this turn of the loop.
        await asyncio.sleep(0)
        if work := _WORK.get(asyncio.get_running_loop()):
            await asyncio.wait(list(work), timeout=_PATIENCE)
        for thing in list(noted):
            try:
                await thing.aclose()
            except Exception as error:  # The others must be closed, too.
                logger.warning("closing connections failed: %s", type(error).__name__)
