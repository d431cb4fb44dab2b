"""Results that are computed when they are awaited, and work that outlasts its caller."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from langgraph_client._io.tasks import Background, Job, Reading, awaitable, close_all


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


def test_work_that_is_late_is_cancelled_although_its_loop_ends() -> None:
    """A loop that ends cancels the closing of a generator which was just dropped."""
    ended = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async def items() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            await Background().finish(work, "the work", 0.01)

    async def main() -> None:
        async for _ in items():
            break  # The closing is a task that has not begun when the loop ends.

    asyncio.run(main())
    assert ended == ["cancelled"]


class _Loop(asyncio.SelectorEventLoop):
    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


def test_work_that_is_done_once_more_has_the_time_that_is_left() -> None:
    """The limit of seconds is for both."""
    begun = []

    async def work() -> None:
        begun.append(loop.time())
        if len(begun) == 1:
            loop.ahead += 5  # Now the time is up.
            asyncio.current_task().cancel()  # type: ignore[union-attr]
        await asyncio.Event().wait()

    async def main() -> None:
        await Background().finish(work, "the work", 5)

    with asyncio.Runner(loop_factory=_Loop) as runner:
        loop: Any = runner.get_loop()
        runner.run(main())
        assert loop.time() - begun[0] < 9
