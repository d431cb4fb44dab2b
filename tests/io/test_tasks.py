"""Results that are computed when they are awaited."""

from __future__ import annotations

import asyncio

import pytest

from langgraph_client._io.tasks import awaitable


async def test_a_result_has_a_time_limit_only_if_one_is_set() -> None:
    """`with_timeout` ends the wait with a `TimeoutError`; the result itself has no limit."""
    ready = asyncio.Event()

    async def work() -> str:
        await ready.wait()
        return "done"

    output = awaitable(work)
    with pytest.raises(TimeoutError):
        await output.with_timeout(0.01)
    ready.set()
    assert await output.with_timeout(5) == "done"
    assert await output == "done"
