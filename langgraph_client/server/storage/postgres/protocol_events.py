"""The stored events of the v3 stream; see `protocol.ProtocolEventStore`."""

from __future__ import annotations

from collections.abc import Sequence

from langgraph_client.server.storage.postgres.connections import Executor, Place
from langgraph_client.server.storage.postgres.documents import MAX_INTEGER
from langgraph_client.server.storage.postgres.fences import check_fence, fence_of
from langgraph_client.server.storage.postgres.leases import Leases
from langgraph_client.server.storage.protocol import KeptEvent

_ENDS = "name IN ('lifecycle:completed', 'lifecycle:failed', 'lifecycle:interrupted')"
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
    "EXISTS (SELECT 1 FROM protocol_events AS others"
    " WHERE others.run_id = protocol_events.run_id AND others.seq < protocol_events.seq)"
)
_DELETED = Place("protocol_events", deletes=True)
_MISSING = (
    "SELECT run_id FROM runs WHERE thread_id = %s"
    " AND EXISTS (SELECT 1 FROM events WHERE events.run_id = runs.run_id)"
    " AND NOT EXISTS (SELECT 1 FROM protocol_events AS kept"
    " WHERE kept.run_id = runs.run_id AND kept.name LIKE 'lifecycle%%')"
    " ORDER BY created_at, run_id"
)


class ProtocolEventTable:
    """The events of threads, in the order of their numbers."""

    def __init__(self, executor: Executor, leases: Leases | None = None) -> None:
        self._executor = executor
        self._leases = leases
        self._swept_to = 0

    async def add(self, thread_id: str, events: Sequence[KeptEvent]) -> None:
        """Write events, all or none."""
        if not events:
            return
        columns = [list(column) for column in zip(*events, strict=True)]
        epoch = None if self._leases is None else self._leases.epochs.get(thread_id)
        fence, values = fence_of(thread_id, epoch)
        written = await self._executor.execute(
            f"WITH {fence} INSERT INTO protocol_events"
            " SELECT %s, a.seq, a.run_id, a.ms, a.name, a.data FROM fence, unnest(%s::bigint[],"
            " %s::text[], %s::bigint[], %s::text[], %s::bytea[])"
            " AS a (seq, run_id, ms, name, data)"
            # They are there already if the reply to an earlier attempt was lost.
            " ON CONFLICT (thread_id, seq) DO UPDATE SET data = excluded.data"
            " WHERE protocol_events.run_id = excluded.run_id",
            (*values, thread_id, *columns),
        )
        check_fence(written, thread_id)
        if self._leases is not None:
            self._leases.written(thread_id)

    async def of_thread(self, thread_id: str, after: int, limit: int) -> list[KeptEvent]:
        """Return events of a thread after a number."""
        return await self._select("thread_id = %s AND seq > %s", thread_id, after, limit)

    async def lifecycle(self, run_id: str) -> list[KeptEvent]:
        """Return the lifecycle events of a run."""
        where = "run_id = %s AND seq > %s AND name LIKE 'lifecycle%%'"
        return await self._select(where, run_id, -1, MAX_INTEGER)

    async def missing_runs(self, thread_id: str) -> list[str]:
        """Return the ids of the runs without lifecycle events here whose own events are stored."""
        rows = await self._executor.rows(_MISSING, (thread_id,))
        return [row[0] for row in rows]

    async def _select(self, where: str, key: str, after: int, limit: int) -> list[KeptEvent]:
        rows = await self._executor.rows(
            f"SELECT seq, run_id, ms, name, data FROM protocol_events WHERE {where}"
            " ORDER BY seq LIMIT %s",
            (key, max(-1, min(after, MAX_INTEGER)), min(limit, MAX_INTEGER)),
        )
        return [KeptEvent(*row) for row in rows]

    async def last(self, thread_id: str) -> KeptEvent | None:
        """Return the last event of a thread; None if it has none."""
        row = await self._executor.row(
            "SELECT seq, run_id, ms, name, data FROM protocol_events WHERE thread_id = %s"
            " ORDER BY seq DESC LIMIT 1",
            (thread_id,),
        )
        return None if row is None else KeptEvent(*row)

    async def delete_run(self, run_id: str, *, keep_lifecycle: bool = False) -> None:
        """Delete the events of a run, but not the last event of its thread."""
        statement = f"DELETE FROM protocol_events WHERE run_id = %s AND {_MAY_GO}"
        if keep_lifecycle:
            statement += " AND name NOT LIKE 'lifecycle:%%'"
        await self._executor.write(statement, (run_id,), place=_DELETED)

    async def delete_ended(self, before_ms: int, limit: int) -> int:
        """Delete the events of runs that ended before a time. Return how many runs lost theirs."""
        row = await self._executor.row(
            f"WITH ended AS (SELECT run_id, ms FROM protocol_events WHERE {_ENDS}"
            f" AND ms >= %s AND ms < %s AND ({_MAY_GO} OR {_HAS_MORE}) ORDER BY ms LIMIT %s),"
            " gone AS (DELETE FROM protocol_events WHERE run_id IN (SELECT run_id FROM ended)"
            f" AND {_MAY_GO}) SELECT count(*), max(ms) FROM ended",
            (self._swept_to, min(before_ms, MAX_INTEGER), min(limit, MAX_INTEGER)),
        )
        deleted, last = row or (0, None)
        # The next call does not look again at all ends that stay. One that finds fewer runs is the
        # last of a sweep.
        self._swept_to = last if last is not None and deleted >= limit else 0
        return int(deleted)
