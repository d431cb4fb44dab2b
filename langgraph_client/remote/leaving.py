"""How the caller of a stream leaves it: at once, or when the stream is forgotten."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import threading
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
)
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import ClassVar, Self

from langgraph_client.remote.aliases import JSON, GraphValue

#: How long leaving waits for the server to be told, in seconds.
PATIENCE = 10.0


class GraphStream(Iterator[GraphValue]):
    """The items of a blocking stream; when it is forgotten half read, the run is stopped.

    Forgotten objects may be collected in any thread, and in the middle of anything, also in the
    thread that serves the run. So what has to be asked of the server then is asked in a thread of
    its own. Who has dropped the stream in the thread that read it waits until that is done.
    """

    # The generators of streams that are being read. A generator that is garbage is closed by the
    # collector itself, in whatever thread that runs; held here, it is left to `__del__`.
    _held: ClassVar[set[Generator[GraphValue, None, None]]] = set()

    def __init__(self, items: Generator[GraphValue, None, None]) -> None:
        self._items = items
        self._reader: int | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> GraphValue:
        if self._reader is None:
            self._held.add(self._items)
        self._reader = threading.get_ident()
        try:
            return next(self._items)
        except BaseException:
            self._held.discard(self._items)
            raise

    def close(self) -> None:
        """Stop reading, and stop the run if it is not over."""
        self._held.discard(self._items)
        self._items.close()

    def __del__(self) -> None:
        self._held.discard(self._items)
        if inspect.getgeneratorstate(self._items) != inspect.GEN_SUSPENDED:
            return  # Over, or never begun.
        # At the end of the interpreter no thread can be started, and no run needs to be stopped
        # that the closed connection does not stop.
        with contextlib.suppress(RuntimeError):
            closing = threading.Thread(target=_close, args=(self._items,), daemon=True)
            closing.start()
            if self._reader == threading.get_ident():
                closing.join(PATIENCE)


def _close(items: Generator[GraphValue, None, None]) -> None:
    with contextlib.suppress(Exception):
        items.close()


def opened(parts: Iterable[JSON]) -> AbstractContextManager[Iterable[JSON]]:
    """Return a context that closes a client's stream, whatever kind of iterable that is."""
    if isinstance(parts, AbstractContextManager):
        return parts
    if isinstance(parts, Generator):
        return contextlib.closing(parts)
    return contextlib.nullcontext(parts)


def aopened(parts: AsyncIterable[JSON]) -> AbstractAsyncContextManager[AsyncIterable[JSON]]:
    """Async twin of `opened`."""
    if isinstance(parts, AbstractAsyncContextManager):
        return parts
    if isinstance(parts, AsyncGenerator):
        return contextlib.aclosing(parts)
    return contextlib.nullcontext(parts)


async def shielded(work: Coroutine[object, object, object]) -> None:
    """Wait for work that must be done even if the waiting task is cancelled, again and again.

    It runs in a task of its own, for `PATIENCE` seconds at most. Its errors are dropped: what made
    the caller leave matters more than a cancel that came too late.
    """
    task = asyncio.ensure_future(asyncio.wait_for(work, PATIENCE))
    while not task.done():
        # A cancelled scope cancels every wait inside it; the caller is leaving for that already.
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([task])
    if not task.cancelled():
        task.exception()
