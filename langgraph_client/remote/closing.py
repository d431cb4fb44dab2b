"""Close a stream early: when the caller leaves it, or when it is garbage-collected."""

from __future__ import annotations

import contextlib
import inspect
import threading
from collections import deque
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
from langgraph_client.remote.aliases import JSON, Foreign, GraphValue
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
            # An exception of the generator ends it, so that nothing is left for `__del__` to close.
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
            # The bound method keeps the generator alive until the thread has closed it.
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
    with contextlib.ExitStack() as opened:
        try:
            # Inside the try: a Ctrl-C may come while it opens, when the run has begun.
            yield opened.enter_context(stream)
        except BaseException as error:
            if isinstance(error, CLIENT_ERRORS) and not is_handler_error(error):
                raise
            # In a thread, because a node can delay its cancellation for ever.
            stopping = threading.Thread(target=_quietly, args=(stop,), daemon=True)
            stopping.start()
            stopping.join(PATIENCE)
            raise


class AsyncCancelling(AbstractAsyncContextManager[AsyncIterable[JSON]]):
    """Async twin of `cancelling`.

    If the caller is cancelled during the opening, the opening goes on in the background, because
    only the response names the run to cancel. The cancellation of the run is a separate task, so
    that further cancellations of the caller do not stop it. The caller waits until the run has
    stopped, as for a local run, but not longer than `PATIENCE` seconds.

    It is not an async generator, for the reason told at `AsyncConverted`.
    """

    def __init__(
        self,
        parts: AsyncIterable[JSON],
        stop: Callable[[], Awaitable[None]],
        is_handler_error: Callable[[Exception], bool],
    ) -> None:
        self._stream: AbstractAsyncContextManager[AsyncIterable[JSON]]
        if isinstance(parts, AbstractAsyncContextManager):
            self._stream = parts
        elif isinstance(parts, AsyncGenerator):
            self._stream = contextlib.aclosing(parts)
        else:
            self._stream = contextlib.nullcontext(parts)
        self._stop = stop
        self._is_handler_error = is_handler_error
        self._background = Background()

    async def __aenter__(self) -> AsyncIterable[JSON]:
        opening = self._open()
        return await complete_opening(self._background, opening, self._opened_late, PATIENCE)

    async def _open(self) -> AsyncIterable[JSON]:
        return await self._stream.__aenter__()

    async def _opened_late(self, _: AsyncIterable[JSON]) -> None:
        try:
            await self._stop()
        finally:
            await self._stream.__aexit__(None, None, None)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        is_of_client = isinstance(error, CLIENT_ERRORS) and not self._is_handler_error(error)
        try:
            if error is not None and not is_of_client:
                what = "stopping a run that its reader has left"
                await self._background.finish(self._stop, what, PATIENCE)
        finally:
            await self._stream.__aexit__(None, None, None)


class AsyncConverted(AsyncGenerator[GraphValue, None]):
    """The items of an async generator, of which each becomes none, one or several others.

    It has the methods of an async generator, but Python does not know it as one. The event loop
    closes all async generators that it knows, at its own end or if they are garbage-collected, each
    in a task: of two, one inside the other, the closing of one fails, because the other is closing
    it already.

    Args:
        items: The generator, or another of these.
        convert: Returns what an item becomes.
        at_end: Returns what comes after the last item.
        at_failure: Returns what comes before the error, if the generator fails.
    """

    def __init__(
        self,
        items: AsyncGenerator[GraphValue, None] | AsyncConverted,
        convert: Callable[[GraphValue], Iterable[GraphValue]],
        *,
        at_end: Callable[[], Iterable[GraphValue]] = tuple,
        at_failure: Callable[[], Iterable[GraphValue]] = tuple,
    ) -> None:
        self._items = items
        self._convert = convert
        self._at_end = at_end
        self._at_failure = at_failure
        self._ready: deque[GraphValue] = deque()
        self._end: Exception | None = None
        self._is_reading = False

    async def __anext__(self) -> GraphValue:
        while not self._ready:
            if self._end is not None:
                raise self._taken_end()
            self._refuse_second_reader()
            self._is_reading = True
            try:
                await self._read()
            finally:
                self._is_reading = False
        return self._ready.popleft()

    async def _read(self) -> None:
        try:
            self._ready.extend(self._convert(await anext(self._items)))
        except StopAsyncIteration as end:
            self._end = end
            self._ready.extend(self._at_end())
        except Exception as error:
            # Not BaseException: after a cancelled read, the next one asks `items` again.
            self._end = error
            await self._items.aclose()  # It may be the conversion that failed.
            self._ready.extend(self._at_failure())

    def _taken_end(self) -> Exception:
        end = self._end or StopAsyncIteration()
        self._end = StopAsyncIteration()  # From now on.
        return end

    def _refuse_second_reader(self) -> None:
        if self._is_reading:
            raise RuntimeError(
                "another task is reading this stream: a stream has one reader at a time"
            )

    async def asend(self, value: None, /) -> GraphValue:
        """Return the next item. The value is ignored."""
        return await anext(self)

    async def athrow(
        self, error: type[BaseException] | BaseException, /, *value_and_trace: Foreign
    ) -> GraphValue:
        """Raise an error inside the stream: it ends, and its run is stopped if it is not over."""
        self._refuse_second_reader()
        self._ready.clear()
        self._end = StopAsyncIteration()
        return await self._items.athrow(error, *value_and_trace)

    async def aclose(self) -> None:
        """Stop reading, and stop the run if it is not over."""
        await self._items.aclose()
        self._ready.clear()
        self._end = StopAsyncIteration()
