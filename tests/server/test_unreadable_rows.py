"""Threads and runs whose stored rows cannot be read can be deleted nevertheless."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypedDict

import httpx
import psycopg
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph

from langgraph_client.encryption import Encryption, EncryptionContext
from langgraph_client.server.server import Server
from tests.support.postgres import binaries, cluster


class State(TypedDict):
    x: str


def graph(saver: InMemorySaver | None = None) -> Any:
    builder = StateGraph(State).add_node("work", lambda state: {"x": "done"})
    return builder.add_edge(START, "work").compile(checkpointer=saver)


@pytest.fixture(params=["sqlite", "postgres"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """Where servers keep everything."""
    if request.param == "sqlite":
        if request.config.getoption("--storage") != "sqlite":
            pytest.skip("about SQLite")
        yield tmp_path / "state.db"
        return
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    url = cluster().fresh()
    yield url
    cluster().drop(url)


def damage(path: Any, table: str) -> None:
    """Cut off the end of the documents of a table."""
    statement = f"UPDATE {table} SET doc = substr(doc, 1, length(doc) - 5)"
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
