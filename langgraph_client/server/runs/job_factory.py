"""Create jobs from the documents of runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from langgraph_client.server.clock import Clock
from langgraph_client.server.runs.event_log import EventLog
from langgraph_client.server.runs.metrics import Metrics
from langgraph_client.server.runs.run_result import ResultCollector
from langgraph_client.server.runs.run_states import Job
from langgraph_client.server.runs.stored_events import RunEvents
from langgraph_client.server.storage.protocol import Document, Storage


class JobFactory:
    """Creates jobs.

    Args:
        storage: Stores the events of runs.
        clock: Gives the ids of events.
        metrics: Counts how long it takes to write events.
        unwritten: A set to which logs add themselves while they have events that must be stored.
    """

    def __init__(
        self, storage: Storage, clock: Clock, metrics: Metrics, unwritten: set[EventLog]
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._metrics = metrics
        self._unwritten = unwritten

    def job(self, run: Document) -> Job:
        """Return the job of a run that is not over, also of another process's run."""
        is_kept = run["kwargs"]["resumable"]
        keeper = RunEvents(self._storage, run, self._metrics) if is_kept else None
        due = datetime.fromisoformat(run["created_at"]).timestamp()
        log = EventLog(self._clock, keeper, unwritten=self._unwritten)
        return Job(run, log, ResultCollector(), due, accepted=run)

    def over(self, run: Document, result: Any) -> Job:
        """Return the job of a run that is over.

        Args:
            run: The run's document.
            result: The response to `wait`.
        """
        job = self.job(run)
        job.log.closed = job.ended = True
        job.result = result
        job.over.set()
        return job
