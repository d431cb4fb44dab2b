"""Transactions that could wait for each other: none does, or the one that is undone is repeated."""

from __future__ import annotations

import asyncio

import psycopg

from langgraph_client.server.storage.postgres.storage import open_postgres
from tests.cluster.conftest import Pair
from tests.cluster.test_two_servers import ROW, Background, thread_of
from tests.support.eventually import eventually


def waiting(connection: psycopg.Connection[tuple[int]]) -> bool:
    """Return whether a session waits for a row that this one has locked."""
    row = connection.execute(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid)) AND wait_event_type = 'Lock'"
    ).fetchone()
    return row is not None and row[0] > 0


async def test_a_claim_does_not_wait_for_a_lease(database: str) -> None:
    """A deletion has locked it, and would wait for the run, which the claim has locked."""
    storage = await open_postgres(database)
    run = {"run_id": "r", "thread_id": "t", "status": "running", "created_at": "2026"}
    try:
        await storage.shared.join()
        await storage.runs.put(run)
        await storage.connections.execute("INSERT INTO leases VALUES ('t', 'a dead process', -1)")
        async with storage.connections.transaction() as deletion:
            await deletion.execute("DELETE FROM leases WHERE thread_id = 't'")
            async with asyncio.timeout(60):
                assert await storage.shared.claim("2027", 10) == []
            await deletion.execute("DELETE FROM runs WHERE thread_id = 't'")
        await storage.runs.put(run)
        await storage.connections.execute("INSERT INTO leases VALUES ('t', 'a dead process', -1)")
        assert [thread_id for thread_id, _ in await storage.shared.claim("2027", 10)] == ["t"]
    finally:
        await storage.close()


def test_a_deletion_that_a_deadlock_has_undone_is_repeated(database: str, pair: Pair) -> None:
    """The client gets a success."""
    thread_id = thread_of(pair.api)
    path = f"/threads/{thread_id}"
    pair.api.post(f"{path}/runs/wait", json=ROW)
    pair.api.patch(path, json={"ttl": {"ttl": 60}})
    with psycopg.Connection.connect(database) as other:
        # So that the other one is undone.
        other.execute("SET deadlock_timeout = '1min'")
        other.execute("SELECT 1 FROM thread_ttls WHERE thread_id = %s FOR UPDATE", (thread_id,))
        deleting = Background(lambda: pair.api.delete(path).status_code)
        eventually(lambda: waiting(other))  # It has deleted the run already.
        other.execute("SELECT 1 FROM runs WHERE thread_id = %s FOR UPDATE", (thread_id,))
    assert deleting.result() == 204
    assert pair.api.get(path).status_code == 404
