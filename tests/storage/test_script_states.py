"""The states of scripted graphs, in each database."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from langgraph_client.server.storage.opening import open_storage
from langgraph_client.server.storage.script_states import Saved
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
        ids.append(storage.script_states.put("t", state(number)).id)
        for _ in range(3000):
            clock.event_id()
    assert storage.script_states.get("t").values == {"n": 3}
    assert [one.id for one in storage.script_states.history("t")] == ids[::-1]
    for one in map(uuid.UUID, ids):
        assert (one.version, one.variant) == (7, uuid.RFC_4122)
