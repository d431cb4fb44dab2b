"""Threads and runs whose stored rows cannot be read can be deleted nevertheless."""

from __future__ import annotations

import base64
import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any, TypedDict

import httpx
import psycopg
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph

from langgraph_client.encryption import Encryption, EncryptionContext
from langgraph_client.server.server import Server
from langgraph_client.testing import TestClock
from tests.auth.conftest import owners
from tests.support.eventually import eventually
from tests.support.hosted import Gate, hosted


class State(TypedDict):
    x: str


def graph(saver: InMemorySaver | None = None) -> Any:
    builder = StateGraph(State).add_node("work", lambda state: {"x": "done"})
    return builder.add_edge(START, "work").compile(checkpointer=saver)


@pytest.fixture
def path(kept_path: Any) -> Any:
    """Where the server keeps everything."""
    return kept_path


def damage(path: Any, table: str, where: str = "1 = 1", column: str = "doc") -> None:
    """Cut off the end of the documents of a table, or of what is in another column."""
    cut = f'substr("{column}", 1, length("{column}") - 1)'
    execute(path, f'UPDATE {table} SET "{column}" = {cut} WHERE {where}')


def execute(path: Any, statement: str) -> None:
    """Carry out a statement, in a database that a server may use."""
    if isinstance(path, Path):
        with contextlib.closing(sqlite3.connect(path)) as database, database:
            database.execute(statement)
        return
    with psycopg.Connection.connect(path, autocommit=True) as connection:
        connection.execute(statement.encode())


def http_of(server: Server) -> httpx.Client:
    return httpx.Client(transport=server.transport(), base_url="http://test", timeout=60)


def thread_with_runs(http: httpx.Client) -> str:
    """Return the id of a thread on which two runs have ended."""
    thread_id = str(http.post("/threads", json={}).json()["thread_id"])
    for _ in range(2):
        body = {"assistant_id": "agent", "input": {"x": "in"}}
        assert http.post(f"/threads/{thread_id}/runs/wait", json=body).json() == {"x": "done"}
    return thread_id


@pytest.mark.parametrize("table", ["runs", "threads"])
@pytest.mark.parametrize("way", ["delete", "prune"])
def test_a_thread_with_a_damaged_row_is_deleted(path: Any, table: str, way: str) -> None:
    """Neither its own document nor those of its runs have to be read."""
    with Server({"agent": graph()}, path=path) as server, http_of(server) as http:
        thread_id = thread_with_runs(http)
        damage(path, table)
        if way == "delete":
            assert http.delete(f"/threads/{thread_id}").status_code == 204
        else:
            body = {"thread_ids": [thread_id], "strategy": "delete"}
            assert http.post("/threads/prune", json=body).json() == {"pruned_count": 1}
        assert http.get(f"/threads/{thread_id}").status_code == 404
        assert http.delete(f"/threads/{thread_id}").status_code == 404


def test_a_damaged_run_that_is_not_over_keeps_no_thread_from_being_deleted(path: Any) -> None:
    """No process can execute it, so its thread is not busy."""
    with Server({"agent": graph()}, path=path) as server, http_of(server) as http:
        thread_id = str(http.post("/threads", json={}).json()["thread_id"])
        body = {"assistant_id": "agent", "input": {"x": "in"}, "after_seconds": 3600}
        assert http.post(f"/threads/{thread_id}/runs", json=body).status_code == 200
    damage(path, "runs")
    with Server({"agent": graph()}, path=path) as server, http_of(server) as http:
        assert http.delete(f"/threads/{thread_id}").status_code == 204
        assert http.get(f"/threads/{thread_id}").status_code == 404


