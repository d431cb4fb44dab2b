"""The event logs of threads: all events of a thread's runs, while the thread is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable

from langgraph_client.server.clock import Clock, EventId
from langgraph_client.server.runs.event_log import EventLog
from langgraph_client.server.runs.stored_events import ThreadEvents
from langgraph_client.server.storage.protocol import Storage


class ThreadLogs:
    """The logs of threads that are being read.

    Args:
        clock: Gives the ids of events.
        storage: Stores events.
        write_logs: Makes the logs of runs write their pending events.
    """

    def __init__(
        self, clock: Clock, storage: Storage, write_logs: Callable[[], Awaitable[None]]
    ) -> None:
        self._clock = clock
        self._storage = storage
        self._write_logs = write_logs
        self._logs: dict[str, EventLog] = {}
        # Counted, as a reader may have opened a log and not begun to read: if another reader's end
        # removed that log, it would never hear of a new event.
        self._users: Counter[str] = Counter()

    def __contains__(self, thread_id: object) -> bool:
        return thread_id in self._logs

    def get(self, thread_id: str) -> EventLog | None:
        """Return the log of a thread; None if the thread is not being read."""
        return self._logs.get(thread_id)

    def open(self, thread_id: str) -> EventLog:
        """Return the log of a thread, and create it if necessary. Call `drop` after reading."""
        self._users[thread_id] += 1
        if thread_id not in self._logs:
            kept = ThreadEvents(self._storage, thread_id, self._write_logs)
            self._logs[thread_id] = EventLog(self._clock, kept)
        return self._logs[thread_id]

    def drop(self, thread_id: str) -> None:
        """Give up a log that was opened; it is removed with its last user."""
        self._users[thread_id] -= 1
        if not self._users[thread_id]:
            del self._users[thread_id], self._logs[thread_id]

    def append(
        self, thread_id: str, name: str, data: bytes, event_id: EventId | None = None
    ) -> None:
        """Give an event to the thread's readers, with its id in the run's log."""
        if (log := self._logs.get(thread_id)) is not None:
            log.append(name, data, event_id)

    async def close(self) -> None:
        """End every log."""
        for log in list(self._logs.values()):
            await log.close()
