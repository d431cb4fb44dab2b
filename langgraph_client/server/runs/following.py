"""Follow runs and threads of other processes: read their events and results from the database."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from langgraph_client.server.clock import EventId
from langgraph_client.server.runs.event_log import EventLog
from langgraph_client.server.runs.locks import KeyedLocks
from langgraph_client.server.runs.run_result import fallback_result
from langgraph_client.server.runs.run_services import RunServices
from langgraph_client.server.runs.run_states import Job
from langgraph_client.server.runs.stored_events import RUN_DONE
from langgraph_client.server.storage.protocol import UNFINISHED, Document
from langgraph_client.server.storage.shared import RunResult, Shared

_PAGE = 1000
_ROOM_SECONDS = 1.0
"""How many seconds to wait for the readers of a log before the other logs are read again."""


class Following:
    """The runs and threads of other processes that this process follows.

    Args:
        services: The objects that it shares with the engine's other parts.
        shared: The communication between the processes.
    """

    def __init__(self, services: RunServices, shared: Shared) -> None:
        #: The runs, by id.
        self.jobs: dict[str, Job] = {}
        self._storage = services.storage
        self._shared = shared
        self._thread_logs = services.thread_logs
        self._protocol_runs = services.protocol_runs
        self._job_factory = services.job_factory
        self._watched: set[str] = set()
        self._reading = KeyedLocks()

    def __contains__(self, thread_id: object) -> bool:
        return thread_id in self._watched

    @property
    def threads(self) -> list[str]:
        """The followed threads, and the threads of the followed runs."""
        return [*self._watched]

    def new(self, run: Document, last: EventId = (0, 0)) -> Job:
        """Follow a run.

        Args:
            run: Its document.
            last: The event after which to read.
        """
        job = self._job_factory.job(run)
        job.log.is_remote = True
        job.log.start_behind(last)
        return self.add(job)

    def add(self, job: Job) -> Job:
        """Follow a run that has a job already."""
        self.jobs[job.run_id] = job
        self._watched.add(job.thread_id)
        return job

    def is_read(self, thread_id: str) -> bool:
        """Return whether a request of this process reads the thread's events."""
        return thread_id in self._thread_logs

    def watch(self, thread_id: str, last: EventId | None = None) -> None:
        """Follow a thread as long as it is read."""
        self._watched.add(thread_id)
        if last is not None and (log := self._thread_logs.get(thread_id)) is not None:
            log.start_behind(last)

    def adopt(self, run_id: str) -> Job | None:
        """Stop following a run, because this process executes it from now on."""
        return self.jobs.pop(run_id, None)

    def forgotten(self) -> list[str]:
        """Stop following the threads that no request needs any more, and return them."""
        needed = {job.thread_id for job in self.jobs.values()}
        unneeded = [
            thread_id
            for thread_id in self._watched - needed
            if thread_id not in self._thread_logs and not self._protocol_runs.reads(thread_id)
        ]
        self._watched.difference_update(unneeded)
        return unneeded

    async def read_new(self, thread_id: str) -> None:
        """Read the new events of a thread, and end the runs that are over.

        The database has them anyway, so they are read only as fast as the readers in this process
        take them. A run ends here when all its events are read.
        """
        while (full := await self._read(thread_id)) is not None:
            # Not under the lock: a process that takes the thread over does not wait for readers.
            # With a limit, because meanwhile another log of the thread may get room.
            with suppress(TimeoutError):
                async with asyncio.timeout(_ROOM_SECONDS):
                    await full.room()

    async def read_all(self, thread_id: str, *, is_taken: bool = False) -> None:
        """Read all new events of a thread at once, because this process is about to add others.

        Args:
            thread_id: The thread.
            is_taken: Whether this process has just taken the thread over, and added nothing yet.
        """
        await self._read(thread_id, is_taken=is_taken, waits=False)

    async def _read(
        self, thread_id: str, *, is_taken: bool = False, waits: bool = True
    ) -> EventLog | None:
        """Read new events, and end the runs that are over.

        Args:
            thread_id: The thread.
            is_taken: See `read_all`.
            waits: Whether to leave the events of a log in the database while the log is full.

        Returns:
            A full log, which may lack events; None if there is none.
        """
        if thread_id not in self._watched:
            return None
        async with self._reading.hold(thread_id):
            jobs = [job for job in self.jobs.values() if job.thread_id == thread_id]
            # Results are read before events. A run's events are written before its result, so no
            # event of a run that is over can be missed.
            ended = await self._ended_jobs(jobs)
            # The holder adds its events to the log of the thread itself, before they are stored.
            is_fed = self._shared.owns(thread_id) and not is_taken
            thread_log = None if is_fed else self._thread_logs.get(thread_id)
            full = [job.log for job in jobs if not await self._read_run(job, waits)]
            if thread_log is not None and not await self._read_thread(thread_id, thread_log, waits):
                full.append(thread_log)
            if not is_fed and (log := await self._protocol_runs.read_new(thread_id, waits=waits)):
                full.append(log)
            for job, result in ended:
                # At once: who waits for the result does not wait for a slow reader.
                if self.jobs.get(job.run_id) is job and not job.over.is_set():
                    job.run, job.result, job.ended = result.run, result.result, True
                    job.over.set()
                if job.log not in full:
                    await self._end(job, result)
            return full[0] if full else None

    async def _ended_jobs(self, jobs: list[Job]) -> list[tuple[Job, RunResult]]:
        if not jobs:
            return []
        results = await self._shared.results(job.run_id for job in jobs)
        ended = [(job, results[job.run_id]) for job in jobs if job.run_id in results]
        rest = {job.run_id: job for job in jobs if job.run_id not in results}
        if rest:
            where: dict[str, object] = {"run_id": [*rest]}
            present = {run["run_id"]: run for run in await self._storage.runs.search(where=where)}
            for run_id, job in rest.items():
                run = present.get(run_id)
                if run is None or run["status"] not in UNFINISHED:
                    # The result may have been written between the two queries, so read it again.
                    later = await self._shared.results([run_id])
                    ended.append((job, later.get(run_id) or await self._guess(job, run)))
        return ended

    async def _guess(self, job: Job, run: Document | None) -> RunResult:
        """Return the result of a run from its thread: the other process stored none for it."""
        thread = await self._storage.threads.get(job.thread_id)
        return RunResult(run or job.run, fallback_result(thread or {}), None)

    async def _read_run(self, job: Job, waits: bool) -> bool:
        """Read the new events of a run. Return False if its log is full, and may lack some."""
        while not (waits and job.log.full):
            page = await self._storage.events.of_run(
                job.run_id, job.log.last, _PAGE, without=RUN_DONE
            )
            job.log.feed(page)
            if len(page) < _PAGE:
                return True
        return False

    async def _read_thread(self, thread_id: str, log: EventLog, waits: bool) -> bool:
        """Read the new events of a thread; see `_read_run`."""
        while not (waits and log.full):
            page = await self._storage.events.of_thread(thread_id, log.last, _PAGE)
            log.feed([e._replace(name="metadata") if e.name == RUN_DONE else e for e in page])
            if len(page) < _PAGE:
                return True
        return False

    async def _end(self, job: Job, result: RunResult) -> None:
        # Between the queries this process may have taken the run over; see `adopt`.
        if self.jobs.get(job.run_id) is not job:
            return
        del self.jobs[job.run_id]
        if result.error is not None:
            job.log.append_last("error", result.error)
        await job.log.close()
