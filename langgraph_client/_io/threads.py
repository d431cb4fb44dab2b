"""Work that outlives the one who asked for it, and reads that can be interrupted: with threads."""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from time import sleep
from typing import Any, TypeVar

__all__ = ["Background", "Lock", "Reading", "is_trio", "opened_anyway", "sleep"]

logger = logging.getLogger("langgraph_client")

Lock = threading.Lock

T = TypeVar("T")
Work = Callable[[], Any]


def is_trio() -> bool:
    """Whether it is trio that runs: never, in blocking code."""
    return False


class _Worker:
    """A thread that waits for work, and begins each in a thread of its own.

    Finalizers may hand over work: they run in any thread, between any two instructions, whatever
    locks are held there. So nothing is locked or started then; a `SimpleQueue` is made for it.
    """

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._process = 0
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the thread, if there is none. Not to be called by a finalizer."""
        if self._process == os.getpid() and self._thread is not None:
            return
        with self._lock:
            if self._process == os.getpid() and self._thread is not None:
                return
            # After a fork the thread is not there any more.
            self._queue = queue.SimpleQueue()
            self._process = os.getpid()
            self._thread = threading.Thread(
                target=self._run, args=(self._queue,), name="langgraph-client-worker", daemon=True
            )
            self._thread.start()

    def put(self, work: Callable[[], None]) -> None:
        """Have work done."""
        self._queue.put(work)

    @staticmethod
    def _run(work: queue.SimpleQueue[Callable[[], None]]) -> None:
        while True:
            threading.Thread(
                target=work.get(), name="langgraph-client-leaving", daemon=True
            ).start()


_WORKER = _Worker()


class Background:
    """Does work in threads of their own."""

    def __init__(self) -> None:
        _WORKER.start()

    def later(self, work: Work, what: str) -> None:
        """Begin work soon. May be called by a finalizer: it waits for nothing."""
        _WORKER.put(lambda: _quietly(work, what))

    def finish(self, work: Work, what: str, seconds: float) -> None:
        """Do work to its end, for so many seconds at most. What the work raises is logged.

        In the thread of an event loop nothing is waited for: the work may need that loop, as where
        the garbage collector closes, in a server's own thread, what a client of it has left.
        """
        done = threading.Event()

        def run() -> None:
            try:
                _quietly(work, what)
            finally:
                done.set()

        _WORKER.put(run)
        if not _is_in_loop() and not done.wait(seconds):
            logger.warning("%s: not done within %g s", what, seconds)


def opened_anyway(
    background: Background, opened: T, late: Callable[[T], None], seconds: float
) -> T:
    """Return what was opened: a thread is not cancelled meanwhile."""
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
    """One read of somebody else's connection. Threads cannot be interrupted: see the shell."""

    def __init__(self) -> None:
        self.is_late = False
        self.is_interrupted = False

    def within(self, seconds: float | None) -> AbstractContextManager[object]:
        """A context for one read; the library's own timeout ends it."""
        return nullcontext()

    def interrupt(self) -> None:
        """Note that the read is to come to an end."""
        self.is_interrupted = True


class Signal:
    """Wakes whoever waits for something to have changed. For any threads.

    Attributes:
        count: How often something has changed.
    """

    def __init__(self) -> None:
        self.count = 0
        self._condition = threading.Condition()

    def wait(self, is_ready: Callable[[], bool], seconds: float | None = None) -> bool:
        """Wait until `is_ready()`, which is asked again after each `notify`.

        Args:
            is_ready: What is waited for.
            seconds: How long, at most; None for no limit.

        Returns:
            Whether it is ready.
        """
        if is_ready():
            return True
        with self._condition:
            return self._condition.wait_for(is_ready, seconds)

    def notify(self) -> None:
        """Say that something has changed."""
        with self._condition:
            self.count += 1
            self._condition.notify_all()


class Job:
    """One piece of work in a thread of its own."""

    def __init__(self, work: Work) -> None:
        self._thread = threading.Thread(target=work, name="langgraph-client-reader", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Do nothing: a thread ends when the connection that it reads is closed."""


def later(work: Callable[[], T]) -> T:
    """Return the result of work, now: blocking code has no later."""
    return work()
