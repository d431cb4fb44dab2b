"""A reader that is slow, of a run that another server carries out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from langgraph.config import get_stream_writer
from langgraph.graph import START, StateGraph

from langgraph_client.server.runs.event_log import BACKLOG
from langgraph_client.server.runs.stored_events import RUN_DONE
from langgraph_client.server.server import Server
from tests.cluster.conftest import http_of
from tests.support.hosted import Gate, Log

COUNT = 4 * BACKLOG
PAGE = 1000
"""How many events a server reads from the database at a time."""
ENDS = (RUN_DONE.encode(), b"lc||completed")
"""What the last event of a run has, or that of a run in a thread's v3 events."""


def number_of(data: bytes) -> Any:
    """Return the value of an event, also of a v3 one."""
    value = json.loads(data)
    return value["params"]["data"] if isinstance(value, dict) else value


@pytest.fixture
def servers(database: str, gate: Gate) -> Iterator[tuple[Server, Server]]:
    """One that carries out no runs, and one that does."""

    async def talk(state: Log) -> Log:
        await gate.hold()
        write = get_stream_writer()
        for number in range(COUNT):
            write(number)
        return {}

    graph = StateGraph(Log).add_node("talk", talk).add_edge(START, "talk").compile()
    with (
        Server({"talk": graph}, path=database, role="api") as api,
        Server({"talk": graph}, path=database, role="worker") as worker,
    ):
        yield api, worker


def start(http: httpx.Client, thread_id: str, *, v3: bool) -> Any:
    """Start a run; return its document, or that of a v3 command's reply."""
    given: Any = {"assistant_id": "talk", "input": {}}
    if v3:
        command = {"id": 1, "method": "run.start", "params": given}
        return http.post(f"/threads/{thread_id}/commands", json=command).json()["result"]
    given["stream_mode"] = "custom"
    return http.post(f"/threads/{thread_id}/runs", json=given).json()


async def open_stalled(api: Server, thread_id: str) -> Any:
    """Return a reader of a thread's v3 events that has read the start of the run, and stops."""
    reader = (await api.services.engine.protocol_runs.open(thread_id)).read(0)
    await anext(reader)  # From here on it is given what is new.
    return reader


@pytest.mark.parametrize("reads", ["run", "thread", "thread, v3"])
def test_events_are_read_from_the_database_as_the_reader_takes_them(
    servers: tuple[Server, Server], gate: Gate, reads: str
) -> None:
    """They do not fill the memory of the server that it asks, and none is missing."""
    api, worker = servers
    with http_of(api) as http, http_of(worker) as other:
        engine = api.services.engine
        thread_id = http.post("/threads", json={}).json()["thread_id"]
        run = start(http, thread_id, v3=reads == "thread, v3")
        gate.arrived()

        async def begin() -> Any:
            if reads == "thread, v3":
                return await open_stalled(api, thread_id)
            log = await (engine.log_of(run) if reads == "run" else engine.watch(thread_id))
            return log.read()

        async def read_all(reader: Any) -> list[list[Any]]:
            batches = []
            async for batch in reader:
                batches.append(batch)
                if any(word in batch[-1].data for word in ENDS):
                    break
                for _ in range(100):  # Turns of the loop in which more may be read.
                    await asyncio.sleep(0)
            reader.close()
            return batches

        reader = asyncio.run_coroutine_threadsafe(begin(), api.loop).result(60)
        gate.open()
        assert other.get(f"/threads/{thread_id}/runs/{run['run_id']}/join").status_code == 200
        batches = asyncio.run_coroutine_threadsafe(read_all(reader), api.loop).result(60)
        custom = [e.data for batch in batches for e in batch if e.name.startswith("custom")]
        assert [number_of(data) for data in custom] == [*range(COUNT)]
        assert max(map(len, batches)) <= BACKLOG + 2 * PAGE


def test_a_reader_beside_a_slow_one_gets_nothing_again(
    servers: tuple[Server, Server], gate: Gate
) -> None:
    """It has read further on another server than this one has read for the slow one."""
    api, worker = servers
    with http_of(api) as http, http_of(worker) as other:
        thread_id = http.post("/threads", json={}).json()["thread_id"]
        run = start(http, thread_id, v3=True)
        gate.arrived()
        asyncio.run_coroutine_threadsafe(open_stalled(api, thread_id), api.loop).result(60)
        gate.open()
        assert other.get(f"/threads/{thread_id}/runs/{run['run_id']}/join").status_code == 200
        body = {"channels": ["custom", "lifecycle"], "since": COUNT - 5}
        with http.stream("POST", f"/threads/{thread_id}/stream/events", json=body) as answer:
            numbers = []
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    numbers.append(json.loads(line.removeprefix("data: "))["seq"])
                    if "lc||completed" in line:
                        break
    assert numbers[0] == COUNT - 4
    assert numbers == sorted(set(numbers))
