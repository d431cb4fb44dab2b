"""The states of scripted graphs, in each database."""

from __future__ import annotations

import asyncio
import sqlite3
import uuid
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from langgraph_client.server.storage.opening import open_storage
from langgraph_client.server.storage.script_states import Saved
from langgraph_client.server.storage.sqlite.storage import SqliteStorage
from langgraph_client.testing import TestClock


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
async def storage(path: str | None, clock: TestClock) -> AsyncIterator[Any]:
    opened = await open_storage(path, clock=clock)
    yield opened
    await opened.close()


def state(number: int) -> Saved:
    return Saved(None, {"n": number}, None, {"step": number})


async def test_the_latest_state_is_the_last_one_written(storage: Any, clock: TestClock) -> None:
    """States sort by time, however many ids the clock gives within a millisecond."""
    ids = []
    for number in range(4):
        ids.append((await storage.script_states.put("t", state(number))).id)
        for _ in range(3000):
            clock.event_id()
    assert storage.script_states.get("t").values == {"n": 3}
    assert [one.id for one in storage.script_states.history("t")] == ids[::-1]
    for one in map(uuid.UUID, ids):
        assert (one.version, one.variant) == (7, uuid.RFC_4122)


async def test_a_state_is_written_once_another_process_releases_the_file(tmp_path: Path) -> None:
    """Writing a state waits, as other writes do, while a backup, for example, holds the file."""
    path = tmp_path / "state.db"
    storage: Any = SqliteStorage(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(storage.script_states.put("t", state(1)))
    await asyncio.sleep(0)
    assert not writing.done()
    other.execute("COMMIT")
    await writing
    assert storage.script_states.get("t").values == {"n": 1}
    other.close()
    await storage.close()


async def test_the_size_of_a_thread_is_read_without_blocking_connections(storage: Any) -> None:
    """On PostgreSQL there are two, for nodes. Waiting for one would stop the event loop."""
    thread = str(uuid.uuid4())
    await storage.script_states.put(thread, state(1))
    await storage.script_states.put(thread, state(2))
    with ExitStack() as taken:
        for _ in range(2 if storage.shared else 0):
            taken.enter_context(storage.connections.blocking.connection())
        size = await storage.states.size(thread)
    assert size["checkpoints"]["count"] == 2
    assert size["total_bytes"] == size["checkpoints"]["bytes"] > 0
    assert size["channel_values"]["by_channel"] == {"n": {"versions": 2, "bytes": 2}}
