"""The end of a run: write the documents, notify readers and waiters, start the next run."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from langgraph_client.server.clock import EventId
from langgraph_client.server.encoding import encode, error_document
from langgraph_client.server.errors import CheckpointerUnavailable, Unavailable, is_outage
from langgraph_client.server.runs.cluster import Cluster
from langgraph_client.server.runs.execute_run import RunExecutor
from langgraph_client.server.runs.needed_saver import needs_own_saver
from langgraph_client.server.runs.recovery import with_end
from langgraph_client.server.runs.run_document import goes_on
from langgraph_client.server.runs.run_result import ERROR, NOT_FOUND, fallback_result
from langgraph_client.server.runs.run_services import RunServices
from langgraph_client.server.runs.run_states import (
    DELETED,
    Ended,
    Job,
    Outcome,
    status_after,
)
from langgraph_client.server.runs.stored_events import RUN_DONE
from langgraph_client.server.runs.thread_status import after_run, with_runs
from langgraph_client.server.storage.protocol import Document, Event, Transaction
from langgraph_client.server.storage.shared import Fenced
from langgraph_client.server.typed_values import enclosed
from langgraph_client.server.user_code import is_stopping

logger = logging.getLogger("langgraph_client.server")

_PAUSES = (0.1, 0.2, 0.5, 1.0)
"""Seconds between attempts to write if the storage is not available; the last one repeats."""
_NOT_UNDONE = "; the state still has what the run wrote: {}"
_CANNOT_UNDO = _NOT_UNDONE.format("the checkpointer of the {} has no method delete_for_runs()")
STATE_SECONDS = 30.0
"""How many seconds reading a graph's state may take."""


@dataclass(frozen=True)
class _End:
    """The data that is written and sent at the end of a run."""

    run: Document
    status: str
    #: Whether the run's document is deleted.
    gone: bool
    #: The new fields of the thread.
    rest: Document
    #: The data for functions that are called at the end of a run; None if it had not started.
    for_listeners: Ended | None
    #: The response to `wait`.
    result: object
    #: The data of the `error` event for readers; None without an error.
    error_event: bytes | None
    error_id: EventId
    done_id: EventId
    done: bytes