@pytest.mark.parametrize("has_auth", [False, True])
def test_a_damaged_run_keeps_no_other_from_being_cancelled(path: Any, has_auth: bool) -> None:
    """`POST /runs/cancel` by status cancels those that can be read, whosever the others are."""
    users = ("ann", "bob") if has_auth else ("ann", "ann")
    auth = owners() if has_auth else None
    body = {"assistant_id": "agent", "input": {"x": "in"}, "after_seconds": 3600}
    with Server({"agent": graph()}, path=path, auth=auth) as server, http_of(server) as http:
        runs = []
        for user in users:
            http.headers["authorization"] = user
            thread_id = http.post("/threads", json={}).json()["thread_id"]
            runs.append(http.post(f"/threads/{thread_id}/runs", json=body).json())
        damage(path, "runs", f"run_id = '{runs[0]['run_id']}'")
        assert http.post("/runs/cancel", json={"status": "all"}).status_code == 204
        place = f"/threads/{runs[1]['thread_id']}/runs/{runs[1]['run_id']}"
        assert http.get(place).json()["status"] == "interrupted"


def encryption(*, has_key: bool) -> Encryption:
    made = Encryption()

    @made.encrypt.json
    async def encrypt(ctx: EncryptionContext, data: dict[str, Any]) -> dict[str, Any]:
        return {name: {"locked": data[name]} for name in data}

    @made.decrypt.json
    async def decrypt(ctx: EncryptionContext, data: dict[str, Any]) -> dict[str, Any]:
        if not has_key:
            raise LookupError("the key is lost")
        return {name: data[name]["locked"] for name in data}

    return made


def test_a_thread_is_deleted_although_the_key_of_its_encryption_is_lost(path: Any) -> None:
    """Its state in the graph's own checkpointer goes, too: ids and graphs are never encrypted."""
    saver = InMemorySaver()
    first, second = ({"encryption": encryption(has_key=known)} for known in (True, False))
    with Server({"agent": graph(saver)}, path=path, **first) as server, http_of(server) as http:
        thread_id = thread_with_runs(http)
        assert thread_id in saver.storage
    with Server({"agent": graph(saver)}, path=path, **second) as server, http_of(server) as http:
        assert http.get(f"/threads/{thread_id}").status_code == 503
        assert http.delete(f"/threads/{thread_id}").status_code == 204
        assert http.get(f"/threads/{thread_id}").status_code == 404
        assert thread_id not in saver.storage


def test_a_damaged_run_is_left_out_of_the_list_and_can_be_deleted(path: Any) -> None:
    """The other runs of its thread are listed, page by page, and it goes for good."""
    with Server({"agent": graph()}, path=path) as server, http_of(server) as http:
        thread_id = thread_with_runs(http)
        runs = f"/threads/{thread_id}/runs"
        newest, oldest = (run["run_id"] for run in http.get(runs).json())
        damage(path, "runs", f"run_id = '{oldest}'")
        assert [run["run_id"] for run in http.get(runs).json()] == [newest]
        assert http.get(runs, params={"limit": 1}).json()[0]["run_id"] == newest
        assert http.get(runs, params={"limit": 1, "offset": 1}).json() == []
        other = str(http.post("/threads", json={}).json()["thread_id"])
        assert http.delete(f"/threads/{other}/runs/{oldest}").status_code == 404
        assert http.delete(f"{runs}/{oldest}").status_code == 204
        assert http.delete(f"{runs}/{oldest}").status_code == 404
        assert [run["run_id"] for run in http.get(runs).json()] == [newest]
        assert http.get(f"/threads/{thread_id}/state").json()["values"] == {"x": "done"}


def test_a_run_is_deleted_beside_a_damaged_one(path: Any) -> None:
    """Which run is the newest of the thread must be known, and not what is in it."""
    with Server({"agent": graph()}, path=path) as server, http_of(server) as http:
        thread_id = thread_with_runs(http)
        runs = f"/threads/{thread_id}/runs"
        ids = [run["run_id"] for run in http.get(runs).json()]
        damage(path, "runs", f"run_id = '{ids[0]}'")
        assert http.delete(f"{runs}/{ids[1]}").status_code == 204
        assert http.get(runs).json() == []
        assert http.get(f"/threads/{thread_id}/state").json()["values"] == {"x": "done"}


