"""Background work and interruptible reads, with threads. See `tasks` for asyncio."""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from time import sleep
from typing import Any, TypeVar

__all__ = ["Background", "Lock", "Reading", "close_all", "complete_opening", "is_trio", "sleep"]

logger = logging.getLogger("langgraph_client")

Lock = threading.Lock

T = TypeVar("T")
Work = Callable[[], Any]


def is_trio() -> bool:
    """Return False: trio does not matter in blocking code."""
    return False


class _Worker:
    """A thread that gets work from a queue, and starts a new thread for each piece if it can.

    Finalizers add work. They run in any thread, between any two instructions, while any locks may
    be held there. So they must not take a lock or start a thread; a `SimpleQueue` is safe for this.
    """

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._process = 0
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the thread if it is not running. A finalizer must not call this."""
        if self._is_running():
            return
        with self._lock:
            # Again under the lock: another thread may have started it meanwhile.
            if self._is_running():
                return
            if self._process != os.getpid():
                # After a fork, the thread does not exist in the child process.
                # What is in the old queue is the parent's work, which its own thread does.
                self._queue = queue.SimpleQueue()
                self._process = os.getpid()
            self._thread = threading.Thread(
                target=self._run, args=(self._queue,), name="langgraph-client-worker", daemon=True
            )
            # There may be too many threads now. Work waits in the queue until a later `start`.
            with suppress(RuntimeError):
                self._thread.start()

    def _is_running(self) -> bool:
        thread = self._thread
        return self._process == os.getpid() and thread is not None and thread.is_alive()

    def put(self, work: Callable[[], None]) -> None:
        """Add work to the queue."""
        self._queue.put(work)

    @staticmethod
    def _run(work: queue.SimpleQueue[Callable[[], None]]) -> None:
        while True:
            piece = work.get()
            thread = threading.Thread(target=piece, name="langgraph-client-leaving", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # There are too many threads: one piece after the other, here.
                piece()
            # Until there is more work, they would keep alive what the work holds: connections.
            del piece, thread


_WORKER = _Worker()


class Background:
    """Runs work in new threads."""

    def __init__(self) -> None:
        _WORKER.start()

    def start_soon(self, work: Work, what: str) -> None:
        """Start work soon. A finalizer may call it, because it does not wait."""
        _WORKER.put(lambda: _quietly(work, what))

    def finish(self, work: Work, what: str, seconds: float) -> None:
        """Do work to its end, at most for this many seconds. Errors of the work are logged.

        In the thread of an event loop it does not wait, because the work may need that loop: the
        garbage collector may run in a server's thread and close a stream of the server's client.
        """
        done = threading.Event()

        def run() -> None:
            try:
                _quietly(work, what)
            finally:
                done.set()

        _WORKER.put(run)
        if not _is_in_loop() and not done.wait(seconds):
            logger.warning("%s was not complete within %g s", what, seconds)


def close_all(*closings: Work) -> None:
    """Close several things, one after the other, also if closing one of them fails.

    Raises:
        BaseException: The first error, after all were closed.
    """
    first: BaseException | None = None
    for closing in closings:
        try:
            closing()
        except BaseException as error:
            first = first or error
    if first is not None:
        raise first


def complete_opening(
    background: Background, opened: T, late: Callable[[T], None], seconds: float
) -> T:
    """Return what was opened: a thread cannot be cancelled meanwhile."""
    return opened


def _is_in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _quietly(work: Work, what: str) -> None:
    try:
        work()
    except Exception as error:
        logger.warning("%s failed: %s", what, type(error).__name__)


class Reading:
    """One read from an HTTP library's connection. Threads cannot be interrupted by themselves."""

    def __init__(self) -> None:
        self.is_interrupted = False

    def within(self, seconds: float | None) -> AbstractContextManager[object]:
        """Return a context for one read; the library's own timeout ends the read."""
        return nullcontext()

    def interrupt(self) -> None:
        """Note that the read was interrupted."""
        self.is_interrupted = True


class Signal:
    """Wakes threads that wait for a change.

    Attributes:
        count: The number of changes.
    """

    def __init__(self) -> None:
        self.count = 0
        self._condition = threading.Condition()

    def wait(self, is_ready: Callable[[], bool], seconds: float | None = None) -> bool:
        """Wait until `is_ready()` is true. It is called again after each `notify`.

        Args:
            is_ready: The condition.
            seconds: How long to wait; None for no limit.

        Returns:
            Whether the condition is true.
        """
        # Without the lock first: most waits are over at once.
        if is_ready():
            return True
        with self._condition:
            return self._condition.wait_for(is_ready, seconds)

    def notify(self) -> None:
        """Note a change."""
        with self._condition:
            self.count += 1
            self._condition.notify_all()


class Slots:
    """Gives out a limited number of slots. See `tasks` for asyncio.

    Args:
        most: How many slots there are.
    """

    def __init__(self, most: int) -> None:
        # Not a semaphore: a finalizer may give a slot back while this thread holds its lock.
        self._slots: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._is_closed = False
        for _ in range(most):
            self._slots.put(None)

    def take(self, seconds: float | None) -> bool:
        """Take a slot. The caller must give it back with `free`.

        Args:
            seconds: How long to wait for one; None for no limit.

        Returns:
            False if there was none in time.
        """
        try:
            self._slots.get(timeout=seconds)
        except queue.Empty:
            return False
        if self._is_closed:
            self.free()  # Wakes the next one that waits.
        return True

    def free(self) -> None:
        """Give a slot back. A finalizer may call it."""
        self._slots.put(None)

    free_soon = free

    def close(self) -> None:
        """Give a slot to all that wait for one."""
        self._is_closed = True
        self.free()


class Job:
    """Work in a new thread."""

    def __init__(self, work: Work) -> None:
        self._thread = threading.Thread(target=work, name="langgraph-client-reader", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Do nothing: a thread ends when the connection that it reads is closed."""


def awaitable(work: Callable[[], T]) -> T:
    """Do the work now and return its result."""
    return work()