class Settlements:
    """Ends runs.

    Args:
        services: The objects that it shares with the engine's other parts.
        executor: Makes the outcome of a failure.
        cluster: The processes that share the database; None if there is only this one.
        ending: Called within the transaction that ends a run that had started.
        ended: Called when a run that had started is over.
        thread_gone: Called when a temporary run has taken its thread with it, under the lock of
            the thread: ends the runs that were put behind it.
    """

    def __init__(
        self,
        services: RunServices,
        executor: RunExecutor,
        cluster: Cluster | None,
        *,
        ending: Callable[[Transaction, Ended], Awaitable[None]],
        ended: Sequence[Callable[[Ended], None]],
        thread_gone: Callable[[str], None],
    ) -> None:
        self._storage = services.storage
        self._clock = services.clock
        self._graph_runner = services.graph_runner
        self._queue = services.queue
        self._locks = services.locks
        self._thread_logs = services.thread_logs
        self._protocol_runs = services.protocol_runs
        self._metrics = services.metrics
        self._executor = executor
        self._cluster = cluster
        self._ending = ending
        self._ended = ended
        self._thread_gone = thread_gone

    async def settle(self, job: Job, outcome: Outcome) -> None:
        """End a run that has stopped or that will never start.

        It must be called once for each job, in a task that only a shutdown of the server cancels.
        If the end is not written by then, it is decided again at the next start. While the storage
        is not available, it tries again.
        """
        failures = 0
        while True:
            if job.lost:  # Lost during the attempt: the process that has taken it over ends it.
                await self._lose(job)
                return
            try:
                fields, outcome = await self._fields_after_run(job, outcome)
                if await self._end(job, outcome, fields, is_retry=failures > 0):
                    return
                # The state must be read again, after what the run has written is deleted.
                outcome = Outcome("rollback")
            except Fenced:
                await self._lose(job)
                return
            except Unavailable as error:
                if failures == 0:
                    logger.error(
                        "the end of run %s cannot be written yet (trying again): %s",
                        job.run_id,
                        error,
                    )
                await asyncio.sleep(_PAUSES[min(failures, len(_PAUSES) - 1)])
                failures += 1
            except Exception as error:  # An error in this server: a graph's error is an outcome.
                logger.exception("run %s cannot be ended as it should", job.run_id)
                await self._give_up(job, error_document(error, show=False))
                return

    async def _fields_after_run(self, job: Job, outcome: Outcome) -> tuple[Document, Outcome]:
        """Return the thread's fields after the run, and the outcome; a failure if unreadable."""
        # Before the state is read: the thread must show the state that it had before the run.
        if outcome.event == "rollback" and job.attempt:
            job.not_undone = await self._undo(job)
        rest = self._queue.fields_at_rest(job.thread_id)
        if job.temporary or not job.attempt:
            return rest, outcome
        try:
            async with asyncio.timeout(STATE_SECONDS):
                is_deleted = outcome.event == "rollback"
                state = await self._graph_runner.state(job.run, rest, is_deleted=is_deleted)
                return state, outcome
        except BaseException as raised:  # Of a graph's factory, or a class that cannot be restored.
            if is_outage(raised) or is_stopping(raised):
                raise
            # Only a success: an accepted stop, or the run's own error, must stay its outcome.
            if outcome.error is None and outcome.event == "succeed":
                outcome = self._executor.failure(job, raised)
            return rest, outcome

    async def _undo(self, job: Job) -> str:
        """Delete what a run has written to the state of its thread.

        Returns:
            Why something of it stays, for the error of the thread; empty if nothing does. A
            checkpointer of the application may fail for ever, and the run must end nevertheless.
        """
        not_undone = ""
        is_needed = await needs_own_saver(self._storage, job.thread_id)
        try:
            async with self._storage.transaction() as transaction:
                if self._cluster is not None:
                    self._cluster.shared.check(transaction, job.thread_id)
                await transaction.states.delete_run(job.thread_id, job.run_id, job.mark)
            if await self._storage.states.keeps_run(job.thread_id, job.run_id):
                not_undone = _CANNOT_UNDO.format("server")
        except CheckpointerUnavailable as error:
            logger.error("run %s is not rolled back: %s", job.run_id, error)
            not_undone = _NOT_UNDONE.format(error.detail)
        try:
            # Not in use: the thread's other runs start only after this one has left the queue.
            if not await self._graph_runner.delete_run(
                job.run, is_needed=is_needed, is_in_use=False
            ):
                not_undone = _CANNOT_UNDO.format(f"graph {job.graph_id!r}")
        except Unavailable as error:  # Of user code.
            logger.error("run %s is not rolled back: %s", job.run_id, error)
            not_undone = _NOT_UNDONE.format(error.detail)
        return not_undone

    async def _end(self, job: Job, outcome: Outcome, fields: Document, *, is_retry: bool) -> bool:
        """Write the end of a run, then notify its waiters and start the next run.

        Returns:
            False if it must be rolled back instead; then nothing is written.
        """
        # All events first: a process that sees the run's end reads its events only once more.
        await job.log.flush()
        await self._protocol_runs.ending(job)
        if job.protocol is not None:
            await job.protocol.log.log.flush()
        # The lock across processes ends with the transaction that gets `held`. With v3 events it
        # must not: the run's end is added to them after the transaction, under the same lock.
        together = job.protocol is None
        async with self._locks.hold(job.thread_id, lazily=together) as held:
            # Only under the lock is it certain which requests to stop the run were accepted, and
            # how the run before it has left the thread.
            if job.stop == "rollback" and outcome.event != "rollback":
                return False
            if not job.attempt:
                fields = self._queue.fields_at_rest(job.thread_id)
            end = self._end_of(job, outcome, fields)
            others = len(self._queue.of(job.thread_id)) > 1
            try:
                others = await self._write(job, end, held if together else None, others)
            except Fenced:
                # An earlier attempt may have committed, and so released the lease, although its
                # reply was lost. Then the end is written, and this is no error.
                if not (is_retry and await self._is_written(end)):
                    raise
            # Under the lock: its next holder must find queue and database in agreement.
            self._queue.leave(job, end.rest)
            if job.temporary:
                # Before the next one can start: it would write what was deleted.
                self._thread_gone(job.thread_id)
            if self._cluster is not None:
                # Before `ended`, after which the next holder of the lease writes the v3 log.
                await self._finish_protocol(job, end, outcome)
                await self._cluster.ended(job, others)
        # After the commit, and before `job.over` is set: then waiters read the result.
        job.run, job.result = end.run, end.result
        if end.error_event is not None:
            job.log.append("error", end.error_event, end.error_id, keep=False)
            self._thread_logs.append(job.thread_id, "error", end.error_event, end.error_id)
        self._thread_logs.append(job.thread_id, "metadata", end.done, end.done_id)
        # Does nothing if it was done above; a single process does it without the lock.
        await self._finish_protocol(job, end, outcome)
        await self._close(job, complete=end.status in ("success", "interrupted"))
        self._log_end(job, end.status, outcome)
        if end.for_listeners is not None:
            for listener in self._ended:
                listener(end.for_listeners)
        return True

    def _end_of(self, job: Job, outcome: Outcome, fields: Document) -> _End:
        """Return the data to write and send at the end of a run."""
        status = status_after(job.run["status"], outcome.event)
        failed = status in ("error", "timeout")
        error = _thread_error(job, outcome)
        shown_error = error
        if error is not None and outcome.traceback:
            shown_error = {**error, "traceback": outcome.traceback}
        started = job.attempt > 0
        rest = after_run(fields, shown_error, failed=failed) if started or failed else fields
        error_event: bytes | None = None
        if failed and not job.log.closed:
            event_data = {**outcome.details, **(outcome.error or {})}
            error_event = encode(enclosed(event_data) if outcome.details else event_data)
        run = {**job.run, "status": status, "updated_at": self._clock.stamp()}
        return _End(
            run=run,
            for_listeners=self._ended_as(job, run, rest, error),
            status=status,
            gone=job.temporary or job.deleted or status == DELETED,
            rest=rest,
            result=_result(job, outcome, rest, failed),
            error_event=error_event,
            # In this order: readers sort by id, and the end comes last.
            error_id=self._clock.event_id(),
            done_id=self._clock.event_id(),
            done=encode({"status": RUN_DONE, "run_id": job.run_id}),
        )

    async def _write(self, job: Job, end: _End, held: object, others: bool) -> bool:
        """Write the end of a run. Return whether its thread has other runs.

        Raises:
            Fenced: Another process has the thread.
        """
        # A followed run's events stay even if the run is deleted: the other process reads them.
        is_followed = self._cluster is not None and job.thread_id in self._cluster.followers
        async with self._transaction(job, held, others) as transaction:
            if job.temporary:
                await transaction.delete_thread(job.thread_id, keep_events=is_followed)
            else:
                others = await self._write_thread(transaction, job, end, others)
            if self._cluster is not None:
                await self._cluster.ending(transaction, job, end.run, end.result, end.error_event)
            if end.for_listeners is not None:
                await self._ending(transaction, end.for_listeners)
            if end.gone and job.idempotency_key is not None:
                # The run is deleted too. This result is for a repeated request with the same key.
                answer = {"run": end.run, "result": end.result, "created_at": self._clock.stamp()}
                await transaction.idempotency_answers.put({"key": job.idempotency_key, **answer})
        return others

    async def _write_thread(
        self, transaction: Transaction, job: Job, end: _End, others: bool
    ) -> bool:
        """Write the documents of a run and its thread. Return whether the thread has others."""
        if self._cluster is not None:
            shared = self._cluster.shared
            others = await shared.has_others(transaction, job.thread_id, job.run_id)
        # Read here, not before the run: its metadata and config may have been changed meanwhile.
        thread = await transaction.threads.get(job.thread_id)
        if end.gone:
            await delete_run_documents(transaction, job.run_id, keep_lifecycle=True)
        else:
            await transaction.runs.put(end.run)
            if job.mark is not None and goes_on(job.run["kwargs"]):
                latest = await transaction.states.latest(job.thread_id)
                await transaction.run_controls.put(with_end(job.run, job.mark, latest))
            elif _may_hide_state(job, end):
                await transaction.run_controls.put(with_end(job.run, None, None))
            else:
                await transaction.run_controls.delete_where(run_id=job.run_id)
            if job.log.keeper is not None:
                event = Event(end.done_id, RUN_DONE, end.done)
                await transaction.events.add(job.thread_id, job.run_id, [event])
        if thread is not None:
            now = self._clock.stamp()
            thread.update(with_runs(end.rest, busy=others), updated_at=now, state_updated_at=now)
            await transaction.threads.put(thread)
        return others

    async def _is_written(self, end: _End) -> bool:
        """Return whether the database has the end of a run."""
        run = await self._storage.runs.get(end.run["run_id"])
        return run is None if end.gone else run is not None and run["status"] == end.status

    @asynccontextmanager
    async def _transaction(
        self, job: Job, held: object, others: bool
    ) -> AsyncIterator[Transaction]:
        """Begin the transaction that ends a run, and release the thread's lease if possible.

        Raises:
            Fenced: Another process has the thread.
        """
        released: int | None = None
        is_done = False
        try:
            async with self._storage.transaction(held) as transaction:
                if self._cluster is not None and held is not None and not others:
                    released = self._cluster.shared.release_within(transaction, job.thread_id)
                elif self._cluster is not None:
                    self._cluster.shared.check(transaction, job.thread_id)
                yield transaction
                is_done = True
        except BaseException as error:
            if is_done and isinstance(error, CheckpointerUnavailable):
                # The transaction is committed: the checkpointer is called after it. To end the run
                # once more would fail in the same way, perhaps for ever.
                logger.error("the checkpoints of run %s stay: %s", job.run_id, error)
                return
            # Not released, as far as is known. With the epoch, the next attempt tries it again.
            if self._cluster is not None and released is not None and not isinstance(error, Fenced):
                self._cluster.shared.epochs[job.thread_id] = released
            raise

    async def _finish_protocol(self, job: Job, end: _End, outcome: Outcome) -> None:
        """Add the end to the v3 events, if it is not there yet."""
        message = (outcome.error or {}).get("message")
        waits = bool(end.rest.get("interrupts"))
        await self._protocol_runs.end(job, end.status, message, waits, is_gone=end.gone)

    async def _lose(self, job: Job) -> None:
        """Stop a run that another process has taken over, without writing an end."""
        assert self._cluster is not None
        self._cluster.lose_lease(job.thread_id)
        self._cluster.remove_lost(job)

    async def _give_up(self, job: Job, error: Document) -> None:
        """Remove a run whose end cannot be written, so that requests do not wait for ever."""
        job.result = {ERROR: error}
        async with self._locks.hold(job.thread_id):
            if job.run_id in self._queue.jobs:
                self._queue.leave(job, self._queue.fields_at_rest(job.thread_id))
        if not job.log.closed:  # A stream that ends without an error looks like a success.
            event = job.log.append("error", encode(error), keep=False)
            self._thread_logs.append(job.thread_id, "error", event.data, event.id)
        await self._close(job, complete=False)

    async def _close(self, job: Job, *, complete: bool) -> None:
        """Notify readers and waiters, and start the thread's next run.

        Args:
            job: The run.
            complete: Whether its events say all that there is to say about it.
        """
        try:
            await job.log.close(complete=complete)
        except Exception:  # Waiters must be notified even if the storage fails.
            logger.exception("events of run %s are lost", job.run_id)
        job.over.set()
        self._queue.advance(job.thread_id)

    def _log_end(self, job: Job, status: str, outcome: Outcome) -> None:
        self._metrics.run_ended("rolled back" if status == DELETED else status)
        seconds = 0.0
        if job.started_at is not None:
            began = datetime.fromisoformat(job.started_at).timestamp()
            seconds = max(self._clock.time() - began, 0.0)
        text = outcome.log_text
        # Such a run has not failed. The command contains the conversation, so it is not logged.
        is_handoff = "command" in outcome.details
        if is_handoff:
            text = "a command for the graph around it"
        has_failed = status in ("error", "timeout") and not is_handoff
        level = logging.WARNING if has_failed else logging.INFO
        logger.log(
            level,
            "run %s ended: %s after %.3f s (thread %s, graph %s)%s",
            job.run_id,
            "rolled back" if status == DELETED else status,
            seconds,
            job.thread_id,
            job.graph_id,
            f": {text}" if text else "",
        )

    def _ended_as(
        self, job: Job, run: Document, rest: Document, error: dict[str, str] | None
    ) -> Ended | None:
        """Return the data for functions called at the end; None if the run never started."""
        if job.started_at is None and not job.attempt:
            return None
        status = run["status"]
        return Ended(
            run=run,
            status="rollback" if status == DELETED else status,
            values=None if job.temporary or status == DELETED else rest.get("values"),
            error=error,
            # If an earlier process started it, the time of that is not known.
            started_at=job.started_at or run["created_at"],
            ended_at=self._clock.stamp(),
        )


