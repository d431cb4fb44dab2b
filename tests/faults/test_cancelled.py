"""Calls and streams that are cancelled, at any moment and in any way: nothing of them stays."""

from __future__ import annotations

import asyncio
import gc
import random
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any

import anyio
import httpx
import pytest

from langgraph_client import (
    LangGraphClient,
    RemoteGraph,
    ScriptedGraph,
    Server,
    StreamIncomplete,
    get_client,
    get_sync_client,
)
from langgraph_client._async.direct import AsyncDirectSender
from langgraph_client._io.tasks import close_all
from langgraph_client.server.graphs.script_steps import Wait
from tests.support.eventually import aeventually
from tests.support.garbage import collect
from tests.support.raw_server import EVENTS, Asked, Send, http, raw_server
from tests.support.wire import event

HOUR = 3600
Go = Callable[[], Awaitable[Any]]
RUN = "content-location: /threads/t/runs/r\r\n\r\n"
OPEN = EVENTS.replace(b"\r\n\r\n", b"\r\n") + RUN.encode()


@pytest.fixture(scope="module")
def slow() -> Iterator[Server]:
    """A server whose runs say something, and then take an hour."""
    with Server({"slow": ScriptedGraph([{"n": 1}, Wait(HOUR)])}) as running:
        running.listen()
        yield running


async def by_timeout(go: Go, begun: asyncio.Event) -> None:
    async with asyncio.timeout(None) as limit:

        async def end() -> None:
            await begun.wait()
            limit.reschedule(0)

        ending = asyncio.ensure_future(end())
        await go()
    await ending


async def by_scope(go: Go, begun: asyncio.Event) -> None:
    """As where FastAPI's client is gone: anyio cancels in every turn of the loop."""
    with anyio.CancelScope() as scope:

        async def end() -> None:
            await begun.wait()
            scope.cancel()

        ending = asyncio.ensure_future(end())
        await go()
    await ending


async def by_two_cancels(go: Go, begun: asyncio.Event) -> None:
    task = asyncio.ensure_future(go())
    await begun.wait()
    task.cancel()
    await asyncio.sleep(0.0005)  # Somewhere within the closing.
    task.cancel()
    await task


Leave = Callable[[Go, asyncio.Event], Awaitable[None]]
WAYS: list[Leave] = [by_timeout, by_scope, by_two_cancels]


@pytest.mark.parametrize("leave", WAYS)
@pytest.mark.parametrize("in_process", [True, False], ids=["in process", "port"])
async def test_a_cancelled_reader_stops_its_run(
    slow: Server, leave: Leave, in_process: bool
) -> None:
    """However it is cancelled, the run with `on_disconnect="cancel"` is interrupted."""
    transport = slow.async_transport() if in_process else None
    async with get_client(url=slow.url, transport=transport) as client:
        thread = await client.threads.create()
        stream = client.runs.stream(thread.thread_id, "slow", input={}, on_disconnect="cancel")
        begun = asyncio.Event()

        async def read() -> None:
            async for _ in stream:
                begun.set()

        with suppress(asyncio.CancelledError, TimeoutError):
            await leave(read, begun)
        await client.runs.join(thread.thread_id, stream.run_id or "")
        run = await client.runs.get(thread.thread_id, stream.run_id or "")
        assert run.status == "interrupted"


@pytest.mark.parametrize("leave", WAYS)
@pytest.mark.parametrize("opening", [False, True], ids=["reading", "opening"])
async def test_when_leaving_returns_the_server_was_told(leave: Leave, opening: bool) -> None:
    """Also if the reader is cancelled before the server has said which run it started."""
    heads = threading.Event()
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    def answer(asked: Asked, send: Send) -> None:
        if asked.line.startswith("POST /threads/t/runs/r/cancel"):
            send(http(b"{}"))
            return
        if opening:
            loop.call_soon_threadsafe(begun.set)
            heads.wait(60)
        send(OPEN + b"%x\r\n%b\r\n" % (len(event("values", 1)), event("values", 1)))

    with raw_server(answer) as server:
        async with get_client(url=server.url) as client:

            async def read() -> None:
                async for _ in client.runs.stream("t", "slow", input={}, on_disconnect="cancel"):
                    begun.set()

            loop.call_later(0.5, heads.set)  # Long after the cancellation.
            with suppress(asyncio.CancelledError, TimeoutError):
                await leave(read, begun)
            assert [asked.line.split()[1].split("?")[0] for asked in server.asked] == [
                "/threads/t/runs/stream",
                "/threads/t/runs/r/cancel",
            ]


