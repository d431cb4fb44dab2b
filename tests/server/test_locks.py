"""The locks of threads: whoever waits for one waits for a limited time."""

from __future__ import annotations

import asyncio
import threading
from typing import TypedDict

import pytest
from langgraph.graph import START, StateGraph

from langgraph_client.server.errors import Unavailable
from langgraph_client.server.runs.locks import KeyedLocks
from langgraph_client.testing import TestClock, TestServer


class Count(TypedDict, total=False):
    count: int


async def test_a_request_behind_a_woken_one_waits_for_a_limited_time() -> None:
    """A lock that was just released is free, but its next holder is the request that was woken."""
    locks = KeyedLocks(seconds=0.05)
    woken_holds, end = asyncio.Event(), asyncio.Event()

    async def wait_and_hold() -> None:
        async with locks.hold("thread"):
            woken_holds.set()
            await end.wait()

    async with locks.hold("thread"):
        waiting = asyncio.create_task(wait_and_hold())
        await asyncio.sleep(0)  # It waits for the lock now.
    async with asyncio.timeout(60):
        with pytest.raises(Unavailable, match="Another request holds thread"):
            async with locks.hold("thread"):
                raise AssertionError("two requests hold the lock")
    assert woken_holds.is_set()
    end.set()
    await waiting
    assert len(locks) == 0


def test_a_run_waits_for_the_lock_of_its_thread(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """However long a request holds it: the run does not end because of that."""
    node = StateGraph(Count).add_node("count", lambda state: {"count": 1}).add_edge(START, "count")
    clock = TestClock()
    with TestServer({"count": node.compile()}, clock=clock) as server:
        locks = server.services.engine.locks
        monkeypatch.setattr(locks, "_seconds", 0.01)
        client = server.sync_client()
        thread_id = client.threads.create()["thread_id"]
        run = client.runs.create(thread_id, "count", input={}, after_seconds=5)

        held = threading.Event()

        async def hold_while_it_begins() -> None:
            async with locks.hold(thread_id):
                held.set()
                while "cannot be stored yet" not in caplog.text:  # noqa: ASYNC110 (a log line)
                    await asyncio.sleep(0.01)

        holding = asyncio.run_coroutine_threadsafe(hold_while_it_begins(), server.loop)
        assert held.wait(60)
        clock.advance(6)
        holding.result(60)
        assert client.runs.join(thread_id, run["run_id"]) == {"count": 1}
