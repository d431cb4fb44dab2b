"""The loop behind crons, times to live and webhooks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from langgraph_client.server.background.due_loop import DueLoop
from langgraph_client.server.clock import Clock, Timer
from langgraph_client.testing import TestClock


class Impatient(Clock):
    """A clock whose calls are due at once."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []

    def time(self) -> float:
        return 0.0

    def call_later(self, seconds: float, call: Callable[..., object], *args: object) -> Timer:
        self.pauses.append(seconds)
        return super().call_later(0, call, *args)


async def test_the_loop_goes_on_after_any_error(caplog: pytest.LogCaptureFixture) -> None:
    """An unexpected error of the work is logged, and the work is done again after a pause."""
    clock, errors, done = Impatient(), [RuntimeError("broken")], asyncio.Event()

    async def work() -> None:
        if errors:
            raise errors.pop()
        done.set()

    task = asyncio.create_task(DueLoop(clock, work, "the work cannot be done yet").run())
    waiting = asyncio.create_task(done.wait())
    await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
    assert not task.done()
    assert clock.pauses == [5.0]
    assert "the work cannot be done yet" in caplog.text
    assert "RuntimeError: broken" in caplog.text
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_time_that_passes_before_the_loop_waits_counts() -> None:
    """The clock moves past the next call while the work still looks for it; the call is made."""
    clock, calls, done = TestClock(), 0, asyncio.Event()

    async def work() -> float | None:
        nonlocal calls
        calls += 1
        if calls == 2:
            done.set()
            return None
        due = clock.time() + 60
        await asyncio.to_thread(clock.advance, 60)
        return due

    task = asyncio.create_task(DueLoop(clock, work, "the work cannot be done yet").run())
    async with asyncio.timeout(60):
        await done.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert calls == 2
