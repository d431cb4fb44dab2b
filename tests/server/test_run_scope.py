"""What a run still writes when it ends."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.memory import InMemorySaver

from langgraph_client.server.graphs.hosted_saver import HostedSaver, RunIsOverError
from langgraph_client.server.graphs.run_scope import Marker, RunScope, current_run


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

    async with asyncio.timeout(60):
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


class HeldSaver(InMemorySaver):
    """A saver that stores checkpoints only when it is allowed to."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()
        self.allowed = threading.Event()

    def put(self, *args: Any, **options: Any) -> Any:
        self.begun.set()
        assert self.allowed.wait(60)
        return super().put(*args, **options)


async def test_the_end_of_a_run_waits_for_a_checkpoint_of_a_blocking_node() -> None:
    """Otherwise it would be written after a rollback has deleted those of the run."""
    held = HeldSaver()
    saver = HostedSaver(held)
    scope = RunScope("run")
    current_run.set(scope)
    config: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}

    async with asyncio.timeout(60):
        put = asyncio.create_task(asyncio.to_thread(saver.put, config, empty_checkpoint(), {}, {}))
        await asyncio.to_thread(held.begun.wait)
        end = asyncio.create_task(scope.end())
        done, _ = await asyncio.wait([end], timeout=0.1)
        assert not done
        held.allowed.set()
        await end
        await put


@pytest.mark.parametrize("is_blocking", [True, False])
async def test_a_run_that_ends_while_a_checkpoint_waits_for_its_events(is_blocking: bool) -> None:
    """The checkpoint is not written any more."""
    begun, allowed = asyncio.Event(), asyncio.Event()

    async def write_events() -> None:
        begun.set()
        await allowed.wait()

    stored = InMemorySaver()
    saver = HostedSaver(stored, write_events)
    scope = RunScope("run")
    current_run.set(scope)
    config: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
    checkpoint: Any = (config, empty_checkpoint(), {}, {})

    async with asyncio.timeout(60):
        writing = asyncio.to_thread(saver.put, *checkpoint) if is_blocking else None
        put = asyncio.create_task(writing or saver.aput(*checkpoint))
        await begun.wait()
        await scope.end()
        allowed.set()
        with pytest.raises(RunIsOverError):
            await put
    assert not [*stored.list(config)]


async def test_a_run_may_end_while_threads_begin_to_wait_for_its_reader() -> None:
    """Those that wait go on, and so do those that begin to wait at that moment."""
    scope = RunScope("run")
    loop = asyncio.get_running_loop()
    begun, all_begun, has_ended = asyncio.Event(), threading.Barrier(3), threading.Event()

    def begin_late(_: Marker) -> None:
        all_begun.wait(60)
        assert has_ended.wait(60)

    late = [
        threading.Thread(target=scope.wait_until_read_in_thread, args=[begin_late])
        for _ in range(2)
    ]

    def start_late(_: object) -> None:
        for thread in late:
            thread.start()
        all_begun.wait(60)

    def begin(marker: Marker) -> None:
        marker.passed.add_done_callback(start_late)
        loop.call_soon_threadsafe(begun.set)

    async with asyncio.timeout(60):
        waiting = asyncio.create_task(asyncio.to_thread(scope.wait_until_read_in_thread, begin))
        await begun.wait()
        scope.release()
        has_ended.set()
        await waiting
        for thread in late:
            await asyncio.to_thread(thread.join)
