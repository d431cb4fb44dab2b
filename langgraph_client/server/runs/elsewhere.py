"""Threads that another process has: what this one is asked about them it asks of their owner.

It writes that into the database, under the lock of the thread, and tells the owner to look.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from langgraph_client.server.clock import Clock, EventId
from langgraph_client.server.errors import Conflict
from langgraph_client.server.runs.following import Following
from langgraph_client.server.runs.locks import KeyedLocks
from langgraph_client.server.runs.run_states import UNFINISHED, Action, Job
from langgraph_client.server.storage.protocol import Document, Event, Storage, Transaction
from langgraph_client.server.storage.shared import NO_RUN, Shared

_ANSWER_SECONDS = 1.0
"""How long the owner of a thread may take to say that it keeps what happens there."""


class Elsewhere:
    """The threads that other processes have.

    Args:
        storage: The database.
        shared: What the processes tell each other.
        clock: Time and ids.
        locks: The locks of threads.
        following: What this process follows of them.
    """

    def __init__(
        self,
        storage: Storage,
        shared: Shared,
        clock: Clock,
        locks: KeyedLocks,
        following: Following,
    ) -> None:
        self._storage = storage
        self._shared = shared
        self._clock = clock
        self._locks = locks
        self._following = following
        #: The threads whose owners have been asked to keep what happens.
        self._answers: dict[str, asyncio.Event] = {}

    def answered(self, thread_id: str) -> None:
        """Note that the owner of a thread has said something."""
        if (answered := self._answers.get(thread_id)) is not None:
            answered.set()

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
        held: Any,
    ) -> Job | None:
        """Write a run down for another process. The caller holds the lock of the thread.

        Args:
            run: Its document.
            busy: That of its thread.
            control: What is noted about it; empty for nothing.
            key: The document of the request's idempotency key.
            reason: What is told of those that it stops.
            refusal: What is told if it is refused.
            followed: Whether it is followed here.
            held: What the lock has given, which ends here.

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
            await self._shared.follow(thread_id)
        async with self._storage.transaction(held) as transaction:
            await transaction.threads.put(busy)
            await transaction.runs.insert(run)
            if control:
                await transaction.run_controls.put(control)
            if key is not None:
                await transaction.idempotency_keys.put(key)
            if strategy in ("interrupt", "rollback"):
                for other in others:
                    await self._note_stop(transaction, other, strategy, reason)
        job = self._following.new(run) if followed else None
        self._shared.tell("thread" if await self._shared.owner(thread_id) else "work", thread_id)
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
            self._shared.tell("thread", run["thread_id"])
        return job

    async def find(self, run: Document) -> Job | None:
        """Return what follows a run that another process has. The caller holds the thread's lock.

        Returns:
            None if the run is over.
        """
        job = self._following.jobs.get(run["run_id"])
        if job is not None:
            return job
        present = await self._storage.runs.get(run["run_id"])
        if present is None or present["status"] not in UNFINISHED:
            return None
        thread_id = run["thread_id"]
        await self._shared.follow(thread_id)
        last = await self._storage.events.of_thread_last(thread_id)
        job = self._following.new(present, last)
        await self._ask_owner(thread_id)
        return job

    async def watch(self, thread_id: str) -> None:
        """Have what happens on a thread written down, for readers in this process."""
        if self._shared.owns(thread_id):
            return
        async with self._locks.hold(thread_id):
            await self._shared.follow(thread_id)
            last = await self._storage.events.of_thread_last(thread_id)
        self._following.watch(thread_id, last)
        await self._ask_owner(thread_id)

    async def _ask_owner(self, thread_id: str) -> None:
        """Ask the process that has a thread to look for followers, and wait until it has.

        Who is told that it reads a run must not miss what happens from then on.
        """
        answered = self._answers.setdefault(thread_id, asyncio.Event())
        self._shared.tell("follow", thread_id)
        if await self._shared.owner(thread_id) in (None, self._shared.process_id):
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
        if thread_id not in self._following and not await self._shared.followers(thread_id):
            return None
        await self._following.look(thread_id)  # What is before it.
        self._clock.start_after(await self._storage.events.of_thread_last(thread_id))
        event = Event(self._clock.event_id(), name, data)
        await self._storage.events.add(thread_id, NO_RUN, [event])
        self._shared.tell("changed", thread_id)
        return event.id

    @asynccontextmanager
    async def opening(self, thread_id: str) -> AsyncIterator[tuple[bool, bool]]:
        """Prepare the v3 log of a thread. Gives whether to write to it, and whether to follow it.

        What older runs left to be written, is written by the owner of the thread; if there is
        none, by whoever reads it, under the lock of the thread.
        """
        if self._shared.owns(thread_id):
            yield True, False
            return
        async with self._locks.hold(thread_id):
            await self._shared.follow(thread_id, protocol=True)
            has_owner = await self._shared.owner(thread_id) is not None
            yield not has_owner, True
        self._following.watch(thread_id)
        self._shared.tell("follow", thread_id)
