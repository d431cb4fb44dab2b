"""Close a stream early: when the caller leaves it, or when it is garbage-collected."""

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
from langgraph_client._io.tasks import Background, complete_opening
from langgraph_client._sync.stream import RunStream
from langgraph_client.remote.aliases import JSON, GraphValue
from langgraph_client.remote.clients import CLIENT_ERRORS

#: The most seconds that closing a stream waits for the cancellation of its run.
PATIENCE = 10.0


class GraphStream(Iterator[GraphValue]):
    """The items of a blocking stream. If it is garbage-collected half read, its run is cancelled.

    The garbage collector may run in any thread and at any point, even in the thread of a server in
    this process. A request there could deadlock, so it is sent in a new thread. If the stream was
    dropped in the thread that has read it, that thread waits for the request.
    """

    # The generators of streams that are being read. The collector would close an unreachable
    # generator itself, in any thread. This set keeps it reachable: only `__del__` closes it.
    _held: ClassVar[set[Generator[GraphValue, None, None]]] = set()

    def __init__(self, items: Generator[GraphValue, None, None]) -> None:
        self._items = items
        self._next = items.__next__
        self._reader: int | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> GraphValue:
        # From the first item on: a generator that was never started has nothing to close.
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
            return  # It has ended, or was never started.
        # When the interpreter exits, no thread can be started. The run then goes on, or ends with
        # the closed connection.
        with contextlib.suppress(RuntimeError):
            closing = threading.Thread(target=_quietly, args=(self._items.close,), daemon=True)
            closing.start()
            if self._reader == get_ident():
                closing.join(PATIENCE)


class Batches(Iterator[Iterable[JSON]]):
    """The parts of a client's stream, in batches of all parts that were received so far."""

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
    """Async twin of `Batches`. Not a generator, because the event loop would have to close it."""

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


def _quietly(work: Callable[[], None]) -> None:
    # The caller's own exception must not be replaced by an error of the cancellation.
    with contextlib.suppress(Exception):
        work()


@contextlib.contextmanager
def cancelling(
    parts: Iterable[JSON], stop: Callable[[], None], is_handler_error: Callable[[Exception], bool]
) -> Iterator[Iterable[JSON]]:
    """Open a client's stream, and close it in the end; cancel the run if the caller leaves early.

    Args:
        parts: The stream; any iterable.
        stop: Cancels the run. It is called if the caller leaves early, not if the client fails. The
            caller waits until the run has stopped, but not longer than `PATIENCE` seconds.
        is_handler_error: Whether a handler of the caller has raised an error, which then counts as
            the caller's, whatever its class.
    """
    stream: AbstractContextManager[Iterable[JSON]] = contextlib.nullcontext(parts)
    if isinstance(parts, AbstractContextManager):
        stream = parts
    elif isinstance(parts, Generator):
        stream = contextlib.closing(parts)
    with stream as events:
        try:
            yield events
        except BaseException as error:
            if isinstance(error, CLIENT_ERRORS) and not is_handler_error(error):
                raise
            # In a thread, because a node can delay its cancellation for ever.
            stopping = threading.Thread(target=_quietly, args=(stop,), daemon=True)
            stopping.start()
            stopping.join(PATIENCE)
            raise


@contextlib.asynccontextmanager
async def acancelling(
    parts: AsyncIterable[JSON],
    stop: Callable[[], Awaitable[None]],
    is_handler_error: Callable[[Exception], bool],
) -> AsyncIterator[AsyncIterable[JSON]]:
    """Async twin of `cancelling`.

    If the caller is cancelled during the opening, the opening goes on in the background, because
    only the response names the run to cancel. The cancellation of the run is a separate task, so
    that further cancellations of the caller do not stop it. The caller waits until the run has
    stopped, as for a local run, but not longer than `PATIENCE` seconds.
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
    events = await complete_opening(background, opening(), opened_late, PATIENCE)
    try:
        yield events
    except BaseException as error:
        if isinstance(error, CLIENT_ERRORS) and not is_handler_error(error):
            raise
        await background.finish(stop, "stopping a run that its reader has left", PATIENCE)
        raise
    finally:
        await stream.__aexit__(None, None, None)
