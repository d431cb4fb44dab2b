"""What a run still writes when it ends."""

from __future__ import annotations

import asyncio
from typing import Any

from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.memory import InMemorySaver

from langgraph_client.server.graphs.hosted_saver import HostedSaver
from langgraph_client.server.graphs.run_scope import RunScope, current_run


class SlowSaver(InMemorySaver):
    """A saver that stores writes only when it is allowed to."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = asyncio.Event()
        self.allowed = asyncio.Event()

    async def aput_writes(self, *args: Any, **options: Any) -> None:
        self.begun.set()
        await self.allowed.wait()
        await super().aput_writes(*args, **options)


async def test_the_end_of_a_run_waits_for_its_writes_and_refuses_others() -> None:
    """After a rollback, a late write would be part of the state before the run."""
    slow = SlowSaver()
    saver = HostedSaver(slow)
    scope = RunScope("run")
    current_run.set(scope)
    config: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
    config = await saver.aput(config, empty_checkpoint(), {}, {})

    async with asyncio.timeout(10):
        write = asyncio.create_task(saver.aput_writes(config, [("a", 1)], "first"))
        await slow.begun.wait()
        end = asyncio.create_task(scope.end())
        done, _ = await asyncio.wait([end], timeout=0.1)
        assert not done
        slow.allowed.set()
        await end
        await write
        await saver.aput_writes(config, [("a", 2)], "second")

    saved = await slow.aget_tuple(config)
    assert saved is not None
    assert saved.pending_writes == [("first", "a", 1)]
