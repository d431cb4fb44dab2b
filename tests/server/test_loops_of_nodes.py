"""A blocking node may run an event loop of its own, as by `asyncio.run(subgraph.ainvoke(…))`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_store
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from langgraph_client.server.graphs.hosted_saver import HostedSaver
from langgraph_client.server.graphs.run_scope import RunScope, current_run
from langgraph_client.testing import TestServer
from tests.encryption.conftest import locking

CONCURRENT = 8


class State(TypedDict, total=False):
    x: int


async def add(state: State) -> State:
    await asyncio.sleep(0)
    return {"x": state["x"] + 1}


_inner = StateGraph(State).add_sequence([("a", add), ("b", add)]).add_edge(START, "a").compile()


def run_subgraph(state: State) -> Any:
    return asyncio.run(_inner.ainvoke(state))


async def _put_and_get(number: int) -> int:
    store = get_store()
    for _ in range(3):
        await store.aput(("a",), str(number), {"x": number + 2})
        item = await store.aget(("a",), str(number))
        assert item is not None
    return int(item.value["x"])


def use_store(state: State) -> State:
    return {"x": asyncio.run(_put_and_get(state["x"]))}


@pytest.mark.parametrize("is_encrypted", [False, True], ids=["plain", "encrypted"])
@pytest.mark.parametrize("node", [run_subgraph, use_store])
async def test_runs_at_the_same_time_do_not_disturb_each_other(
    node: Any, is_encrypted: bool, path: str | None
) -> None:
    """Neither subgraphs nor the store use what belongs to the server's loop."""
    graph = StateGraph(State).add_node("node", node).add_edge(START, "node").compile()
    options: Any = {"encryption": locking()} if is_encrypted else {}
    async with (
        TestServer({"graph": graph}, path=path, **options) as server,
        server.client() as client,
        asyncio.timeout(60),
    ):

        async def last(number: int) -> Any:
            thread_id = (await client.threads.create())["thread_id"]
            events = client.runs.stream(
                thread_id,
                "graph",
                input={"x": number},
                stream_mode=["values", "updates"],
                stream_subgraphs=True,
                stream_resumable=True,
            )
            return [event.data async for event in events][-1]

        results = await asyncio.gather(*map(last, range(CONCURRENT)))
    assert results == [{"x": number + 2} for number in range(CONCURRENT)]


class SaverOfOneLoop(InMemorySaver):
    """A saver whose async methods work on one event loop only."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()

    async def aget_tuple(self, *args: Any) -> Any:
        assert asyncio.get_running_loop() is self._loop
        return self.get_tuple(*args)

    async def alist(self, *args: Any, **options: Any) -> AsyncIterator[Any]:
        assert asyncio.get_running_loop() is self._loop
        for item in self.list(*args, **options):
            yield item

    async def aput(self, *args: Any) -> Any:
        assert asyncio.get_running_loop() is self._loop
        return self.put(*args)

    async def aput_writes(self, *args: Any) -> None:
        assert asyncio.get_running_loop() is self._loop
        self.put_writes(*args)


async def test_the_servers_saver_is_not_called_on_another_loop() -> None:
    """There its blocking methods are called. The events are stored on the server's own loop."""
    loops: list[object] = []

    async def write_events() -> None:
        loops.append(asyncio.get_running_loop())

    saver = HostedSaver(SaverOfOneLoop(), write_events, is_own=False)
    current_run.set(RunScope("run"))
    config: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}

    async def use() -> None:
        put = await saver.aput(config, empty_checkpoint(), {}, {})
        await saver.aput_writes(put, [("a", 1)], "task")
        saved = await saver.aget_tuple(config)
        assert saved is not None
        assert saved.pending_writes == [("task", "a", 1)]
        listed = [item async for item in saver.alist(config)]
        assert listed[0] == saved

    async with asyncio.timeout(60):
        await use()
        await asyncio.to_thread(asyncio.run, use())
    assert loops == [asyncio.get_running_loop()] * 2


async def test_a_blocking_graph_on_a_loop_of_its_node_is_one_in_a_thread() -> None:
    """The server's loop is not blocked by it, and stores the events before its checkpoint."""
    loops: list[object] = []

    async def write_events() -> None:
        loops.append(asyncio.get_running_loop())

    saver = HostedSaver(InMemorySaver(), write_events, is_own=False)
    scope = RunScope("run")
    current_run.set(scope)
    config: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}

    async def use() -> None:
        assert saver.get_tuple(config) is None
        assert not scope.is_loop_blocked
        saver.put(config, empty_checkpoint(), {}, {})

    async with asyncio.timeout(60):
        await asyncio.to_thread(asyncio.run, use())
    assert loops == [asyncio.get_running_loop()]
