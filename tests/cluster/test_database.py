"""The database itself: its schema, leases and fences, and what happens when it is away."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from langgraph.checkpoint.base import empty_checkpoint

from langgraph_client.server.errors import StartError, Unavailable
from langgraph_client.server.options import StoreIndex, StoreOptions
from langgraph_client.server.runs.locks import KeyedLocks
from langgraph_client.server.runs.stored_events import RunEvents
from langgraph_client.server.server import Server
from langgraph_client.server.storage.postgres.connections import DatabaseError
from langgraph_client.server.storage.postgres.schema import SCHEMA_VERSION
from langgraph_client.server.storage.postgres.storage import PostgresStorage, open_postgres
from langgraph_client.server.storage.protocol import Event, KeptEvent, KeyTaken
from langgraph_client.server.storage.shared import Fenced, no_run
from tests.cluster.conftest import Pair, http_of
from tests.support.eventually import eventually
from tests.support.hosted import Gate, hosted
from tests.support.postgres import Cluster, binaries, cluster

ROW: dict[str, Any] = {"assistant_id": "row", "input": {"name": "a"}}


async def test_a_newer_schema_refuses_this_program(database: str) -> None:
    """A program that does not know the schema does not start, and says why."""
    name = database.rpartition("/")[2]
    cluster().execute(f"INSERT INTO schema_migrations VALUES ({SCHEMA_VERSION + 1})", name)
    with pytest.raises(DatabaseError, match="newer version"):
        await open_postgres(database)


@pytest.mark.skipif(binaries() is None, reason="PostgreSQL is not installed")
async def test_several_processes_make_the_tables_at_once() -> None:
    """The schema is made once, whoever comes first; the others wait."""
    url = await asyncio.to_thread(cluster().empty)
    opened = await asyncio.gather(*(open_postgres(url) for _ in range(3)))
    for storage in opened:
        await storage.close()
    name = url.rpartition("/")[2]
    rows = await asyncio.to_thread(cluster().execute, "SELECT * FROM schema_migrations", name)
    assert [row[0] for row in rows] == [*range(1, SCHEMA_VERSION + 1)]
    await asyncio.to_thread(cluster().drop, url)


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("order_by", ["updated_at", "created_at", "state_updated_at"])
async def test_a_page_of_threads_is_read_in_the_order_of_an_index(
    database: str, monkeypatch: pytest.MonkeyPatch, order_by: str, descending: bool
) -> None:
    """Without one, each page would sort all threads. A filter of metadata has its own index."""
    storage = await open_postgres(database)
    await storage.connections.execute(
        "INSERT INTO threads (thread_id, created_at, updated_at, state_updated_at, doc, metadata)"
        """ SELECT n, n, n, n, format('{"thread_id":"%s"}', n), format('{"n":%s}', n)"""
        " FROM generate_series(1, 20000) AS n"
    )
    plans: list[str] = []
    rows = storage.connections.rows

    async def explained(statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        plans.append(str(await rows(f"EXPLAIN {statement}", values)))
        return await rows(statement, values)

    monkeypatch.setattr(storage.connections, "rows", explained)
    page: Any = {"order_by": order_by, "descending": descending, "limit": 10}
    assert len(await storage.threads.search(**page)) == 10
    assert len(await storage.threads.search(contains={"metadata": {"n": 1}}, **page)) == 1
    await storage.close()
    assert f"threads_{order_by}_thread_id_idx" in plans[0]
    assert "threads_lc_jsonb_idx" in plans[1]


async def test_who_changes_the_tables_is_waited_for_with_a_limit(database: str) -> None:
    """A server that waits for another one which changes the tables gives up, and says why."""
    storage = await open_postgres(database)
    connections = storage.connections
    try:
        async with connections.locked_for_changes("tables"):
            with pytest.raises(Unavailable, match="has been changing the tables"):
                async with connections.locked_for_changes("tables", wait=0.2):
                    raise AssertionError("two hold the lock")
        async with connections.locked_for_changes("tables", wait=60):
            pass
    finally:
        await storage.close()


async def put_control_and_thread(storage: PostgresStorage) -> None:
    async with storage.transaction() as transaction:
        await transaction.run_controls.put({"run_id": "rc", "thread_id": "t"})
        await transaction.threads.insert({"thread_id": "t"})


async def test_writes_of_a_transaction_go_together_and_keep_their_order(database: str) -> None:
    """What is written twice is as written last; nothing is written if a part fails."""
    storage = await open_postgres(database)
    try:
        async with storage.transaction() as transaction:
            for name in ("a", "b"):
                await transaction.threads.put({"thread_id": "t", "name": name})
                await transaction.run_controls.put({"run_id": f"r{name}", "thread_id": "t"})
            await transaction.crons.put({"cron_id": "c"})
            await transaction.crons.delete_where(cron_id="c")
            await transaction.crons.put({"cron_id": "d"})
            assert await transaction.crons.get("d")
        assert (await storage.threads.get("t") or {})["name"] == "b"
        assert await storage.run_controls.count() == 2
        assert await storage.crons.get("c") is None
        with pytest.raises(KeyTaken):
            await put_control_and_thread(storage)
        assert await storage.run_controls.get("rc") is None
    finally:
        await storage.close()


async def test_what_is_replaced_has_to_be_there(database: str) -> None:
    """A document that was deleted meanwhile does not come back."""
    storage = await open_postgres(database)
    try:
        cron: dict[str, Any] = {"cron_id": "c", "thread_id": "t", "metadata": {"a": [1]}}
        assert not await storage.crons.replace(cron)
        await storage.crons.insert({"cron_id": "c", "thread_id": "t", "metadata": {}})
        await storage.crons.insert({"cron_id": "d", "thread_id": "t"})
        assert await storage.crons.replace(cron)
        assert await storage.crons.get("c") == cron
        assert await storage.crons.get("d") == {"cron_id": "d", "thread_id": "t"}
    finally:
        await storage.close()


async def test_old_events_that_belong_to_no_run_are_deleted(database: str) -> None:
    """Those of a run stay with it; those of an earlier version, without a thread, are deleted."""
    storage = await open_postgres(database)
    run_id = str(uuid.uuid4())
    try:
        for of in (no_run("t"), "", run_id):
            await storage.events.add("t", of, [Event((1, 0), "state_update", b"{}")])
        await storage.shared.sweep()
        rows = await storage.connections.rows("SELECT run_id FROM events")
        assert rows == [(run_id,)]
    finally:
        await storage.close()


async def test_a_cancelled_holder_of_a_lock_commits_nothing(database: str) -> None:
    """What was written on the connection of a lock goes with a holder that is cancelled."""
    storage = await open_postgres(database)
    written = asyncio.Event()

    async def hold() -> None:
        async with storage.shared.locked("k") as held, storage.transaction(held) as transaction:
            await transaction.threads.put({"thread_id": "t"})
            assert await transaction.threads.get("t")
            written.set()
            await asyncio.Event().wait()

    try:
        holder = asyncio.create_task(hold())
        await written.wait()
        holder.cancel()
        await asyncio.wait([holder])
        async with storage.shared.locked("k"):
            assert await storage.threads.get("t") is None
    finally:
        await storage.close()


async def test_many_locks_within_locks(database: str) -> None:
    """Who holds a lock gets the one within it, however many others hold one and wait, too."""
    storage = await open_postgres(database)
    locks = KeyedLocks(storage.shared.locked)

    async def respond(name: str) -> None:
        async with locks.hold(f"answers {name}"):
            await request(name)

    async def request(name: str) -> None:
        async with locks.hold(f"idempotency key {name}"), locks.hold(name):
            pass

    try:
        calls = [kind(f"{kind.__name__}{n}") for n in range(16) for kind in (respond, request)]
        async with asyncio.timeout(60):
            await asyncio.gather(*calls)
    finally:
        await storage.close()


async def test_events_whose_reply_was_lost_are_written_again(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attempt that was committed, and yet failed here, is repeated; each event is there once."""
    storage = await open_postgres(database)
    execute = storage.connections.execute
    failures = [Unavailable("the reply is lost"), asyncio.CancelledError()]

    async def lose_reply(statement: str, values: Sequence[object] = ()) -> int:
        written = await execute(statement, values)
        if failures:
            raise failures.pop(0)
        return written

    monkeypatch.setattr(storage.connections, "execute", lose_reply)
    keeper = RunEvents(storage, {"run_id": "r", "thread_id": "t"})
    kept = [KeptEvent(1, "r", 5, "values", b"{}")]
    try:
        events = [Event((1, 0), "values", b"{}")]
        with pytest.raises(Unavailable):
            await keeper.add(events)
        events.append(Event((1, 1), "values", b"{}"))
        with pytest.raises(asyncio.CancelledError):
            await keeper.add(events)
        await keeper.add(events)
        assert await keeper.after((0, 0), 10) == events
        failures.append(Unavailable("the reply is lost"))
        with pytest.raises(Unavailable):
            await storage.protocol_events.add("t", kept)
        await storage.protocol_events.add("t", kept)
        assert await storage.protocol_events.of_thread("t", 0, 10) == kept
    finally:
        await storage.close()


