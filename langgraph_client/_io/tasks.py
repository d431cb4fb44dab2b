"""Background work that survives a cancelled caller, and interruptible reads, with asyncio."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any, Generic, TypeVar

import anyio
from anyio import sleep

from langgraph_client._io.loops import close_after, current_loop

__all__ = ["Background", "Lock", "Reading", "close_all", "complete_opening", "is_trio", "sleep"]

logger = logging.getLogger("langgraph_client")

Lock = asyncio.Lock

T = TypeVar("T")
Work = Callable[[], Awaitable[Any]]


def is_trio() -> bool:
    """Return whether trio is running, and not asyncio."""
    lowlevel = sys.modules.get("trio.lowlevel")
    # The module is empty while another thread is importing trio.
    in_trio_run = getattr(lowlevel, "in_trio_run", None)
    return in_trio_run is not None and bool(in_trio_run())


class Background:
    """Runs work in new tasks of the event loop on which it was created.

    With trio, the calling task itself does the work. Work of a finalizer is then not done, because
    trio cannot start a task from outside.
    """

    def __init__(self) -> None:
        self._loop = current_loop()
        self._tasks: set[asyncio.Task[None]] = set()  # The loop has only weak references to them.

    def start_soon(self, work: Work, what: str) -> None:
        """Start work soon. A finalizer may call it in any thread, because it does not wait."""
        if self._loop is None:
            return
        with suppress(RuntimeError):  # The loop is closed, and so are its connections.
            self._loop.call_soon_threadsafe(self._begin, work, what)

    def _begin(self, work: Work, what: str) -> asyncio.Task[None]:
        assert self._loop is not None
        task = self._loop.create_task(_quietly(work, what))
        close_after(task)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def finish(self, work: Work, what: str, seconds: float) -> None:
        """Do work to its end, at most for this many seconds, even if the caller is cancelled.

        A cancellation of the caller is raised after the work. Errors of the work are logged. If the
        work itself is cancelled from outside, it is done once more.
        """
        if self._loop is None:
            with anyio.move_on_after(seconds, shield=True):
                await _quietly(work, what)
            return
        task = self._begin(work, what)
        end = self._loop.time() + seconds
        try:
            await _outlasted(task, what, seconds)
        finally:
            # A loop that ends cancels all its tasks first: this one, and the caller.
            if task.cancelled():
                left = max(0.0, end - self._loop.time())
                await _outlasted(self._begin(work, what), what, left)


async def _outlasted(task: asyncio.Task[None], what: str, seconds: float) -> None:
    """Wait for a task, at most for this many seconds, even if the caller is cancelled.

    A cancellation of the caller is raised after the task has ended.
    """
    loop = asyncio.get_running_loop()
    cancelled: asyncio.CancelledError | None = None
    end = loop.time() + seconds
    # The shield is against anyio's cancel scopes, which cancel again in every turn of the loop.
    # The `except` is for asyncio's own cancellations, of which there may be several.
    try:
        with _Scope(anyio.CancelScope(shield=True)):
            while not task.done() and (left := end - loop.time()) > 0:
                try:
                    await asyncio.wait([task], timeout=left)
                except asyncio.CancelledError as error:
                    cancelled = error
    finally:
        # Also after a GeneratorExit: if a loop cancels the closing of an async generator that has
        # not begun with it, Python raises one here when the wait is over.
        if not task.done() and loop.time() >= end and loop.is_running():
            logger.warning("%s was not complete within %.3g s", what, seconds)
            task.cancel()
    if cancelled is not None:
        raise cancelled


async def close_all(*closings: Work, seconds: float = 5.0) -> None:
    """Close several things, one after the other: all, whatever happens meanwhile.

    That is why it is used: of several `await` in a row, a cancellation in the first one skips the
    others, and a second cancellation ends what a `finally` awaits.

    Args:
        closings: Functions that close one thing each.
        seconds: The most seconds that this waits.

    Raises:
        CancelledError: The caller was cancelled meanwhile.
        BaseException: The first error, if one of them failed.
    """
    if current_loop() is None:
        with anyio.move_on_after(seconds, shield=True):
            await _each(closings)
        return
    task = asyncio.ensure_future(_each(closings))
    await _outlasted(task, "closing a connection", seconds)
    if task.done() and (error := task.exception()) is not None:
        raise error


async def _each(closings: Iterable[Work]) -> None:
    first: BaseException | None = None
    for closing in closings:
        try:
            await closing()
        except BaseException as error:
            first = first or error
    if first is not None:
        raise first


async def complete_opening(
    background: Background,
    opening: Coroutine[Any, Any, T],
    late: Callable[[T], Awaitable[None]],
    seconds: float,
) -> T:
    """Complete the opening of something even if the caller is cancelled meanwhile.

    After a cancellation, it waits at most this many seconds, and calls `late` with the result.
    """
    loop = current_loop()
    if loop is None:
        return await opening
    task = loop.create_task(opening)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:

        async def end() -> None:
            await late(await task)

        await background.finish(end, "opening a stream that its reader has left", seconds)
        raise


async def _quietly(work: Work, what: str) -> None:
    try:
        await work()
    except Exception as error:
        logger.warning("%s failed: %s", what, type(error).__name__)


class _Scope:
    """A cancel scope that may be dropped together with its event loop.

    When a loop is closed, Python ends what still waits in it by a `GeneratorExit`, outside of any
    task. There, anyio refuses to leave a scope, with a `RuntimeError` that nobody can act on.
    """

    def __init__(self, scope: anyio.CancelScope) -> None:
        self._scope = scope

    def __enter__(self) -> None:
        self._scope.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        try:
            return bool(self._scope.__exit__(kind, error, traceback))
        except RuntimeError:
            if kind is not GeneratorExit:
                raise
            return False


class Reading:
    """One read from an HTTP library's connection, with a time limit, which can be interrupted.

    with reading.within(seconds):
        return await ...
    # Only an interruption or the limit ends the block early; see `is_interrupted`.
    """

    def __init__(self) -> None:
        self._scope: anyio.CancelScope | None = None
        self._is_interrupted = False

    def within(self, seconds: float | None) -> _Scope:
        """Return a context that ends after this many seconds, or when it is interrupted."""
        deadline = float("inf") if seconds is None else anyio.current_time() + seconds
        self._scope = anyio.CancelScope(deadline=deadline)
        if self._is_interrupted:
            self._scope.cancel()
        return _Scope(self._scope)

    def interrupt(self) -> None:
        """End the read now."""
        self._is_interrupted = True
        if self._scope is not None:
            self._scope.cancel()

    @property
    def is_interrupted(self) -> bool:
        """Whether the read was interrupted."""
        return self._is_interrupted


class Signal:
    """Wakes tasks that wait for a change. It belongs to one event loop."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    async def wait(self, is_ready: Callable[[], bool], seconds: float | None = None) -> bool:
        """Wait until `is_ready()` is true. It is called again after each `notify`.

        Args:
            is_ready: The condition.
            seconds: How long to wait; None for no limit.

        Returns:
            Whether the condition is true.
        """
        loop = asyncio.get_running_loop()
        end = None if seconds is None else loop.time() + seconds
        while not is_ready():
            left = None if end is None else end - loop.time()
            if left is not None and left <= 0:
                return False
            future: asyncio.Future[None] = loop.create_future()
            self._waiting.add(future)
            try:
                await asyncio.wait([future], timeout=left)
            finally:
                self._waiting.discard(future)
        return True

    def notify(self) -> None:
        """Note a change."""
        # The waiters remove their futures in a later turn of the loop, not during this iteration.
        for future in self._waiting:
            if not future.done():
                future.set_result(None)


