"""Threads and items with a time to live are gone when the clock says so."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from langgraph_client.server.options import ThreadTTL
from langgraph_client.server.server import Server
from tests.support.clock import Settable
from tests.support.hosted import Gate, hosted


def move(server: Server, minutes: float) -> None:
    """Move the clock, and have what is over deleted."""
    clock: Any = server.services.clock
    clock.present += minutes * 60
    asyncio.run_coroutine_threadsafe(server.services.thread_ttl.sweep(), server.loop).result(60)


def talk(server: Server) -> httpx.Client:
    return httpx.Client(transport=server.transport(), base_url="http://server", timeout=60)


@pytest.fixture
def server(gate: Gate) -> Iterator[Server]:
    with Server(hosted(gate), clock=Settable()) as running:
        yield running


def test_a_thread_lives_as_long_as_it_was_given(http: httpx.Client, server: Server) -> None:
    """A thread is there until its time is over, then it and its state are not; others stay."""
    path = f"/threads/{http.post('/threads', json={'ttl': {'ttl': 5}}).json()['thread_id']}"
    other = f"/threads/{http.post('/threads', json={}).json()['thread_id']}"
    http.post(f"{path}/runs/wait", json={"assistant_id": "row", "input": {}})
    shown = http.get(path, params={"include": "ttl"}).json()["ttl"]
    assert (shown["strategy"], shown["ttl_minutes"]) == ("delete", 5)
    assert http.get(other, params={"include": "ttl"}).json()["ttl"] is None
    move(server, 4.9)
    assert http.get(path).status_code == 200
    move(server, 0.2)
    assert http.get(path).status_code == 404
    assert http.get(f"{path}/runs").status_code == 404
    assert http.get(other).status_code == 200


def test_a_patch_gives_another_time(http: httpx.Client, server: Server) -> None:
    """A new time to live counts from when it is given, and replaces the old one."""
    path = f"/threads/{http.post('/threads', json={'ttl': {'ttl': 5}}).json()['thread_id']}"
    move(server, 4)
    http.patch(path, json={"ttl": {"ttl": 5, "strategy": "delete"}})
    move(server, 4)
    assert http.get(path).status_code == 200
    move(server, 2)
    assert http.get(path).status_code == 404


class Reporting(Settable):
    """A clock that notes when it is read."""

    read: asyncio.Event | None = None

    def now(self) -> datetime:
        if self.read is not None:
            self.read.set()
        return super().now()


def test_a_time_that_changes_while_the_thread_expires(gate: Gate) -> None:
    """A thread stays if a request that holds its lock extends its time to live meanwhile."""
    clock = Reporting()
    with Server(hosted(gate), clock=clock) as server, talk(server) as http:
        thread_id = http.post("/threads", json={"ttl": {"ttl": 5}}).json()["thread_id"]
        services = server.services

        async def extend() -> None:
            async with services.engine.locks.hold(thread_id):
                clock.present += 6 * 60
                clock.read = asyncio.Event()
                sweep = asyncio.create_task(services.thread_ttl.sweep())
                await clock.read.wait()  # The sweep compares the old time to live with the clock.
                ttl = services.thread_ttl.new_document(thread_id, {"ttl": 5})
                assert ttl is not None
                await services.storage.thread_ttls.put(ttl)
            await sweep

        asyncio.run_coroutine_threadsafe(extend(), server.loop).result(60)
        assert http.get(f"/threads/{thread_id}").status_code == 200
        move(server, 6)
        assert http.get(f"/threads/{thread_id}").status_code == 404


def test_keep_latest_forgets_the_past(http: httpx.Client, server: Server) -> None:
    """With `keep_latest` only the latest checkpoint outlives the time, again and again."""
    ttl = {"ttl": 10, "strategy": "keep_latest"}
    path = f"/threads/{http.post('/threads', json={'ttl': ttl}).json()['thread_id']}"
    for _ in range(2):
        http.post(f"{path}/runs/wait", json={"assistant_id": "row", "input": {}})
        before = http.get(f"{path}/history", params={"limit": 50}).json()
        assert len(before) > 1
        move(server, 11)
        after = http.get(f"{path}/history", params={"limit": 50}).json()
        assert [state["values"] for state in after] == [before[0]["values"]]


def test_a_running_thread_is_not_deleted(http: httpx.Client, server: Server, gate: Gate) -> None:
    """A thread whose run is not over yet lives until it is."""
    path = f"/threads/{http.post('/threads', json={'ttl': {'ttl': 1}}).json()['thread_id']}"
    run = http.post(f"{path}/runs", json={"assistant_id": "gate", "input": {}}).json()
    gate.arrived()
    move(server, 2)
    assert http.get(path).status_code == 200
    gate.open()
    http.get(f"{path}/runs/{run['run_id']}/join")
    move(server, 2)
    assert http.get(path).status_code == 404


@pytest.mark.sqlite
def test_a_new_thread_is_stored_with_its_time_to_live(tmp_path: Path, gate: Gate) -> None:
    """If a new thread's time to live cannot be stored, the thread is not."""
    without_ttls(tmp_path / "s.db")
    with Server(hosted(gate), path=tmp_path / "s.db") as server, talk(server) as http:
        assert http.post("/threads", json={"ttl": {"ttl": 5}}).status_code == 500
        assert http.post("/threads/search", json={}).json() == []


