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
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol

from langgraph_client.server.clock import Clock, EventId
from langgraph_client.server.errors import Conflict, NotFound, Unavailable
from langgraph_client.server.runs.following import Following
from langgraph_client.server.runs.locks import KeyedLocks
from langgraph_client.server.runs.own_tasks import OwnTasks
from langgraph_client.server.runs.protocol_log import ProtocolLog
from langgraph_client.server.runs.protocol_runs import ProtocolRuns
from langgraph_client.server.runs.run_queue import RunQueue
from langgraph_client.server.runs.run_states import Action, Job
from langgraph_client.server.runs.stored_events import RunEvents
from langgraph_client.server.storage.protocol import Document, Event, Storage, Transaction
from langgraph_client.server.storage.shared import (
    NO_RUN,
    RENEWAL_SECONDS,
    RunResult,
    Shared,
    Standing,
)

logger = logging.getLogger("langgraph_client.server")

_SWEEP_EVERY = 30
"""How many renewals lie between two clearings of what dead processes left."""
_WATCH_SECONDS = 0.25
"""How often it is looked whether the leases are over, which asks nobody."""
_ANSWER_SECONDS = 1.0
"""How long the owner of a thread may take to say that it keeps what happens there."""
_LISTEN_SECONDS = 5.0
"""How long a start waits for the connection that listens."""
_LOST = -1
"""The epoch of a lease that was lost, which no write can match."""
UNFINISHED = ("pending", "running")