async def test_a_process_does_not_claim_what_it_has(database: str) -> None:
    """Runs of a process that was too busy to renew its leases are not taken up twice by itself."""
    storage = await open_postgres(database)
    run = {"run_id": "r", "thread_id": "t", "status": "running", "created_at": "2026"}
    try:
        await storage.shared.join()
        assert await storage.shared.take("t")
        await storage.runs.put(run)
        await storage.connections.execute(
            "UPDATE processes SET expires_at = now(), renewed_at = now() - interval '1 hour'"
        )
        assert await storage.shared.claim("2027", 10) == []
    finally:
        await storage.close()


async def put_thread(storage: PostgresStorage, thread_id: str) -> None:
    async with storage.transaction() as transaction:
        await transaction.threads.put({"thread_id": thread_id})
        storage.shared.check(transaction, thread_id)


async def test_who_has_lost_a_lease_writes_nothing(database: str) -> None:
    """Events, checkpoints and transactions of a former owner are refused, as a whole."""
    thread_id = "3f0c1c52-9d0f-4a4e-9f43-9a3f0a3c1f00"
    former, present = await open_postgres(database), await open_postgres(database)
    try:
        for storage in (former, present):
            await storage.shared.join()
        assert await former.shared.take(thread_id)
        assert await present.shared.take(thread_id) is None, "it has an owner that is alive"
        await former.connections.execute(
            "UPDATE processes SET expires_at = now() - interval '1 minute',"
            " renewed_at = now() - interval '1 minute' WHERE process_id = %s",
            (former.shared.process_id,),
        )
        # A cluster that has just started takes every process for alive.
        for _ in range(300):
            if await present.shared.take(thread_id) is not None:
                break
            await asyncio.sleep(0.2)
        assert present.epochs[thread_id] > former.epochs[thread_id]
        event = Event((1, 0), "values", b"{}")
        with pytest.raises(Fenced):
            await former.events.add(thread_id, "r", [event])
        config: Any = {"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}}
        with pytest.raises(Fenced):
            await former.checkpointer.aput(config, empty_checkpoint(), {}, {})
        with pytest.raises(Fenced):
            await put_thread(former, thread_id)
        assert await former.threads.get(thread_id) is None
        assert await present.events.of_thread(thread_id, (0, 0), 10) == []
        await present.events.add(thread_id, "r", [event])
        assert await present.events.of_thread(thread_id, (0, 0), 10) == [event]
    finally:
        await former.close()
        await present.close()


def test_crons_fire_once(pair: Pair) -> None:
    """A cron that is due is one run, though every server looks for crons that are due."""
    thread_id = pair.api.post("/threads", json={}).json()["thread_id"]
    body = {**ROW, "schedule": "0 0 1 1 *"}
    cron_id = pair.api.post(f"/threads/{thread_id}/runs/crons", json=body).json()["cron_id"]

    async def fall_due(server: Server) -> None:
        crons = server.services.storage.crons
        cron = await crons.get(cron_id)
        assert cron is not None
        await crons.put({**cron, "next_run_date": "2020-01-01T00:00:00.000000+00:00"})

    asyncio.run_coroutine_threadsafe(fall_due(pair.servers[0]), pair.servers[0].loop).result(60)
    waking = [
        threading.Thread(
            target=lambda one=server: asyncio.run_coroutine_threadsafe(
                one.services.scheduler.fire_due(), one.loop
            ).result(60)
        )
        for server in pair.servers
    ]
    for thread in waking:
        thread.start()
    for thread in waking:
        thread.join(60)
    # The servers look by themselves, too.
    eventually(lambda: pair.api.get(f"/threads/{thread_id}/runs").json())
    runs = pair.api.get(f"/threads/{thread_id}/runs").json()
    assert len(runs) == 1
    pair.api.get(f"/threads/{thread_id}/runs/{runs[0]['run_id']}/join")


@pytest.mark.skipif(binaries() is None, reason="PostgreSQL is not installed")
def test_a_database_that_goes_away_comes_back() -> None:
    """Meanwhile requests get a 503 that says when to come again; a run goes on afterwards."""
    own = Cluster()
    gate = Gate()
    try:
        with Server(hosted(gate), path=own.fresh()) as server, http_of(server) as http:
            thread_id = http.post("/threads", json={}).json()["thread_id"]
            body = {"assistant_id": "gate", "input": {"name": "a"}}
            run = http.post(f"/threads/{thread_id}/runs", json=body).json()
            gate.arrived()
            own.stop()
            refused = http.post("/threads", json={})
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
            gate.open()
            own.start()
            deadline = time.monotonic() + 120
            status = None
            while status != "success" and time.monotonic() < deadline:
                gate.open()  # The step is carried out again if its end could not be written.
                answer = http.get(f"/threads/{thread_id}/runs/{run['run_id']}")
                status = answer.json().get("status")
                time.sleep(0.1)
            assert status == "success"
            state = http.get(f"/threads/{thread_id}/state").json()["values"]
            assert state == {"log": ["one:a", "held:a", "two"], "name": "a"}
    finally:
        own.close()


@pytest.mark.skipif(binaries() is None, reason="PostgreSQL is not installed")
async def test_an_index_without_the_extension(database: str) -> None:
    """A server whose store has an index does not start where PostgreSQL cannot have one."""
    if cluster().execute("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'"):
        pytest.skip("PostgreSQL has the extension vector")
    store = StoreOptions(StoreIndex(3, lambda texts: [[0.0] * 3 for _ in texts]))
    with pytest.raises(StartError, match="vector"):
        await open_postgres(database, store=store)
