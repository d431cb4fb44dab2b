"""A process whose leases are over, and one that takes a thread over while others open it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import psycopg
import pytest
from langgraph.graph import START, StateGraph
from langgraph.types import interrupt

from langgraph_client.server.errors import Unavailable
from langgraph_client.server.runs.event_log import EventLog
from langgraph_client.server.runs.stored_events import RunEvents
from langgraph_client.server.server import Server
from langgraph_client.server.storage.shared import LEASE_SECONDS
from tests.cluster.conftest import Pair, http_of
from tests.cluster.test_two_servers import Background
from tests.support.eventually import eventually
from tests.support.hosted import Gate, Log, hosted
from tests.support.postgres import cluster


def on_loop(server: Server, call: Any) -> Any:
    """Carry out a coroutine function on a server's loop."""
    return asyncio.run_coroutine_threadsafe(call(), server.loop).result(60)


def test_a_process_that_was_paused_stops_its_runs_by_itself(
    pair: Pair, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    """Its clock tells it, before the database does; the run goes on from its last checkpoint."""
    thread_id = pair.api.post("/threads", json={}).json()["thread_id"]
    body = {"assistant_id": "gate", "input": {"name": "a"}}
    run_id = pair.api.post(f"/threads/{thread_id}/runs", json=body).json()["run_id"]
    gate.arrived()
    worker = pair.servers[1]
    shared = worker.services.storage.shared

    async def pause() -> int:
        epoch: int = shared.epochs[thread_id]
        shared._renewed = time.monotonic() - LEASE_SECONDS - 1
        time.sleep(0.3)  # noqa: ASYNC251 (the loop stands still, as that of a paused process)
        assert shared.is_over
        assert await worker.services.engine.cluster.take_if_possible("another") is False
        return epoch

    epoch = on_loop(worker, pause)
    gate.arrived()  # The step is carried out again.
    assert f"the lease of thread {thread_id} is lost" in caplog.text
    assert shared.epochs[thread_id] > epoch
    gate.open()
    joined = pair.api.get(f"/threads/{thread_id}/runs/{run_id}/join").json()
    assert joined["log"] == ["one:a", "held:a", "two"]


@pytest.mark.parametrize("how", ["cancel", "delete"])
def test_a_run_is_stopped_while_it_is_handed_back(
    pair: Pair, gate: Gate, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """A run whose database did not answer is released; its next holder ends it as was asked."""
    thread_id = pair.api.post("/threads", json={}).json()["thread_id"]
    body = {"assistant_id": "gate", "input": {"name": "a"}}
    run_id = pair.api.post(f"/threads/{thread_id}/runs", json=body).json()["run_id"]
    gate.arrived()
    engine = pair.servers[1].services.engine
    put_back = engine._executor.put_back

    async def stop() -> None:
        job = engine.jobs[run_id]
        stopping: list[asyncio.Task[Any]] = []

        async def put_back_later(job: Any) -> None:
            if not stopping:
                call = (
                    engine.stopper.cancel([run_id], "interrupt")
                    if how == "cancel"
                    else engine.stopper.delete_run(thread_id, run_id)
                )
                stopping.append(asyncio.create_task(call))
                await asyncio.sleep(0)  # The request takes the lock of the thread.
                async with engine.locks.hold(thread_id):
                    pass
            await put_back(job)

        monkeypatch.setattr(engine._executor, "put_back", put_back_later)
        gate.fail(Unavailable("the database does not answer"))
        await job.over.wait()
        await stopping[0]

    on_loop(pair.servers[1], stop)
    answer = pair.api.get(f"/threads/{thread_id}/runs/{run_id}")
    if how == "cancel":
        assert answer.json()["status"] == "interrupted"
    else:
        assert answer.status_code == 404


def test_a_rollback_undoes_what_the_last_holder_has_written(database: str, gate: Gate) -> None:
    """The answer to an interrupt belongs to an older checkpoint, and is gone nevertheless."""

    def ask(state: Log) -> dict[str, Any]:
        return {"log": [interrupt("who?")]}

    async def held(state: Log) -> dict[str, Any]:
        await gate.hold()
        return {}

    builder = StateGraph(Log).add_node(ask).add_node(held)
    graph = builder.add_edge(START, "ask").add_edge("ask", "held").compile()
    with (
        Server({"reply": graph}, path=database, role="api") as api,
        Server({"reply": graph}, path=database, role="worker") as server,
        http_of(api) as http,
    ):
        thread_id = http.post("/threads", json={}).json()["thread_id"]
        path = f"/threads/{thread_id}"
        body: dict[str, Any] = {"assistant_id": "reply", "input": {"name": "a"}}
        http.post(f"{path}/runs/wait", json=body)
        before = http.get(f"{path}/state").json()
        body = {"assistant_id": "reply", "command": {"resume": "me"}}
        run_id = http.post(f"{path}/runs", json=body).json()["run_id"]
        gate.arrived()

        async def take_away() -> None:
            server.services.engine.cluster.lose_lease(thread_id)

        cluster().execute("DELETE FROM leases", database.rpartition("/")[2])
        on_loop(server, take_away)
        gate.arrived()  # The step is carried out again.
        cancel = {"action": "rollback", "wait": "1"}
        http.post(f"{path}/runs/{run_id}/cancel", params=cancel)
        assert http.get(f"{path}/runs/{run_id}").status_code == 404
        assert http.get(f"{path}/state").json() == before


def test_a_reader_and_a_taker_of_a_thread_do_not_wait_for_each_other(pair: Pair) -> None:
    """Who takes a thread over opens its v3 log under the lock that a reader waits for."""
    thread_id = pair.api.post("/threads", json={}).json()["thread_id"]
    server = pair.servers[0]

    async def both() -> None:
        engine, shared = server.services.engine, server.services.storage.shared
        runs = engine.protocol_runs
        async with asyncio.timeout(60):
            async with engine.locks.hold(thread_id):
                reader = asyncio.ensure_future(runs.open(thread_id))
                while engine.locks._users[thread_id] < 2:  # noqa: ASYNC110 (it waits for the lock)
                    await asyncio.sleep(0.01)
                assert await shared.take(thread_id) is not None
                taken = await runs.open(thread_id)
            assert await reader is taken
        for _ in range(2):
            runs.release(taken)
        await shared.release(thread_id)

    on_loop(server, both)


@pytest.mark.parametrize("how", ["cancel", "delete"])
def test_a_run_is_stopped_although_its_lease_is_gone(
    pair: Pair, gate: Gate, database: str, how: str
) -> None:
    """Who is asked to stop a run, and finds that it has lost it, leaves that to the next owner."""
    thread_id = pair.api.post("/threads", json={}).json()["thread_id"]
    body = {"assistant_id": "gate", "input": {"name": "a"}}
    run_id = pair.api.post(f"/threads/{thread_id}/runs", json=body).json()["run_id"]
    gate.arrived()
    where = f"/threads/{thread_id}/state"  # Its checkpoint is stored while the next node runs.
    eventually(lambda: pair.api.get(where).json()["values"].get("log") == ["one:a"])
    stopper = pair.servers[1].services.engine.stopper
    cluster().execute("DELETE FROM leases", database.rpartition("/")[2])

    async def stop() -> None:
        if how == "cancel":
            (job,) = await stopper.cancel([run_id], "interrupt")
            await job.over.wait()
        else:
            await stopper.delete_run(thread_id, run_id)

    on_loop(pair.servers[1], stop)
    answer = pair.api.get(f"/threads/{thread_id}/runs/{run_id}")
    if how == "cancel":
        assert answer.json()["status"] == "interrupted"
    else:
        assert answer.status_code == 404
    state = pair.api.get(f"/threads/{thread_id}/state").json()["values"]
    assert state == ({"log": ["one:a"], "name": "a"} if how == "cancel" else {})


def test_a_lost_thread_does_not_fail_the_runs_of_others(pair: Pair) -> None:
    """The events of all runs are written before a checkpoint; those of a lost thread cannot be."""
    services = pair.servers[1].services
    storage, engine = services.storage, services.engine

    async def write() -> None:
        logs = []
        for thread_id in ("lost", "held"):
            assert await storage.shared.take(thread_id)
            keeper = RunEvents(storage, {"run_id": f"run of {thread_id}", "thread_id": thread_id})
            logs.append(EventLog(services.clock, keeper, unwritten=engine._unwritten))
        storage.shared.epochs["lost"] -= 1
        for log in logs:
            log.append("values", b"{}")
        try:
            await engine.write_logs()
            assert logs[0] in engine._unwritten
            assert logs[1] not in engine._unwritten
            assert len(await storage.events.of_thread("held", (0, 0), 10)) == 1
            assert await storage.events.of_thread("lost", (0, 0), 10) == []
        finally:
            for log in logs:
                log.disown()

    on_loop(pair.servers[1], write)


def test_a_thread_whose_takeover_fails_is_not_held(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next attempt takes it over as a whole."""
    thread_id = pair.api.post("/threads", json={}).json()["thread_id"]
    engine = pair.servers[1].services.engine
    shared = pair.servers[1].services.storage.shared

    async def fail(_: str) -> bool:
        raise Unavailable("the database does not answer")

    async def take_over() -> None:
        async with engine.locks.hold(thread_id):
            with monkeypatch.context() as patch:
                patch.setattr(engine.cluster.followers, "begin", fail)
                with pytest.raises(Unavailable):
                    await engine.cluster.take_if_possible(thread_id)
            assert not shared.owns(thread_id)
            assert await engine.cluster.take_if_possible(thread_id)

    on_loop(pair.servers[1], take_over)
    body = {"assistant_id": "row", "input": {"name": "a"}}
    answer = pair.api.post(f"/threads/{thread_id}/runs/wait", json=body)
    assert answer.status_code == 200


def test_a_run_whose_end_is_written_succeeds_although_its_lease_is_not_released(
    pair: Pair, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database fails between the end of a v3 run and the release; it is released later."""
    thread_id = pair.api.post("/threads", json={}).json()["thread_id"]
    start = {"assistant_id": "gate", "input": {"name": "a"}}
    command = {"id": 1, "method": "run.start", "params": start}
    answer = pair.worker.post(f"/threads/{thread_id}/commands", json=command)
    gate.arrived()
    services = pair.servers[1].services
    job = services.engine.jobs[answer.json()["result"]["run_id"]]
    connections = services.storage.connections
    execute, failures = connections.execute, [Unavailable("the database does not answer")]

    async def fail(statement: str, values: Sequence[object] = ()) -> int:
        if statement.startswith("DELETE FROM leases") and failures:
            raise failures.pop()
        return int(await execute(statement, values))

    monkeypatch.setattr(connections, "execute", fail)
    gate.open()
    on_loop(pair.servers[1], job.over.wait)
    assert not failures
    assert job.result["log"] == ["one:a", "held:a", "two"]
    shared = services.storage.shared
    eventually(lambda: on_loop(pair.servers[1], lambda: shared.holder(thread_id)) is None)


def test_a_run_is_over_although_its_lease_is_lost_right_after_its_end(
    pair: Pair, database: str
) -> None:
    """A v3 run: those who join it are answered, and the next reader gets its end."""
    thread_id = pair.api.post("/threads", json={}).json()["thread_id"]
    # At the commit, when the transaction has checked the lease.
    for statement in (
        "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " UPDATE leases SET epoch = nextval('lease_epochs'); RETURN NULL; END $$",
        "CREATE CONSTRAINT TRIGGER lose AFTER UPDATE ON runs DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW WHEN (NEW.status = 'success') EXECUTE FUNCTION lose()",
    ):
        cluster().execute(statement, database.rpartition("/")[2])
    start = {"assistant_id": "row", "input": {"name": "a"}}
    command = {"id": 1, "method": "run.start", "params": start}
    answer = pair.worker.post(f"/threads/{thread_id}/commands", json=command)
    run_id = answer.json()["result"]["run_id"]
    join = f"/threads/{thread_id}/runs/{run_id}/join"
    joined = Background(lambda: pair.worker.get(join).json()).result()
    assert joined == {"log": ["one:a", "two"], "name": "a"}
    shared = pair.servers[0].services.storage.shared
    eventually(lambda: on_loop(pair.servers[0], lambda: shared.holder(thread_id)) is None)
    path, body = f"/threads/{thread_id}/stream/events", {"channels": ["lifecycle"]}

    def has_end() -> bool:
        with pair.api.stream("POST", path, json=body) as response:
            return any('"completed"' in part for part in response.iter_text())

    assert Background(has_end).result()


def test_a_run_that_waits_for_a_slot_goes_on_after_its_lease_was_lost(
    database: str, gate: Gate
) -> None:
    """It was stored as running when the last slot was free, and is taken up by the same server."""
    graphs: dict[str, Any] = hosted(gate)
    with (
        Server(graphs, path=database, max_runs=1) as server,
        http_of(server) as http,
        psycopg.Connection.connect(database) as blocker,
    ):
        engine = server.services.engine
        threads = [http.post("/threads", json={}).json()["thread_id"] for _ in range(2)]
        body = {"assistant_id": "gate", "input": {"name": "a"}}

        def wait(thread_id: str) -> Any:
            return http.post(f"/threads/{thread_id}/runs/wait", json=body).json()

        blocker.execute("LOCK TABLE runs IN EXCLUSIVE MODE")
        # Not in a pool, which would wait for them for ever if the test failed.
        waiting = [Background(partial(wait, thread_id)) for thread_id in threads]
        # The server's look for runs that are due waits for the table, too.
        query = (
            "SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted"
            " AND relation = 'runs'::regclass AND query LIKE '%INSERT INTO runs%'"
        )
        name = database.rpartition("/")[2]
        eventually(lambda: len(cluster().execute(query, name)) == 2)
        blocker.rollback()
        gate.arrived()
        eventually(lambda: len(engine.jobs) == 2)
        late = next(job for job in engine.jobs.values() if job.task is None)
        assert late.begun
        server.loop.call_soon_threadsafe(engine.cluster.lose_lease, late.thread_id)
        eventually(lambda: late.run_id not in engine.jobs)
        gate.open()
        gate.arrived()
        gate.open()
        for answer in waiting:
            assert answer.result()["log"] == ["one:a", "held:a", "two"]
        runs = http.get(f"/threads/{late.thread_id}/runs").json()
        assert [run["status"] for run in runs] == ["success"]


def test_a_reader_that_comes_back_is_not_forgotten(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It follows the thread while this server is about to forget the last reader."""
    services = pair.servers[0].services
    engine, shared = services.engine, services.storage.shared

    unfollow, followed = shared.unfollow, asyncio.Event()

    async def unfollow_late(thread_id: str) -> None:
        await followed.wait()
        await unfollow(thread_id)

    monkeypatch.setattr(shared, "unfollow", unfollow_late)

    async def forget() -> None:
        engine.cluster.following.watch("t")
        async with asyncio.timeout(60):
            async with engine.locks.hold("t"):
                clearing = asyncio.ensure_future(engine.cluster._clear(""))
                while "t" in engine.cluster.following:  # noqa: ASYNC110 (it is about to unfollow)
                    await asyncio.sleep(0)
                # As `watch` does, which waits for the same lock.
                await shared.follow("t")
                engine.thread_logs.open("t")
                engine.cluster.following.watch("t")
                followed.set()
            await clearing
        rows = await services.storage.connections.rows("SELECT thread_id FROM followers")
        assert rows == [("t",)]
        engine.thread_logs.drop("t")

    on_loop(pair.servers[0], forget)


def test_a_lost_thread_is_followed_once_the_database_answers(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its readers get what the next holder stores, although following it fails at first."""
    services = pair.servers[1].services
    engine, shared = services.engine, services.storage.shared
    follow, failures = shared.follow, [Unavailable("the database does not answer")]

    async def fail(thread_id: str) -> None:
        if failures:
            raise failures.pop()
        await follow(thread_id)

    monkeypatch.setattr(shared, "follow", fail)

    async def lose() -> None:
        engine.thread_logs.open("t")
        engine.cluster.following.watch("t")
        assert await shared.take("t")
        engine.cluster.lose_lease("t")
        rows: list[Any] = []
        async with asyncio.timeout(60):
            while not rows:
                query = "SELECT thread_id FROM followers WHERE thread_id = 't'"
                rows = await services.storage.connections.rows(query)
        assert not failures
        engine.thread_logs.drop("t")

    on_loop(pair.servers[1], lose)
