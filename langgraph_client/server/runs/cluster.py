"""The processes that share a database: one executes a thread's runs, and others follow them.

A process that executes the runs of a thread holds the thread's lease, and the runs are in its
queue as in a single process. Another process that gets a request about the thread writes it to the
database, under the lock of the thread, and sends the holder a message. Messages only save time: a
process that waits for something also reads the database each second.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from langgraph_client.server.errors import NotFound, ServerError, Unavailable
from langgraph_client.server.runs.followers import Followers
from langgraph_client.server.runs.following import Following
from langgraph_client.server.runs.forward_runs import RunForwarder
from langgraph_client.server.runs.run_services import RunServices
from langgraph_client.server.runs.run_states import Job
from langgraph_client.server.storage.protocol import Document, Transaction
from langgraph_client.server.storage.shared import (
    RENEWAL_SECONDS,
    Fenced,
    RunResult,
    Shared,
    Standing,
)

logger = logging.getLogger("langgraph_client.server")

_SWEEP_EVERY = 30
"""How many renewals lie between two deletions of the entries of dead processes."""
_WATCH_SECONDS = 0.25
"""How often to check by the local clock whether the leases have ended; it needs no query."""
_PAUSE = 0.5
"""Seconds between attempts to follow a lost thread while the database does not answer."""
_LISTEN_SECONDS = 5.0
"""How many seconds a start waits for the connection that listens."""
_LOST = -1
"""The epoch of a lost lease, which no write can match. It stays until the thread's runs have
stopped here, so that this process does not take the thread again while they still run."""


class Cluster:
    """This process, as one of those that share a database.

    Args:
        services: The objects that it shares with the engine's other parts.
        shared: The leases and messages of the database.
        load: Loads the runs of a thread into the queue, and stops those with a request to stop.
        works: Whether this process executes runs at all.
    """

    def __init__(
        self,
        services: RunServices,
        shared: Shared,
        load: Callable[[str], Awaitable[None]],
        *,
        works: bool,
    ) -> None:
        self.shared = shared
        self.following = Following(services, shared)
        self.followers = Followers(services, shared)
        self.forwarder = RunForwarder(services, shared, self.following)
        self.works = works
        self._storage = services.storage
        self._clock = services.clock
        self._locks = services.locks
        self._queue = services.queue
        self._protocol_runs = services.protocol_runs
        self._tasks = services.tasks
        self._load = load
        shared.written = self.followers.written
        self._doing: set[tuple[str, str]] = set()
        self._again: set[tuple[str, str]] = set()
        #: The threads whose leases were held without a run at the last renewal.
        self._idle_at_last_renewal: set[str] = set()
        self._idle_twice: set[str] = set()
        #: The claimed threads whose runs are not loaded yet; `_clear` must not release them.
        self._claimed: set[str] = set()
        #: The claimed threads that could not be continued. Each one is logged once.
        self._unreadable: set[str] = set()
        #: Whether there may be due runs that were not claimed because there was no room.
        self._waiting = False
        self._background: list[asyncio.Task[None]] = []

    # Joining and leaving.

    async def start(self) -> None:
        """Join the other processes, and claim the due runs that no process executes."""
        await self.shared.join()
        self._background = [
            asyncio.create_task(self._listen()),
            asyncio.create_task(self._renew()),
            asyncio.create_task(self._watch()),
        ]
        # The connection that listens holds the lock by which others see that this process lives.
        # Without it, they would take a process that starts slowly for dead.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LISTEN_SECONDS):
                await self.shared.listening.wait()
        await self.claim()

    async def close(self) -> None:
        """Leave the other processes, and release all leases, so that they continue at once."""
        # Before `leave`: a renewal after it would register this process again.
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self.shared.leave()

    async def _listen(self) -> None:
        await self.shared.listen(self._heard)

    async def _heard(self, kind: str, name: str) -> None:
        """Handle a message in a task of its own, because the next one may come meanwhile."""
        if kind == "changed":
            self.forwarder.answered(name)
            if name in self.following:
                self._do(kind, name, self.following.read_new)
        elif kind == "work":
            self._do(kind, "", self._claim_now)
        elif kind in ("thread", "follow") and self.shared.owns(name):
            self._do(kind, name, self._reload if kind == "thread" else self.followers.refresh)
        elif kind == "all":
            self._look_at_all()

    def _look_at_all(self) -> None:
        self._do("work", "", self._claim_now)
        for thread_id in [*self.shared.epochs]:
            if self.shared.owns(thread_id):
                self._do("thread", thread_id, self._reload)
                self._do("follow", thread_id, self.followers.refresh)
        for thread_id in self.following.threads:
            self._do("changed", thread_id, self.following.read_new)

    def _do(self, kind: str, name: str, action: Callable[[str], Awaitable[None]]) -> None:
        """Run an action for a name, and once more if it is asked for meanwhile.

        So a burst of messages about a thread causes two reads, and not one for each message.
        """
        key = (kind, name)
        if key in self._doing:
            self._again.add(key)
            return
        self._doing.add(key)

        async def repeat() -> None:
            try:
                while True:
                    # Before the action: a message that comes while it reads asks for one more.
                    self._again.discard(key)
                    try:
                        await action(name)
                    except Unavailable as error:
                        logger.debug("%s %s: %s", kind, name, error)
                    if key not in self._again:
                        return
            finally:
                self._doing.discard(key)

        self._tasks.spawn(repeat())

    async def _renew(self) -> None:
        """Renew the leases, notice those that are lost, and look for what messages have missed."""
        count = 0
        while True:
            await asyncio.sleep(RENEWAL_SECONDS)
            try:
                before = dict(self.shared.epochs)
                held = await self.shared.renew()
                for thread_id, epoch in before.items():
                    # Only leases that did not change meanwhile: the reply may be older than the
                    # ones that were taken or released during the query.
                    present = self.shared.epochs.get(thread_id)
                    if epoch == present != _LOST and held.get(thread_id) != epoch:
                        self.lose_lease(thread_id)
                idle = {thread_id for thread_id in held if not self._queue.of(thread_id)}
                # Only those that were idle at the last renewal, too: most of the others are being
                # released at this moment by the end of their last run.
                self._idle_twice = idle & self._idle_at_last_renewal
                self._idle_at_last_renewal = idle
                self._do("clear", "", self._clear)
                count += 1
                if count % _SWEEP_EVERY == 0:
                    await self.shared.sweep()
            except Unavailable as error:
                logger.warning("the leases cannot be renewed: %s", error)
                continue
            except Exception:  # Nothing would start the loop again.
                logger.exception("the leases cannot be renewed")
                continue
            self._look_at_all()

    async def _watch(self) -> None:
        """Stop all runs as soon as the leases have ended by the local clock, without a query.

        After a pause of the process, a reply of the database would come too late: graphs would
        go on until then. This timer is due at once, before a graph can start another step.
        """
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            if self.shared.is_over:
                for thread_id in [*self.shared.epochs]:
                    self.lose_lease(thread_id)

    async def _clear(self, _: str) -> None:
        """Release leases without runs, and stop following threads that have no reader.

        This is a task of its own, because renewals must not wait for the locks of threads.
        """
        for thread_id in self._idle_twice:
            async with self._locks.hold(thread_id):
                if not self._queue.of(thread_id) and thread_id not in self._claimed:
                    self.stop_serving(thread_id)
                    # `release` needs the epoch, which is unknown here if the reply that would have
                    # returned it was lost.
                    await self.shared.take(thread_id)
                    await self.shared.release(thread_id)
        for thread_id in self.following.forgotten():
            # A new reader follows the thread under its lock.
            async with self._locks.hold(thread_id):
                if thread_id not in self.following:
                    await self.shared.unfollow(thread_id)

    # Threads whose lease this process holds.

    def lease_of(self, thread_id: str) -> tuple[str, int]:
        """Return a thread and the epoch of its lease, for a run that starts."""
        return thread_id, self.shared.epochs.get(thread_id, _LOST)

    async def take_if_possible(
        self, thread_id: str, *, is_new_thread: bool = False, depth: int = 0
    ) -> bool:
        """Take a thread over if it is free and there is room. The caller holds its lock.

        Args:
            thread_id: The thread.
            is_new_thread: Whether the thread is so new that it has no runs and no followers.
            depth: The depth of its next run, see `Job.depth`.
        """
        if self.shared.owns(thread_id):
            return True
        # A lost lease is still in `epochs`: its runs have not stopped here.
        if not self._has_room(depth) or thread_id in self.shared.epochs:
            return False
        if self._queue.of(thread_id) or await self.shared.take(thread_id) is None:
            return False
        if not is_new_thread:
            await self._resume_thread(thread_id)
        return True

    def _has_room(self, depth: int = 0) -> bool:
        """Whether this process may take a thread. Leases that have ended must be renewed first."""
        return self.works and not self.shared.is_over and self._queue.room(depth) > 0

    async def read_thread(
        self, transaction: Transaction, thread_id: str
    ) -> tuple[Document | None, Standing | None]:
        """Return a thread's document, and its state if this process could take it over.

        Args:
            transaction: Reads under the thread's lock.
            thread_id: The thread.

        Raises:
            NotFound: The thread is being deleted.
        """
        standing = None
        if self.works and not (thread_id in self.shared.epochs or thread_id in self.following):
            standing = await self.shared.standing(transaction, thread_id)
            is_deleted = standing is not None and standing.is_deleted
        else:
            is_deleted = await self.shared.is_deleted(transaction, thread_id)
        if is_deleted:
            raise NotFound(f"Thread with ID {thread_id} not found")
        return await transaction.threads.get(thread_id), standing

    def claimable(
        self, thread_id: str, standing: Standing | None, *, is_new_thread: bool
    ) -> Standing | None:
        """Return the state of a thread that can be taken over together with its first run.

        It can be if no living process holds its lease, and nothing on it must be loaded first. Then
        the transaction that writes the run also takes the lease, and `took` is called after the
        commit. The caller holds the thread's lock. None if it cannot be taken over in this way.
        """
        if not self.works or self.shared.is_over or thread_id in self.following:
            return None
        if thread_id in self.shared.epochs:
            return None
        if is_new_thread:
            return Standing(None, True, False, False, False, (0, 0), 0)
        if standing is None or not standing.is_free or standing.has_runs or standing.is_followed:
            return None
        return standing

    def on_taken(self, transaction: Transaction, thread_id: str, standing: Standing) -> None:
        """Start with a thread that a committed transaction has taken over."""
        self.shared.note_taken(transaction, thread_id)
        # Event ids must grow even if the last holder's clock is ahead.
        self._clock.start_after(standing.last)
        self._protocol_runs.set_remote(thread_id, is_remote=False)

    async def _resume_thread(self, thread_id: str) -> None:
        """Continue a thread where its last holder stopped; lose it again if that fails."""
        try:
            await self._continue(thread_id)
        except BaseException:
            # The next attempt must not find a thread that is held here and only half loaded.
            # Whoever handles the error says what has happened.
            self.lose_lease(thread_id, quietly=True)
            raise

    async def _continue(self, thread_id: str) -> None:
        # Runs and threads that were followed here get the events that the last holder stored,
        # before this process adds its own to the same logs.
        await self.following.read_all(thread_id, is_taken=True)
        last = await self._storage.events.of_thread_last(thread_id)
        # Event ids must grow even if the last holder's clock is ahead.
        self._clock.start_after(last)
        self._protocol_runs.set_remote(thread_id, is_remote=False)
        # Before a run starts: otherwise its first events would not be stored.
        reads_protocol = await self.followers.begin(thread_id)
        await self._load(thread_id)
        if reads_protocol:
            await self.followers.keep_protocol(thread_id)
        self._queue.advance(thread_id)
        self.followers.written(thread_id)

    async def claim(self) -> None:
        """Take over threads with runs that are due, as long as there is room."""
        while self.works and not self._queue.closing:
            # `wake` looks again when a run has made room, and so does each renewal.
            self._waiting = not self._has_room()
            if self._waiting:
                return
            claims = await self.shared.claim(self._clock.stamp(), self._queue.room())
            claimed = {thread_id for thread_id, _ in claims}
            # Before the locks are taken: `_clear`, in another task, must not release these leases.
            self._claimed |= claimed
            try:
                for thread_id, epoch in claims:
                    await self._try_claimed(thread_id, epoch)
            finally:
                self._claimed -= claimed
            if not claims:
                return

    async def _try_claimed(self, thread_id: str, epoch: int) -> None:
        """Continue a thread that this process has claimed, or log why that is not possible.

        A thread that cannot be read, such as one whose encryption key is gone, must keep no other
        one from going on. `_clear` releases its lease, so that it is claimed again.
        """
        try:
            await self._resume_claimed(thread_id, epoch)
        except Exception as error:
            if thread_id not in self._unreadable:
                self._unreadable.add(thread_id)
                is_expected = isinstance(error, (ServerError, Fenced))
                logger.error(
                    "the runs of thread %s are not resumed yet (trying again): %s",
                    thread_id,
                    error,
                    exc_info=None if is_expected else error,
                )
        else:
            self._unreadable.discard(thread_id)

    async def _resume_claimed(self, thread_id: str, epoch: int) -> None:
        """Continue a thread that this process has claimed."""
        async with self._locks.hold(thread_id):
            if thread_id in self.shared.epochs or self._queue.of(thread_id):
                return  # A request was faster, or lost runs have not stopped yet.
            self.shared.epochs[thread_id] = epoch
            await self._resume_thread(thread_id)

    async def _claim_now(self, _: str) -> None:
        await self.claim()

    def wake(self) -> None:
        """Claim runs if some could not be claimed before because there was no room."""
        if self._waiting and self._background and not self._queue.closing:
            self._do("work", "", self._claim_now)

    async def _reload(self, thread_id: str) -> None:
        async with self._locks.hold(thread_id):
            if self.shared.owns(thread_id):
                await self._load(thread_id)
                self._queue.advance(thread_id)

    def stop_serving(self, thread_id: str) -> None:
        """Store no more events for a thread's followers, and read its v3 log from the database."""
        self.followers.drop(thread_id)
        self._protocol_runs.set_remote(thread_id, is_remote=True)

    def lose_lease(self, thread_id: str, *, quietly: bool = False) -> None:
        """Stop all runs of a thread: another process has taken it over, or may do so.

        Args:
            thread_id: The thread.
            quietly: Whether not to log it.
        """
        if self.shared.epochs.get(thread_id) == _LOST:
            return
        if not quietly:
            logger.warning("the lease of thread %s is lost; its runs go on elsewhere", thread_id)
        # First: from here on the engine's writes are refused, also those of a settlement under way.
        self.shared.epochs[thread_id] = _LOST
        self.stop_serving(thread_id)
        for job in self._queue.of(thread_id):
            job.lost = True
            # Its readers stay attached; from now on they get what the next holder stores.
            job.log.disown()
            self.following.add(job)
            if job.task is not None and not job.task.done():
                job.task.cancel()
            # One with a task is removed when that has stopped, an ending one by its settlement.
            elif job.task is None and not job.ended:
                job.ended = True
                self.remove_lost(job)
        self._tasks.spawn(self._follow_again(thread_id))
        self.forget_lost(thread_id)

    def remove_lost(self, job: Job) -> None:
        """Remove a lost run from the queue, once it has stopped here."""
        if job.run_id in self._queue.jobs:
            self._queue.leave(job, self._queue.fields_at_rest(job.thread_id))
        run, job.protocol = job.protocol, None
        if run is not None:
            self._protocol_runs.release(run.log)
        self._queue.advance(job.thread_id)
        self.forget_lost(job.thread_id)

    async def delete_thread(self, thread_id: str, held: Any) -> None:
        """Delete a thread, and revoke its lease in the same transaction.

        What its runs have written until then is deleted. Later they cannot write, in whichever
        process they are.

        Args:
            thread_id: The thread.
            held: The value of its lock. The lock across processes ends with the transaction.
        """
        await self._storage.states.forget_thread(thread_id)
        async with self._storage.transaction(held) as transaction:
            self.shared.revoke(transaction, thread_id)
            await transaction.delete_thread(thread_id)
        if self.shared.owns(thread_id):
            del self.shared.epochs[thread_id]
            self.stop_serving(thread_id)

    def forget_lost(self, thread_id: str) -> None:
        """Forget a lost lease, once none of its runs is left in the queue."""
        if self.shared.epochs.get(thread_id) == _LOST and not self._queue.of(thread_id):
            del self.shared.epochs[thread_id]

    async def _follow_again(self, thread_id: str) -> None:
        """Follow a lost thread, once the database answers: its failure may be why it was lost."""
        while not (self.shared.owns(thread_id) or self._queue.closing):
            with contextlib.suppress(Unavailable):
                await self.shared.follow(thread_id)
                self.shared.notify("follow", thread_id)
                return
            if thread_id not in self.following:
                return
            await asyncio.sleep(_PAUSE)

    async def ending(
        self, transaction: Transaction, job: Job, run: Document, result: Any, error: bytes | None
    ) -> None:
        """Write what other processes need, in the transaction that ends a run."""
        if job.thread_id in self.followers:
            await self.shared.put_result(transaction, RunResult(run, result, error))
        if self.following.is_read(job.thread_id):
            # In the same transaction as the release: otherwise the next holder could start before
            # it can know that this process reads the events.
            await self.shared.follow_within(transaction, job.thread_id)

    async def ended(self, job: Job, others: bool) -> None:
        """Release the thread if its last run is over. The caller holds its lock."""
        self.followers.written(job.thread_id)
        if self._queue.of(job.thread_id):
            return
        self.stop_serving(job.thread_id)
        if self.following.is_read(job.thread_id):
            self.following.watch(job.thread_id)
        if job.thread_id in self.shared.epochs:  # Otherwise the transaction has released it.
            # The end of the run is written, so this must not fail it. `_clear` tries it again.
            with contextlib.suppress(Unavailable):
                await self.shared.release(job.thread_id)
        # Another process has stored a run that is not in this queue, and the lease is released.
        if others:
            self.shared.notify("work", "")
            self._do("work", "", self._claim_now)
