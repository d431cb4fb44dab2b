"""What belongs to one run of a graph while it runs: found through a context variable.

langgraph and langchain hand a task's context on to what they start for it, tasks and threads alike;
so the checkpointer and the thread pool find the run on whose behalf they are called.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

_ROUND = 0.05
_PATIENCE = 20
"""How many rounds a checkpoint waits for a stream that gives nothing, before it is written."""


class Marker:
    """Put into a stream of events; passed once all events before it have been taken."""

    def __init__(self) -> None:
        self.passed: concurrent.futures.Future[None] = concurrent.futures.Future()

    def set(self) -> None:
        """Let those go on that wait for it."""
        if not self.passed.done():
            self.passed.set_result(None)


class RunScope:
    """One run of a graph, as its checkpointer and its threads see it.

    Created by the task that takes the run's events. `with` makes it the current one.

    Args:
        run_id: The run's id, which its checkpoints bear.
    """

    def __init__(self, run_id: str | None = None) -> None:
        self.run_id = run_id
        self.loop = asyncio.get_running_loop()
        self.over = False
        #: What the run's command writes, until something has come of it.
        self.held: list[tuple[Any, ...]] = []
        #: langgraph's stream of the run, once a subgraph has shown it.
        self.stream: Any = None
        #: Whether the loop waited for a blocking graph, and with it for nobody else.
        self.loop_is_held = False
        self._released = False
        self._consumer = asyncio.current_task()
        self._taken = 0
        self._waiting = False
        self._markers: set[Marker] = set()

    # For the one who takes the events.

    def ask(self) -> None:
        """Note that the next event is being waited for."""
        self._waiting = True

    def take(self, data: object) -> bool:
        """Note that an event has come. Returns whether it is one to show, not a marker."""
        self._taken += 1
        if isinstance(data, Marker):
            data.set()
            self._markers.discard(data)
            return False
        self._waiting = False
        return True

    def release(self) -> None:
        """Note that no more events are taken; nobody waits for that any longer."""
        self._released = True
        for marker in self._markers:
            marker.set()
        self._markers.clear()

    # For the checkpointer.

    async def taken(self, put: Callable[[Marker], None]) -> None:
        """Wait until all events that are in the stream now have been taken.

        Returns early when the run ends, and when the stream gives nothing although the next event
        is waited for: a graph that fails or is cancelled gives no more, but waits for us.

        Args:
            put: Puts a marker into the stream.
        """
        marker = self._mark(put)
        passed = asyncio.wrap_future(marker.passed)
        before, rounds = self._taken, 0
        while not passed.done() and not self._ending and rounds < _PATIENCE:
            await asyncio.wait([passed], timeout=_ROUND)
            rounds = rounds + 1 if self._waiting and before == self._taken else 0
            before = self._taken
        self._markers.discard(marker)
        marker.set()

    def hold_loop(self) -> None:
        """Note that the loop waits for a blocking graph, until it has its turn again.

        To be called on the loop, by what the graph does first.
        """

        def release() -> None:
            self.loop_is_held = False

        self.loop_is_held = True
        self.loop.call_soon(release)

    def taken_in_thread(self, put: Callable[[Marker], None]) -> None:
        """Wait like `taken`, in a worker thread.

        Does not wait where the loop itself waits for the thread: a node that calls a graph's
        blocking `invoke` on the loop.
        """
        if self.loop_is_held:
            return
        marker = self._mark(put)
        before, rounds = self._taken, 0
        while not marker.passed.done() and not self._ending and rounds < _PATIENCE:
            concurrent.futures.wait([marker.passed], timeout=_ROUND)
            rounds = rounds + 1 if before == self._taken else 0
            before = self._taken
        self.loop_is_held = rounds >= _PATIENCE
        self._markers.discard(marker)
        marker.set()

    def _mark(self, put: Callable[[Marker], None]) -> Marker:
        marker = Marker()
        self._markers.add(marker)
        put(marker)
        return marker

    @property
    def _ending(self) -> bool:
        return self._released or (self._consumer is not None and self._consumer.cancelling() > 0)


current_run: ContextVar[RunScope | None] = ContextVar("langgraph_client_run", default=None)
