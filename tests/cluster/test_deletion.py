"""A thread or a run is deleted by one server while another one begins, ends or writes something.

Both wait for the lock of the thread, which the test holds: PostgreSQL gives it to them in the order
in which they have come. So each order is carried out, and none is left to chance.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import psycopg
import pytest
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from langgraph_client.server.server import Server
from langgraph_client.server.storage.postgres.connections import lock_number
from langgraph_client.server.storage.postgres.storage import PostgresStorage, open_postgres
from langgraph_client.server.storage.protocol import Event, KeptEvent
from langgraph_client.server.storage.script_states import Saved
from langgraph_client.server.storage.shared import Fenced, run_lease
from tests.cluster.conftest import http_of
from tests.cluster.test_two_servers import GATE, ROW, Background, thread_of
from tests.support.eventually import eventually
from tests.support.hosted import Gate, hosted
from tests.support.kept_rows import rows_of_thread

Servers = tuple[httpx.Client, httpx.Client, Server]


@pytest.fixture
def two(database: str, gate: Gate) -> Iterator[Servers]:
    """Clients of a server that carries out runs, and of one that only answers; the latter."""
    graphs: dict[str, Any] = hosted(gate)
    with (
        Server(graphs, path=database) as worker,
        Server(graphs, path=database, role="api") as api,
        http_of(worker) as there,
        http_of(api) as here,
    ):
        yield there, here, api


class Turns:
    """The lock of a thread, as the test holds it.

    Args:
        database: Where.
        thread_id: The thread.
    """

    def __init__(self, database: str, thread_id: str) -> None:
        self._connection = psycopg.Connection.connect(database, autocommit=True)
        self._number = lock_number(thread_id)
        self._connection.execute("SELECT pg_advisory_lock(%s)", (self._number,))

    def taken(self, count: int) -> None:
        """Wait until so many wait for the lock."""
        deadline = time.monotonic() + 60
        while self._waiting() < count:
            assert time.monotonic() < deadline, f"{self._waiting()} of {count} wait"

    def _waiting(self) -> int:
        row = self._connection.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            " AND (classid::bigint << 32) | objid::bigint = %s",
            (self._number,),
        ).fetchone()
        assert row is not None
        return int(row[0])

    def close(self) -> None:
        """Let them have it."""
        self._connection.close()


def in_turn(database: str, thread_id: str, *calls: Callable[[], Any]) -> list[Any]:
    """Do things that need the lock of a thread, in this order. Returns their results."""
    turns = Turns(database, thread_id)
    begun = []
    try:
        for number, call in enumerate(calls, 1):
            begun.append(Background(call))
            turns.taken(number)
    finally:
        turns.close()
    return [one.result() for one in begun]


def ordered(delete: Callable[[], Any], then: Callable[[], Any], order: str) -> list[Any]:
    return [delete, then] if order == "deletion first" else [then, delete]


ORDERS = pytest.mark.parametrize("order", ["deletion first", "deletion last"])


@ORDERS
@pytest.mark.parametrize("by", ["worker", "api"])
def test_a_thread_is_deleted_while_a_run_is_created(
    database: str, two: Servers, order: str, by: str
) -> None:
    """The run is refused, or it goes with the thread; which server creates it does not matter."""
    worker, api, server = two
    creating, deleting = (worker, api) if by == "worker" else (api, worker)
    thread_id = thread_of(api)
    path = f"/threads/{thread_id}"
    # So it has a state. Not by the other server: it would forget the thread soon, under its lock.
    worker.post(f"{path}/runs/wait", json=ROW)
    calls = ordered(
        lambda: deleting.delete(path).status_code,
        lambda: creating.post(f"{path}/runs", json=ROW).status_code,
        order,
    )
    assert in_turn(database, thread_id, *calls) == (
        [204, 404] if order == "deletion first" else [200, 204]
    )
    assert rows_of_thread(server, thread_id) == {}


@ORDERS
def test_a_thread_is_deleted_while_a_run_is_claimed(
    database: str, two: Servers, order: str
) -> None:
    """A server takes the lease of a thread before its lock; what it begins then is ended."""
    _, api, server = two
    thread_id = thread_of(api)
    path = f"/threads/{thread_id}"
    # Late enough that the lock of the test is taken before the worker looks.
    api.post(f"{path}/runs", json={**ROW, "after_seconds": 5})
    turns = Turns(database, thread_id)
    try:
        if order == "deletion first":
            deletion = Background(lambda: api.delete(path).status_code)
            turns.taken(1)
            turns.taken(2)  # The worker looks each second.
        else:
            turns.taken(1)
            deletion = Background(lambda: api.delete(path).status_code)
            turns.taken(2)
    finally:
        turns.close()
    assert deletion.result() == 204
    assert rows_of_thread(server, thread_id) == {}


@ORDERS
@pytest.mark.parametrize("kept", [True, False])
def test_a_thread_is_deleted_while_its_run_ends(
    database: str, two: Servers, gate: Gate, order: str, kept: bool
) -> None:
    """The end of a run that another server writes brings nothing back; a temporary thread, too."""
    worker, api, server = two
    body = {**GATE, "stream_resumable": True}
    if kept:
        run = worker.post(f"/threads/{thread_of(api)}/runs", json=body).json()
    else:
        run = worker.post("/runs", json=body).json()
    thread_id = run["thread_id"]
    gate.arrived()
    calls = ordered(lambda: api.delete(f"/threads/{thread_id}").status_code, gate.open, order)
    answers = in_turn(database, thread_id, *calls)
    # 404: a run has taken its temporary thread with it.
    assert 204 in answers or (404 in answers and not kept)
    assert rows_of_thread(server, thread_id) == {}


@pytest.mark.parametrize("what", ["ttl", "cron", "run"])
def test_what_is_written_on_a_temporary_thread_while_its_run_ends(
    database: str, two: Servers, gate: Gate, what: str
) -> None:
    """The run takes with it what another server has written while it waited for the lock."""
    worker, api, server = two
    thread_id = worker.post("/runs", json=GATE).json()["thread_id"]
    path = f"/threads/{thread_id}"
    gate.arrived()
    write = {
        "ttl": lambda: api.patch(path, json={"ttl": {"ttl": 60}}),
        "cron": lambda: api.post(f"{path}/runs/crons", json={**ROW, "schedule": "0 0 1 1 *"}),
        "run": lambda: api.post(f"{path}/runs", json=ROW),
    }[what]
    written, _ = in_turn(database, thread_id, write, gate.open)
    assert written.status_code == 200
    eventually(lambda: worker.get(path).status_code == 404)
    assert rows_of_thread(server, thread_id) == {}


@ORDERS
def test_a_run_is_deleted_while_it_ends(
    database: str, two: Servers, gate: Gate, order: str
) -> None:
    """Neither the run nor its checkpoints nor the note that it is to be deleted stay."""
    worker, api, server = two
    thread_id = thread_of(api)
    run = worker.post(f"/threads/{thread_id}/runs", json={**GATE, "stream_resumable": True}).json()
    gate.arrived()
    path = f"/threads/{thread_id}/runs/{run['run_id']}"
    calls = ordered(lambda: api.delete(path).status_code, gate.open, order)
    assert 204 in in_turn(database, thread_id, *calls)
    assert rows_of_thread(server, thread_id) == {"threads": 1}
    assert api.get(f"/threads/{thread_id}").json()["status"] == "idle"
    assert api.get(f"/threads/{thread_id}/state").json()["values"] == {}


class State(TypedDict, total=False):
    log: list[str]


def test_runs_are_refused_on_a_thread_that_another_server_is_deleting(database: str) -> None:
    """While its run takes its time to end, no server takes another one, nor deletes it twice."""
    inside, go_on = threading.Event(), threading.Event()

    async def tidy(state: State) -> State:
        inside.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.to_thread(go_on.wait, 20)
            raise
        return {}

    graphs: Any = {
        "tidy": StateGraph(State).add_node(tidy).add_edge(START, "tidy").compile(),
        **hosted(Gate()),
    }
    with (
        Server(graphs, path=database) as first,
        Server(graphs, path=database) as second,
        http_of(first) as here,
        http_of(second) as there,
    ):
        thread_id = thread_of(here)
        path = f"/threads/{thread_id}"
        there.post(f"{path}/runs", json={"assistant_id": "tidy", "input": {}})
        assert inside.wait(60)
        deletion = Background(lambda: here.delete(path).status_code)
        while not asyncio.run_coroutine_threadsafe(
            _is_deleted(second, thread_id), second.loop
        ).result():
            pass
        for http in (here, there):
            for options in ({}, {"if_not_exists": "create"}):
                answer = http.post(f"{path}/runs", json={**ROW, **options})
                assert answer.status_code == 404
            assert http.delete(path).status_code == 404
        go_on.set()
        assert deletion.result() == 204
        assert rows_of_thread(second, thread_id) == {}
        body = {**ROW, "if_not_exists": "create"}
        assert there.post(f"{path}/runs/wait", json=body).json()["log"] == ["one:a", "two"]


async def _is_deleted(server: Server, thread_id: str) -> bool:
    storage = server.services.storage
    async with storage.transaction() as transaction:
        return bool(await storage.shared.is_deleted(transaction, thread_id))


async def test_a_deletion_that_is_given_up_or_forgotten_ends(database: str) -> None:
    """Runs are refused by one deletion at a time, and not for ever if its process is gone."""
    storage = await open_postgres(database)
    shared = storage.shared
    try:
        await storage.threads.insert({"thread_id": "t"})
        for _ in range(2):
            assert await shared.begin_deletion("t")
            assert not await shared.begin_deletion("t")
            await shared.give_up_deletion("t")
        assert await shared.begin_deletion("t")
        await storage.connections.execute("UPDATE deletions SET expires_at = now()")
        assert await shared.begin_deletion("t")
        await storage.connections.execute("UPDATE deletions SET expires_at = now()")
        await shared.sweep()
        assert await storage.connections.rows("SELECT * FROM deletions") == []
    finally:
        await storage.close()


async def test_what_a_run_writes_is_deleted_or_refused(database: str) -> None:
    """A deletion waits for what is being written for a run, and deletes it; what comes later, also
    of a node that goes on when its process has forgotten the run, is not written."""
    thread_id = "3f0c1c52-9d0f-4a4e-9f43-9a3f0a3c1f00"
    writer, deleter = await open_postgres(database), await open_postgres(database)
    beside = await psycopg.AsyncConnection.connect(database)
    try:
        await writer.shared.join()
        epoch = await writer.shared.take(thread_id)
        assert epoch is not None
        await writer.threads.insert({"thread_id": thread_id})
        await write_for_run(writer, thread_id)
        # Another transaction of the run, which has checked the lease and is not committed.
        await beside.execute("SELECT lc_fence(%s, %s)", (thread_id, epoch))
        await beside.execute(
            "INSERT INTO runs (run_id, thread_id, doc) VALUES ('r', %s, '{}')", (thread_id,)
        )
        deletion = asyncio.create_task(delete(deleter, thread_id))
        while not await (await beside.execute(_WAITS)).fetchall():  # noqa: ASYNC110 (no event)
            await asyncio.sleep(0.01)
        await beside.commit()
        await deletion
        assert await rows_of(deleter) == {}

        token = run_lease.set((thread_id, epoch))
        try:
            for knows in (True, False):
                if not knows:
                    writer.epochs.clear()
                for write in WRITES if knows else WRITES[:2]:
                    with pytest.raises(Fenced):
                        await write(writer, thread_id)
                await put_writes(writer, thread_id)
        finally:
            run_lease.reset(token)
        assert await rows_of(deleter) == {}
    finally:
        await beside.close()
        await writer.close()
        await deleter.close()


_WAITS = "SELECT 1 FROM pg_locks WHERE NOT granted"


async def delete(storage: PostgresStorage, thread_id: str) -> None:
    async with (
        storage.shared.locked(thread_id) as held,
        storage.transaction(held) as transaction,
    ):
        storage.shared.revoke(transaction, thread_id)
        await transaction.delete_thread(thread_id)


async def put_checkpoint(storage: PostgresStorage, thread_id: str) -> None:
    config: Any = {"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}}
    values: Any = {**empty_checkpoint(), "channel_values": {"log": ["a"]}}
    await storage.checkpointer.aput(config, values, {}, {"log": "1"})


async def put_writes(storage: PostgresStorage, thread_id: str) -> None:
    place = {"thread_id": thread_id, "checkpoint_ns": "", "checkpoint_id": "c"}
    await storage.checkpointer.aput_writes({"configurable": place}, [("log", ["a"])], "task")


async def put_script_state(storage: PostgresStorage, thread_id: str) -> None:
    await storage.script_states.put(thread_id, Saved(None, {}, "2026", {}))


async def put_events(storage: PostgresStorage, thread_id: str) -> None:
    await storage.events.add(thread_id, "r", [Event((1, 0), "values", b"{}")])


async def put_protocol_events(storage: PostgresStorage, thread_id: str) -> None:
    await storage.protocol_events.add(thread_id, [KeptEvent(1, "r", 1, "values", b"{}")])


async def put_run(storage: PostgresStorage, thread_id: str) -> None:
    async with storage.transaction() as transaction:
        storage.shared.check(transaction, thread_id)
        await transaction.runs.put({"run_id": "s", "thread_id": thread_id})


#: The first two are what a graph does.
WRITES = (put_checkpoint, put_script_state, put_events, put_protocol_events, put_run)


async def write_for_run(storage: PostgresStorage, thread_id: str) -> None:
    for write in (*WRITES, put_writes):
        await write(storage, thread_id)


async def rows_of(storage: PostgresStorage) -> dict[str, int]:
    return {name: len(table["rows"]) for name, table in (await storage.export()).items()}
