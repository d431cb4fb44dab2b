"""Streams that nobody closes: at the end of an event loop, and in a circle of garbage."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from typing import Any

import pytest
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from langgraph_client import RemoteGraph
from langgraph_client.testing import TestServer
from tests.support.eventually import aeventually, eventually
from tests.support.garbage import collect

WAYS = ["astream", "v1", "v2", "v3"]


class State(TypedDict, total=False):
    x: int


async def wait(_: State) -> State:
    await asyncio.Event().wait()
    return {}


@pytest.fixture(scope="module")
def server() -> Iterator[TestServer]:
    """A server of a graph whose second node waits to be cancelled."""
    builder = StateGraph(State).add_node("quick", lambda _: {"x": 1}).add_node("wait", wait)
    builder.add_edge(START, "quick").add_edge("quick", "wait")
    with TestServer({"agent": builder.compile()}) as running:
        running.listen()
        yield running


def ends_interrupted(server: TestServer, given_thread_id: str) -> None:
    client = server.sync_client()
    (thread,) = client.threads.search(metadata={"given_thread_id": given_thread_id})
    (run,) = client.runs.list(thread.thread_id)
    # Not `join`: if the run is not stopped, it does not end.
    eventually(lambda: client.runs.get(thread.thread_id, run.run_id).status == "interrupted")


PROGRAM = """
import asyncio, contextlib, warnings
from langgraph_client import RemoteGraph

graph = RemoteGraph("agent", url={url!r})
warnings.simplefilter("ignore")

async def items(way, on):
    if way == "astream":
        return graph.astream({{}}, on)
    events = graph.astream_events({{}}, on, version=way)
    return (await events).values if way == "v3" else events

async def main(way, thread_id):
    async for _ in await items(way, {{"configurable": {{"thread_id": thread_id}}}}):
        {leave}

async def main_with_name(way, thread_id):
    left = await items(way, {{"configurable": {{"thread_id": thread_id}}}})
    async for _ in left:
        {leave}

async def main_and_some_turns(turns, thread_id):
    await main("astream", thread_id)
    for _ in range(turns):
        await asyncio.sleep(0)

for argument in {arguments!r}:
    with contextlib.suppress(LookupError):
        asyncio.run({main}(argument, {name!r} + str(argument)))
"""


@pytest.mark.parametrize(
    ("main", "leave", "arguments"),
    [
        ("main", "break", WAYS),
        ("main_with_name", "raise LookupError", WAYS),
        # The loop ends, and cancels all its tasks, while the run is being cancelled.
        ("main_and_some_turns", "break", range(8)),
    ],
)
def test_the_end_of_a_loop_stops_the_runs_that_it_reads(
    server: TestServer, main: str, leave: str, arguments: Sequence[str | int]
) -> None:
    """It is a way of leaving, too, and nothing is complained of."""
    name = uuid.uuid4().hex[:8]
    program = PROGRAM.format(
        url=server.url, name=name, main=main, leave=leave, arguments=[*arguments]
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=300
    )
    assert (done.stderr, done.returncode) == ("", 0)
    for argument in arguments:
        ends_interrupted(server, f"{name}{argument}")


async def items(graph: RemoteGraph, way: str, on: Any) -> AsyncIterator[Any]:
    if way == "astream":
        return graph.astream({}, on)
    if way == "v3":
        return aiter((await graph.astream_events({}, on, version="v3")).values)
    return graph.astream_events({}, on, version="v1" if way == "v1" else "v2")


@pytest.mark.filterwarnings("ignore:astream_events version='v1'", "ignore:The v3 streaming")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "in another thread"])
async def test_a_stream_in_a_circle_is_closed_once(
    server: TestServer, way: str, elsewhere: bool
) -> None:
    """The loop closes each async generator that is garbage: of a stream there is only one."""
    complaints: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(told))
    thread_id = uuid.uuid4().hex[:8]
    tasks = asyncio.all_tasks()
    async with server.remote_graph("agent") as graph:
        left: list[Any] = [await items(graph, way, {"configurable": {"thread_id": thread_id}})]
        await anext(left[0])
        left.append(left)  # As a traceback or a framework makes it.
        del left
        if elsewhere:
            await asyncio.to_thread(collect)
        else:
            collect()
        await asyncio.to_thread(ends_interrupted, server, thread_id)
        await aeventually(lambda: asyncio.all_tasks() == tasks)
        collect()
    assert complaints == []


async def test_nothing_is_said_of_a_run_that_was_over_when_it_was_left(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The server refuses to cancel such a run. That is no failure."""
    builder = StateGraph(State).add_node("quick", lambda _: {"x": 1}).add_edge(START, "quick")
    async with TestServer({"agent": builder.compile()}) as server:
        stream = server.remote_graph("agent").astream({}, {"configurable": {"thread_id": "1"}})
        await anext(stream)
        await asyncio.to_thread(server.wait_idle)

        await stream.aclose()  # type: ignore[attr-defined]
        assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []
        assert len(server.requests.matching("POST", "/threads/*/runs/*/cancel")) == 1


async def test_a_second_reader_of_events_does_not_disturb_the_first(server: TestServer) -> None:
    """It is refused, as by an async generator, and so is closing the stream meanwhile."""
    async with server.remote_graph("agent") as graph:
        events: Any = graph.astream_events({}, {"configurable": {"thread_id": uuid.uuid4().hex}})
        first = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError):
            await anext(events)
        with pytest.raises(RuntimeError):
            await events.aclose()
        with pytest.raises(RuntimeError):
            await events.athrow(LookupError)
        assert (await first)["event"] == "on_chain_start"
        assert (await anext(events))["name"] == "quick"
        await events.aclose()
        with pytest.raises(StopAsyncIteration):
            await anext(events)


@pytest.mark.filterwarnings("ignore:astream_events version='v1'")
@pytest.mark.parametrize("way", ["v1", "v2"])
async def test_events_have_the_methods_of_an_async_generator(server: TestServer, way: Any) -> None:
    """As those of a local graph have. An error that is thrown in ends the stream and its run."""
    thread_id = uuid.uuid4().hex[:8]
    async with server.remote_graph("agent") as graph:
        events = graph.astream_events({}, {"configurable": {"thread_id": thread_id}}, version=way)
        assert isinstance(events, AsyncGenerator)
        assert (await events.asend(None))["event"] == "on_chain_start"
        with pytest.raises(LookupError, match="mine"):
            await events.athrow(LookupError("mine"))
        with pytest.raises(StopAsyncIteration):
            await anext(events)
        await asyncio.to_thread(ends_interrupted, server, thread_id)
