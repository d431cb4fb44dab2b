"""The different graphs of a thread's runs, in both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from langgraph_client.server.clock import Clock
from langgraph_client.server.storage.opening import open_storage


@pytest.fixture
async def storage(path: str | None) -> AsyncIterator[Any]:
    """A storage, of either kind."""
    opened = await open_storage(path, clock=Clock())
    yield opened
    await opened.close()


@pytest.mark.parametrize(
    ("graph_ids", "count"),
    [
        ([], 0),
        (["a", "a"], 1),
        (["a", "b", "a", None], 3),
        ([{"x": 1}, {"x": 1}, ["x"], "a\x00b"], 3),
    ],
)
async def test_each_graph_id_of_the_runs_of_a_thread_is_counted_once(
    storage: Any, graph_ids: list[Any], count: int
) -> None:
    """Runs without one count as one more; those of other threads do not count."""
    for number, graph_id in enumerate([*graph_ids, "other"]):
        run = {
            "run_id": f"r{number}",
            "thread_id": "t" if number < len(graph_ids) else "u",
            "metadata": {} if graph_id is None else {"graph_id": graph_id},
            "kwargs": {"input": {"graph_id": "not this one", "text": "\x00"}},
        }
        await storage.runs.insert(run)
    assert len(await storage.runs.graph_ids("t")) == count
