"""The life of a run. Knows runs, threads and graphs, and nothing of HTTP.

A run is `pending`, then `running`, then over; `run_states.TRANSITIONS` says what may follow what.
`RunQueue` decides which run is next, `RunExecutor` executes a run, `RunStopper` stops it, and
`Settlements` ends it. Each job goes through three steps, and always reaches the last one:

1. `submit` writes the run and adds it to the queue;
2. a task executes it. It may be cancelled at any point, even before its first step;
3. when that task is done, or instead of it, another task settles the run, exactly once.

A decision about a thread is made under the lock of the thread, from reading to writing. An
operation of several steps is finished even if its caller is cancelled meanwhile
(`BackgroundTasks.finish`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace
from typing import Any

from langgraph_client.server.clock import Clock
from langgraph_client.server.encoding import encode
from langgraph_client.server.errors import Conflict, NotFound, Unavailable
from langgraph_client.server.hooks import RunHooks
from langgraph_client.server.request_context import without_encryption_context
from langgraph_client.server.runs.background_tasks import BackgroundTasks
from langgraph_client.server.runs.cluster import Cluster
from langgraph_client.server.runs.event_log import EventLog
from langgraph_client.server.runs.execute_run import RunExecutor
from langgraph_client.server.runs.job_factory import JobFactory
from langgraph_client.server.runs.load_runs import RunLoader
from langgraph_client.server.runs.locks import KeyedLocks
from langgraph_client.server.runs.metrics import Metrics
from langgraph_client.server.runs.new_run import BUSY, NewRun
from langgraph_client.server.runs.protocol_runs import ProtocolRuns, alone
from langgraph_client.server.runs.recovery import with_mark, with_stop
from langgraph_client.server.runs.run_queue import QueueNumbers, RunQueue
from langgraph_client.server.runs.run_services import RunServices
from langgraph_client.server.runs.run_states import (
    Ended,
    GraphRunner,
    Job,
    Outcome,
)
from langgraph_client.server.runs.settlement import Settlements
from langgraph_client.server.runs.stop_runs import RunStopper
from langgraph_client.server.runs.thread_events import ThreadLogs
from langgraph_client.server.runs.thread_status import resting
from langgraph_client.server.storage.protocol import UNFINISHED, Document, Storage, Transaction
from langgraph_client.server.storage.shared import Fenced, Shared, Standing, run_lease

logger = logging.getLogger("langgraph_client.server")

_CLOSE_SECONDS = 2.0
_PAUSE = 0.5
"""How long to wait before the database is asked again, in seconds."""


class Engine:
    """Starts runs, and ends each of them once.

    Args:
        storage: Stores threads, runs and resumable events.
        clock: Gives times and event ids.
        graph_runner: Runs a job's graph, and reads a thread's state.
        limit: How many runs may run at the same time, each on a thread of its own.
        seconds: How long a run may take before it ends as `timeout`; None for no limit.
        show_errors: Show the text of every exception, see `error_document`.
        show_tracebacks: Keep the traceback of a failed run in its thread's `error`.
        hooks: Are called at points in the life of a run.
        ending: Called within the transaction that ends a run that had started.
        ended: Called when a run that had started is over.
        works: Whether this process executes runs; if not, others that share its database do.
    """

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        graph_runner: GraphRunner,
        *,
        limit: int,
        seconds: float | None,
        show_errors: bool,
        show_tracebacks: bool,
        hooks: RunHooks,
        ending: Callable[[Transaction, Ended], Awaitable[None]],
        ended: Sequence[Callable[[Ended], None]],
        works: bool,
    ) -> None:
        shared: Shared | None = storage.shared
        self.locks = KeyedLocks(None if shared is None else shared.locked)
        self.tasks = BackgroundTasks()
        self.metrics = Metrics()
        self.thread_logs = ThreadLogs(clock, storage, self.write_logs)
        self._storage = storage
        self._clock = clock
        self._queue = RunQueue(clock, hooks, limit, self._start)
        self._unwritten: set[EventLog] = set()
        self.job_factory = JobFactory(storage, clock, self.metrics, self._unwritten)
        self.protocol_runs = ProtocolRuns(
            storage, clock, self._unwritten, self._queue.of, self._opening_protocol
        )
        services = RunServices(
            storage=storage,
            clock=clock,
            graph_runner=graph_runner,
            hooks=hooks,
            locks=self.locks,
            tasks=self.tasks,
            metrics=self.metrics,
            thread_logs=self.thread_logs,
            protocol_runs=self.protocol_runs,
            job_factory=self.job_factory,
            queue=self._queue,
        )
        self.cluster = (
            None if shared is None else Cluster(services, shared, self._load, works=works)
        )
        self._executor = RunExecutor(
            services, seconds=seconds, show_errors=show_errors, show_tracebacks=show_tracebacks
        )
        self._settlements = Settlements(
            services,
            self._executor,
            self.cluster,
            ending=ending,
            ended=ended,
            thread_gone=self._delete_waiting,
        )
        self.stopper = RunStopper(
            services, self._executor, self._settlements, self.cluster, self.busy
        )
        self._loader = RunLoader(services, self._settlements, self.stopper, self.cluster)
        self._closed = False

    async def _load(self, thread_id: str) -> None:
        await self._loader.load(thread_id)

    def _delete_waiting(self, thread_id: str) -> None:
        for job in self._queue.of(thread_id):
            self.stopper.delete_job(job)

    def _opening_protocol(self, thread_id: str) -> AbstractAsyncContextManager[tuple[bool, bool]]:
        if self.cluster is None:
            return alone(thread_id)
        return self.cluster.forwarder.opening(thread_id)

    @property
    def process_id(self) -> str | None:
        """The id of this process among those that share the database; None if there are none."""
        return None if self.cluster is None else self.cluster.shared.process_id

    @property
    def jobs(self) -> dict[str, Job]:
        """The runs that are not over, by id."""
        return self._queue.jobs

    # Creating.

    async def read_thread(
        self, held: Any, thread_id: str
    ) -> tuple[Document | None, Standing | None]:
        """Return a thread's document, and its state for `submit`.

        Args:
            held: The value of the thread's lock.
            thread_id: The thread.
        """
        within = self._storage.within(held)
        if self.cluster is None:
            return await within.threads.get(thread_id), None
        return await self.cluster.read_thread(within, thread_id)

    async def submit(self, new: NewRun) -> Job:
        """Accept a new run, and start it if it is next. The caller holds the thread's lock.

        Raises:
            Conflict: The thread is busy and the run's strategy is `reject`.
            NotFound: The thread is being deleted.
            Unavailable: The server is stopping, or nothing can be written.
            Fenced: Another process took over the thread meanwhile; nothing is written. The caller
                may try again, under the lock.
        """
        thread_id = new.thread_id
        if self._queue.closing:
            raise Unavailable("The server is stopping")
        if thread_id in self.stopper.deleting:
            raise NotFound(f"Thread with ID {thread_id} not found")
        # Depths are not stored: a run whose parent another process executes has depth 0.
        depth = self.jobs[new.parent].depth + 1 if new.parent in self.jobs else 0
        claimable: Standing | None = None
        if self.cluster is not None and not self.cluster.shared.owns(thread_id):
            # A run that starts at once takes the lease in the transaction that writes the run,
            # which saves a round trip.
            if self._queue.is_next(new.run, depth):
                claimable = self.cluster.claimable(
                    thread_id, new.standing, is_new_thread=new.is_new_thread
                )
            if claimable is None and not await self.cluster.take_if_possible(
                thread_id, is_new_thread=new.is_new_thread, depth=depth
            ):
                forwarded = await self.cluster.forwarder.submit(new)
                return self.job_factory.job(new.run) if forwarded is None else forwarded
        return await self._accept(new, depth, claimable)

    async def _accept(self, new: NewRun, depth: int, claimable: Standing | None) -> Job:
        """Accept a run of a thread that this process has, or takes over together with the run.

        Args:
            new: The run.
            depth: See `Job.depth`.
            claimable: The state of the thread if it is taken over.
        """
        others = self._queue.of(new.thread_id)
        if others and new.is_refused_if_busy:
            raise Conflict(BUSY)
        job = self.job_factory.job(new.run)
        job.idempotency_key = None if new.key is None else new.key["key"]
        job.depth = depth
        stored = new
        # A guess: during the write below another thread may take the last slot. Then this run is
        # stored as running, and waits; `begun` tells `advance`, `_begin` and `close` of it.
        if self._queue.is_next(new.run, depth):
            # Stored as running at once, so that it starts after one transaction and not two.
            job.run, job.begun = self._executor.begun(new.run), True
            stored = replace(new, run=job.run)
            if not job.temporary:
                states = self._storage.within(new.held).states
                job.mark = claimable.mark if claimable else await states.mark(new.thread_id)
                control = with_mark(new.run, new.control, job.mark)
                stored = replace(stored, control=control)
        # In the same transaction as the new run: if the process is killed right after it, the next
        # one does not execute the runs that this one replaces.
        stops = []
        if new.replaces is not None:
            for other in others:
                before = await self._storage.within(new.held).run_controls.get(other.run_id)
                stops.append(with_stop(other.run, before, new.replaces, new.stop_reason))
        await self._store(stored, stops, claimable)
        # Only after the commit: a run in the queue may be started, stopped and settled at any time.
        self._queue.enter(job, resting(new.thread))
        if self.cluster is not None:
            self.cluster.followers.keep(job)
        if new.replaces is not None:
            for other in others:
                self.stopper.stop(other, new.replaces, new.stop_reason)
        self._queue.advance(new.thread_id)
        return job

    async def _store(self, new: NewRun, stops: list[Document], claimable: Standing | None) -> None:
        """Write a new run and the stops of other runs; take its thread over if it is claimable."""
        thread_id = new.thread_id
        try:
            async with self._storage.transaction(new.held) as transaction:
                if self.cluster is not None and claimable is not None:
                    self.cluster.shared.take_within(transaction, thread_id, claimable.epoch)
                elif self.cluster is not None:
                    self.cluster.shared.check(transaction, thread_id)
                await new.write(transaction, self._clock.stamp())
                for control in stops:
                    await transaction.run_controls.put(control)
        except Fenced:
            # With `claimable`, another process took the thread first: there is no lease to lose.
            if self.cluster is not None and claimable is None:
                self.cluster.lose_lease(thread_id)
            raise
        if self.cluster is not None and claimable is not None:
            self.cluster.on_taken(transaction, thread_id, claimable)

    def _start(self, job: Job) -> None:
        context = without_encryption_context()
        if self.cluster is not None:
            context.run(run_lease.set, self.cluster.lease_of(job.thread_id))
        job.task = asyncio.create_task(
            self._executor.execute(job), name=f"run {job.run_id}", context=context
        )
        # A callback, and not a `finally` in the task: if the task is cancelled before its first
        # step, none of its code runs.
        job.task.add_done_callback(lambda task: self._attempt_ended(job, task))

    def _attempt_ended(self, job: Job, task: asyncio.Task[Outcome]) -> None:
        """Settle a run whose task is done, however the task ended."""
        # From here on no cancellation reaches the task. A later `stop` is read by the settlement.
        job.ended = True
        if self._closed:  # It stopped too late for `close`, which has put it back.
            return
        cancelled = task.cancelled()
        raised = None if cancelled else task.exception()
        if self.cluster is not None and isinstance(raised, Fenced):
            self.cluster.lose_lease(job.thread_id)
        # The database failed, not the graph: the run goes on later, in this process or another.
        if self.cluster is not None and isinstance(raised, Unavailable) and job.stop is None:
            self.tasks.spawn(self._hand_back(job))
            self._queue.free(job)
            return
        if self.cluster is not None and job.lost:
            self._queue.free(job)
            self.cluster.remove_lost(job)
            return
        if job.stop is not None:
            # Also if the graph ended by itself meanwhile: the request to stop was accepted, and
            # its client relies on it.
            outcome = Outcome(job.stop)
        elif self._queue.closing and _is_broken_off(task):
            self.tasks.spawn(self._executor.put_back(job))
            return
        elif cancelled:
            outcome = self._executor.failure(job, asyncio.CancelledError("the run was cancelled"))
        elif raised is not None:
            outcome = self._executor.failure(job, raised)
        else:
            outcome = task.result()
        self.tasks.spawn(self._settlements.settle(job, outcome))
        self._queue.free(job)
        if self.cluster is not None:
            self.cluster.wake()

    async def _hand_back(self, job: Job) -> None:
        """Put a run back once the database answers again, for whichever process claims it.

        It continues from its last checkpoint.
        """
        assert self.cluster is not None
        logger.warning("run %s pauses: the database is not available", job.run_id)
        while not job.lost:
            try:
                # In this order: the write is fenced by the lease, which must still be held.
                await self._executor.put_back(job)
                self.cluster.lose_lease(job.thread_id)
            except Fenced:
                self.cluster.lose_lease(job.thread_id)
            except Unavailable:
                await asyncio.sleep(_PAUSE)
        self.cluster.remove_lost(job)

    async def write_logs(self) -> None:
        """Write the events of a step, before the checkpoint of the step is written.

        In the other order, a kill between the two would lose the events: a step that has a
        checkpoint is not executed again.
        """
        for log in list(self._unwritten):
            # If its thread is lost, the run of that thread fails by itself, and no other one.
            with suppress(Fenced):
                await log.flush()

    # Reading.

    async def busy(self, thread_id: str) -> list[str]:
        """Return the ids of a thread's runs that are not over, the oldest first."""
        if self.cluster is not None:
            return [run["run_id"] for run in await self.cluster.forwarder.unfinished(thread_id)]
        return [job.run_id for job in self._queue.of(thread_id)]

    async def unfinished(self) -> list[Document]:
        """Return the runs of all processes that are not over."""
        if self.cluster is not None:
            return await self._storage.runs.unfinished()
        return [job.run for job in self.jobs.values()]

    async def unfinished_counts(self) -> dict[str, int]:
        """Return how many runs are pending and running, in all processes."""
        runs = self._storage.runs
        return {status: await runs.count(where={"status": status}) for status in UNFINISHED}

    async def find_job(self, run: Document) -> Job | None:
        """Return the job of a run, here or in another process; None if the run is over.

        Args:
            run: The run's document.
        """
        job = self.jobs.get(run["run_id"])
        if job is not None and not job.lost:
            return job
        if self.cluster is None or run["status"] not in UNFINISHED:
            return None
        async with self.locks.hold(run["thread_id"]):
            # Asked again: this process may have taken the thread over while it waited for the lock.
            return self.jobs.get(run["run_id"]) or await self.cluster.forwarder.find(run)

    async def watch(self, thread_id: str) -> EventLog:
        """Return the event log of a thread. The caller must release it with `feeds.drop`."""
        log = self.thread_logs.open(thread_id)
        if self.cluster is not None:
            try:
                await self.cluster.forwarder.watch(thread_id)
            except BaseException:
                self.thread_logs.drop(thread_id)
                raise
        return log

    async def announce(self, thread_id: str, name: str, data: Any) -> None:
        """Send the readers of a thread an event that belongs to no run, such as `state_update`.

        The caller holds the thread's lock, and the thread has no run.
        """
        event_id, encoded = None, encode(data)
        if self.cluster is not None:
            event_id = await self.cluster.forwarder.announce(thread_id, name, encoded)
        self.thread_logs.append(thread_id, name, encoded, event_id)

    def numbers(self) -> QueueNumbers:
        """Return how many runs wait and how long, and how many more could run."""
        return self._queue.numbers()

    async def log_of(self, run: Document) -> EventLog:
        """Return the event log of a run, also if the run is over."""
        if job := await self.find_job(run):
            return job.log
        return self.job_factory.over(run, None).log

    # Starting and stopping the server.

    async def recover(self) -> None:
        """Resume the runs that an earlier process left pending or running."""
        if self.cluster is not None:
            await self.cluster.start()
        else:
            await self._loader.load_all()

    async def close(self) -> None:
        """Stop all work. Running runs are put back, and resumed at the next start."""
        self._queue.close()
        running = [job.task for job in self.jobs.values() if job.task is not None]
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=_CLOSE_SECONDS)
        await asyncio.sleep(0)  # Let the callbacks of the ended tasks settle them or put them back.
        await self.tasks.close(_CLOSE_SECONDS)
        self._closed = True
        for job in list(self.jobs.values()):
            try:
                # Its task ignores the cancellation, or was never created.
                if (job.task is not None or job.begun) and not job.ended:
                    await self._executor.put_back(job)
                await job.log.close()
            except (Unavailable, Fenced) as error:
                logger.error("run %s cannot be written: %s", job.run_id, error)
        await self.thread_logs.close()
        await self.protocol_runs.close()
        if self.cluster is not None:
            try:
                await self.cluster.close()
            except Unavailable as error:
                logger.error("other processes have to wait for the leases: %s", error)


def _is_broken_off(task: asyncio.Task[Outcome]) -> bool:
    """Return whether an attempt to execute a run has ended because it was cancelled.

    A node may answer its cancellation with another exception, such as that of the call which it
    was waiting for. Then the task of the attempt is not cancelled, and the outcome is a failure.
    """
    if task.cancelled():
        return True
    return task.cancelling() > 0 and (task.exception() is not None or task.result().event == "fail")
