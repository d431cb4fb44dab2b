"""How the caller of a stream leaves it: at once, or when the stream is forgotten."""

from __future__ import annotations

import contextlib
import inspect
import threading
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Iterator,
)
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from threading import get_ident
from typing import ClassVar, Self

from langgraph_client._async.stream import AsyncRunStream
from langgraph_client._io.tasks import Background, opened_anyway
from langgraph_client._sync.stream import RunStream
from langgraph_client.remote.aliases import JSON, GraphValue
from langgraph_client.remote.clients import CLIENT_ERRORS

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
        self._next = items.__next__
        self._reader: int | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> GraphValue:
        if self._reader is None:
            self._held.add(self._items)
        self._reader = get_ident()
        try:
            return self._next()
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
            if self._reader == get_ident():
                closing.join(PATIENCE)


class Batches(Iterator[Iterable[JSON]]):
    """The parts of a client's stream, as many at once as have come."""

    def __init__(self, parts: Iterable[JSON]) -> None:
        self._stream = parts if isinstance(parts, RunStream) else None
        self._parts = iter(parts)
        self._has_begun = False

    def __next__(self) -> Iterable[JSON]:
        if self._stream is None:
            return (next(self._parts),)
        if self._has_begun and not self._stream.advance():
            raise StopIteration
        self._has_begun = True
        return self._stream.ready()


class AsyncBatches(AsyncIterator[Iterable[JSON]]):
    """Async twin of `Batches`. No generator: the event loop would have to close one."""

    def __init__(self, parts: AsyncIterable[JSON]) -> None:
        self._stream = parts if isinstance(parts, AsyncRunStream) else None
        self._parts = aiter(parts)
        self._has_begun = False

    async def __anext__(self) -> Iterable[JSON]:
        if self._stream is None:
            return (await anext(self._parts),)
        if self._has_begun and not await self._stream.advance():
            raise StopAsyncIteration
        self._has_begun = True
        return self._stream.ready()


def _close(items: Generator[GraphValue, None, None]) -> None:
    with contextlib.suppress(Exception):
        items.close()


@contextlib.contextmanager
def followed(parts: Iterable[JSON], stop: Callable[[], None]) -> Iterator[Iterable[JSON]]:
    """Open a client's stream, whatever kind of iterable that is, and close it in the end.

    Args:
        parts: The stream.
        stop: Stops the run. It is called when the caller leaves; not when the client fails.
    """
    stream: AbstractContextManager[Iterable[JSON]] = contextlib.nullcontext(parts)
    if isinstance(parts, AbstractContextManager):
        stream = parts
    elif isinstance(parts, Generator):
        stream = contextlib.closing(parts)
    with stream as events:
        try:
            yield events
        except CLIENT_ERRORS:
            raise
        except BaseException:
            # What made the caller leave matters more than a cancel that came too late.
            with contextlib.suppress(Exception):
                stop()
            raise


@contextlib.asynccontextmanager
async def afollowed(
    parts: AsyncIterable[JSON], stop: Callable[[], Awaitable[None]]
) -> AsyncIterator[AsyncIterable[JSON]]:
    """Async twin of `followed`.

    Opening goes on to its end even if the caller is cancelled meanwhile: before that nobody knows
    which run to stop. Stopping it is done in a task of its own, however often the caller is
    cancelled. The caller waits until the run has stopped, as it would for a local one, but not
    longer than `PATIENCE`.
    """
    stream: AbstractAsyncContextManager[AsyncIterable[JSON]] = contextlib.nullcontext(parts)
    if isinstance(parts, AbstractAsyncContextManager):
        stream = parts
    elif isinstance(parts, AsyncGenerator):
        stream = contextlib.aclosing(parts)

    async def opening() -> AsyncIterable[JSON]:
        return await stream.__aenter__()

    async def opened_late(_: AsyncIterable[JSON]) -> None:
        try:
            await stop()
        finally:
            await stream.__aexit__(None, None, None)

    background = Background()
    events = await opened_anyway(background, opening(), opened_late, PATIENCE)
    try:
        yield events
    except CLIENT_ERRORS:
        raise
    except BaseException:
        await background.finish(stop, "stopping a run that its reader has left", PATIENCE)
        raise
    finally:
        await stream.__aexit__(None, None, None)
