"""The deletion of the stored events of ended runs."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from langgraph_client.server.background.event_expiry import EventExpiry
from langgraph_client.testing import TestClock


async def test_time_that_passes_right_after_an_end_counts() -> None:
    """The clock moves on before the loop has its turn; the events are deleted nevertheless."""
    clock, swept = TestClock(), asyncio.Event()

    class Events:
        async def delete_ended(self, *_: object) -> int:
            swept.set()
            return 0

    storage: Any = SimpleNamespace(events=Events(), protocol_events=Events())
    expiry = EventExpiry(clock, storage, 60)  # It notes the end of an earlier process.
    clock.advance(60)
    task = asyncio.create_task(expiry.run())
    async with asyncio.timeout(60):
        await swept.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
