"""Results that are computed when they are awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from langgraph_client._io.tasks import Job, Reading, awaitable, close_all


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


async def closing() -> None:
    await close_all(asyncio.Event().wait)


async def reading() -> None:
    with Reading().within(60):
        await asyncio.Event().wait()


async def stopping() -> None:
    await Job(asyncio.Event().wait).stop()


@pytest.mark.parametrize("wait", [closing, reading, stopping])
async def test_what_waits_can_be_ended_by_another_task(
    wait: Callable[[], Coroutine[Any, Any, None]],
) -> None:
    """Python does so with the async generators that a loop still has when it shuts down."""
    coroutine = wait()

    async def begin() -> None:
        coroutine.send(None)

    await asyncio.create_task(begin())
    coroutine.close()
