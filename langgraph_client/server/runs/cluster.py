"""The processes that share a database: who carries out which thread's runs, and who follows them.

A process that carries out the runs of a thread has the thread's lease, and the runs are in its
queue as if it were alone. What another process is asked about such a thread it writes into the
database, under the lock of the thread, and tells the owner to look. Messages only save time: who
waits for something looks at the database each second, too.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from langgraph_client.server.clock import Clock
from langgraph_client.server.errors import NotFound, Unavailable
from langgraph_client.server.runs.elsewhere import Elsewhere
from langgraph_client.server.runs.followers import Followers
from langgraph_client.server.runs.following import Following
from langgraph_client.server.runs.locks import KeyedLocks
from langgraph_client.server.runs.own_tasks import OwnTasks
from langgraph_client.server.runs.protocol_runs import ProtocolRuns
from langgraph_client.server.runs.run_queue import RunQueue
from langgraph_client.server.runs.run_states import Job
from langgraph_client.server.storage.protocol import Document, Storage, Transaction
from langgraph_client.server.storage.shared import RENEWAL_SECONDS, RunResult, Shared, Standing

logger = logging.getLogger("langgraph_client.server")

_SWEEP_EVERY = 30
"""How many renewals lie between two clearings of what dead processes left."""
_WATCH_SECONDS = 0.25
"""How often it is looked whether the leases are over, which asks nobody."""
_LISTEN_SECONDS = 5.0
"""How long a start waits for the connection that listens."""
_LOST = -1
"""The epoch of a lease that was lost, which no write can match."""


class Cluster:
    """This process, as one of those that share a database.

    Args:
        storage: The database.
        shared: Its leases and messages.
        clock: Time and ids.
        locks: The locks of threads.
        queue: The runs that this process carries out.
        following: The runs and threads that others have.
        protocol_runs: The v3 events of threads.
        tasks: What runs on its own.
        load: Brings the runs of a thread into the queue, and stops those that are to be stopped.
        works: Whether this process carries out runs at all.
    """

    def __init__(
        self,
        storage: Storage,
        shared: Shared,
        clock: Clock,
        locks: KeyedLocks,
        queue: RunQueue,
        following: Following,
        protocol_runs: ProtocolRuns,
        tasks: OwnTasks,
        load: Callable[[str], Awaitable[None]],
        *,
        works: bool = True,
    ) -> None:
        self.shared = shared
        self.following = following
        self.followers = Followers(storage, shared, queue, protocol_runs)
        self.elsewhere = Elsewhere(storage, shared, clock, locks, following)
        self.works = works
        self._storage = storage
        self._clock = clock
        self._locks = locks
        self._queue = queue
        self._protocol_runs = protocol_runs
        self._tasks = tasks
        self._load = load
        self._doing: set[tuple[str, str]] = set()
        self._again: set[tuple[str, str]] = set()
        #: The threads whose leases this process had for nothing, when it looked last.
        self._idle: set[str] = set()
        self._unused: set[str] = set()
        #: The threads that were claimed, and whose runs are not loaded yet.
        self._claimed: set[str] = set()
        #: Whether there may be runs that are due, and were not claimed as there was no room.
        self._waiting = False
        self._background: list[asyncio.Task[None]] = []

    # Being part of it.

    async def start(self) -> None:
        """Join the others, and take up what nobody carries out."""
        await self.shared.join()
        self._background = [
            asyncio.create_task(self._listen()),
            asyncio.create_task(self._renew()),
            asyncio.create_task(self._watch()),
        ]
        # Without it, others would take it for dead when it is slow to begin with.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LISTEN_SECONDS):
                await self.shared.listening.wait()
        await self.claim()

    async def close(self) -> None:
        """Leave the others; they take up at once what is left."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self.shared.leave()

    async def _listen(self) -> None:
        await self.shared.listen(self._heard)

    async def _heard(self, kind: str, name: str) -> None:
        """Do what a message asks for, in a task: the next message may come meanwhile."""
        if kind == "changed":
            self.elsewhere.answered(name)
            if name in self.following:
                self._do(kind, name, self.following.look)
        elif kind == "work":
            self._do(kind, "", self._claim_now)
        elif kind in ("thread", "follow") and self.shared.owns(name):
            self._do(kind, name, self._reload if kind == "thread" else self.followers.look)
        elif kind == "all":
            self._look_at_all()

    def _look_at_all(self) -> None:
        self._do("work", "", self._claim_now)
        for thread_id in [*self.shared.epochs]:
            if self.shared.owns(thread_id):
                self._do("thread", thread_id, self._reload)
                self._do("follow", thread_id, self.followers.look)
        for thread_id in self.following.threads:
            self._do("changed", thread_id, self.following.look)

    def _do(self, kind: str, name: str, action: Callable[[str], Awaitable[None]]) -> None:
        """Do something once; once more if it is asked for meanwhile."""
        key = (kind, name)
        if key in self._doing:
            self._again.add(key)
            return
        self._doing.add(key)

        async def repeat() -> None:
            try:
                while True:
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
        """Keep the leases, notice those that are lost, and look for what no message told."""
        count = 0
        while True:
            await asyncio.sleep(RENEWAL_SECONDS)
            try:
                before = dict(self.shared.epochs)
                held = await self.shared.renew()
                for thread_id, epoch in before.items():
                    # Of those only: what was taken or given back meanwhile is not in the answer.
                    present = self.shared.epochs.get(thread_id)
                    if epoch == present != _LOST and held.get(thread_id) != epoch:
                        self.lose(thread_id)
                idle = {thread_id for thread_id in held if not self._queue.of(thread_id)}
                # Those only that were idle before, too: most others are given back just now.
                self._unused, self._idle = idle & self._idle, idle
                self._do("clear", "", self._clear)
                count += 1
                if count % _SWEEP_EVERY == 0:
                    await self.shared.sweep()
            except Unavailable as error:
                logger.warning("the leases cannot be renewed: %s", error)
                continue
            self._look_at_all()

    async def _watch(self) -> None:
        """Stop all runs as soon as their leases are over, without asking the database.

        A process that was paused may find out only after the next answer, and its graphs would go
        on until then. This timer is due when it wakes up, before a graph can begin another step.
        """
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            if self.shared.is_over:
                for thread_id in [*self.shared.epochs]:
                    self.lose(thread_id)

    async def _clear(self, _: str) -> None:
        """Give back what nothing needs: leases without runs, threads that nobody reads.

        Apart from the renewals, which must not wait for the locks of threads.
        """
        for thread_id in self._unused:
            async with self._locks.hold(thread_id):
                if not self._queue.of(thread_id) and thread_id not in self._claimed:
                    self.left(thread_id)
                    await self.shared.take(thread_id)  # Whichever epoch it has.
                    await self.shared.release(thread_id)
        for thread_id in self.following.forgotten():
            await self.shared.unfollow(thread_id)

    # Threads that this process has.

    def lease_of(self, thread_id: str) -> tuple[str, int]:
        """Return a thread and the epoch of its lease, for a run that starts."""
        return thread_id, self.shared.epochs.get(thread_id, _LOST)

    async def own(self, thread_id: str, *, is_unknown: bool = False, depth: int = 0) -> bool:
        """Take a thread over if it is free and there is room. The caller holds its lock.

        Args:
            thread_id: The thread.
            is_unknown: Nobody can know it yet: it has no run, nor anybody who follows it.
            depth: How deep the run is that is to run on it, see `Job.depth`.
        """
        if self.shared.owns(thread_id):
            return True
        if not self._has_room(depth) or thread_id in self.shared.epochs:
            return False
        if self._queue.of(thread_id) or await self.shared.take(thread_id) is None:
            return False
        if not is_unknown:
            await self._taken(thread_id)
        return True

    def _has_room(self, depth: int = 0) -> bool:
        """Whether this process may take a thread: what it takes before it has renewed is lost."""
        return self.works and not self.shared.is_over and self._queue.room(depth) > 0

    async def look(
        self, transaction: Transaction, thread_id: str
    ) -> tuple[Document | None, Standing | None]:
        """Return a thread's document, and what else there is if it could be taken over.

        Args:
            transaction: What reads under the thread's lock.
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

    def free(
        self, thread_id: str, standing: Standing | None, *, is_unknown: bool
    ) -> Standing | None:
        """Return what there is of a thread, if it can be taken over with its first run.

        It can, if no living process has it, and there is nothing on it to be taken up before. Then
        the transaction that writes the run also takes the lease, and `took` is called. The caller
        holds the thread's lock.
        """
        if not self.works or self.shared.is_over or thread_id in self.following:
            return None
        if thread_id in self.shared.epochs:
            return None
        if is_unknown:
            return Standing(None, True, False, False, False, (0, 0), 0)
        if standing is None or not standing.is_free or standing.has_runs or standing.is_followed:
            return None
        return standing

    def took(self, transaction: Transaction, thread_id: str, standing: Standing) -> None:
        """Begin with a thread that a transaction has taken over."""
        self.shared.note_taken(transaction, thread_id)
        self._clock.start_after(standing.last)  # Also if the last owner's clock is ahead.
        self._protocol_runs.follow(thread_id, fed=False)

    async def _taken(self, thread_id: str) -> None:
        """Begin with a thread where its last owner stopped."""
        await self.following.look(thread_id)
        last = await self._storage.events.of_thread_last(thread_id)
        self._clock.start_after(last)  # Also if the last owner's clock is ahead.
        self._protocol_runs.follow(thread_id, fed=False)
        # Before a run starts, or its first events would not be kept.
        reads_protocol = await self.followers.begin(thread_id)
        await self._load(thread_id)
        if reads_protocol:
            await self.followers.keep_protocol(thread_id)
        self._queue.advance(thread_id)
        self.followers.written(thread_id)

    async def claim(self) -> None:
        """Take over threads with runs that are due, as long as there is room."""
        while self.works and not self._queue.closing:
            # Whoever makes room looks again; a renewal does, too.
            self._waiting = not self._has_room()
            if self._waiting:
                return
            found = await self.shared.claim(self._clock.stamp(), self._queue.room())
            claimed = {thread_id for thread_id, _ in found}
            self._claimed |= claimed
            try:
                for thread_id, epoch in found:
                    async with self._locks.hold(thread_id):
                        if thread_id in self.shared.epochs or self._queue.of(thread_id):
                            continue  # A request was faster, or what was lost is not over yet.
                        self.shared.epochs[thread_id] = epoch
                        await self._taken(thread_id)
            finally:
                self._claimed -= claimed
            if not found:
                return

    async def _claim_now(self, _: str) -> None:
        await self.claim()

    def wake(self) -> None:
        """Look for work: there is room, and there was none when something waited."""
        if self._waiting and self._background and not self._queue.closing:
            self._do("work", "", self._claim_now)

    async def _reload(self, thread_id: str) -> None:
        async with self._locks.hold(thread_id):
            if self.shared.owns(thread_id):
                await self._load(thread_id)
                self._queue.advance(thread_id)

    def left(self, thread_id: str) -> None:
        """Note that this process has no run of a thread any more."""
        self.followers.drop(thread_id)
        self._protocol_runs.follow(thread_id, fed=True)

    def lose(self, thread_id: str) -> None:
        """Stop all runs of a thread: another process has taken it over, or may do so."""
        if self.shared.epochs.get(thread_id) == _LOST:
            return
        logger.warning("the lease of thread %s is lost; its runs go on elsewhere", thread_id)
        self.shared.epochs[thread_id] = _LOST
        self.left(thread_id)
        for job in self._queue.of(thread_id):
            job.lost = True
            job.log.disown()
            self.following.add(job)
            if job.task is not None and not job.task.done():
                job.task.cancel()
            elif job.task is None and not job.ended:
                job.ended = True
                self.leave(job)
        self._tasks.spawn(self._follow_again(thread_id))
        self.forget_lost(thread_id)

    def leave(self, job: Job) -> None:
        """Forget a run that runs no more, and that another process has."""
        if job.run_id in self._queue.jobs:
            self._queue.leave(job, self._queue.rest(job.thread_id))
        run, job.protocol = job.protocol, None
        if run is not None:
            self._protocol_runs.release(run.log)
        self._queue.advance(job.thread_id)
        self.forget_lost(job.thread_id)

    async def delete_thread(self, thread_id: str, held: Any) -> None:
        """Delete a thread, and take its lease from whoever has it, in one transaction.

        What its runs have written until then is deleted; from then on they write nothing.

        Args:
            thread_id: The thread.
            held: What its lock has given, which ends here.
        """
        async with self._storage.transaction(held) as transaction:
            self.shared.revoke(transaction, thread_id)
            await transaction.delete_thread(thread_id)
        if self.shared.owns(thread_id):
            del self.shared.epochs[thread_id]
            self.left(thread_id)

    def forget_lost(self, thread_id: str) -> None:
        """Forget a lease that was lost, once nothing of its runs is left."""
        if self.shared.epochs.get(thread_id) == _LOST and not self._queue.of(thread_id):
            del self.shared.epochs[thread_id]

    async def _follow_again(self, thread_id: str) -> None:
        await self.shared.follow(thread_id)
        self.shared.tell("follow", thread_id)

    async def ending(
        self, transaction: Transaction, job: Job, run: Document, result: Any, error: bytes | None
    ) -> None:
        """Take part in the transaction that ends a run."""
        if job.thread_id in self.followers:
            await self.shared.put_result(transaction, RunResult(run, result, error))
        if self.following.is_read(job.thread_id):
            # With the lease, or the next owner would not know that its events are read here.
            await self.shared.follow_within(transaction, job.thread_id)

    async def ended(self, job: Job, others: bool) -> None:
        """Give the thread back if its last run is over. The caller holds its lock."""
        self.followers.written(job.thread_id)
        if self._queue.of(job.thread_id):
            return
        self.left(job.thread_id)
        if self.following.is_read(job.thread_id):
            self.following.watch(job.thread_id)
        if job.thread_id in self.shared.epochs:  # Else that was part of the transaction.
            await self.shared.release(job.thread_id)
        if others:
            self.shared.tell("work", "")
            self._do("work", "", self._claim_now)
