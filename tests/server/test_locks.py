"""The locks of threads: whoever waits for one waits for a limited time."""

from __future__ import annotations

import asyncio

import pytest

from langgraph_client.server.errors import Unavailable
from langgraph_client.server.runs.locks import KeyedLocks


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
    async with asyncio.timeout(10):
        with pytest.raises(Unavailable, match="Another request holds thread"):
            async with locks.hold("thread"):
                raise AssertionError("two requests hold the lock")
    assert woken_holds.is_set()
    end.set()
    await waiting
    assert len(locks) == 0
