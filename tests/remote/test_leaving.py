"""Leaving a run stops it, however it is left."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import httpx
import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from langgraph_client import LangGraphError, RemoteGraph, RunStream, get_sync_client
from langgraph_client.testing import Faults, TestServer
from tests.support.eventually import eventually
from tests.support.garbage import collect

Run = Callable[[], Awaitable[Any]]


class State(TypedDict, total=False):
    x: int


class Slow:
    """A graph whose node waits to be cancelled, and tells when it has begun."""

    def __init__(self) -> None:
        self.began = threading.Event()

    async def node(self, _: State) -> State:
        self.began.set()
        await asyncio.Event().wait()
        return {"x": 1}

    def graph(self) -> Any:
        builder = StateGraph(State)
        builder.add_node("wait", self.node)
        builder.add_edge(START, "wait")
        return builder.compile()


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
async def server(slow: Slow) -> AsyncIterator[TestServer]:
    async with TestServer({"slow": slow.graph()}) as running:
        await asyncio.to_thread(running.listen)
        yield running


async def once(run: Run, slow: Slow) -> None:
    task = asyncio.ensure_future(run())
    assert await asyncio.to_thread(slow.began.wait, 60)
    task.cancel()
    await task


async def twice(run: Run, slow: Slow) -> None:
    task = asyncio.ensure_future(run())
    assert await asyncio.to_thread(slow.began.wait, 60)
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    await task


async def scope(run: Run, slow: Slow) -> None:
    with anyio.CancelScope() as leaving:

        async def leave() -> None:
            await asyncio.to_thread(slow.began.wait, 60)
            leaving.cancel()

        left = asyncio.ensure_future(leave())
        await run()
    await left


async def opening(run: Run, slow: Slow) -> None:
    task = asyncio.ensure_future(run())
    # Not woken from another thread: then the answer would be here already.
    async with asyncio.timeout(60):
        while not slow.began.is_set():  # noqa: ASYNC110
            await asyncio.sleep(0)
    task.cancel()
    await task


@pytest.mark.parametrize("way", [once, twice, scope, opening])
async def test_a_cancelled_run_is_stopped(
    server: TestServer, slow: Slow, way: Callable[[Run, Slow], Awaitable[None]]
) -> None:
    """By a task, again and again, by a scope of anyio, and while the stream is being opened."""
    remote = RemoteGraph("slow", url=server.url)
    on = {"configurable": {"thread_id": "1"}}
    with contextlib.suppress(asyncio.CancelledError):
        await way(lambda: remote.ainvoke({"x": 0}, on), slow)
    client = server.client()
    (thread,) = await client.threads.search()
    (run,) = await client.runs.list(thread["thread_id"])
    await client.runs.join(thread["thread_id"], run["run_id"])
    assert (await client.runs.get(thread["thread_id"], run["run_id"]))["status"] == "interrupted"
    await remote.aclose()


def test_a_forgotten_stream_stops_its_run_from_any_thread(slow: Slow) -> None:
    """Also from a garbage collection on the loop that serves the run: nothing waits for itself."""
    with TestServer({"slow": slow.graph()}) as server:
        stream: Any = server.remote_graph("slow").stream(
            {"x": 0}, {"configurable": {"thread_id": "1"}}, stream_mode="values"
        )
        next(stream)
        assert slow.began.wait(60)
        held = [stream]
        held.append(held)  # A circle: only the garbage collector finds it.
        del stream, held
        collected = threading.Event()

        def collect_there() -> None:
            collect()
            collected.set()

        assert server.loop is not None
        server.loop.call_soon_threadsafe(collect_there)
        assert collected.wait(60)
        client = server.sync_client()
        (thread,) = client.threads.search()
        (run,) = client.runs.list(thread["thread_id"])
        client.runs.join(thread["thread_id"], run["run_id"])
        assert client.runs.get(thread["thread_id"], run["run_id"])["status"] == "interrupted"


def test_ctrl_c_while_a_stream_opens_stops_its_run(
    slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the head of the response on, which names the run."""
    opening = RunStream.__enter__

    def interrupted(stream: RunStream[Any]) -> RunStream[Any]:
        opening(stream)
        stream.close()
        raise KeyboardInterrupt

    with TestServer({"slow": slow.graph()}) as server, server.sync_client() as client:
        monkeypatch.setattr(RunStream, "__enter__", interrupted)
        with pytest.raises(KeyboardInterrupt):
            server.remote_graph("slow").invoke({"x": 0}, {"configurable": {"thread_id": "1"}})
        (thread,) = client.threads.search()
        (run,) = client.runs.list(thread.thread_id)
        eventually(lambda: client.runs.get(thread.thread_id, run.run_id).status == "interrupted")


