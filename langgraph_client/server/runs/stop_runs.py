"""Stop runs: cancel them, or delete them, also with their thread."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any

from langgraph_client.server.errors import (
    Deadlock,
    Invalid,
    NotFound,
    Unavailable,
    is_outage,
    raised_by_checkpointer,
)
from langgraph_client.server.runs.cluster import Cluster
from langgraph_client.server.runs.execute_run import RunExecutor
from langgraph_client.server.runs.needed_saver import needs_own_saver, thread_to_forget
from langgraph_client.server.runs.recovery import outweighs, with_stop
from langgraph_client.server.runs.run_result import NOT_FOUND
from langgraph_client.server.runs.run_services import RunServices
from langgraph_client.server.runs.run_states import Action, Job, Outcome
from langgraph_client.server.runs.settlement import STATE_SECONDS, Settlements, delete_run_documents
from langgraph_client.server.runs.thread_status import WITHOUT_STATE
from langgraph_client.server.storage.protocol import UNFINISHED, Document, Transaction
from langgraph_client.server.storage.shared import Fenced
from langgraph_client.server.user_code import is_stopping

logger = logging.getLogger("langgraph_client.server")
GONE = "client disconnected from the run stream (on_disconnect=cancel)"
DELETED_REASON = "the run was deleted"
_ATTEMPTS = 3
"""How often to repeat a deletion that the database has undone because of a deadlock."""
_STOP_SECONDS = 30.0
"""How many seconds to wait for a run that ignores its cancellation."""


class RunStopper:
    """Stops runs, in whichever process they are.

    Args:
        services: The objects that it shares with the engine's other parts.
        executor: Publishes the last event of a run that is deleted.
        settlements: Settle runs that are stopped before they start.
        cluster: The processes that share the database; None if there is only this one.
        busy: Returns the ids of a thread's runs that are not over.
    """

    def __init__(
        self,
        services: RunServices,
        executor: RunExecutor,
        settlements: Settlements,
        cluster: Cluster | None,
        busy: Callable[[str], Awaitable[list[str]]],
    ) -> None:
        self._storage = services.storage
        self._clock = services.clock
        self._queue = services.queue
        self._locks = services.locks
        self._tasks = services.tasks
        self._graph_runner = services.graph_runner
        self._executor = executor
        self._settlements = settlements
        self._cluster = cluster
        self._busy = busy
        self.deleting: set[str] = set()
        """The threads that are being deleted; runs on them are refused."""

    def stop(self, job: Job, action: Action, reason: str) -> None:
        """Ask a run to end; a pending one is settled right away.

        Args:
            job: The run. If it is ending already, it can still be rolled back.
            action: `interrupt` to keep its checkpoints, `rollback` to undo them.
            reason: The message for the `error` of the thread's document.
        """
        is_ending = job.stop is not None or job.ended
        if not outweighs(action, job.stop) or (is_ending and action == "interrupt"):
            return
        job.stop, job.reason = action, reason
        if is_ending:
            return  # Its settlement reads `stop` once more before it writes the end.
        if job.task is not None:
            job.task.cancel()
        else:
            job.ended = True
            # In a task: the caller holds the lock of the thread, which the settlement needs.
            self._tasks.spawn(self._settlements.settle(job, Outcome(action)))

    async def cancel(self, run_ids: Iterable[str], action: Action, reason: str = GONE) -> list[Job]:
        """Ask runs to end. The request is stored, so a later process ends them too.

        Args:
            run_ids: The runs.
            action: `interrupt` to keep their checkpoints, `rollback` to undo them.
            reason: The message for the `error` of the thread's document.

        Returns:
            The runs that were not over. Those that were pending are over now.
        """
        stopped = []
        for run_id in run_ids:
            job = await self._cancel_here(run_id, action, reason)
            if job is None:
                job = await self._cancel_elsewhere(run_id, action, reason)
            if job is not None:
                stopped.append(job)
        await _wait_until_over([job for job in stopped if _ends_at_once(job)])
        return stopped

    async def _cancel_here(self, run_id: str, action: Action, reason: str) -> Job | None:
        """Ask a run of this process to end. Return None if this process does not have it."""
        job = self._queue.jobs.get(run_id)
        if job is None:
            return None
        async with self._locks.hold(job.thread_id):
            # It may have ended, or been lost, while this request waited for the lock.
            if run_id not in self._queue.jobs or job.lost:
                return None
            if not await self._note_stop(job, action, reason):
                return None
            # Only after the note is stored: a stop that was answered must survive a kill.
            self.stop(job, action, reason)
            return job

    async def _note_stop(
        self, job: Job, action: Action, reason: str, *, delete: bool = False
    ) -> bool:
        """Store how a run of this process must end, in case this process does not end it.

        The process may be killed, or the run may have stopped only because the server stops or has
        lost its database. In each case, whoever takes the run up reads this note first.

        Returns:
            False if this process finds that it has lost the run.
        """
        if not delete and not outweighs(action, job.stop):
            return True
        try:
            async with self._storage.transaction() as transaction:
                if self._cluster is not None:
                    self._cluster.shared.check(transaction, job.thread_id)
                if job.ended and not await _is_unfinished(transaction, job.run_id):
                    return True  # Its end is written already, and with it the control is deleted.
                before = await transaction.run_controls.get(job.run_id)
                control = with_stop(job.run, before, action, reason, delete=delete)
                await transaction.run_controls.put(control)
        except Fenced:
            assert self._cluster is not None
            self._cluster.lose_lease(job.thread_id)
            return False
        return True

    async def _cancel_elsewhere(self, run_id: str, action: Action, reason: str) -> Job | None:
        """Ask a run to end that this process does not execute."""
        run = None if self._cluster is None else await self._storage.runs.get(run_id)
        if self._cluster is None or run is None or run["status"] not in UNFINISHED:
            return None
        async with self._locks.hold(run["thread_id"]):
            stopped = await self._cluster.forwarder.stop(run, action, reason)
            if not await self._cluster.shared.holder(run["thread_id"]):
                # No process has it. Loading it here also finds the note, and ends it.
                await self._cluster.take_if_possible(run["thread_id"])
        return stopped

    def disconnected(self, run_id: str) -> None:
        """Cancel a run whose client disconnected. Does not wait for its end."""
        self._tasks.spawn(self.cancel([run_id], "interrupt"))

    async def delete_run(self, thread_id: str, run_id: str) -> None:
        """Delete a run with its checkpoints. If it is not over, end it first.

        Raises:
            NotFound: The thread has no such run.
            Unavailable: The run ignores its cancellation.
        """
        async with self._locks.hold(thread_id) as held:
            job = self._queue.jobs.get(run_id)
            if job is None or job.thread_id != thread_id or not await self._delete_here(job):
                try:
                    run = await self._storage.within(held).runs.get(run_id)
                except ValueError:
                    await self._delete_unreadable(thread_id, run_id, held)
                    return
                if run is None or run["thread_id"] != thread_id:
                    raise NotFound("Run not found")
                job = await self._delete_elsewhere(run)
                if job is None:
                    await self._delete_ended(run, held)
                    return
        # Not under the lock, which the transaction that ends the run needs.
        await _wait_until_over([job])
        # Its normal end may have been written just before, and then its document is still there.
        async with self._locks.hold(thread_id) as held:
            run = await self._storage.within(held).runs.get(run_id)
            if run is not None:
                await self._delete_ended(run, held)

    async def _delete_unreadable(self, thread_id: str, run_id: str, held: Any) -> None:
        """Delete a run whose document is damaged. The caller holds the thread's lock.

        Raises:
            NotFound: It is a run of another thread.
        """
        within = self._storage.within(held)
        if not await within.runs.count(where={"run_id": run_id, "thread_id": thread_id}):
            raise NotFound("Run not found")
        logger.error(
            "run %s is deleted, although it cannot be read. If its graph has a checkpointer of its"
            " own, its checkpoints stay there. Thread %s may still show its values",
            run_id,
            thread_id,
        )
        others = [other for other in await self._busy(thread_id) if other != run_id]
        async with self._storage.transaction(held) as transaction:
            await transaction.states.delete_run(thread_id, run_id, is_in_use=bool(others))
            await delete_run_documents(transaction, run_id)

    async def _delete_ended(self, run: Document, held: Any) -> None:
        """Delete a run that is over. The caller holds the thread's lock."""
        thread_id = run["thread_id"]
        within = self._storage.within(held)
        is_needed = await needs_own_saver(self._storage, thread_id)
        is_in_use = bool(await self._busy(thread_id))
        await self._graph_runner.delete_run(run, is_needed=is_needed, is_in_use=is_in_use)
        # Of the key alone: it may be a damaged one.
        newest = await self._newest_run(thread_id, held, fields=("run_id",))
        was_last = newest is not None and newest["run_id"] == run["run_id"]
        control = await within.run_controls.get(run["run_id"]) if was_last else None
        mark = None
        # Since another checkpoint, such as that of an update, not all writes after the mark are
        # the run's.
        if control is not None and control["latest"] == await within.states.latest(thread_id):
            mark = control["mark"]
        async with self._storage.transaction(held) as transaction:
            await transaction.states.delete_run(thread_id, run["run_id"], mark, is_in_use=is_in_use)
            await delete_run_documents(transaction, run["run_id"])
        if was_last and not await self._busy(thread_id):
            await self._settle_thread(run, held, is_needed)

    async def _settle_thread(self, run: Document, held: Any, needs_saver: bool) -> None:
        """Update a thread's document from its state after its last run was deleted."""
        try:
            async with asyncio.timeout(STATE_SECONDS):
                rest = dict(WITHOUT_STATE)
                left = await self._graph_runner.state(run, rest, is_deleted=True)
        except BaseException as error:  # Of a graph's factory, or a class that cannot be restored.
            if is_outage(error) or is_stopping(error):
                raise
            latest = await self._storage.within(held).states.latest(run["thread_id"])
            if needs_saver or latest is not None:
                logger.warning(
                    "thread %s still shows a deleted run: its state cannot be read: %s",
                    run["thread_id"],
                    type(raised_by_checkpointer(error)).__name__,
                )
                return
            left = dict(WITHOUT_STATE)
        async with self._storage.transaction(held) as transaction:
            thread = await transaction.threads.get(run["thread_id"])
            if thread is not None:
                now = self._clock.stamp()
                thread.update(left, updated_at=now, state_updated_at=now)
                await transaction.threads.put(thread)

    async def _delete_elsewhere(self, run: Document) -> Job | None:
        """Ask the process that executes a run to delete it. The caller holds the thread's lock."""
        if self._cluster is None or run["status"] not in UNFINISHED:
            return None
        job = await self._cluster.forwarder.stop(run, "rollback", DELETED_REASON, delete=True)
        if job is not None and not await self._cluster.shared.holder(run["thread_id"]):
            await self._cluster.take_if_possible(run["thread_id"])
        return job

    async def _delete_here(self, job: Job) -> bool:
        """Start the deletion of a run of this process. Return False if the run is lost."""
        if job.lost or not await self._note_stop(job, "rollback", DELETED_REASON, delete=True):
            return False
        self.delete_job(job)
        return True

    def delete_job(self, job: Job) -> None:
        """End a run whose document is being deleted. Its readers get an `error` event."""
        if not job.deleted:
            # A settlement under way reads this under the lock, and then deletes the document.
            job.deleted = True
            if not job.log.closed:
                self._executor.publish(job, "error", NOT_FOUND, keep=False)
            self.stop(job, "rollback", DELETED_REASON)

    async def delete_thread(
        self, thread_id: str, *, unless_busy: bool = False, expired: Document | None = None
    ) -> bool:
        """End a thread's runs and delete all that belongs to it.

        Args:
            thread_id: The thread. While its runs are ended, further ones are refused.
            unless_busy: Do nothing if it has a run that is not over.
            expired: The time to live that is over. Do nothing if it has changed meanwhile. None if
                the thread is deleted for another reason.

        Returns:
            Whether there was such a thread, and it was deleted.

        Raises:
            Unavailable: A run ignores its cancellation.
        """
        # A request that is cancelled halfway must not leave a thread that refuses runs for ever.
        return await self._tasks.finish(self._delete_retrying(thread_id, unless_busy, expired))

    async def _delete_retrying(
        self, thread_id: str, unless_busy: bool, expired: Document | None
    ) -> bool:
        """Delete a thread; again if the database has undone it because of a deadlock."""
        for _ in range(_ATTEMPTS):
            # Nothing was deleted but what the checkpointer had, which can be deleted again.
            with suppress(Deadlock):
                return await self._delete_thread(thread_id, unless_busy, expired)
        return await self._delete_thread(thread_id, unless_busy, expired)

    async def _delete_thread(
        self, thread_id: str, unless_busy: bool, expired: Document | None
    ) -> bool:
        async with self._locks.hold(thread_id) as held:
            if thread_id in self.deleting:
                return False
            if expired and await self._storage.within(held).thread_ttls.get(thread_id) != expired:
                return False
            if not await self._busy(thread_id):
                return await self._delete_resting(thread_id, held)
            if unless_busy or not await self._refuse_runs(thread_id):
                return False
        # The lock is free while the runs end, because their ends are written under it. Between the
        # two, `deleting` keeps new runs away.
        try:
            await self._end_runs(thread_id)
            async with self._locks.hold(thread_id) as held:
                return await self._delete_resting(thread_id, held)
        except BaseException:
            if self._cluster is not None:
                # Otherwise all processes would refuse runs on the thread for `DELETION_SECONDS`.
                await self._cluster.shared.give_up_deletion(thread_id)
            raise
        finally:
            self.deleting.discard(thread_id)

    async def _refuse_runs(self, thread_id: str) -> bool:
        """Refuse further runs on a thread. Return False if another process does so already."""
        if self._cluster is not None and not await self._cluster.shared.begin_deletion(thread_id):
            return False
        self.deleting.add(thread_id)
        return True

    async def _end_runs(self, thread_id: str) -> None:
        """End the runs of a thread as deleted, and wait until they are over."""
        async with self._locks.hold(thread_id):
            jobs = []
            # The pending ones first: otherwise the end of the running one would start the next.
            for job in reversed(self._queue.of(thread_id)):
                if await self._delete_here(job):
                    jobs.append(job)
            jobs += await self._delete_others(thread_id, jobs)
        await _wait_until_over(jobs)

    async def _delete_resting(self, thread_id: str, held: Any) -> bool:
        """Delete a thread without runs. Return whether there was one.

        If processes share the database, a paused one may still have a run of the thread. When it
        continues, its lease is gone, and it writes nothing.
        """
        # The graph's own checkpointer first, while the documents still name the graph and the run.
        # If it fails, the thread stays, and the deletion can be repeated.
        thread = await thread_to_forget(self._storage.within(held), thread_id)
        if thread is not None:
            last_run, is_needed = await self._about_own_saver(thread_id, held)
            await self._graph_runner.forget(thread, last_run, is_needed=is_needed)
        if self._cluster is None:
            await self._storage.delete_thread(thread_id)
        else:
            await self._cluster.delete_thread(thread_id, held)
        return thread is not None

    async def _about_own_saver(self, thread_id: str, held: Any) -> tuple[Document | None, bool]:
        """Return a thread's last run, and whether its graph's own checkpointer is needed."""
        try:
            last_run = await self._newest_run(thread_id, held)
        except Unavailable:  # It is only needed for the config of a factory.
            last_run = None
        return last_run, await needs_own_saver(self._storage, thread_id)

    async def keep_latest(self, thread_id: str, held: Any) -> None:
        """Delete all states of a thread but the latest. The caller holds the thread's lock.

        Raises:
            Unavailable: The checkpointer that its graph was compiled with raised an error.
        """
        thread = await self._storage.within(held).threads.get(thread_id)
        if thread is not None:
            last_run, is_needed = await self._about_own_saver(thread_id, held)
            await self._graph_runner.keep_latest(thread, last_run, is_needed=is_needed)
        try:
            await self._storage.states.keep_latest(thread_id)
        except Invalid as refused:  # Its time to live begins again, or it would be tried for ever.
            logger.warning("at the end of its time to live: %s", refused)

    async def _newest_run(
        self, thread_id: str, held: Any, fields: tuple[str, ...] | None = None
    ) -> Document | None:
        runs = await self._storage.within(held).runs.search(
            where={"thread_id": thread_id},
            order_by="created_at",
            descending=True,
            limit=1,
            fields=fields,
        )
        return runs[0] if runs else None

    async def _delete_others(self, thread_id: str, jobs: list[Job]) -> list[Job]:
        """Delete the runs of a thread that this process does not execute."""
        if self._cluster is None:
            return []
        known = {job.run_id for job in jobs}
        stopped = []
        for run in await self._cluster.forwarder.unfinished(thread_id):
            if run["run_id"] not in known:
                stopped.append(await self._delete_elsewhere(run))
        return [job for job in stopped if job is not None]


async def _is_unfinished(transaction: Transaction, run_id: str) -> bool:
    """Return whether a run is not over, as far as the database knows."""
    run = await transaction.runs.get(run_id)
    return run is not None and run["status"] in UNFINISHED


def _ends_at_once(job: Job) -> bool:
    """Return whether a run that was asked to end has not started, and so has nothing to stop.

    A run of another process has no task here. Its document was read when it was asked to end.
    """
    return job.task is None and (job.ended or job.run["status"] == "pending")


async def _wait_until_over(jobs: list[Job], seconds: float = _STOP_SECONDS) -> None:
    """Wait until stopped runs are over.

    Raises:
        Unavailable: One of them ignores its cancellation.
    """
    try:
        async with asyncio.timeout(seconds):
            for job in jobs:
                await job.over.wait()
    except TimeoutError:
        raise Unavailable("A run does not react to being cancelled; try again") from None