class Owner(Protocol):
    """What the cluster asks of the engine, for threads whose lease this process has."""

    async def load(self, thread_id: str) -> None:
        """Bring the runs of a thread into the queue, and stop those that are to be stopped."""
        ...

    def advance(self, thread_id: str) -> None:
        """Start the next run of a thread, if it is time and there is room."""
        ...

    def abandon(self, job: Job) -> None:
        """Stop a run without an end: another process has it."""
        ...


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
        owner: Carries out runs.
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
        owner: Owner,
        *,
        works: bool = True,
    ) -> None:
        self.shared = shared
        self.following = following
        self.works = works
        self._storage = storage
        self._clock = clock
        self._locks = locks
        self._queue = queue
        self._protocol_runs = protocol_runs
        self._tasks = tasks
        self._owner = owner
        #: The threads whose owners have been asked to keep what happens.
        self._answers: dict[str, asyncio.Event] = {}
        #: The threads of this process that others follow, with the v3 logs that are kept for them.
        self._followed: dict[str, ProtocolLog | None] = {}
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
            if (answered := self._answers.get(name)) is not None:
                answered.set()
            if name in self.following:
                self._do(kind, name, self.following.look)
        elif kind == "work":
            self._do(kind, "", self._claim_now)
        elif kind in ("thread", "follow") and self.owns(name):
            self._do(kind, name, self._reload if kind == "thread" else self.look_for_followers)
        elif kind == "all":
            self._look_at_all()

    def _look_at_all(self) -> None:
        self._do("work", "", self._claim_now)
        for thread_id in [*self.shared.epochs]:
            if self.owns(thread_id):
                self._do("thread", thread_id, self._reload)
                self._do("follow", thread_id, self.look_for_followers)
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

    def owns(self, thread_id: str) -> bool:
        """Whether this process carries out the runs of a thread."""
        return self.shared.epochs.get(thread_id, 0) > 0

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
        if self.owns(thread_id):
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
        followers = await self.shared.followers(thread_id)
        if followers:  # Before a run starts, or its first events would not be kept.
            self._followed.setdefault(thread_id, None)
        await self._owner.load(thread_id)
        if any(follower.protocol for follower in followers):
            await self._keep_protocol(thread_id)
        self._owner.advance(thread_id)
        self.written(thread_id)

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
            if self.owns(thread_id):
                await self._owner.load(thread_id)
                self._owner.advance(thread_id)

    def left(self, thread_id: str) -> None:
        """Note that this process has no run of a thread any more."""
        log = self._followed.pop(thread_id, None)
        if log is not None:
            self._protocol_runs.release(log)
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
            self._owner.abandon(job)
        self._tasks.spawn(self._follow_again(thread_id))
        self.forget_lost(thread_id)

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
        if self.owns(thread_id):
            del self.shared.epochs[thread_id]
            self.left(thread_id)

    def forget_lost(self, thread_id: str) -> None:
        """Forget a lease that was lost, once nothing of its runs is left."""
        if self.shared.epochs.get(thread_id) == _LOST and not self._queue.of(thread_id):
            del self.shared.epochs[thread_id]

    async def _follow_again(self, thread_id: str) -> None:
        await self.shared.follow(thread_id)
        self.shared.tell("follow", thread_id)

    # Those who follow this process's threads.

    async def look_for_followers(self, thread_id: str) -> None:
        """Keep the events of a thread from here on, if another process follows it."""
        found = await self.shared.followers(thread_id)
        if not found or not self.owns(thread_id):
            return
        self._followed.setdefault(thread_id, None)
        for job in self._queue.of(thread_id):
            self.keep(job)
        if any(follower.protocol for follower in found):
            await self._keep_protocol(thread_id)
        self.shared.tell("changed", thread_id)

    async def _keep_protocol(self, thread_id: str) -> None:
        """Bring the runs of a thread into its v3 log as long as this process has the thread."""
        if self._followed.get(thread_id) is not None:
            return
        opened = await self._protocol_runs.open(thread_id)
        if self._followed.get(thread_id, opened) is None:
            self._followed[thread_id] = opened
        else:
            self._protocol_runs.release(opened)

    def keep(self, job: Job) -> None:
        """Keep the events of a run from here on."""
        if job.log.keeper is None and job.thread_id in self._followed:
            job.log.keeper = RunEvents(self._storage, job.run)

    def is_followed(self, thread_id: str) -> bool:
        """Whether another process follows a thread that this one has."""
        return thread_id in self._followed

    def written(self, thread_id: str) -> None:
        """Tell those who follow a thread that something of it was written."""
        if self.is_followed(thread_id):
            self.shared.tell("changed", thread_id)

    async def ending(
        self, transaction: Transaction, job: Job, run: Document, result: Any, error: bytes | None
    ) -> None:
        """Take part in the transaction that ends a run."""
        if job.thread_id in self._followed:
            await self.shared.put_result(transaction, RunResult(run, result, error))
        if self.following.is_read(job.thread_id):
            # With the lease, or the next owner would not know that its events are read here.
            await self.shared.follow_within(transaction, job.thread_id)

    async def ended(self, job: Job, others: bool) -> None:
        """Give the thread back if its last run is over. The caller holds its lock."""
        self.written(job.thread_id)
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

    # Threads that another process has.

    async def submit(
        self,
        run: Document,
        busy: Document,
        control: Document,
        key: Document | None,
        reason: str,
        *,
        refusal: str,
        followed: bool,
    ) -> Job | None:
        """Write a run down for another process. The caller holds the lock of the thread.

        Returns:
            What follows it, if that is asked for.

        Raises:
            Conflict: The thread is busy and the run's strategy is `reject`.
        """
        thread_id, strategy = run["thread_id"], run["multitask_strategy"]
        others = await self.unfinished(thread_id)
        if others and strategy == "reject":
            raise Conflict(refusal)
        if followed:
            await self.shared.follow(thread_id)
        async with self._storage.transaction() as transaction:
            await transaction.threads.put(busy)
            await transaction.runs.insert(run)
            if control:
                await transaction.run_controls.put(control)
            if key is not None:
                await transaction.idempotency_keys.put(key)
            if strategy in ("interrupt", "rollback"):
                for other in others:
                    await self._note_stop(transaction, other, strategy, reason)
        job = self.following.new(run) if followed else None
        self.shared.tell("thread" if await self.shared.owner(thread_id) else "work", thread_id)
        return job

    async def unfinished(self, thread_id: str) -> list[Document]:
        """Return the runs of a thread that are not over, the oldest first."""
        return await self._storage.runs.search(
            where={"thread_id": thread_id, "status": UNFINISHED}, order_by="created_at"
        )

    async def _note_stop(
        self,
        transaction: Transaction | Storage,
        run: Document,
        action: str,
        reason: str,
        *,
        delete: bool = False,
    ) -> None:
        before = await transaction.run_controls.get(run["run_id"]) or {
            "run_id": run["run_id"],
            "thread_id": run["thread_id"],
        }
        if delete or not before.get("stop"):
            stop = {"stop": action, "reason": reason, **({"delete": True} if delete else {})}
            await transaction.run_controls.put({**before, **stop})

    async def stop(
        self, run: Document, action: Action, reason: str, *, delete: bool = False
    ) -> Job | None:
        """Ask the process that has a run to end it. The caller holds the lock of its thread.

        Returns:
            What follows the run until it is over; None if it is.
        """
        # It may have ended without this process knowing. It cannot end from here on: its last
        # transaction waits for the lock, and deletes the note.
        present = await self._storage.runs.get(run["run_id"])
        if present is None or present["status"] not in UNFINISHED:
            return None
        job = await self.find(present)
        if job is not None:
            await self._note_stop(self._storage, run, action, reason, delete=delete)
            self.shared.tell("thread", run["thread_id"])
        return job

    async def find(self, run: Document) -> Job | None:
        """Return what follows a run that another process has. The caller holds the thread's lock.

        Returns:
            None if the run is over.
        """
        job = self.following.jobs.get(run["run_id"])
        if job is not None:
            return job
        present = await self._storage.runs.get(run["run_id"])
        if present is None or present["status"] not in UNFINISHED:
            return None
        thread_id = run["thread_id"]
        await self.shared.follow(thread_id)
        last = await self._storage.events.of_thread_last(thread_id)
        job = self.following.new(present, last)
        await self._ask_owner(thread_id)
        return job

    async def watch(self, thread_id: str) -> None:
        """Have what happens on a thread written down, for readers in this process."""
        if self.owns(thread_id):
            return
        async with self._locks.hold(thread_id):
            await self.shared.follow(thread_id)
            last = await self._storage.events.of_thread_last(thread_id)
        self.following.watch(thread_id, last)
        await self._ask_owner(thread_id)

    async def _ask_owner(self, thread_id: str) -> None:
        """Ask the process that has a thread to look for followers, and wait until it has.

        Who is told that it reads a run must not miss what happens from then on.
        """
        answered = self._answers.setdefault(thread_id, asyncio.Event())
        self.shared.tell("follow", thread_id)
        if await self.shared.owner(thread_id) in (None, self.shared.process_id):
            self._answers.pop(thread_id, None)
            return
        with contextlib.suppress(TimeoutError):  # Its renewal shows it what no message told.
            async with asyncio.timeout(_ANSWER_SECONDS):
                await answered.wait()
        self._answers.pop(thread_id, None)

    async def announce(self, thread_id: str, name: str, data: bytes) -> EventId | None:
        """Write an event of a thread down that belongs to no run, if another process reads it.

        The caller holds the thread's lock, and the thread has no run.

        Returns:
            Its id, for the readers in this process; None if it was not written.
        """
        if thread_id not in self.following and not await self.shared.followers(thread_id):
            return None
        await self.following.look(thread_id)  # What is before it.
        self._clock.start_after(await self._storage.events.of_thread_last(thread_id))
        event = Event(self._clock.event_id(), name, data)
        await self._storage.events.add(thread_id, NO_RUN, [event])
        self.shared.tell("changed", thread_id)
        return event.id

    @asynccontextmanager
    async def opening(self, thread_id: str) -> AsyncIterator[tuple[bool, bool]]:
        """Prepare the v3 log of a thread. Gives whether to write to it, and whether to follow it.

        What older runs left to be written, is written by the owner of the thread; if there is
        none, by whoever reads it, under the lock of the thread.
        """
        if self.owns(thread_id):
            yield True, False
            return
        async with self._locks.hold(thread_id):
            await self.shared.follow(thread_id, protocol=True)
            has_owner = await self.shared.owner(thread_id) is not None
            yield not has_owner, True
        self.following.watch(thread_id)
        self.shared.tell("follow", thread_id)
