"""Events that outlive memory: the keepers of the event logs of runs and threads."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

from langgraph_client.server.clock import EventId
from langgraph_client.server.runs.event_log import Keeper
from langgraph_client.server.runs.measures import Measures
from langgraph_client.server.storage.protocol import Event, Storage

RUN_DONE = "run_done"
"""The name under which the end of a run is kept, which only thread streams tell."""


class RunEvents(Keeper):
    """The kept events of one run.

    Args:
        storage: Where they are.
        run: The run's document.
        measures: Where it is noted how long it takes to write them.
    """

    def __init__(
        self, storage: Storage, run: dict[str, Any], measures: Measures | None = None
    ) -> None:
        self._measures = measures
        self._storage = storage
        self._run_id: str = run["run_id"]
        self._thread_id: str = run["thread_id"]

    async def add(self, events: list[Event]) -> None:
        """Write events, in one transaction."""
        await self._storage.events.add(self._thread_id, self._run_id, events)
        if self._measures is not None and events:
            self._measures.events.add(max(time.time() - events[0].id[0] / 1000, 0.0))

    async def after(self, event_id: EventId, limit: int) -> list[Event]:
        """Return events of the run. That it is done is the thread's event, not the run's."""
        return await self._storage.events.of_run(self._run_id, event_id, limit, without=RUN_DONE)


class ThreadEvents(Keeper):
    """The kept events of all runs of a thread; the runs' own logs write them.

    Args:
        storage: Where they are.
        thread_id: The thread.
        write_logs: Writes what the logs of runs have not written yet.
    """

    def __init__(
        self, storage: Storage, thread_id: str, write_logs: Callable[[], Awaitable[None]]
    ) -> None:
        self._storage = storage
        self._thread_id = thread_id
        self._write_logs = write_logs

    async def add(self, events: list[Event]) -> None:
        """Do nothing: they are written by the log of their run."""

    async def after(self, event_id: EventId, limit: int) -> list[Event]:
        """Return events of the thread's runs.

        What was appended before anybody watched the thread is in no log of it, and has to be
        written first: a reader finds it here or nowhere.
        """
        await self._write_logs()
        found = await self._storage.events.of_thread(self._thread_id, event_id, limit)
        return [e._replace(name="metadata") if e.name == RUN_DONE else e for e in found]