async def delete_run_documents(
    transaction: Transaction, run_id: str, *, keep_lifecycle: bool = False
) -> None:
    """Delete a run's document and events.

    Args:
        transaction: The transaction to use.
        run_id: The run.
        keep_lifecycle: Whether to keep the v3 events of its start and end.
    """
    await transaction.runs.delete_where(run_id=run_id)
    await transaction.run_controls.delete_where(run_id=run_id)
    await transaction.events.delete_run(run_id)
    await transaction.protocol_events.delete_run(run_id, keep_lifecycle=keep_lifecycle)


def _may_hide_state(job: Job, end: _End) -> bool:
    """Return whether a run may have written a state that the thread's document does not show.

    Its reading may have failed, or the graph's values are null. What an earlier process has done
    with the run is not known.
    """
    return end.rest.get("values") is None and (job.opened or job.attempt > 1)


def _thread_error(job: Job, outcome: Outcome) -> dict[str, str] | None:
    """Return the error for the thread's document; None without an error."""
    if outcome.event not in ("interrupt", "rollback"):
        return outcome.error
    if job.deleted:
        return None
    kind = "UserInterrupt" if outcome.event == "interrupt" else "UserRollback"
    return {"error": kind, "message": f"{job.reason}{job.not_undone}"}


def _result(job: Job, outcome: Outcome, rest: Document, failed: bool) -> object:
    """Return the response to `wait`."""
    if job.deleted:  # An empty result would look like a success.
        return {ERROR: NOT_FOUND}
    if outcome.event in ("interrupt", "rollback") and job.collected.values is None:
        return {}
    result = job.collected.result(outcome.error if failed else None)
    if result is None:
        return {} if job.temporary else fallback_result(rest)
    return result
