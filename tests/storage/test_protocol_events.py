"""Deleting stored events of the v3 stream: what goes, what stays, and the next number."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from langgraph_client.server.clock import Clock
from langgraph_client.server.storage.opening import open_storage
from langgraph_client.server.storage.protocol import KeptEvent

LATER = 10**15


@pytest.fixture
async def storage(path: str | None) -> AsyncIterator[Any]:
    opened = await open_storage(path, clock=Clock())
    yield opened
    await opened.close()


async def add_run(storage: Any, thread_id: str, run_id: str, *, first: int = 1) -> list[KeptEvent]:
    """Store the events of a run that has ended, on a thread that exists. Return them."""
    await storage.threads.put({"thread_id": thread_id, "metadata": {}})
    names = ["lifecycle:running", "values", "updates", "values", "lifecycle:completed"]
    events = [
        KeptEvent(seq, run_id, 1000 + seq, name, b'{"seq":%d}' % seq)
        for seq, name in enumerate(names, first)
    ]
    await storage.protocol_events.add(thread_id, events)
    return events


async def numbers(storage: Any, thread_id: str) -> list[int]:
    return [event.seq for event in await storage.protocol_events.of_thread(thread_id, 0, 100)]


async def test_the_events_of_a_thread_s_last_run_expire(storage: Any) -> None:
    """All but the last of them, which tells the number of the next event. They expire once."""
    await add_run(storage, "t", "first")
    last = (await add_run(storage, "t", "last", first=6))[-1]
    assert await storage.protocol_events.delete_ended(LATER, 20) == 2
    assert await storage.protocol_events.of_thread("t", 0, 100) == [last]
    assert await storage.protocol_events.delete_ended(LATER, 20) == 0
    await add_run(storage, "t", "next", first=11)
    assert await storage.protocol_events.delete_ended(LATER, 20) == 2
    assert await numbers(storage, "t") == [15]


async def test_ends_that_stay_keep_no_other_events_from_expiring(storage: Any) -> None:
    """A sweep of a few runs at a time reaches all of them, however many ends it has passed."""
    for number in range(5):
        await add_run(storage, f"t{number}", f"r{number}")
    assert await storage.protocol_events.delete_ended(LATER, 100) == 5
    for number in range(3):
        await add_run(storage, f"new{number}", f"new{number}")
    counts = [await storage.protocol_events.delete_ended(LATER, 2) for _ in range(3)]
    assert counts == [2, 1, 0]
    for thread_id in ("t0", "t4", "new0", "new2"):
        assert await numbers(storage, thread_id) == [5]


async def test_events_of_runs_that_have_not_ended_do_not_expire(storage: Any) -> None:
    """Neither those of a run that goes on, nor those of one that ended after the time."""
    await add_run(storage, "t", "r")
    going_on = [KeptEvent(seq, "s", 1, "values", b"{}") for seq in (6, 7)]
    await storage.protocol_events.add("t", going_on)
    assert await storage.protocol_events.delete_ended(1005, 20) == 0
    assert await numbers(storage, "t") == [1, 2, 3, 4, 5, 6, 7]
    assert await storage.protocol_events.delete_ended(1006, 20) == 1
    assert await numbers(storage, "t") == [6, 7]


async def test_no_number_comes_again_after_a_run_is_rolled_back(storage: Any) -> None:
    """The last event stays until the run's end is stored after it, then only starts and ends do."""
    running = KeptEvent(1, "r", 1, "lifecycle:running", b"{}")
    await storage.threads.put({"thread_id": "t", "metadata": {}})
    values = [KeptEvent(seq, "r", 1, "values", b"{}") for seq in range(2, 8)]
    await storage.protocol_events.add("t", [running, *values])
    await storage.protocol_events.delete_run("r", keep_lifecycle=True)
    assert await storage.protocol_events.of_thread("t", 0, 10) == [running, values[-1]]
    end = KeptEvent(8, "r", 1, "lifecycle:interrupted", b"{}")
    await storage.protocol_events.add("t", [end])
    await storage.protocol_events.delete_run("r", keep_lifecycle=True)
    assert await storage.protocol_events.of_thread("t", 0, 10) == [running, end]


async def test_starts_and_ends_that_stay_are_whole(storage: Any) -> None:
    """Also if several of them were written together."""
    await storage.threads.put({"thread_id": "t", "metadata": {}})
    life = [KeptEvent(seq, "r", 1, "lifecycle:running", b"{}") for seq in (1, 2)]
    await storage.protocol_events.add("t", [*life, KeptEvent(3, "other", 1, "values", b"{}")])
    await storage.protocol_events.delete_run("r", keep_lifecycle=True)
    assert await storage.protocol_events.lifecycle("r") == life