@pytest.mark.sqlite
def test_metadata_and_time_to_live_change_together(tmp_path: Path, gate: Gate) -> None:
    """If a thread's new time to live cannot be stored, its new metadata is not stored either."""
    without_ttls(tmp_path / "s.db")
    with Server(hosted(gate), path=tmp_path / "s.db") as server, talk(server) as http:
        path = f"/threads/{http.post('/threads', json={}).json()['thread_id']}"
        changes = {"metadata": {"a": 1}, "ttl": {"ttl": 5}}
        assert http.patch(path, json=changes).status_code == 500
        assert http.get(path).json()["metadata"] == {}


def without_ttls(file: Path) -> None:
    """Make a server's database refuse to store a time to live."""
    with Server(hosted(Gate()), path=file):
        pass
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(
            "CREATE TRIGGER full BEFORE INSERT ON thread_ttls"
            " BEGIN SELECT RAISE(ABORT, 'no room'); END"
        )


@pytest.mark.sqlite
def test_a_run_on_a_new_thread_is_stored_with_its_time_to_live(tmp_path: Path, gate: Gate) -> None:
    """If a new thread's time to live cannot be stored, neither the thread nor its run is."""
    without_ttls(tmp_path / "s.db")
    ttl = ThreadTTL(5)
    with (
        Server(hosted(gate), path=tmp_path / "s.db", thread_ttl=ttl) as server,
        talk(server) as http,
    ):
        body = {"assistant_id": "row", "input": {}, "on_completion": "keep"}
        assert http.post("/runs/stream", json=body).status_code == 500
        assert http.post("/threads/search", json={}).json() == []
        assert server.services.engine.jobs == {}


@pytest.mark.sqlite
def test_time_goes_on_while_the_server_is_down(gate: Gate, tmp_path: Path) -> None:
    """What fell due between two processes is deleted when the second one starts."""
    clock = Settable()
    with Server(hosted(gate), path=tmp_path / "a.db", clock=clock) as server, talk(server) as http:
        path = f"/threads/{http.post('/threads', json={'ttl': {'ttl': 5}}).json()['thread_id']}"
    clock.present += 600
    with Server(hosted(gate), path=tmp_path / "a.db", clock=clock) as server, talk(server) as http:
        move(server, 0)
        assert http.get(path).status_code == 404


@pytest.mark.parametrize("ttl", [5, {}, {"ttl": -1}, {"ttl": 1e12}, {"ttl": 5, "strategy": "x"}])
def test_a_time_that_is_none_is_refused(http: httpx.Client, ttl: object) -> None:
    """A time to live has minutes, neither negative nor beyond all dates, and a known strategy."""
    assert http.post("/threads", json={"ttl": ttl}).status_code == 422


ITEM = {"namespace": ["a"], "key": "k", "value": {"x": 1}, "ttl": 10}
QUERY: dict[str, Any] = {"namespace": "a", "key": "k"}


def test_an_item_never_shows_after_its_time(http: httpx.Client, server: Server) -> None:
    """An item is gone to the second, swept or not, for reads and for searches."""
    clock: Any = server.services.clock
    http.put("/store/items", json=ITEM)
    clock.present += 599
    quiet = {**QUERY, "refresh_ttl": "false"}
    assert http.get("/store/items", params=quiet).json()["value"] == {"x": 1}
    clock.present += 1
    assert http.get("/store/items", params=quiet).json() is None
    assert http.post("/store/items/search", json={"namespace_prefix": []}).json() == {"items": []}
    assert http.post("/store/namespaces", json={}).json() == {"namespaces": []}


@pytest.mark.parametrize("how", ["get", "search"])
def test_reading_begins_an_items_time_anew(http: httpx.Client, server: Server, how: str) -> None:
    """Reading and finding an item begin its time anew; writing it without one ends it."""
    http.put("/store/items", json=ITEM)
    for _ in range(3):
        move(server, 9)
        if how == "get":
            assert http.get("/store/items", params=QUERY).json()["key"] == "k"
        else:
            body = {"namespace_prefix": ["a"], "refresh_ttl": True}
            assert len(http.post("/store/items/search", json=body).json()["items"]) == 1
    http.put("/store/items", json={**ITEM, "ttl": None})
    move(server, 1000)
    assert http.get("/store/items", params=QUERY).json()["key"] == "k"


def test_the_clock_says_when_an_item_was_written(http: httpx.Client, server: Server) -> None:
    """Items carry the server's time, to the microsecond; what was written first is found first."""
    clock: Any = server.services.clock
    for key in ("a", "b", "c"):
        http.put("/store/items", json={"namespace": ["a"], "key": key, "value": {}})
        clock.present += 0.25
    found = http.post("/store/items/search", json={"namespace_prefix": ["a"]}).json()["items"]
    assert [item["key"] for item in found] == ["a", "b", "c"]
    assert found[1]["updated_at"] == "2027-01-15T08:00:00.250000+00:00"
