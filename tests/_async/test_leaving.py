"""Streams that are left before their end: the connection is freed at once, and the server knows."""

from __future__ import annotations

import threading
from asyncio import sleep
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from langgraph_client import (
    AsyncRunStream,
    LangGraphClient,
    RetryPolicy,
    ScriptedGraph,
    StreamIncomplete,
    get_client,
)
from langgraph_client._io.tasks import Job
from langgraph_client.server.graphs.script_steps import Wait
from langgraph_client.testing import TestServer
from tests.support.eventually import aeventually
from tests.support.garbage import collect
from tests.support.raw_server import (
    EVENTS,
    Asked,
    Send,
    chunked,
    client_context,
    http,
    raw_server,
)
from tests.support.wire import URL, Wire, event, reply, stream

HOUR = 3600


@pytest.fixture(scope="module")
def slow() -> Iterator[TestServer]:
    """A server whose runs say something, and then take an hour."""
    with TestServer({"slow": ScriptedGraph([{"n": 1}, Wait(HOUR)])}) as running:
        running.listen()
        yield running


@pytest.fixture(params=["in process", "port"])
async def caller(
    slow: TestServer, request: pytest.FixtureRequest
) -> AsyncIterator[LangGraphClient]:
    """A client of `slow`."""
    transport = slow.async_transport() if request.param == "in process" else None
    async with get_client(url=slow.url, transport=transport) as client:
        yield client


async def by_break(stream: AsyncRunStream[Any]) -> None:
    async for _ in stream:
        break


async def by_exception(stream: AsyncRunStream[Any]) -> None:
    with suppress(LookupError):
        async with stream:
            async for _ in stream:
                raise LookupError


async def by_interrupt(stream: AsyncRunStream[Any]) -> None:
    with suppress(KeyboardInterrupt):
        async for _ in stream:
            raise KeyboardInterrupt


async def by_context(stream: AsyncRunStream[Any]) -> None:
    async with stream:
        pass


async def by_close(stream: AsyncRunStream[Any]) -> None:
    await anext(stream)
    await stream.aclose()
    await stream.aclose()


@pytest.mark.parametrize("leave", [by_break, by_exception, by_interrupt, by_context, by_close])
async def test_the_server_learns_of_it(
    caller: LangGraphClient, leave: Callable[[AsyncRunStream[Any]], Any]
) -> None:
    """However a stream is left, `on_disconnect="cancel"` takes effect without anything further."""
    thread = await caller.threads.create()
    stream = caller.runs.stream(thread.thread_id, "slow", input={}, on_disconnect="cancel")
    await leave(stream)
    run_id = stream.run_id
    assert run_id is not None
    del stream
    collect()
    await sleep(0)
    # The run would take an hour: joining it comes back since it was cancelled.
    await caller.runs.join(thread.thread_id, run_id)
    assert (await caller.runs.get(thread.thread_id, run_id)).status == "interrupted"


async def test_a_run_may_go_on_without_its_reader(caller: LangGraphClient) -> None:
    """By default leaving a stream leaves its run alone."""
    thread = await caller.threads.create()
    async with caller.runs.stream(thread.thread_id, "slow", input={}) as stream:
        await anext(stream)
    run_id = stream.run_id or ""
    assert (await caller.runs.get(thread.thread_id, run_id)).status == "running"
    await caller.runs.cancel(thread.thread_id, run_id, wait=True)


async def test_a_stream_that_is_never_opened_costs_nothing(caller: LangGraphClient) -> None:
    """Nothing was sent, so there is nothing to free, and nothing to complain about."""
    thread = await caller.threads.create()
    stream = caller.runs.stream(thread.thread_id, "slow", input={})
    await stream.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    caller.runs.stream(thread.thread_id, "slow", input={})
    collect()
    assert await caller.runs.list(thread.thread_id) == []


RUN = "/threads/t/runs/r"
CANCEL = f"POST {RUN}/cancel?wait=0&action=interrupt"


