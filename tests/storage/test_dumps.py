"""A dump of a database: what it has, and what a database has after it was restored there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
from langgraph.checkpoint.base import empty_checkpoint

from langgraph_client.server.clock import Clock
from langgraph_client.server.server import Server
from langgraph_client.server.storage.opening import open_storage
from langgraph_client.server.storage.postgres.storage import open_postgres
from langgraph_client.testing import ScriptedGraph
from tests.support.eventually import aeventually
from tests.support.hosted import Gate, hosted
from tests.support.postgres import cluster


def test_restoring_empties_all_tables(path: str | None) -> None:
    """What a dump does not have is gone afterwards, also from tables of which it has no row."""
    graphs = {**hosted(Gate()), "script": ScriptedGraph([{"done": True}])}
    with Server(graphs, path=path) as server, server.sync_client() as client:

        def on_loop(call: Coroutine[Any, Any, Any]) -> Any:
            return asyncio.run_coroutine_threadsafe(call, server.loop).result(60)

        thread = client.threads.create(ttl=60)["thread_id"]
        for name in ("row", "script"):
            list(client.runs.stream(thread, name, input={"name": "a"}, stream_resumable=True))
        client.crons.create("row", schedule="0 0 1 1 *", input={})
        client.store.put_item(("a",), "b", {})
        storage = server.services.storage
        assert len(on_loop(storage.export())) > 8
        on_loop(storage.restore({}))
        assert [name for name in on_loop(storage.export()) if "migrations" not in name] == []


@asynccontextmanager
async def opened(path: str | None) -> AsyncIterator[Any]:
    storage = await open_storage(path, clock=Clock())
    try:
        yield storage
    finally:
        await storage.close()


@asynccontextmanager
async def another(path: str | None) -> AsyncIterator[Any]:
    """Open a new database of the same kind."""
    url = None if path is None else await asyncio.to_thread(cluster().fresh)
    try:
        async with opened(url) as storage:
            yield storage
    finally:
        if url is not None:
            await asyncio.to_thread(cluster().drop, url)


async def test_a_run_is_rolled_back_in_a_restored_database(path: str | None) -> None:
    """The answer that a run has written to an older checkpoint is undone, there as elsewhere."""
    async with opened(path) as source, another(path) as target:
        thread: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
        place = await source.checkpointer.aput(thread, empty_checkpoint(), {}, {})
        for number in range(3):
            await source.checkpointer.aput_writes(place, [("log", "a")], f"before {number}")
        await target.restore(await source.export())
        mark = await target.states.mark("t")
        await target.checkpointer.aput_writes(place, [("log", "a")], "of the run")
        await target.states.delete_run("t", "r", mark)
        assert (await target.states.size("t"))["pending_writes"]["count"] == 3


async def test_marks_of_runs_are_valid_in_a_restored_database(path: str | None) -> None:
    """A run that began before the dump is rolled back, although what was written before is gone."""
    async with opened(path) as source, another(path) as target:
        thread: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
        first = await source.checkpointer.aput(thread, empty_checkpoint(), {}, {})
        for number in range(3):
            await source.checkpointer.aput_writes(first, [("log", "a")], f"before {number}")
        mark = await source.states.mark("t")
        await source.run_controls.put({"run_id": "r", "thread_id": "t", "mark": mark})
        await source.run_controls.put({"run_id": "s", "thread_id": "t", "mark": None})
        last = await source.checkpointer.aput(first, empty_checkpoint(), {}, {})
        await source.states.keep_latest("t")
        await target.restore(await source.export())
        await target.checkpointer.aput_writes(last, [("log", "a")], "of the run")
        await target.states.delete_run("t", "r", mark)
        assert (await target.states.size("t"))["pending_writes"]["count"] == 0


async def test_versions_of_tables_are_not_restored(tmp_path: Path) -> None:
    """They belong to a file, which could otherwise not be opened again."""
    async with opened(None) as source:
        dump = await source.export()
    dump["store_migrations"] = {"columns": ["v"], "rows": [[0], [1]]}
    for _ in range(2):
        async with opened(str(tmp_path / "state.db")) as target:
            await target.restore(dump)


async def test_a_dump_is_of_one_moment(postgres: str) -> None:
    """What others commit while the tables are read is in the dump as a whole, or not at all."""
    storage = await open_postgres(postgres)
    name = postgres.rpartition("/")[2]
    waiting = "SELECT 1 FROM pg_locks WHERE relation = 'runs'::regclass AND NOT granted"
    async with await psycopg.AsyncConnection.connect(postgres) as writer:
        # The tables are read by name, so this one holds the dump between the two others.
        await writer.execute("LOCK TABLE runs IN ACCESS EXCLUSIVE MODE")
        exporting = asyncio.create_task(storage.export())
        await aeventually(lambda: cluster().execute(waiting, name))
        for table in ("assistants", "threads"):
            key = f"{table.removesuffix('s')}_id"
            await writer.execute(f"INSERT INTO {table} ({key}, doc) VALUES ('a', '{{}}')".encode())
    tables = await exporting
    assert ("assistants" in tables) == ("threads" in tables)
    await storage.close()
