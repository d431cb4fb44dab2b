"""Load runs into the queue: those of an earlier process, and those that other processes added."""

from __future__ import annotations

import logging

from langgraph_client.server.errors import Unavailable, Unreadable
from langgraph_client.server.runs.cluster import Cluster
from langgraph_client.server.runs.recovery import (
    MAX_KILLS,
    MAX_KILLS_SHARED,
    Decision,
    decide,
    new_control,
    without_control,
)
from langgraph_client.server.runs.run_services import RunServices
from langgraph_client.server.runs.run_states import Job
from langgraph_client.server.runs.settlement import Settlements, delete_run_documents
from langgraph_client.server.runs.stop_runs import RunStopper
from langgraph_client.server.runs.thread_status import resting
from langgraph_client.server.storage.protocol import UNFINISHED, Document
from langgraph_client.server.typed_values import with_current_keys

logger = logging.getLogger("langgraph_client.server")

_AGAIN_SECONDS = 10.0
"""After how many seconds to try again to load runs that could not be read."""


class RunLoader:
    """Loads runs from the database into the queue.

    Args:
        services: The objects that it shares with the engine's other parts.
        settlements: End the runs that are not resumed.
        stopper: Stops the runs that another process was asked to stop.
        cluster: The processes that share the database; None if there is only this one.
    """

    def __init__(
        self,
        services: RunServices,
        settlements: Settlements,
        stopper: RunStopper,
        cluster: Cluster | None,
    ) -> None:
        self._storage = services.storage
        self._clock = services.clock
        self._locks = services.locks
        self._queue = services.queue
        self._tasks = services.tasks
        self._job_factory = services.job_factory
        self._settlements = settlements
        self._stopper = stopper
        self._cluster = cluster
        self._max_kills = MAX_KILLS if cluster is None else MAX_KILLS_SHARED

    async def load_all(self) -> None:
        """Load all runs, as the only process of the database, and start those that are next.

        A run that cannot be read, such as one whose encryption key is gone, keeps no other one from
        being resumed.
        """
        await self._load_each(
            # Without the documents: then one that cannot be decrypted does not fail the search.
            await self._storage.runs.search(
                where={"status": UNFINISHED},
                order_by="created_at",
                fields=("run_id", "thread_id"),
            )
        )

    async def _load_each(self, runs: list[Document], *, is_repeated: bool = False) -> None:
        """Load runs one by one, and try again later with those that cannot be read now.

        Args:
            runs: The ids of the runs and of their threads.
            is_repeated: Whether it was tried before, so that errors are in the log already.
        """
        later: list[Document] = []
        held_up: set[str] = set()
        for ids in runs:
            if ids["thread_id"] in held_up:  # Behind an earlier run, on whose state it builds.
                later.append(ids)
                continue
            try:
                # Requests may change the thread meanwhile, if it is tried again.
                async with self._locks.hold(ids["thread_id"]):
                    run = await self._storage.runs.get(ids["run_id"])
                    if run is not None:
                        await self._take_up(run, await self._control_of(run))
            except Exception as error:
                is_temporary = isinstance(error, Unavailable)
                if is_temporary:
                    later.append(ids)
                    held_up.add(ids["thread_id"])
                if not (is_temporary and is_repeated):
                    _log_failure(ids, error)
        for thread_id in {ids["thread_id"] for ids in runs}:
            self._queue.advance(thread_id)
        if later:
            self._clock.call_later(_AGAIN_SECONDS, self._load_again, later)

    def _load_again(self, runs: list[Document]) -> None:
        if not self._queue.closing:
            self._tasks.spawn(self._load_each(runs, is_repeated=True))

    async def _control_of(self, run: Document) -> Document | None:
        """Return the run control of a run, which may be empty; None if it is damaged."""
        try:
            return await self._storage.run_controls.get(run["run_id"]) or {}
        except Unreadable:  # The storage has logged it.
            return None

    async def load(self, thread_id: str) -> None:
        """Load the runs of a thread into the queue, and stop those with a request to stop.

        The caller holds the thread's lock, and this process holds the thread's lease.
        """
        unfinished = {"thread_id": thread_id, "status": UNFINISHED}
        for run in await self._storage.runs.search(where=unfinished, order_by="created_at"):
            control = await self._control_of(run)
            job = self._queue.jobs.get(run["run_id"])
            if job is None:
                await self._take_up(run, control)
            elif control is None:
                continue
            elif control.get("delete"):
                self._stopper.delete_job(job)
            elif control.get("stop"):
                self._stopper.stop(job, control["stop"], str(control.get("reason", "")))

    async def _take_up(self, run: Document, control: Document | None) -> None:
        """Add a stored run to the queue, or end it.

        Args:
            run: Its document.
            control: Its run control, which may be empty; None if it is damaged.

        Raises:
            Unreadable: Its thread is damaged.
            Unavailable: Its thread cannot be decrypted, or the database fails.
        """
        thread = await self._storage.threads.get(run["thread_id"])
        if thread is None:
            async with self._storage.transaction() as transaction:
                await delete_run_documents(transaction, run["run_id"])
            return
        run = {**run, "kwargs": with_current_keys(run["kwargs"])}
        decision = await self._decision(run, control)
        # Counted before the run starts again: if it kills the process at once, the next start
        # must know.
        if decision.control is not None:
            await self._storage.run_controls.put(decision.control)
        control = control or {}
        job = self._job_again(decision.run)
        job.idempotency_key = control.get("idempotency_key")
        job.mark = control.get("mark")
        job.suspect = decision.suspect
        job.deleted = bool(control.get("delete"))
        self._queue.enter(job, resting(thread))
        if self._cluster is not None:
            self._cluster.followers.keep(job)
        if decision.outcome is not None:
            job.ended, job.reason = True, decision.reason
            job.started_at = run["updated_at"] if job.attempt else None
            # In a task: the caller may hold the lock of the thread, which the settlement needs.
            self._tasks.spawn(self._settlements.settle(job, decision.outcome))

    async def _decision(self, run: Document, control: Document | None) -> Decision:
        if control is None:
            return without_control(run)
        latest = None
        if run["status"] == "running":
            latest = await self._storage.states.latest(run["thread_id"])
        return decide(
            run,
            {**new_control(run), **control},
            latest,
            self._max_kills,
            has_connection=await self._has_connection(control),
        )

    async def _has_connection(self, control: Document) -> bool:
        """Return whether the process that has the connection of a `bound` run is alive."""
        # True, and not an id, is stored by a single process, and by earlier versions.
        process_id = control.get("bound")
        if self._cluster is None or not isinstance(process_id, str):
            return False
        return await self._cluster.shared.is_alive(process_id)

    def _job_again(self, run: Document) -> Job:
        """Return the job of a stored run.

        If the run was followed here, its readers and waiters hold the old job. So that job is
        reset, and not replaced.
        """
        known = None if self._cluster is None else self._cluster.following.adopt(run["run_id"])
        job = self._job_factory.job(run)
        if known is None:
            return job
        known.run, known.collected, known.due = run, job.collected, job.due
        known.stop, known.reason, known.task = None, "", None
        known.ended = known.begun = known.lost = known.log.is_remote = False
        known.started_at = known.mark = known.protocol = None
        if known.log.keeper is None:
            known.log.keeper = job.log.keeper
        return known


def _log_failure(ids: Document, error: Exception) -> None:
    is_expected = isinstance(error, (Unavailable, Unreadable))
    logger.error(
        "run %s of thread %s is not resumed%s: %s",
        ids["run_id"],
        ids["thread_id"],
        " yet (trying again)" if isinstance(error, Unavailable) else "",
        error,
        exc_info=None if is_expected else error,
    )
