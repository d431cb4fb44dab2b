"""The stored events of resumable runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from langgraph_client.server.clock import EventId
from langgraph_client.server.storage.protocol import Event
from langgraph_client.server.storage.sqlite.database import Database
from langgraph_client.server.storage.sqlite.documents import MAX_INTEGER

_END = "run_done"
"""The name for `delete_ended`. SQLite uses the partial index only if a query contains it literally.
"""
_EVENTS_PER_STATEMENT = 500
"""The most events that one statement deletes, so that other requests do not wait for long."""


class Events:
    """The stored events, in the order of their ids; see `protocol.EventStore`.

    Args:
        database: The database.
        deleted: Called after events were deleted, so that their space is returned.
    """

    def __init__(self, database: Database, deleted: Callable[[], None]) -> None:
        self._database = database
        self._deleted = deleted
        database.execute(
            "CREATE TABLE IF NOT EXISTS events (run_id TEXT NOT NULL, ms INTEGER NOT NULL,"
            " seq INTEGER NOT NULL, thread_id TEXT NOT NULL, name TEXT NOT NULL,"
            " data BLOB NOT NULL, PRIMARY KEY (run_id, ms, seq))"
        )
        for name, columns in (("thread", "thread_id, ms, seq"), ("time", "ms, seq")):
            database.execute(f"CREATE INDEX IF NOT EXISTS events_by_{name} ON events ({columns})")
        database.execute(
            f"CREATE INDEX IF NOT EXISTS events_at_end ON events (ms) WHERE name = '{_END}'"
        )

    async def add(self, thread_id: str, run_id: str, events: Sequence[Event]) -> None:
        """Write events, all or none."""
        rows = [(run_id, *event.id, thread_id, event.name, event.data) for event in events]
        await self._database.write_many("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", rows)

    async def of_run(
        self, run_id: str, after: EventId, limit: int, without: str = ""
    ) -> list[Event]:
        """Return events of a run after an id, without those of one name."""
        return self._select("run_id = ? AND name != ?", (run_id, without), after, limit)

    async def of_thread(self, thread_id: str, after: EventId, limit: int) -> list[Event]:
        """Return events of all runs of a thread after an id."""
        return self._select("thread_id = ?", (thread_id,), after, limit)

    async def of_thread_last(self, thread_id: str) -> EventId:
        """Return the greatest id of a thread's events."""
        row = self._database.row(
            "SELECT ms, seq FROM events WHERE thread_id = ? ORDER BY ms DESC, seq DESC LIMIT 1",
            (thread_id,),
        )
        return (row[0], row[1]) if row else (0, 0)

    def _select(
        self, where: str, values: tuple[str, ...], after: EventId, limit: int
    ) -> list[Event]:
        ms, seq = (max(-MAX_INTEGER, min(number, MAX_INTEGER)) for number in after)
        rows = self._database.rows(
            f"SELECT ms, seq, name, data FROM events WHERE {where} AND (ms, seq) > (?, ?)"
            " ORDER BY ms, seq LIMIT ?",
            (*values, ms, seq, min(limit, MAX_INTEGER)),
        )
        return [Event((row[0], row[1]), row[2], row[3]) for row in rows]

    async def delete_run(self, run_id: str) -> None:
        """Delete the events of a run."""
        await self._delete("run_id = ?", run_id)

    async def delete_thread(self, thread_id: str) -> None:
        """Delete the events of all runs of a thread."""
        await self._delete("thread_id = ?", thread_id)

    def are_many(self, thread_id: str) -> bool:
        """Whether a thread has more events than one statement should delete."""
        query = "SELECT 1 FROM events WHERE thread_id = ? LIMIT 1 OFFSET ?"
        return self._database.row(query, (thread_id, _EVENTS_PER_STATEMENT)) is not None

    async def delete_ended(self, name: str, before_ms: int, limit: int) -> int:
        """Delete all events of runs that have an event of this name before a time."""
        spelt = f"name = '{_END}' AND " if name == _END else ""
        ended = self._database.rows(
            f"SELECT run_id FROM events WHERE {spelt}name = ? AND ms < ? ORDER BY ms LIMIT ?",
            (name, min(before_ms, MAX_INTEGER), min(limit, MAX_INTEGER)),
        )
        for (run_id,) in ended:
            await self._delete("run_id = ?", run_id)
            await self._database.pause()
        return len(ended)

    async def _delete(self, where: str, value: str) -> None:
        """Delete events, some at a time, the oldest first.

        The last event of a run, by which `delete_ended` finds it, is deleted last. So if the
        process is killed in between, the rest is found again.
        """
        # By a subquery, because many builds of SQLite do not support LIMIT in a DELETE.
        statement = (
            "DELETE FROM events WHERE rowid IN (SELECT rowid FROM events"
            f" WHERE {where} ORDER BY ms, seq LIMIT {_EVENTS_PER_STATEMENT})"
        )
        while await self._database.write(statement, (value,)) == _EVENTS_PER_STATEMENT:
            await self._database.pause()
        self._deleted()

    async def last_id(self) -> EventId:
        """Return the greatest id there is."""
        row = self._database.row("SELECT ms, seq FROM events ORDER BY ms DESC, seq DESC LIMIT 1")
        return (row[0], row[1]) if row else (0, 0)
