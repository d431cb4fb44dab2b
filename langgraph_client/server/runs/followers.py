"""Store the events of this process's threads for the processes that follow them."""

from __future__ import annotations

from langgraph_client.server.runs.protocol_log import ProtocolLog
from langgraph_client.server.runs.run_services import RunServices
from langgraph_client.server.runs.run_states import Job
from langgraph_client.server.runs.stored_events import RunEvents
from langgraph_client.server.storage.shared import Shared


class Followers:
    """The threads of this process that other processes follow.

    Args:
        services: The objects that it shares with the engine's other parts.
        shared: Knows the followers of a thread, and sends them messages.
    """

    def __init__(self, services: RunServices, shared: Shared) -> None:
        self._storage = services.storage
        self._shared = shared
        self._queue = services.queue
        self._protocol_runs = services.protocol_runs
        #: The followed threads, with the v3 logs that are kept open for the followers.
        self._threads: dict[str, ProtocolLog | None] = {}

    def __contains__(self, thread_id: object) -> bool:
        return thread_id in self._threads

    async def begin(self, thread_id: str) -> bool:
        """Store the events of a thread from now on, if another process follows it.

        Returns:
            Whether a follower reads its v3 events. If so, the caller must call `keep_protocol`.
        """
        followers = await self._shared.followers(thread_id)
        if followers:
            self._threads.setdefault(thread_id, None)
        return any(follower.protocol for follower in followers)

    async def refresh(self, thread_id: str) -> None:
        """Look for the followers of a thread of this process, and confirm it to them."""
        followers = await self._shared.followers(thread_id)
        # The lease may have been released or lost during the query.
        if not followers or not self._shared.owns(thread_id):
            return
        self._threads.setdefault(thread_id, None)
        for job in self._queue.of(thread_id):
            self.keep(job)
        if any(follower.protocol for follower in followers):
            await self.keep_protocol(thread_id)
        self._shared.notify("changed", thread_id)

    async def keep_protocol(self, thread_id: str) -> None:
        """Write the runs of a thread to its v3 log as long as this process holds the thread."""
        if self._threads.get(thread_id) is not None:
            return
        opened = await self._protocol_runs.open(thread_id)
        # Meanwhile another call may have opened the log, or the thread may have been dropped; then
        # it has no entry, and the default keeps it so.
        if self._threads.get(thread_id, opened) is None:
            self._threads[thread_id] = opened
        else:
            self._protocol_runs.release(opened)

    def keep(self, job: Job) -> None:
        """Store the events of a run from now on."""
        if job.log.keeper is None and job.thread_id in self._threads:
            job.log.keeper = RunEvents(self._storage, job.run)

    def written(self, thread_id: str) -> None:
        """Send the followers of a thread a message that new events are stored."""
        if thread_id in self._threads:
            self._shared.notify("changed", thread_id)

    def drop(self, thread_id: str) -> None:
        """Store no more events of a thread for its followers."""
        log = self._threads.pop(thread_id, None)
        if log is not None:
            self._protocol_runs.release(log)
