"""The stored events, in the order of their ids; see `protocol.EventStore`."""

from __future__ import annotations

from collections.abc import Sequence

from langgraph_client.server.clock import EventId
from langgraph_client.server.storage.postgres.connections import Executor, Place
from langgraph_client.server.storage.postgres.documents import MAX_INTEGER
from langgraph_client.server.storage.postgres.fences import check_fence, fence_of
from langgraph_client.server.storage.postgres.leases import Leases
from langgraph_client.server.storage.protocol import Event

_DELETED = Place("events", deletes=True)


class Events:
    """The stored events of runs.

    Args:
        executor: Executes statements.
        leases: Checks in each statement that this process holds the thread's lease, and sends
            messages to the followers. None within a transaction, which has its own check.
    """

    def __init__(self, executor: Executor, leases: Leases | None = None) -> None:
        self._executor = executor
        self._leases = leases

    async def add(self, thread_id: str, run_id: str, events: Sequence[Event]) -> None:
        """Write events, all or none, and send a message to the followers of the thread."""
        if not events:
            return
        ids = [event.id for event in events]
        epoch = None if self._leases is None else self._leases.epochs.get(thread_id)
        fence, fence_values = fence_of(thread_id, epoch)
        statement = (
            f"WITH {fence} INSERT INTO events SELECT %s, a.ms, a.seq, %s, a.name, a.data"
            " FROM fence, unnest(%s::bigint[], %s::bigint[], %s::text[], %s::bytea[])"
            " AS a (ms, seq, name, data)"
            # They are there already if the reply to an earlier attempt was lost.
            " ON CONFLICT (run_id, ms, seq) DO UPDATE SET data = excluded.data"
            " WHERE events.thread_id = excluded.thread_id"
        )
        values = (
            *fence_values,
            run_id,
            thread_id,
            [ms for ms, _ in ids],
            [seq for _, seq in ids],
            [event.name for event in events],
            [event.data for event in events],
        )
        if self._leases is None:  # The transaction has a fence of its own.
            await self._executor.write(statement, values, place=Place("events", tuple(ids)))
        else:
            check_fence(await self._executor.execute(statement, values), thread_id)
            self._leases.written(thread_id)

    async def of_run(
        self, run_id: str, after: EventId, limit: int, without: str = ""
    ) -> list[Event]:
        """Return events of a run after an id, without those of one name."""
        return await self._select("run_id = %s AND name <> %s", (run_id, without), after, limit)

    async def of_thread(self, thread_id: str, after: EventId, limit: int) -> list[Event]:
        """Return events of all runs of a thread after an id."""
        return await self._select("thread_id = %s", (thread_id,), after, limit)

    async def of_thread_last(self, thread_id: str) -> EventId:
        """Return the greatest id of a thread's events."""
        row = await self._executor.row(
            "SELECT ms, seq FROM events WHERE thread_id = %s ORDER BY ms DESC, seq DESC LIMIT 1",
            (thread_id,),
        )
        return (row[0], row[1]) if row else (0, 0)

    async def _select(
        self, where: str, values: tuple[str, ...], after: EventId, limit: int
    ) -> list[Event]:
        ms, seq = (max(-MAX_INTEGER, min(number, MAX_INTEGER)) for number in after)
        rows = await self._executor.rows(
            f"SELECT ms, seq, name, data FROM events WHERE {where}"
            " AND (ms, seq) > (%s::bigint, %s::bigint) ORDER BY ms, seq LIMIT %s",
            (*values, ms, seq, min(limit, MAX_INTEGER)),
        )
        return [Event((row[0], row[1]), row[2], row[3]) for row in rows]

    async def delete_run(self, run_id: str) -> None:
        """Delete the events of a run."""
        await self._executor.write(
            "DELETE FROM events WHERE run_id = %s", (run_id,), place=_DELETED
        )

    async def delete_ended(self, name: str, before_ms: int, limit: int) -> int:
        """Delete all events of runs that have an event of this name before a time."""
        row = await self._executor.row(
            "WITH ended AS (SELECT run_id FROM events WHERE name = %s AND ms < %s"
            " ORDER BY ms LIMIT %s FOR UPDATE SKIP LOCKED),"
            " gone AS (DELETE FROM events WHERE run_id IN (SELECT run_id FROM ended))"
            " SELECT count(*) FROM ended",
            (name, min(before_ms, MAX_INTEGER), min(limit, MAX_INTEGER)),
        )
        return int(row[0]) if row else 0

    async def last_id(self) -> EventId:
        """Return the greatest id of all events."""
        row = await self._executor.row(
            "SELECT ms, seq FROM events ORDER BY ms DESC, seq DESC LIMIT 1"
        )
        return (row[0], row[1]) if row else (0, 0)
