"""The scope of one run of a graph, found through a context variable.

langgraph and langchain pass a task's context on to the tasks and threads that they start for it. So
the checkpointer and the thread pool can find the run that calls them.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping, Set
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from langgraph_client.server.encoding import error_document

logger = logging.getLogger("langgraph_client.server")

_ROUND_SECONDS = 0.05
_MAX_WRITE_SECONDS = 10.0
_MAX_IDLE_ROUNDS = 20
"""For how many rounds a checkpoint waits if the stream yields nothing."""
_MAX_IDLE_TURNS = 5
"""After how many turns of the loop without one no checkpoint of an earlier step is to come."""


class Marker:
    """A marker in a stream of events. It is set when all events before it have been read."""

    def __init__(self) -> None:
        self.passed: concurrent.futures.Future[None] = concurrent.futures.Future()

    def set(self) -> None:
        """Wake up the waiting tasks and threads."""
        # The reader and the one who waits may both set it, in two threads.
        with suppress(concurrent.futures.InvalidStateError):
            self.passed.set_result(None)


class RunScope:
    """One run of a graph, for its checkpointer and its threads.

    The task that reads the run's events creates it. There,
    `current_run.set(scope)` makes it the current one.

    Args:
        run_id: The run's id, which its checkpoints contain.
        threads: The caller's id of its thread, by the id that nodes see, if that is another one.
        parents: The checkpoints of the local graphs around it, by namespace, which its checkpoints
            contain too.
        metadata: More metadata for its checkpoints; langgraph's own win.
        show_errors: Whether its events show the text of every exception.
    """

    def __init__(
        self,
        run_id: str | None = None,
        threads: Mapping[str, str] | None = None,
        parents: Mapping[str, object] | None = None,
        metadata: Mapping[str, object] | None = None,
        *,
        show_errors: bool = False,
    ) -> None:
        self.show_errors = show_errors
        self.run_id = run_id
        self.threads = threads or {}
        self.parents = parents
        self.metadata = metadata or {}
        #: Keys of its `configurable` that langgraph must not copy into the metadata of checkpoints,
        #: because a local graph has none of them.
        self.not_in_metadata: Set[str] = frozenset()
        #: Likewise, with their values, those that langchain copies into the metadata of events.
        self.not_in_events: Mapping[str, object] = {}
        self.loop = asyncio.get_running_loop()
        self.is_over = False
        # Not asyncio's futures: a write may be in a worker thread, and `end` waits on the loop.
        self._writing: set[concurrent.futures.Future[None]] = set()
        self._putting: set[concurrent.futures.Future[None]] = set()
        #: langgraph's stream of the run, once a subgraph has shown it.
        self.stream: Any = None
        #: Whether the event loop is blocked, because it waits for a blocking graph.
        self.is_loop_blocked = False
        self._deferred: list[Callable[[], Awaitable[None]]] = []
        self._released = False
        self._consumer = asyncio.current_task()
        self._items_read = 0
        self._waiting = False
        self._markers: set[Marker] = set()
        # For what threads of nodes change at the same time.
        self._lock = threading.Lock()

    # For the reader of the events.

    def note_reading(self) -> None:
        """Note that the reader waits for the next event."""
        self._waiting = True

    def note_item(self, data: object) -> bool:
        """Note an item of the stream. Return whether it is an event and not a marker."""
        self._items_read += 1
        if isinstance(data, Marker):
            self._pass(data)
            return False
        self._waiting = False
        return True

    def release(self) -> None:
        """Note that no more events are read; waiting checkpoints continue."""
        self._released = True
        # Not set under the lock: that wakes up others, who may need it.
        with self._lock:
            markers, self._markers = self._markers, set()
        for marker in markers:
            marker.set()

    async def end(self) -> None:
        """Note that the run is over: later writes are refused, and those going on are waited for.

        langgraph waits for the writes of a run, but not for those that a task makes because it was
        cancelled. Written after a rollback, they would be part of the state before the run.
        """
        self.is_over = True
        if self._writing:
            writing = [asyncio.wrap_future(written) for written in list(self._writing)]
            _, unfinished = await asyncio.wait(writing, timeout=_MAX_WRITE_SECONDS)
            if unfinished:
                logger.warning("run %s still writes to its checkpointer at its end", self.run_id)

    # For the checkpointer.

    @property
    def is_on_loop(self) -> bool:
        """Whether the caller is on the server's event loop.

        A blocking node is not, even if it runs a loop of its own.
        """
        try:
            return asyncio.get_running_loop() is self.loop
        except RuntimeError:
            return False

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Note that a write of the run is going on in this block, in any thread."""
        with _noted_in(self._writing):
            yield

    @contextmanager
    def putting(self) -> Iterator[None]:
        """Note that a checkpoint is stored in this block, or waits for the events before it.

        The end of the run does not wait for this, but only for `writing`: the events may never be
        read.
        """
        with _noted_in(self._putting):
            yield

    async def wait_until_put(self) -> None:
        """Wait until the checkpoints of earlier steps are stored.

        langgraph stores them while the next step is executed already.
        """
        idle_turns = 0
        # A blocked loop stores nothing, and may wait for the caller.
        while self.is_on_loop and idle_turns < _MAX_IDLE_TURNS:
            if not self._putting:
                # One may have been handed over already, and its task not have begun yet.
                await asyncio.sleep(0)
                idle_turns += 1
                continue
            putting = [asyncio.wrap_future(put) for put in list(self._putting)]
            _, unfinished = await asyncio.wait(putting, timeout=_MAX_WRITE_SECONDS)
            if unfinished:
                return
            idle_turns = 0

    async def wait_until_read(self, put: Callable[[Marker], None]) -> None:
        """Wait until all events that are now in the stream have been read.

        It returns early when the run ends, and when the stream yields nothing although the reader
        waits: a graph that fails or is cancelled yields no more events, but waits for this
        checkpoint, so both would wait for ever.

        Args:
            put: Puts a marker into the stream.
        """
        marker = self._mark(put)
        passed = asyncio.wrap_future(marker.passed)
        before, rounds = self._items_read, 0
        while not passed.done() and not self._ending and rounds < _MAX_IDLE_ROUNDS:
            await asyncio.wait([passed], timeout=_ROUND_SECONDS)
            # A slow reader is not a stream that yields nothing, so only turns in which the reader
            # waits are counted.
            rounds = rounds + 1 if self._waiting and before == self._items_read else 0
            before = self._items_read
        self._pass(marker)

    def defer_write(self, write: Callable[[], Awaitable[None]]) -> None:
        """Keep a write of the run's command until there is a result of the run, or its end."""
        with self._lock:
            self._deferred.append(write)

    async def write_deferred(self) -> None:
        """Execute the writes of the run's command that are still held."""
        # Taken out before the first `await`: tasks of a step may call this at the same time, and a
        # write must be executed once.
        with self._lock:
            held, self._deferred = self._deferred, []
        for write in held:
            await write()

    def mark_loop_blocked(self) -> None:
        """Note that the event loop is blocked by a blocking graph, until its next turn.

        The graph's first call on the loop must call this.
        """

        def release() -> None:
            self.is_loop_blocked = False

        self.is_loop_blocked = True
        self.loop.call_soon(release)

    def wait_until_read_in_thread(self, put: Callable[[Marker], None]) -> None:
        """Wait like `wait_until_read`, in a worker thread.

        It does not wait if the loop itself is waiting for this thread, because a node has called a
        graph's blocking `invoke` on the loop: that would be a deadlock.
        """
        if self.is_loop_blocked:
            return
        marker = self._mark(put)
        before, rounds = self._items_read, 0
        while not marker.passed.done() and not self._ending and rounds < _MAX_IDLE_ROUNDS:
            concurrent.futures.wait([marker.passed], timeout=_ROUND_SECONDS)
            rounds = rounds + 1 if before == self._items_read else 0
            before = self._items_read
        # It waited in vain, so the loop waits for this thread. Later checkpoints of the run
        # need not find that out again.
        self.is_loop_blocked = rounds >= _MAX_IDLE_ROUNDS
        self._pass(marker)

    def _mark(self, put: Callable[[Marker], None]) -> Marker:
        marker = Marker()
        with self._lock:
            self._markers.add(marker)
        put(marker)
        return marker

    def _pass(self, marker: Marker) -> None:
        with self._lock:
            self._markers.discard(marker)
        marker.set()

    @property
    def _ending(self) -> bool:
        # A cancelled run is not released yet: its cancellation first ends langgraph's stream, which
        # waits for this checkpoint.
        return self._released or (self._consumer is not None and self._consumer.cancelling() > 0)


@contextmanager
def _noted_in(calls: set[concurrent.futures.Future[None]]) -> Iterator[None]:
    """Have a set contain the future of this block while it is executed."""
    ended: concurrent.futures.Future[None] = concurrent.futures.Future()
    calls.add(ended)
    try:
        yield
    finally:
        calls.discard(ended)
        ended.set_result(None)


current_run: ContextVar[RunScope | None] = ContextVar("langgraph_client_run", default=None)


def texts_are_shown() -> bool:
    """Return whether the events of the current run show the text of every exception."""
    run = current_run.get()
    return run is not None and run.show_errors


def error_in_run(error: BaseException) -> dict[str, str]:
    """Return an exception in the protocol's form, with the text that the run's events show."""
    return error_document(error, show=texts_are_shown())
