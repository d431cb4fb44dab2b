"""Store events: the keepers of the event logs of runs and threads."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from langgraph_client.models.fields import JsonObject
from langgraph_client.server.clock import EventId
from langgraph_client.server.runs.event_log import Keeper
from langgraph_client.server.runs.metrics import Metrics
from langgraph_client.server.storage.protocol import Event, Storage

RUN_DONE = "run_done"
"""The name of the stored event for the end of a run. Only thread streams send it."""


class RunEvents(Keeper):
    """The stored events of one run.

    Args:
        storage: The storage.
        run: The run's document.
        metrics: Counts how long writing takes; None to count nothing.
    """

    def __init__(self, storage: Storage, run: JsonObject, metrics: Metrics | None = None) -> None:
        self._metrics = metrics
        self._storage = storage
        self._run_id: str = run["run_id"]
        self._thread_id: str = run["thread_id"]

    async def add(self, events: list[Event]) -> None:
        """Write events, in one transaction."""
        await self._storage.events.add(self._thread_id, self._run_id, events)
        # The ids contain the times at which the events happened.
        if self._metrics is not None and events:
            self._metrics.event_write_delays.add(max(time.time() - events[0].id[0] / 1000, 0.0))

    async def after(self, event_id: EventId, limit: int) -> list[Event]:
        """Return events of the run, without the one for its end, which is the thread's."""
        return await self._storage.events.of_run(self._run_id, event_id, limit, without=RUN_DONE)


class ThreadEvents(Keeper):
    """The stored events of all runs of a thread. The logs of the runs write them.

    Args:
        storage: The storage.
        thread_id: The thread.
        write_logs: Makes the logs of runs write their pending events.
    """

    def __init__(
        self, storage: Storage, thread_id: str, write_logs: Callable[[], Awaitable[None]]
    ) -> None:
        self._storage = storage
        self._thread_id = thread_id
        self._write_logs = write_logs

    async def add(self, events: list[Event]) -> None:
        """Do nothing: the log of the run writes them."""

    async def after(self, event_id: EventId, limit: int) -> list[Event]:
        """Return events of the thread's runs.

        Events that were appended before the thread was read are only in the logs of runs. So these
        logs must write them first, or a reader would miss them.
        """
        await self._write_logs()
        events = await self._storage.events.of_thread(self._thread_id, event_id, limit)
        return [e._replace(name="metadata") if e.name == RUN_DONE else e for e in events]