async def test_a_stream_that_is_closed_while_it_opens_cancels_its_run() -> None:
    """Another task or thread closes it: the run is known when the response comes."""
    is_closed = threading.Event()

    def answer(asked: Asked, send: Send) -> None:
        if "/cancel" in asked.line:
            send(http(b"{}"))
            return
        is_closed.wait(60)
        head = EVENTS.replace(b"\r\n\r\n", f"\r\ncontent-location: {RUN}\r\n\r\n".encode())
        send(head + chunked(event("metadata", {"run_id": "r"}))[:-5])

    parts: list[Any] = []

    async def read() -> None:
        parts.extend([part async for part in opened])
        parts.append("the end")

    with raw_server(answer) as server:
        async with get_client(url=server.url, api_key=None) as client:
            opened = client.runs.stream("t", "agent", on_disconnect="cancel")
            job = Job(read)
            await aeventually(lambda: server.asked)
            await opened.aclose()
            is_closed.set()
            await aeventually(lambda: parts)
            await job.stop()
    assert parts == ["the end"]
    assert [asked.line.removesuffix(" HTTP/1.1") for asked in server.asked[1:]] == [CANCEL]


async def of_run(client: LangGraphClient, start: Callable[[Any, Any], None]) -> None:
    stream = client.runs.stream("t", "agent")
    start(stream, stream.aclose)


async def of_join(client: LangGraphClient, start: Callable[[Any, Any], None]) -> None:
    stream = client.runs.join_stream("t", "r")
    start(stream, stream.aclose)


async def of_thread(client: LangGraphClient, start: Callable[[Any, Any], None]) -> None:
    stream = client.threads.stream("t", assistant_id="agent", transport="sse")
    await stream.__aenter__()
    start(stream.events, stream.close)


async def of_socket(client: LangGraphClient, start: Callable[[Any, Any], None]) -> None:
    stream = client.threads.stream("t", assistant_id="agent", transport="websocket")
    await stream.__aenter__()
    start(stream.events, stream.close)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("opened", [of_run, of_join, of_thread, of_socket])
async def test_closing_a_stream_ends_the_wait_for_its_head(opened: Any, tls: bool) -> None:
    """The connection is closed at once, and its reader, another task or thread, ends."""
    held: list[Asked] = []
    hung_up: list[Asked] = []
    parts: list[Any] = []
    left: list[Any] = []

    def answer(asked: Asked, send: Send) -> None:
        if "/stream" not in asked.line:
            send(http(b"{}", status="404 Not Found"))
            return
        held.append(asked)
        with suppress(OSError):
            asked.rest.read(1)  # Until the client hangs up.
        hung_up.append(asked)
        raise OSError

    def start(stream: Any, close: Any) -> None:
        left.extend([stream, close])

    async def read() -> None:
        parts.extend([part async for part in left[0]])
        parts.append("the end")

    verify = client_context() if tls else True
    with raw_server(answer, tls=tls) as server:
        async with get_client(url=server.url, api_key=None, verify=verify) as client:
            await opened(client, start)
            job = Job(read)
            await aeventually(lambda: held)
            await left[1]()
            await aeventually(lambda: parts and len(hung_up) == len(held))
            await job.stop()
    assert parts == ["the end"]
    # A thread stream asks for two kinds of events. Nothing is asked for again.
    assert len({asked.body for asked in held}) == len(held)


async def test_a_stream_whose_read_was_interrupted_does_not_look_complete() -> None:
    """Whoever reads on is told that events are missing, and where to read them."""
    parts = event("metadata", {"run_id": "r"}), event("values", 1, "7")
    wire = Wire(stream(*parts, KeyboardInterrupt(), run=RUN))
    async with get_client(url=URL, transport=wire, api_key=None) as client:
        stopped = client.runs.stream("t", "agent")
        with pytest.raises(KeyboardInterrupt):
            [part async for part in stopped]
        for _ in range(2):
            with pytest.raises(StreamIncomplete, match=r"join_stream .*run r, .*last event 7"):
                await anext(stopped)
    assert len(wire.requests) == 1


@pytest.mark.parametrize("first", [reply({}, 503), httpx.ReadError("reset")], ids=["503", "reset"])
async def test_the_cancellation_of_a_run_is_repeated(first: Any) -> None:
    """It does no harm if the first one has arrived."""
    parts = event("metadata", {"run_id": "r"}), event("values", 1)
    wire = Wire(stream(*parts, run=RUN), first, reply({}))
    quick = RetryPolicy(initial=0, jitter=0)
    async with get_client(url=URL, transport=wire, api_key=None, retry=quick) as client:
        opened = client.runs.stream("t", "agent", on_disconnect="cancel")
        await anext(opened)
        await opened.aclose()
    assert wire.lines[1:] == [CANCEL, CANCEL]
