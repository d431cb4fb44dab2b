# Generated from tests/_async/test_leaving.py by .ci/unasync.py; do not edit.
"""Streams that are left before their end: the connection is freed at once, and the server knows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from time import sleep
from typing import Any

import httpx
import pytest

from langgraph_client import (
    RetryPolicy,
    RunStream,
    ScriptedGraph,
    StreamIncomplete,
    SyncLangGraphClient,
    get_sync_client,
)
from langgraph_client._io.threads import Job
from langgraph_client.server.graphs.script_steps import Wait
from langgraph_client.testing import TestServer
from tests.support.eventually import eventually
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
def caller(slow: TestServer, request: pytest.FixtureRequest) -> Iterator[SyncLangGraphClient]:
    """A client of `slow`."""
    transport = slow.transport() if request.param == "in process" else None
    with get_sync_client(url=slow.url, transport=transport) as client:
        yield client


def by_break(stream: RunStream[Any]) -> None:
    for _ in stream:
        break


def by_exception(stream: RunStream[Any]) -> None:
    with suppress(LookupError):
        with stream:
            for _ in stream:
                raise LookupError


def by_interrupt(stream: RunStream[Any]) -> None:
    with suppress(KeyboardInterrupt):
        for _ in stream:
            raise KeyboardInterrupt


def by_context(stream: RunStream[Any]) -> None:
    with stream:
        pass


def by_close(stream: RunStream[Any]) -> None:
    next(stream)
    stream.close()
    stream.close()


@pytest.mark.parametrize("leave", [by_break, by_exception, by_interrupt, by_context, by_close])
def test_the_server_learns_of_it(
    caller: SyncLangGraphClient, leave: Callable[[RunStream[Any]], Any]
) -> None:
    """However a stream is left, `on_disconnect="cancel"` takes effect without anything further."""
    thread = caller.threads.create()
    stream = caller.runs.stream(thread.thread_id, "slow", input={}, on_disconnect="cancel")
    leave(stream)
    run_id = stream.run_id
    assert run_id is not None
    del stream
    collect()
    sleep(0)
    # The run would take an hour: joining it comes back since it was cancelled.
    caller.runs.join(thread.thread_id, run_id)
    assert (caller.runs.get(thread.thread_id, run_id)).status == "interrupted"


def test_a_run_may_go_on_without_its_reader(caller: SyncLangGraphClient) -> None:
    """By default leaving a stream leaves its run alone."""
    thread = caller.threads.create()
    with caller.runs.stream(thread.thread_id, "slow", input={}) as stream:
        next(stream)
    run_id = stream.run_id or ""
    assert (caller.runs.get(thread.thread_id, run_id)).status == "running"
    caller.runs.cancel(thread.thread_id, run_id, wait=True)


def test_a_stream_that_is_never_opened_costs_nothing(caller: SyncLangGraphClient) -> None:
    """Nothing was sent, so there is nothing to free, and nothing to complain about."""
    thread = caller.threads.create()
    stream = caller.runs.stream(thread.thread_id, "slow", input={})
    stream.close()
    with pytest.raises(StopIteration):
        next(stream)
    caller.runs.stream(thread.thread_id, "slow", input={})
    collect()
    assert caller.runs.list(thread.thread_id) == []


RUN = "/threads/t/runs/r"
CANCEL = f"POST {RUN}/cancel?wait=0&action=interrupt"


def test_a_stream_that_is_closed_while_it_opens_cancels_its_run() -> None:
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

    def read() -> None:
        parts.extend([part for part in opened])
        parts.append("the end")

    with raw_server(answer) as server:
        with get_sync_client(url=server.url, api_key=None) as client:
            opened = client.runs.stream("t", "agent", on_disconnect="cancel")
            job = Job(read)
            eventually(lambda: server.asked)
            opened.close()
            is_closed.set()
            eventually(lambda: parts)
            job.stop()
    assert parts == ["the end"]
    assert [asked.line.removesuffix(" HTTP/1.1") for asked in server.asked[1:]] == [CANCEL]


def of_run(client: SyncLangGraphClient, start: Callable[[Any, Any], None]) -> None:
    stream = client.runs.stream("t", "agent")
    start(stream, stream.close)


def of_join(client: SyncLangGraphClient, start: Callable[[Any, Any], None]) -> None:
    stream = client.runs.join_stream("t", "r")
    start(stream, stream.close)


def of_thread(client: SyncLangGraphClient, start: Callable[[Any, Any], None]) -> None:
    stream = client.threads.stream("t", assistant_id="agent", transport="sse")
    stream.__enter__()
    start(stream.events, stream.close)


def of_socket(client: SyncLangGraphClient, start: Callable[[Any, Any], None]) -> None:
    stream = client.threads.stream("t", assistant_id="agent", transport="websocket")
    stream.__enter__()
    start(stream.events, stream.close)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("opened", [of_run, of_join, of_thread, of_socket])
def test_closing_a_stream_ends_the_wait_for_its_head(opened: Any, tls: bool) -> None:
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

    def read() -> None:
        parts.extend([part for part in left[0]])
        parts.append("the end")

    verify = client_context() if tls else True
    with raw_server(answer, tls=tls) as server:
        with get_sync_client(url=server.url, api_key=None, verify=verify) as client:
            opened(client, start)
            job = Job(read)
            eventually(lambda: held)
            left[1]()
            eventually(lambda: parts and len(hung_up) == len(held))
            job.stop()
    assert parts == ["the end"]
    # A thread stream asks for two kinds of events. Nothing is asked for again.
    assert len({asked.body for asked in held}) == len(held)


def test_a_stream_whose_read_was_interrupted_does_not_look_complete() -> None:
    """Whoever reads on is told that events are missing, and where to read them."""
    parts = event("metadata", {"run_id": "r"}), event("values", 1, "7")
    wire = Wire(stream(*parts, KeyboardInterrupt(), run=RUN))
    with get_sync_client(url=URL, transport=wire, api_key=None) as client:
        stopped = client.runs.stream("t", "agent")
        with pytest.raises(KeyboardInterrupt):
            [part for part in stopped]
        for _ in range(2):
            with pytest.raises(StreamIncomplete, match=r"join_stream .*run r, .*last event 7"):
                next(stopped)
    assert len(wire.requests) == 1


@pytest.mark.parametrize("first", [reply({}, 503), httpx.ReadError("reset")], ids=["503", "reset"])
def test_the_cancellation_of_a_run_is_repeated(first: Any) -> None:
    """It does no harm if the first one has arrived."""
    parts = event("metadata", {"run_id": "r"}), event("values", 1)
    wire = Wire(stream(*parts, run=RUN), first, reply({}))
    quick = RetryPolicy(initial=0, jitter=0)
    with get_sync_client(url=URL, transport=wire, api_key=None, retry=quick) as client:
        opened = client.runs.stream("t", "agent", on_disconnect="cancel")
        next(opened)
        opened.close()
    assert wire.lines[1:] == [CANCEL, CANCEL]