class Slots:
    """Gives out a limited number of slots, in the order of the requests. It belongs to one loop.

    Args:
        most: How many slots there are.
    """

    def __init__(self, most: int) -> None:
        self._free = most
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None  # Of the last one that took a slot.

    async def take(self, seconds: float | None) -> bool:
        """Take a slot. The caller must give it back with `free`.

        Args:
            seconds: How long to wait for one; None for no limit.

        Returns:
            False if there was none in time.
        """
        self._loop = asyncio.get_running_loop()
        if self._free > 0:
            self._free -= 1
            return True
        mine: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append(mine)
        try:
            # Unlike `asyncio.timeout`, this leaves the future alone: if it is done, the slot is the
            # caller's, also if it is cancelled or too late at the same moment.
            await asyncio.wait([mine], timeout=seconds)
        except BaseException:
            if mine.done():
                self.free()
            else:
                self._waiting.remove(mine)
            raise
        if not mine.done():
            self._waiting.remove(mine)
        return mine.done()

    def free(self) -> None:
        """Give a slot back: to the one that has waited longest, if any."""
        # The slot goes to the waiter itself: if it counted as free meanwhile, a newcomer could take
        # it first. A waiter that gives up removes its future, so none in the queue is done.
        if self._waiting:
            self._waiting.popleft().set_result(None)
        else:
            self._free += 1

    def free_soon(self) -> None:
        """Give a slot back from a finalizer, in any thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # The loop is closed.
                self._loop.call_soon_threadsafe(self.free)

    def close(self) -> None:
        """Give a slot to all that wait for one."""
        while self._waiting:
            self.free()


class Job:
    """Work in a new task, until it is done or stopped."""

    def __init__(self, work: Work) -> None:
        self._task = asyncio.ensure_future(_awaited(work))

    async def stop(self) -> None:
        """Stop the work, and wait until it has released its resources."""
        self._task.cancel()
        with _Scope(anyio.CancelScope(shield=True)):
            await asyncio.wait([self._task])


async def _awaited(work: Work) -> None:
    await work()


class Later(Generic[T]):
    """A result that is computed at each `await`, optionally with a time limit.

    `await thread.output.with_timeout(30)` raises `TimeoutError` after 30 seconds.
    """

    def __init__(self, work: Callable[[], Awaitable[T]], seconds: float | None = None) -> None:
        self._work = work
        self._seconds = seconds

    def __await__(self) -> Generator[Any, None, T]:
        return self._result().__await__()

    def with_timeout(self, seconds: float) -> Later[T]:
        """Return the same result with a limit in seconds, after which it is a `TimeoutError`."""
        return Later(self._work, seconds)

    async def _result(self) -> T:
        async with asyncio.timeout(self._seconds):
            return await self._work()


def awaitable(work: Callable[[], Awaitable[T]]) -> Later[T]:
    """Return an object that does the work when it is awaited."""
    return Later(work)
