"""The stored events of the v3 stream. `event_rows` describes how they share rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

from langgraph_client.server.storage.event_rows import events_of, rows_of
from langgraph_client.server.storage.protocol import KeptEvent
from langgraph_client.server.storage.sqlite.database import Database
from langgraph_client.server.storage.sqlite.documents import MAX_INTEGER

_ENDS = "name IN ('lifecycle:completed', 'lifecycle:failed', 'lifecycle:interrupted')"
_EVENTS_PER_STATEMENT = 100
"""How many rows one statement reads or deletes, so that other requests do not wait for long."""
_START = (-1, -1)
# The last event of a thread stays as long as the thread exists, because the next event gets the
# number after it. The end of a run that was deleted with its thread is stored for some time, for
# readers whose connection was lost.
_MAY_GO = (
    "(seq < (SELECT max(seq) FROM protocol_events AS others"
    " WHERE others.thread_id = protocol_events.thread_id)"
    " OR NOT EXISTS (SELECT 1 FROM threads WHERE threads.thread_id = protocol_events.thread_id))"
)
# After the events of a run were deleted, its end may be left, as the last event of the thread.
_HAS_MORE = (
    "(EXISTS (SELECT 1 FROM protocol_events AS others"
    " WHERE others.run_id = protocol_events.run_id AND others.seq < protocol_events.seq)"
    " OR instr(data, x'0a'))"
)
_MISSING = (
    "SELECT run_id FROM runs WHERE thread_id = ?"
    " AND EXISTS (SELECT 1 FROM events WHERE events.run_id = runs.run_id)"
    " AND NOT EXISTS (SELECT 1 FROM protocol_events AS kept"
    " WHERE kept.run_id = runs.run_id AND substr(kept.name, 1, 9) = 'lifecycle')"
    " ORDER BY created_at, run_id"
)


class ProtocolEventTable:
    """The events of threads, in the order of their numbers; see `protocol.ProtocolEventStore`.

    Args:
        database: Where.
        deleted: Called after something was deleted.
    """

    def __init__(self, database: Database, deleted: Callable[[], None]) -> None:
        self._database = database
        self._deleted = deleted
        self._swept_to = _START
        database.execute(
            "CREATE TABLE IF NOT EXISTS protocol_events (thread_id TEXT NOT NULL,"
            " seq INTEGER NOT NULL, run_id TEXT NOT NULL, ms INTEGER NOT NULL, name TEXT NOT NULL,"
            " data BLOB NOT NULL, PRIMARY KEY (thread_id, seq))"
        )
        database.execute(
            "CREATE INDEX IF NOT EXISTS protocol_events_by_run ON protocol_events (run_id, seq)"
        )
        database.execute(
            f"CREATE INDEX IF NOT EXISTS protocol_events_at_end ON protocol_events (ms)"
            f" WHERE {_ENDS}"
        )

    async def add(self, thread_id: str, events: Sequence[KeptEvent]) -> None:
        """Write events, all or none."""
        rows = [(thread_id, *row) for row in rows_of(events)]
        statement = "INSERT INTO protocol_events VALUES (?, ?, ?, ?, ?, ?)"
        await self._database.write_many(statement, rows)

    async def of_thread(self, thread_id: str, after: int, limit: int) -> list[KeptEvent]:
        """Return events of a thread after a number."""
        return self._select("thread_id = ? AND seq > ?", thread_id, after, limit)

    async def lifecycle(self, run_id: str) -> list[KeptEvent]:
        """Return the lifecycle events of a run."""
        where = "run_id = ? AND seq > ? AND substr(name, 1, 9) = 'lifecycle'"
        return self._select(where, run_id, -1, MAX_INTEGER)

    async def missing_runs(self, thread_id: str) -> list[str]:
        """Return the ids of the runs without lifecycle events here whose own events are stored."""
        rows = self._database.rows(_MISSING, (thread_id,))
        return [row[0] for row in rows]

    def _select(self, where: str, key: str, after: int, limit: int) -> list[KeptEvent]:
        """Return the events of rows after a number, no more of them than a limit."""
        after, limit = max(-1, min(after, MAX_INTEGER)), min(limit, MAX_INTEGER)
        with self._database.reading() as cursor:
            # Row by row: as many rows as there may be events could be far more than are wanted.
            rows = cursor.execute(
                f"SELECT seq, run_id, ms, name, data FROM protocol_events WHERE {where}"
                " ORDER BY seq",
                (key, after),
            )
            events = (event for row in rows for event in events_of(KeptEvent(*row), after))
            return list(islice(events, limit))

    async def last(self, thread_id: str) -> KeptEvent | None:
        """Return the last event of a thread; None if it has none."""
        rows = self._database.rows(
            "SELECT seq, run_id, ms, name, data FROM protocol_events WHERE thread_id = ?"
            " ORDER BY seq DESC LIMIT 1",
            (thread_id,),
        )
        return None if not rows else events_of(KeptEvent(*rows[0]), -1)[-1]

    async def delete_run(self, run_id: str, *, keep_lifecycle: bool = False) -> None:
        """Delete the events of a run, but not the last event of its thread."""
        of_run = "run_id = ?"
        if keep_lifecycle:
            of_run += " AND name NOT LIKE 'lifecycle:%'"
        await self._delete(f"{of_run} AND {_MAY_GO}", run_id)
        for row in self._database.rows(
            f"SELECT seq, run_id, ms, name, data FROM protocol_events WHERE {of_run}"
            " AND instr(data, x'0a')",
            (run_id,),
        ):  # The thread's last row: of its events, only the last one stays.
            last = events_of(KeptEvent(*row), -1)[-1]
            await self._database.write(
                "UPDATE protocol_events SET data = ? WHERE run_id = ? AND seq = ?",
                (last.data, run_id, last.seq),
            )

    async def delete_thread(self, thread_id: str) -> None:
        """Delete all events of a thread."""
        await self._delete("thread_id = ?", thread_id)

    async def delete_ended(self, before_ms: int, limit: int) -> int:
        """Delete the events of runs that ended before a time. Return how many runs lost theirs."""
        deleted = 0
        while deleted < limit:
            page = self._database.rows(
                f"SELECT ms, rowid, run_id, {_MAY_GO} OR {_HAS_MORE} FROM protocol_events"
                f" WHERE {_ENDS} AND (ms, rowid) > (?, ?) AND ms < ?"
                f" ORDER BY ms, rowid LIMIT {_EVENTS_PER_STATEMENT}",
                (*self._swept_to, min(before_ms, MAX_INTEGER)),
            )
            for ms, rowid, run_id, has_some in page:
                if has_some:
                    await self.delete_run(run_id)
                    deleted += 1
                # The next call goes on here: it does not look again at all ends that stay.
                self._swept_to = (ms, rowid)
                if deleted >= limit:
                    return deleted
            await self._database.pause()
            if len(page) < _EVENTS_PER_STATEMENT:
                self._swept_to = _START
                break
        return deleted

    async def _delete(self, where: str, value: str) -> None:
        statement = (
            "DELETE FROM protocol_events WHERE rowid IN (SELECT rowid FROM protocol_events"
            f" WHERE {where} ORDER BY seq LIMIT {_EVENTS_PER_STATEMENT})"
        )
        deleted = 0
        while (count := await self._database.write(statement, (value,))) == _EVENTS_PER_STATEMENT:
            deleted += count
            await self._database.pause()
        if deleted or count:
            self._deleted()