def test_an_assistant_is_deleted_with_threads_that_nobody_can_decrypt(path: Any) -> None:
    """Which threads are its own is never encrypted."""
    first, second = ({"encryption": encryption(has_key=known)} for known in (True, False))
    with Server({"agent": graph()}, path=path, **first) as server, http_of(server) as http:
        made = http.post("/assistants", json={"graph_id": "agent"})
        assistant_id = made.json()["assistant_id"]
        thread_id = str(http.post("/threads", json={}).json()["thread_id"])
        body = {"assistant_id": assistant_id, "input": {"x": "in"}}
        assert http.post(f"/threads/{thread_id}/runs/wait", json=body).status_code == 200
    with Server({"agent": graph()}, path=path, **second) as server, http_of(server) as http:
        assert http.get(f"/threads/{thread_id}").status_code == 503
        params = {"delete_threads": True}
        deleted = http.delete(f"/assistants/{assistant_id}", params=params)
        assert deleted.status_code == 204, deleted.text
        assert http.get(f"/threads/{thread_id}").status_code == 404


def encryption_of_tenants(lost: set[str]) -> Encryption:
    """Return an encryption with one key for each tenant, of which some may be lost."""
    made = Encryption()

    @made.encrypt.json
    async def encrypt(ctx: EncryptionContext, data: dict[str, Any]) -> dict[str, Any]:
        return {name: {"locked": data[name]} for name in data}

    @made.decrypt.json
    async def decrypt(ctx: EncryptionContext, data: dict[str, Any]) -> dict[str, Any]:
        if ctx.metadata["tenant"] in lost:
            raise LookupError("the key is lost")
        return {name: data[name]["locked"] for name in data}

    return made


def begin_held(http: httpx.Client, gate: Gate, **headers: str) -> str:
    """Start a run that is held at the gate, on a new thread. Return its path."""
    thread_id = http.post("/threads", json={}, headers=headers).json()["thread_id"]
    body = {"assistant_id": "gate", "input": {"name": "a"}}
    run = http.post(f"/threads/{thread_id}/runs", json=body, headers=headers).json()
    gate.arrived()
    return f"/threads/{thread_id}/runs/{run['run_id']}"


def test_a_lost_key_keeps_no_other_run_from_being_resumed(
    path: Any, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged once, and the run is resumed when the key is there again."""
    lost: set[str] = set()
    clock = TestClock()
    graphs: dict[str, Any] = hosted(gate)
    with (
        Server(graphs, path=path, encryption=encryption_of_tenants(lost), clock=clock) as server,
        http_of(server) as http,
    ):
        runs = []
        for tenant in "abc":
            context = base64.b64encode(json.dumps({"tenant": tenant}).encode()).decode()
            runs.append(begin_held(http, gate, **{"X-Encryption-Context": context}))
    lost.add("b")
    with (
        Server(graphs, path=path, encryption=encryption_of_tenants(lost), clock=clock) as server,
        http_of(server) as http,
    ):
        for _ in "ac":
            gate.arrived()
        gate.open()
        for run in (runs[0], runs[2]):
            assert http.get(f"{run}/join").json()["log"] == ["one:a", "held:a", "two"]
        lost.clear()
        clock.advance(10)  # A server that shares its database tries again by itself.
        gate.arrived()
        gate.open()
        assert http.get(f"{runs[1]}/join").json()["log"] == ["one:a", "held:a", "two"]
    logged = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert [runs[1].split("/")[2] in text and "resumed yet" in text for text in logged] == [True]


def test_damaged_notes_about_a_run_keep_no_other_one_from_being_resumed(
    path: Any, gate: Gate
) -> None:
    """The run ends as an error: the notes may have been a request to stop it."""
    graphs: dict[str, Any] = hosted(gate)
    with Server(graphs, path=path) as server, http_of(server) as http:
        first, second = (begin_held(http, gate) for _ in range(2))
    damage(path, "run_controls", f"run_id = '{first.rpartition('/')[2]}'")
    with Server(graphs, path=path) as server, http_of(server) as http:
        gate.arrived()
        eventually(lambda: http.get(first).json()["status"] == "error")
        thread = http.get(first.partition("/runs")[0]).json()
        assert (thread["status"], thread["error"]["error"]) == ("error", "RunGivenUp")
        gate.open()
        assert http.get(f"{second}/join").json()["log"] == ["one:a", "held:a", "two"]