async def test_a_server_that_does_not_answer_is_not_waited_for_long(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Leaving has a limit; what could not be done is logged, not raised."""
    told = threading.Event()

    def answer(asked: Asked, send: Send) -> None:
        if "/cancel" in asked.line:
            told.wait(60)
        send(OPEN + b"%x\r\n%b\r\n" % (len(event("values", 1)), event("values", 1)))

    with raw_server(answer) as server:
        async with get_client(url=server.url) as client:
            stream = client.runs.stream("t", "slow", input={}, on_disconnect="cancel")
            await anext(stream)
            async with asyncio.timeout(40):  # The server would answer after 60.
                await stream.aclose()
        told.set()
    assert "was not complete within 5 s" in caplog.text


async def test_an_event_that_comes_too_late_is_no_end(slow: Server) -> None:
    """With a limit for each event, a loop that reads on does not take the run for complete."""
    async with get_client(url=slow.url) as client:
        thread = await client.threads.create()
        stream = client.runs.stream(thread.thread_id, "slow", input={}, on_disconnect="cancel")
        while (await anext(stream)).data != {"n": 1}:
            pass
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 0.01)
        with pytest.raises(StreamIncomplete, match="cancelled"):
            await anext(stream)
        assert await client.runs.join(thread.thread_id, stream.run_id or "") == {"n": 1}


def collected_by(server: Server, left: list[Any]) -> None:
    """Let the collector find a stream, in the server's own thread."""
    left.append(left)  # A circle, as an exception's traceback or a framework makes it.
    del left
    done = threading.Event()

    def collect_there() -> None:
        collect()
        done.set()

    server.loop.call_soon_threadsafe(collect_there)
    assert done.wait(60)  # A large heap, on a busy machine.


@pytest.fixture
def without_collector() -> Iterator[None]:
    """Nothing is collected but on request."""
    collect()
    gc.disable()
    yield
    gc.enable()


def test_the_collector_does_no_input_or_output(slow: Server, without_collector: None) -> None:
    """A stream in a circle is collected in any thread, the server's own as well, and stops its run.

    What the finalizer leaves to be done is done by a thread of its own.
    """
    with get_sync_client(url=slow.url) as client:
        thread_id = client.threads.create().thread_id
        stream = client.runs.stream(thread_id, "slow", input={}, on_disconnect="cancel")
        next(stream)
        run_id = stream.run_id or ""
        left: list[Any] = [stream]
        del stream
        collected_by(slow, left.copy())
        left.clear()
        collected_by(slow, [])
        client.runs.join(thread_id, run_id)
        assert client.runs.get(thread_id, run_id).status == "interrupted"


def test_the_collector_stops_a_remote_graph_s_run(slow: Server, without_collector: None) -> None:
    """The stream of a RemoteGraph likewise: its generator is not closed by the collector itself."""
    graph = RemoteGraph("slow", url=slow.url)
    with get_sync_client(url=slow.url) as client:
        thread_id = client.threads.create().thread_id
        left: list[Any] = [graph.stream({}, {"configurable": {"thread_id": thread_id}})]
        next(left[0])
        (run,) = client.runs.list(thread_id)
        assert run.status == "running"
        collected_by(slow, left.copy())
        left.clear()
        collected_by(slow, [])
        client.runs.join(thread_id, run.run_id)
        assert client.runs.get(thread_id, run.run_id).status == "interrupted"
    graph.close()


async def search(client: LangGraphClient, thread_id: str) -> None:
    await client.threads.search()


async def wait(client: LangGraphClient, thread_id: str) -> None:
    await client.runs.wait(None, "quick", input={})


async def stream_loop(client: LangGraphClient, thread_id: str) -> None:
    async for _ in client.runs.stream(None, "quick", input={}):
        pass


async def stream_context(client: LangGraphClient, thread_id: str) -> None:
    async with client.runs.stream(None, "quick", input={}, on_disconnect="cancel") as stream:
        async for _ in stream:
            pass


async def thread_stream(client: LangGraphClient, thread_id: str) -> None:
    async for _ in client.threads.join_stream(thread_id):
        pass


@pytest.mark.parametrize("call", [search, wait, stream_loop, stream_context, thread_stream])
async def test_calls_cancelled_at_random_leave_no_connection(
    call: Callable[[LangGraphClient, str], Awaitable[None]],
) -> None:
    """Two hundred of each, cancelled anywhere: no connection is in use behind them."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # pytest shows it if the test fails.
    chance = random.Random(seed)
    steps: list[Any] = [step for n in range(5) for step in ({"n": n}, Wait(0.002))]
    with Server({"quick": ScriptedGraph(steps)}) as server:
        url = await asyncio.to_thread(server.listen)
        async with get_client(url=url) as client:
            thread_id = (await client.threads.create()).thread_id
            for _ in range(200):
                task = asyncio.ensure_future(call(client, thread_id))
                if chance.random() < 0.6:
                    for _ in range(chance.randrange(50)):
                        await asyncio.sleep(0)
                else:
                    await asyncio.sleep(chance.random() * 0.03)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            del task
            collect()
            sender = client._transport._pools.current()
            assert isinstance(sender, AsyncDirectSender)
            await aeventually(lambda: not sender.busy and len(asyncio.all_tasks()) == 1)


def protocol_events(asked: Asked, send: Send) -> None:
    """A thread's events, without an end; runs of a thread that has none."""
    if "/stream/events" not in asked.line:
        send(http(b"[]"))
        return
    send(EVENTS + b"f\r\n: heartbeat\r\n\r\n\r\n")


@pytest.mark.parametrize("way", ["own", "httpx"])
@pytest.mark.parametrize("turns", range(12))
async def test_two_cancellations_of_a_thread_stream_leave_no_connection(
    turns: int, way: str
) -> None:
    """However many turns of the loop are between them: each reader has a task and a connection."""
    with raw_server(protocol_events) as server:
        transport = httpx.AsyncHTTPTransport() if way == "httpx" else None
        async with get_client(url=server.url, transport=transport) as client:
            before = asyncio.all_tasks()
            ready = asyncio.Event()

            async def follow() -> None:
                async with client.threads.stream("t", assistant_id="agent") as thread:
                    for channels in (["values"], ["checkpoints"], ["tasks"]):
                        feed = await thread._runs.feed(channels)
                        await feed.start()
                    assert len(thread._runs._readers) == 3
                    ready.set()
                    await asyncio.sleep(HOUR)

            task = asyncio.ensure_future(follow())
            await ready.wait()
            assert server.open >= 3
            task.cancel()
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert asyncio.all_tasks() == before
            sender: Any = client._transport._pools.current()
            assert not (sender._open if way == "httpx" else sender.busy)
            await aeventually(lambda: server.open <= 1)


@pytest.mark.parametrize("turns", range(8))
@pytest.mark.parametrize("way", ["own", "httpx"])
async def test_a_cancellation_while_closing_gives_the_only_connection_back(
    turns: int, way: str
) -> None:
    """A pool with one connection is not used up by a stream whose closing was cancelled."""

    def answer(asked: Asked, send: Send) -> None:
        if "/stream" not in asked.line:
            send(http(b"{}"))
            return
        send(OPEN + b"%x\r\n%b\r\n" % (len(event("values", 1)), event("values", 1)))

    with raw_server(answer) as server:
        one = httpx.Limits(max_connections=1)
        transport = httpx.AsyncHTTPTransport(limits=one) if way == "httpx" else None
        limits = one if way == "own" else None
        async with get_client(
            url=server.url, transport=transport, limits=limits, timeout=30.0
        ) as client:
            stream = client.runs.stream("t", "slow")
            await anext(stream)
            task = asyncio.ensure_future(stream.aclose())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            if not turns:  # It was cancelled before it began.
                await stream.aclose()
            await client.http.get("/there")


async def test_cancelled_calls_use_up_no_connection() -> None:
    """However calls are cancelled while they wait for one of few connections, or use it."""
    chance = random.Random(8)

    def answer(asked: Asked, send: Send) -> None:
        send(http(b'{"thread_id": "t"}'))

    with raw_server(answer) as server:
        limits = httpx.Limits(max_connections=3)
        async with get_client(url=server.url, limits=limits, timeout=60.0) as client:

            async def one() -> None:
                task = asyncio.ensure_future(client.threads.get("t"))
                for _ in range(chance.randrange(12)):
                    await asyncio.sleep(0)
                task.cancel()
                if chance.random() < 0.5:
                    await asyncio.sleep(0)
                    task.cancel()
                await asyncio.gather(task, return_exceptions=True)

            for _ in range(60):
                await asyncio.gather(*(one() for _ in range(12)))
            sender: Any = client._transport._pools.current()
            assert sender.busy == 0
            assert sender._slots._free == 3
            assert not sender._slots._waiting
            await asyncio.gather(*(client.threads.get("t") for _ in range(12)))


async def test_everything_is_closed_whatever_fails_or_is_cancelled() -> None:
    """The first error comes after all were closed; a cancellation comes instead of it."""
    closed: list[int] = []

    def closing(number: int, error: Exception | None = None) -> Callable[[], Awaitable[None]]:
        async def close() -> None:
            await asyncio.sleep(0)
            closed.append(number)
            if error is not None:
                raise error

        return close

    with pytest.raises(ValueError, match="first"):
        await close_all(closing(1, ValueError("first")), closing(2, KeyError("second")), closing(3))
    assert closed == [1, 2, 3]
    for leave in (by_scope, by_two_cancels):
        closed.clear()
        begun = asyncio.Event()

        async def close_late(begun: asyncio.Event = begun) -> None:
            begun.set()
            await asyncio.sleep(0.3)  # Cancelled in here.

        go = lambda: close_all(close_late, *map(closing, range(3)))  # noqa: E731
        with suppress(asyncio.CancelledError):
            await leave(go, begun)
        assert closed == [0, 1, 2]
    with anyio.move_on_after(60) as scope:
        await close_all(lambda: asyncio.sleep(HOUR), closing(4), seconds=0.05)
    assert not scope.cancelled_caught
