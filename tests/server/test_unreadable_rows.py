"""Threads and runs whose stored rows cannot be read can be deleted nevertheless."""

from __future__ import annotations

import contextlib
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
    return httpx.Client(transport=server.transport(), base_url="http://test", timeout=20)


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
