"""The life of a run. Knows runs, threads and graphs, and nothing of HTTP.

A run is `pending`, then `running`, then over. What may follow what is `run_states.TRANSITIONS`.
Each thread has a `ThreadQueue`: one run at a time, the oldest first; several threads at a time, up
to a limit.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from langgraph_client.server.clock import Clock
from langgraph_client.server.encoding import encode, error_document, node_of
from langgraph_client.server.errors import Conflict
from langgraph_client.server.hooks import RunHooks
from langgraph_client.server.runs.event_log import EventLog
from langgraph_client.server.runs.run_result import RunResult, fallback_result
from langgraph_client.server.runs.run_states import (
    DELETED,
    TRANSITIONS,
    Action,
    Ended,
    GraphRunner,
    Job,
    ThreadQueue,
)
from langgraph_client.server.runs.stored_events import RUN_DONE, RunEvents
from langgraph_client.server.runs.thread_events import ThreadLogs
from langgraph_client.server.storage.protocol import Document, Event, Storage, Transaction
from langgraph_client.server.typed_values import RICH, enclosed, failure_details

logger = logging.getLogger("langgraph_client.server")

GONE = "client disconnected from the run stream (on_disconnect=cancel)"
BUSY = (
    "Thread is already running a task. Wait for it to finish or choose a different multitask"
    " strategy."
)
NOT_FOUND = {"error": "HTTPException", "message": "404: Run not found"}


class Engine:
    """Runs runs.

    Args:
        storage: Where threads, runs and resumable events are kept.
        clock: Time and event ids.
        graph_runner: Runs a job's graph, and reads and rolls back a thread's state.
        limit: How many runs may run at the same time, each on a thread of its own.
        seconds: How long a run may take before it ends as `timeout`; None for no limit.
        show_errors: Show the text of every exception, see `error_document`.
        hooks: What looks into the runs.
        ended: Called when a run that had started is over.
    """

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        graph_runner: GraphRunner,
        *,
        limit: int = 100,
        seconds: float | None = None,
        show_errors: bool = False,
        hooks: RunHooks | None = None,
        ended: Sequence[Callable[[Ended], None]] = (),
    ) -> None:
        self.jobs: dict[str, Job] = {}
        self._hooks = RunHooks() if hooks is None else hooks
        self._ended = tuple(ended)
        self._storage = storage
        self._clock = clock
        self._graph_runner = graph_runner
        self._limit = limit
        self._seconds = seconds
        self._show_errors = show_errors
        self._queues: dict[str, ThreadQueue] = {}
        self.feeds = ThreadLogs(clock, storage)
        self._unwritten: set[EventLog] = set()
        self._running = 0
        self._waiting: deque[str] = deque()
        self._closing = False
        self._tasks: set[asyncio.Future[Any]] = set()

    # Creating.

    async def submit(self, run: Document, thread: Document) -> Job:
        """Take on a new run, and start it if it is its turn.

        Args:
            run: The run's document, status `pending`. Stored.
            thread: Its thread's document, changed to `busy` and stored.

        Raises:
            Conflict: The thread is busy and the run's strategy is `reject`.
        """
        thread_id = thread["thread_id"]
        queue = self._queues.get(thread_id)
        if queue is not None and queue.jobs:
            strategy = run["multitask_strategy"]
            if strategy == "reject":
                raise Conflict(BUSY)
        if queue is None:
            queue = self._queues[thread_id] = ThreadQueue(_resting(thread))
        thread["status"] = "busy"
        thread["updated_at"] = self._clock.stamp()
        async with self._storage.transaction() as transaction:
            await transaction.threads.put(thread)
            await transaction.runs.insert(run)
        others = list(queue.jobs)
        job = self._enter(run, queue)
        if run["multitask_strategy"] in ("interrupt", "rollback"):
            for other in others:
                how: Action = run["multitask_strategy"]
                await self._stop(
                    other, how, f"{how} requested via POST /threads/{{thread_id}}/runs"
                )
        self._advance(thread_id)
        return job

    def _enter(self, run: Document, queue: ThreadQueue) -> Job:
        keeper = RunEvents(self._storage, run) if run["kwargs"]["resumable"] else None
        due = _seconds_of(run["created_at"])
        log = EventLog(self._clock, keeper, unwritten=self._unwritten)
        job = Job(run, log, RunResult(), due)
        queue.jobs.append(job)
        queue.jobs.sort(key=lambda other: other.due)
        self.jobs[job.run_id] = job
        return job

    # Whose turn it is.

    def _advance(self, thread_id: str) -> None:
        """Start the next run of a thread, if it is time and there is room."""
        queue = self._queues.get(thread_id)
        if queue is None or queue.current is not None or self._closing:
            return
        if queue.timer is not None:
            queue.timer.cancel()
            queue.timer = None
        if not queue.jobs:
            del self._queues[thread_id]
            return
        job = queue.jobs[0]
        wait = job.due - self._clock.time()
        if wait > 0:
            queue.timer = self._clock.call_later(wait, self._advance, thread_id)
        elif not self._hooks.may_start(job.run, lambda: self._advance(thread_id)):
            return
        elif self._running >= self._limit:
            if thread_id not in self._waiting:
                self._waiting.append(thread_id)
        else:
            queue.current = job
            self._running += 1
            job.task = asyncio.create_task(self._work(job), name=f"run {job.run_id}")

    async def _leave(self, job: Job) -> None:
        """Take a run that is over out of its queue, and let the next one in."""
        queue = self._queues[job.thread_id]
        queue.jobs.remove(job)
        self.jobs.pop(job.run_id, None)
        if queue.current is job:
            queue.current = None
            self._running -= 1
        await job.log.close()
        job.over.set()
        self._advance(job.thread_id)
        while self._waiting and self._running < self._limit:
            self._advance(self._waiting.popleft())

    # Running.

    async def _work(self, job: Job) -> None:
        """Take a run through to its end, whatever goes wrong: who waits must not wait for ever."""
        try:
            await self._attempt(job)
        except Exception as raised:  # the server's own failure; a graph's ends the run as `error`
            logger.exception("run %s could not be carried out", job.run_id)
            self._hooks.failed(job.run, raised)
            job.result = {"__error__": error_document(raised, self._show_errors)}
            if not job.over.is_set():
                await self._leave(job)

    async def _attempt(self, job: Job) -> None:
        self._move(job, "start")
        run = job.run
        job.started_at = self._clock.stamp()
        run["kwargs"]["config"].setdefault("configurable", {})["__pregel_node_finished"] = None
        metadata = run["kwargs"]["config"].setdefault("metadata", {})
        metadata["run_attempt"] = attempt = metadata.get("run_attempt", 0) + 1
        metadata.update(self._graph_runner.versions)
        await self._save(self._storage, job)
        self._emit(job, "metadata", {"run_id": job.run_id, "attempt": attempt})
        if not job.temporary:
            job.mark = await self._storage.states.mark(job.thread_id)
        error: dict[str, str] | None = None
        details: Document = {}
        limit = asyncio.timeout(None)
        watch = (
            None if self._seconds is None else self._clock.call_later(self._seconds, _end, limit)
        )
        try:
            async with limit:
                await self._hooks.before_run(run)
                await self._perform(job)
            event = "succeed"
        except asyncio.CancelledError:
            if job.stop is None:  # the server is stopping: the run is taken up again at a restart
                await job.log.close()
                raise
            event = job.stop
        except Exception as raised:
            late = isinstance(raised, TimeoutError) and limit.expired()
            event = "time out" if late else "fail"
            error = error_document(raised, self._show_errors)
            if RICH in run["kwargs"]:
                if node := node_of(raised):
                    error["node"] = node
                details = failure_details(raised, error["message"])
            logger.info("run %s failed", job.run_id, exc_info=raised)
            self._hooks.failed(run, raised)
        finally:
            if watch is not None:
                watch.cancel()
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()
        await asyncio.shield(self._finish(job, event, error, details))

    async def _perform(self, job: Job) -> None:
        note, log, feeds = job.collected.note, job.log, self.feeds
        events = self._graph_runner.events(job)
        try:
            async for name, data in events:
                note(name, data)
                if log.watched or job.thread_id in feeds:
                    self._emit(job, name, data)
                    if log.full:
                        await log.room()
        finally:
            await events.aclose()

    def _emit(self, job: Job, name: str, data: Any, keep: bool = True) -> None:
        shown = enclosed(data) if RICH in job.run["kwargs"] else data
        event = job.log.append(name, encode(shown), keep=keep)
        self.feeds.tell(job.thread_id, name, event.data, event.id)

    async def _finish(
        self, job: Job, event: str, error: dict[str, str] | None, details: Document
    ) -> None:
        """Bring the documents to the truth, tell who waits, and let the next run in.

        `details` of the error are told in its event alone.
        """
        if event == "rollback":
            await self._storage.states.delete_run(job.thread_id, job.run_id, job.mark)
        if event == job.stop:
            kind = "UserInterrupt" if event == "interrupt" else "UserRollback"
            error = None if job.deleted else {"error": kind, "message": job.reason}
        queue = self._queues[job.thread_id]
        rest = queue.rest
        gone = job.temporary or job.deleted
        if not job.temporary:
            try:
                rest = await self._graph_runner.state(job, queue.rest)
            except Exception as raised:
                logger.exception("the state of thread %s cannot be read", job.thread_id)
                event, error = "fail", error_document(raised, self._show_errors)
        status = self._move(job, event)
        if status == "error" or status == "timeout":
            self._emit(job, "error", {**details, **(error or {})}, keep=False)
        failed = status in ("error", "timeout")
        queue.rest = {**rest, "error": error}
        if failed:
            queue.rest["status"] = "error"
        job.result = job.collected.result(error if failed else None)
        if job.result is None:
            job.result = {} if job.temporary else fallback_result(queue.rest)
        if event in ("interrupt", "rollback") and job.collected.values is None:
            job.result = {}
        async with self._storage.transaction() as transaction:
            if status == DELETED or gone:
                await _drop(transaction, job.run_id)
            else:
                await self._save(transaction, job)
            if job.temporary:
                await transaction.delete_thread(job.thread_id)
            else:
                await self._settle(transaction, job.thread_id, queue, others=len(queue.jobs) > 1)
        await self._run_done(job, keep=status != DELETED and not gone)
        await self._leave(job)
        self._tell(job, status, queue.rest, error)

    async def _settle(
        self, transaction: Transaction, thread_id: str, queue: ThreadQueue, others: bool
    ) -> None:
        """Write what a thread's runs left to its document."""
        thread = await transaction.threads.get(thread_id)
        if thread is None:
            return
        now = self._clock.stamp()
        thread.update(queue.rest, updated_at=now, state_updated_at=now)
        if others:
            thread["status"] = "busy"
        await transaction.threads.put(thread)

    def _move(self, job: Job, event: str) -> str:
        """Take a run from one state to the next; what the table does not allow is a mistake."""
        before = job.run["status"]
        after = TRANSITIONS.get((before, event))
        if after is None:
            raise AssertionError(f"a {before} run cannot {event}")
        job.run["status"] = after
        job.run["updated_at"] = self._clock.stamp()
        return after

    async def _save(self, transaction: Transaction, job: Job) -> None:
        if not job.deleted:
            await transaction.runs.put(job.run)

    async def _run_done(self, job: Job, keep: bool) -> None:
        data = encode({"status": RUN_DONE, "run_id": job.run_id})
        event_id = self._clock.event_id()
        await job.log.flush()
        if keep and job.run["kwargs"]["resumable"]:
            await RunEvents(self._storage, job.run).add([Event(event_id, RUN_DONE, data)])
        self.feeds.tell(job.thread_id, "metadata", data, event_id)

    def _tell(self, job: Job, status: str, rest: Document, error: dict[str, str] | None) -> None:
        if job.started_at is None:
            return
        told = Ended(
            run=job.run,
            status="rollback" if status == DELETED else status,
            values=None if job.temporary or status == DELETED else rest.get("values"),
            error=error,
            started_at=job.started_at,
            ended_at=self._clock.stamp(),
        )
        for listener in self._ended:
            listener(told)

    # Stopping.

    async def _stop(self, job: Job, action: Action, reason: str) -> None:
        """Ask a run to end; a pending one ends at once."""
        if job.stop is not None or job.over.is_set():
            return
        job.stop, job.reason = action, reason
        if job.task is not None:
            job.task.cancel()
            return
        status = self._move(job, action)
        async with self._storage.transaction() as transaction:
            if status == DELETED or job.deleted:
                await _drop(transaction, job.run_id)
            else:
                await self._save(transaction, job)
            queue = self._queues[job.thread_id]
            if job.temporary:
                await transaction.delete_thread(job.thread_id)
            elif len(queue.jobs) == 1:
                await self._settle(transaction, job.thread_id, queue, others=False)
        job.result = {}
        await self._run_done(job, keep=status != DELETED and not job.deleted)
        await self._leave(job)

    async def cancel(self, run_ids: list[str], action: Action, reason: str = GONE) -> list[Job]:
        """Ask runs to end. Returns those that were not over; the rest is passed over.

        Args:
            run_ids: The runs.
            action: Keep what they did so far, or undo it.
            reason: What the thread will say about it.
        """
        found = [self.jobs[run_id] for run_id in run_ids if run_id in self.jobs]
        for job in found:
            await self._stop(job, action, reason)
        return found

    def disconnected(self, run_id: str) -> None:
        """Cancel a run whose client went away; does not wait for it."""
        task = asyncio.ensure_future(self.cancel([run_id], "interrupt"))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def delete_run(self, run_id: str) -> None:
        """End a run whose document is being deleted; its readers are told that it is gone."""
        job = self.jobs.get(run_id)
        if job is not None:
            job.deleted = True
            self._emit(job, "error", NOT_FOUND, keep=False)
            await self._stop(job, "rollback", "the run was deleted")

    async def delete_thread(self, thread_id: str) -> None:
        """End a thread's runs and delete all that belongs to it."""
        queue = self._queues.get(thread_id)
        jobs = list(queue.jobs) if queue else []
        for job in reversed(jobs):  # the pending ones first, or one of them would start
            await self.delete_run(job.run_id)
        for job in jobs:
            await job.over.wait()
        await self._storage.delete_thread(thread_id)

    async def forget(self, run: Document) -> None:
        """Delete a run that is over, with its checkpoints."""
        async with self._storage.transaction() as transaction:
            await transaction.states.delete_run(run["thread_id"], run["run_id"])
            await _drop(transaction, run["run_id"])

    async def write_logs(self) -> None:
        """Write the events that are to be kept, before a checkpoint is written that is behind them.

        Otherwise a kill in between would lose them: their step is done, and not done again.
        """
        for log in list(self._unwritten):
            await log.flush()

    # Reading.

    def busy(self, thread_id: str) -> list[str]:
        """Return the ids of a thread's runs that are not over."""
        queue = self._queues.get(thread_id)
        return [job.run_id for job in queue.jobs] if queue else []

    def numbers(self) -> tuple[dict[str, float | None], dict[str, int]]:
        """Return how many runs wait and for how long, and how many more could run."""
        now = self._clock.time()
        waits = sorted(now - j.due for j in self.jobs.values() if j.task is None and j.due <= now)
        longest, middle = (waits[-1], waits[len(waits) // 2]) if waits else (None, None)
        queue = {
            "n_pending": sum(job.task is None for job in self.jobs.values()),
            "n_running": self._running,
            "pending_runs_wait_time_max_secs": longest,
            "pending_runs_wait_time_med_secs": middle,
            "pending_unblocked_runs_wait_time_max_secs": longest,
        }
        free = max(self._limit - self._running, 0)
        return queue, {"max": self._limit, "active": self._running, "available": free}

    async def result(self, run_id: str) -> Any:
        """Wait for a run to be over and return what `wait` answers."""
        job = self.jobs[run_id]
        await job.over.wait()
        return job.result

    def log_of(self, run: Document) -> EventLog:
        """Return the event log of a run, of one that is over too."""
        if job := self.jobs.get(run["run_id"]):
            return job.log
        keeper = RunEvents(self._storage, run) if run["kwargs"]["resumable"] else None
        log = EventLog(self._clock, keeper)
        log.closed = True
        return log

    # Starting and stopping the server.

    async def recover(self) -> None:
        """Take up again what an earlier process left pending or running."""
        for run in await self._storage.runs.unfinished():
            thread = await self._storage.threads.get(run["thread_id"])
            if thread is None:
                await self._storage.runs.delete(run["run_id"])
                continue
            queue = self._queues.setdefault(run["thread_id"], ThreadQueue(_resting(thread)))
            job = self._enter(run, queue)
            if run["status"] == "running":
                self._move(job, "requeue")
                await self._save(self._storage, job)
        for thread_id in list(self._queues):
            self._advance(thread_id)

    async def close(self) -> None:
        """Stop all work. What was running stays so on disk and is taken up at a restart."""
        self._closing = True
        tasks = [job.task for job in self.jobs.values() if job.task is not None]
        for task in tasks:
            task.cancel()
        for queue in self._queues.values():
            if queue.timer is not None:
                queue.timer.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        for job in self.jobs.values():
            if not job.log.closed:
                await job.log.close()
        await self.feeds.close()


async def _drop(transaction: Transaction, run_id: str) -> None:
    await transaction.runs.delete(run_id)
    await transaction.events.delete_run(run_id)


def _resting(thread: Document) -> Document:
    """Return what a thread goes back to when its runs leave nothing behind."""
    rest: Document = {k: thread[k] for k in ("values", "interrupts", "error") if k in thread}
    status = thread.get("status", "idle")
    rest["status"] = "idle" if status == "busy" else status
    return rest


def _seconds_of(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()


def _end(limit: asyncio.Timeout) -> None:
    limit.reschedule(asyncio.get_running_loop().time())
