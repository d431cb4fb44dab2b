"""Pass requests on to the process that holds the lease of a thread.

They are written to the database, under the lock of the thread, and the holder gets a message.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from langgraph_client.server.clock import EventId
from langgraph_client.server.errors import Conflict
from langgraph_client.server.runs.following import Following
from langgraph_client.server.runs.new_run import BUSY, NewRun
from langgraph_client.server.runs.recovery import with_stop
from langgraph_client.server.runs.run_services import RunServices
from langgraph_client.server.runs.run_states import Action, Job
from langgraph_client.server.storage.protocol import (
    UNFINISHED,
    Document,
    Event,
    Storage,
    Transaction,
)
from langgraph_client.server.storage.shared import Shared, no_run

_ANSWER_SECONDS = 1.0
"""How many seconds to wait until the holder of a thread confirms that it stores the events."""


class RunForwarder:
    """The threads of other processes.

    Args:
        services: The objects that it shares with the engine's other parts.
        shared: The leases, and the messages between processes.
        following: The runs and threads that this process follows.
    """

    def __init__(self, services: RunServices, shared: Shared, following: Following) -> None:
        self._storage = services.storage
        self._shared = shared
        self._clock = services.clock
        self._locks = services.locks
        self._following = following
        #: For each thread whose holder was asked to store events, what each asker waits for.
        self._askers: dict[str, set[asyncio.Event]] = {}

    def answered(self, thread_id: str) -> None:
        """Note that the holder of a thread has sent a message."""
        for answered in self._askers.get(thread_id, ()):
            answered.set()

    async def submit(self, new: NewRun) -> Job | None:
        """Store a run for another process. The caller holds the lock of the thread.

        Returns:
            The job that follows the run; None if no request waits for it.

        Raises:
            Conflict: The thread is busy and the run's strategy is `reject`.
        """
        thread_id = new.thread_id
        others = await self.unfinished(thread_id)
        if others and new.is_refused_if_busy:
            raise Conflict(BUSY)
        if new.followed:
            # Before the run is stored: a process that takes it over looks for followers first.
            await self._shared.follow(thread_id)
        async with self._storage.transaction(new.held) as transaction:
            await new.write(transaction, self._clock.stamp())
            if new.replaces is not None:
                for other in others:
                    await self._note_stop(transaction, other, new.replaces, new.stop_reason)
        job = self._following.new(new.run) if new.followed else None
        self._shared.notify("thread" if await self._shared.holder(thread_id) else "work", thread_id)
        return job

    async def unfinished(self, thread_id: str) -> list[Document]:
        """Return the runs of a thread that are not over, the oldest first."""
        unfinished = {"thread_id": thread_id, "status": UNFINISHED}
        return await self._storage.runs.search(where=unfinished, order_by="created_at")

    async def _note_stop(
        self,
        transaction: Transaction | Storage,
        run: Document,
        action: Action,
        reason: str,
        *,
        delete: bool = False,
    ) -> None:
        before = await transaction.run_controls.get(run["run_id"])
        control = with_stop(run, before, action, reason, delete=delete)
        await transaction.run_controls.put(control)

    async def stop(
        self, run: Document, action: Action, reason: str, *, delete: bool = False
    ) -> Job | None:
        """Ask the process that executes a run to end it. The caller holds the lock of its thread.

        Returns:
            The job that follows the run; None if the run is over.
        """
        # It may have ended unnoticed. From here on it cannot end: the transaction that ends it
        # waits for this lock, and also deletes the note.
        present = await self._storage.runs.get(run["run_id"])
        if present is None or present["status"] not in UNFINISHED:
            return None
        job = await self.find(present)
        if job is not None:
            job.run = present  # It may have started since it is followed.
            await self._note_stop(self._storage, run, action, reason, delete=delete)
            self._shared.notify("thread", run["thread_id"])
        return job

    async def find(self, run: Document) -> Job | None:
        """Return the job that follows a run of another process. The caller holds the thread's lock.

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
        await self._ask_holder(thread_id)
        return job

    async def watch(self, thread_id: str) -> None:
        """Have the events of a thread stored, for readers in this process."""
        if self._shared.owns(thread_id):
            return
        async with self._locks.hold(thread_id):
            await self._shared.follow(thread_id)
            last = await self._storage.events.of_thread_last(thread_id)
            self._following.watch(thread_id, last)
        await self._ask_holder(thread_id)

    async def _ask_holder(self, thread_id: str) -> None:
        """Ask the holder of a thread to look for followers, and wait until it has.

        A reader must not miss an event that happens after its request was accepted.
        """
        answered = asyncio.Event()
        askers = self._askers.setdefault(thread_id, set())
        askers.add(answered)
        try:
            self._shared.notify("follow", thread_id)
            # Nobody would reply. The next holder looks for followers when it takes the thread over.
            if await self._shared.holder(thread_id) in (None, self._shared.process_id):
                return
            # After this time, the holder's next renewal looks for followers, too.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ANSWER_SECONDS):
                    await answered.wait()
        finally:
            askers.discard(answered)
            if not askers:
                del self._askers[thread_id]

    async def announce(self, thread_id: str, name: str, data: bytes) -> EventId | None:
        """Store an event of a thread that belongs to no run, if another process reads the thread.

        The caller holds the thread's lock, and the thread has no run.

        Returns:
            Its id, for the readers in this process; None if it was not stored.
        """
        if thread_id not in self._following and not await self._shared.followers(thread_id):
            return None
        await self._following.read_all(thread_id)  # Earlier events go to the readers first.
        self._clock.start_after(await self._storage.events.of_thread_last(thread_id))
        event = Event(self._clock.event_id(), name, data)
        await self._storage.events.add(thread_id, no_run(thread_id), [event])
        self._shared.notify("changed", thread_id)
        return event.id

    @asynccontextmanager
    async def opening(self, thread_id: str) -> AsyncIterator[tuple[bool, bool]]:
        """Prepare the v3 log of a thread. Gives whether to write to it, and whether to follow it.

        The holder of the thread's lease adds what older runs lack. If there is no holder, the
        process of a reader does it, under the lock of the thread.
        """
        if self._shared.owns(thread_id):
            yield True, False
            return
        async with self._locks.hold(thread_id):
            await self._shared.follow(thread_id, protocol=True)
            has_holder = await self._shared.holder(thread_id) is not None
            yield not has_holder, True
            self._following.watch(thread_id)
        self._shared.notify("follow", thread_id)