class SlowToStop(Slow):
    """A graph whose node, when it is cancelled, needs time to clean up."""

    async def node(self, _: State) -> State:
        try:
            return await super().node(_)
        finally:
            await asyncio.sleep(0.3)  # Time itself is what the test is about.


def test_a_thread_is_free_when_its_stream_has_been_left() -> None:
    """By `break` or by an exception: a local graph has stopped then, too."""
    slow = SlowToStop()
    with TestServer({"slow": slow.graph()}) as server:
        graph = server.remote_graph("slow")
        on = {"configurable": {"thread_id": "1"}}
        for _ in graph.stream({"x": 0}, on, stream_mode="values"):
            assert slow.began.wait(60)
            break
        graph.update_state(on, {"x": 5}, as_node="wait")
        slow.began.clear()
        with contextlib.suppress(LookupError):
            for _ in graph.stream({"x": 6}, on, stream_mode="values"):
                assert slow.began.wait(60)
                raise LookupError
        graph.update_state(on, {"x": 7}, as_node="wait")
        assert graph.get_state(on).values == {"x": 7}


@pytest.mark.parametrize("fault", ["refused", "cut"])
async def test_the_cancellation_of_a_run_is_repeated(slow: Slow, fault: str) -> None:
    """Once, after a failure that passes: a server that closes a kept connection is enough."""
    async with TestServer({"slow": slow.graph()}) as server:
        faults = Faults()
        if fault == "refused":
            faults.refuse(path="*/cancel", times=1)
        else:
            faults.disconnect(path="*/cancel", times=1)
        transport = faults.transport(server.transport())
        with get_sync_client(url="http://server", transport=transport) as client:
            graph = RemoteGraph("slow", sync_client=client)

            on = {"configurable": {"thread_id": "1"}}

            def leave() -> None:
                for _ in graph.stream({"x": 0}, on, stream_mode="values"):
                    assert slow.began.wait(60)
                    break

            await asyncio.to_thread(leave)
        (thread,) = await server.client().threads.search()
        (run,) = await server.client().runs.list(thread["thread_id"])
        assert run["status"] == "interrupted"


class Refusing(BaseCallbackHandler):
    """A handler that fails at the first node, with an error that a client may raise, too."""

    raise_error = True

    def __init__(self, error: Exception) -> None:
        self._error = error

    def on_chain_start(self, *_: Any, **told: Any) -> None:
        if told.get("name") == "quick":
            raise self._error


@pytest.mark.parametrize("colour", ["async", "blocking"])
@pytest.mark.parametrize(
    "error",
    [httpx.ConnectError("metrics are down"), LangGraphError("no"), ValueError("no")],
    ids=["httpx", "client", "other"],
)
async def test_an_error_of_a_handler_stops_the_run(
    slow: Slow, error: Exception, colour: str
) -> None:
    """Whatever its class: an error of the client leaves the run alone, but this one is not it."""
    builder = StateGraph(State).add_node("quick", lambda _: {"x": 1}).add_node("wait", slow.node)
    builder.add_edge(START, "quick").add_edge("quick", "wait")
    async with TestServer({"agent": builder.compile()}) as server:
        graph = server.remote_graph("agent")
        on: Any = {"configurable": {"thread_id": "1"}, "callbacks": [Refusing(error)]}
        is_async = colour == "async"
        calling = graph.ainvoke({}, on) if is_async else asyncio.to_thread(graph.invoke, {}, on)
        with pytest.raises(type(error)) as raised:
            await calling
        assert raised.value is error
        client = server.client()
        (thread,) = await client.threads.search()
        (run,) = await client.runs.list(thread["thread_id"])
        assert run["status"] == "interrupted"
