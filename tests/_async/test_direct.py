"""Our own connections: kept, closed, encrypted, and what a server may do to them."""

from __future__ import annotations

import gzip
import socket
import threading
import time
import zlib
from asyncio import sleep
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from langgraph_client import LangGraphClient, RetryPolicy, StreamIncomplete, get_client
from langgraph_client._async.direct import AsyncDirectSender
from langgraph_client._io.tasks import Job
from langgraph_client.errors import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    LangGraphError,
    NotFoundError,
)
from tests.support.eventually import aeventually
from tests.support.garbage import collect
from tests.support.raw_server import (
    EVENTS,
    Asked,
    RawServer,
    Send,
    chunked,
    client_context,
    http,
    raw_server,
)
from tests.support.wire import event

ONCE = RetryPolicy(max_attempts=1)
THREAD = b'{"thread_id": "t"}'


def thread(asked: Asked, send: Send) -> None:
    send(http(THREAD))


def events(asked: Asked, send: Send) -> None:
    """A stream whose events are an HTTP chunk each, as uvicorn sends them."""
    parts = [event("metadata", {"run_id": "r"}), *(event("values", n) for n in range(500))]
    send(EVENTS + chunked(*parts, event("end", None)))


def client_of(server: RawServer, **options: Any) -> LangGraphClient:
    verify = client_context() if server.url.startswith("https") else True
    return get_client(url=server.url, **{"retry": ONCE, "verify": verify, **options})


def sender_of(client: LangGraphClient) -> AsyncDirectSender:
    """What sends the requests of a client."""
    sender = client._transport._pools.current()
    assert isinstance(sender, AsyncDirectSender)
    return sender


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
async def test_one_connection_serves_one_call_after_the_other(tls: bool) -> None:
    """Calls and streams that were read to their end leave their connection to the next."""

    def answer(asked: Asked, send: Send) -> None:
        (events if asked.line.startswith("POST") else thread)(asked, send)

    with raw_server(answer, tls=tls) as server:
        async with client_of(server) as client:
            for _ in range(3):
                assert (await client.threads.get("t")).thread_id == "t"
                found = [part.data async for part in client.runs.stream(None, "agent")]
                assert found[1:-1] == list(range(500))
            assert sender_of(client).busy == 0
    assert {asked.connection for asked in server.asked} == {1}


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize(
    "first",
    [
        http(b'{"thread_id": "first"}') + http(b'{"thread_id": "too much"}'),
        b"HTTP/1.1 204 No Content\r\n\r\nnull",
        b"HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n5",
    ],
    ids=["two responses", "204 with a body", "204 with half a chunk"],
)
async def test_bytes_behind_a_response_are_not_the_next_one(first: bytes, tls: bool) -> None:
    """The connection is not used again."""
    responses = [first, http(b'{"thread_id": "second"}')]

    def answer(asked: Asked, send: Send) -> None:
        send(responses.pop(0))

    with raw_server(answer, tls=tls) as server:
        async with client_of(server) as client:
            await client.http.delete("/first")
            assert (await client.threads.create()).thread_id == "second"
    assert [asked.connection for asked in server.asked] == [1, 2]


async def test_a_media_type_may_be_in_capitals() -> None:
    """HTTP does not tell them apart."""

    def answer(asked: Asked, send: Send) -> None:
        head = EVENTS.replace(b"text/event-stream", b"Text/Event-Stream; charset=UTF-8")
        send(head + chunked(event("values", 1)))

    with raw_server(answer) as server:
        async with client_of(server) as client:
            assert [part.data async for part in client.runs.stream(None, "agent")] == [1]


async def test_a_certificate_that_nobody_knows_is_refused() -> None:
    """The error says so, and is httpx's as well; nothing was sent."""
    with raw_server(thread, tls=True) as server:
        async with get_client(url=server.url, retry=ONCE) as client:
            with pytest.raises(APIConnectionError, match=r"(?i)certificate") as caught:
                await client.threads.get("t")
            assert isinstance(caught.value, httpx.ConnectError)
            assert sender_of(client).busy == 0
        async with get_client(url=server.url, retry=ONCE, verify=False) as client:
            assert (await client.threads.get("t")).thread_id == "t"
    assert len(server.asked) == 1


async def test_a_connection_that_the_server_has_closed_is_not_used() -> None:
    """An idle connection that is over is noticed before a request is sent on it."""
    closed = []

    def answer(asked: Asked, send: Send) -> None:
        thread(asked, send)
        if not closed:
            closed.append(asked)
            raise OSError

    with raw_server(answer) as server:
        async with client_of(server) as client:
            await client.threads.get("t")
            idle = sender_of(client)._idle
            await aeventually(lambda: all(each.http.has_expired() for each in idle))
            await client.threads.get("t")
    assert server.connections == 2


@contextmanager
def refusing_early() -> Iterator[str]:
    """The URL of a server that refuses a request before it reads the body, as nginx does."""

    def refuse() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(1024)
            connection.sendall(http(b'{"detail": "large"}', status="413 Request Entity Too Large"))
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=refuse)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


async def test_a_large_body_may_be_refused_before_it_was_read() -> None:
    """The refusal is the error; that the server has closed its side already is none."""
    with refusing_early() as url:
        async with get_client(url=url, retry=ONCE) as client:
            with pytest.raises(APIStatusError, match="large") as caught:
                await client.threads.create(metadata={"text": "x" * 20_000_000})
            assert sender_of(client).busy == 0
    assert caught.value.status_code == 413


@pytest.mark.parametrize(
    ("head", "kind", "alike"),
    [
        (b"", APIConnectionError, httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\ncontent-le", APIConnectionError, httpx.RemoteProtocolError),
        (b"not HTTP at all\r\n\r\n", APIConnectionError, httpx.RemoteProtocolError),
        (http(THREAD)[:-3], APIConnectionError, httpx.RemoteProtocolError),
        (EVENTS + b"zz\r\n", APIConnectionError, httpx.RemoteProtocolError),
        (
            http(gzip.compress(THREAD, mtime=0)[:-3], "content-encoding: gzip"),
            APIConnectionError,
            httpx.RemoteProtocolError,
        ),
        (http(b"x", "content-encoding: br"), APIResponseValidationError, httpx.HTTPError),
        (
            http(b"\x1f\x8bno", "content-encoding: gzip"),
            APIResponseValidationError,
            httpx.HTTPError,
        ),
    ],
)
async def test_a_broken_answer_is_an_error_of_ours(
    head: bytes, kind: type[LangGraphError], alike: type[Exception]
) -> None:
    """Whatever comes in place of an answer; the connection is closed."""

    def answer(asked: Asked, send: Send) -> None:
        send(head)
        raise OSError

    with raw_server(answer) as server:
        async with client_of(server) as client:
            with pytest.raises(kind) as caught:
                await client.threads.get("t")
            assert isinstance(caught.value, alike)
            assert sender_of(client).busy == 0


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(THREAD, mtime=0)),
        ("deflate", zlib.compress(THREAD)),
        ("deflate", zlib.compress(THREAD)[2:-4]),
        ("identity", THREAD),
        ("Identity", THREAD),
        ("GZIP", gzip.compress(THREAD, mtime=0)),
    ],
)
async def test_a_compressed_answer_is_read(encoding: str, body: bytes) -> None:
    """What we say that we accept is understood, with zlib's frame or without."""

    def answer(asked: Asked, send: Send) -> None:
        assert "gzip" in asked.headers["accept-encoding"]
        send(http(body, f"Content-Encoding: {encoding}"))

    with raw_server(answer) as server:
        async with client_of(server) as client:
            assert (await client.threads.get("t")).thread_id == "t"


async def test_each_wait_has_its_own_time() -> None:
    """Bytes that come in time keep a long answer alive; silence ends it, as httpx's timeout."""
    is_over = threading.Event()

    def answer(asked: Asked, send: Send) -> None:
        send(b"HTTP/1.1 200 OK\r\ncontent-length: 28\r\n\r\n")
        if "hang" in asked.line:
            is_over.wait(60)
        for _ in range(10):  # Time itself is what the test is about.
            time.sleep(0.6)
            send(b" ")
        send(THREAD)

    with raw_server(answer) as server:
        async with client_of(server, timeout=5) as client:
            assert (await client.threads.get("t")).thread_id == "t"
        async with client_of(server, timeout=2) as client:
            with pytest.raises(
                APITimeoutError, match=r"timed out \(read\); timeout= allows 2 s"
            ) as caught:
                await client.threads.get("hang")
            assert isinstance(caught.value, httpx.ReadTimeout)
            assert sender_of(client).busy == 0
            is_over.set()
        async with client_of(server, deadline=0.2) as client:
            with pytest.raises(APITimeoutError, match=r"deadline= allows 0.2 s for the call"):
                await client.threads.get("t")


async def test_cookies_come_back() -> None:
    """A load balancer that marks a client by a cookie finds its mark in the next request."""

    def answer(asked: Asked, send: Send) -> None:
        send(http(THREAD, "Set-Cookie: node=7; Path=/; HttpOnly", "set-cookie: a=b; Path=/x"))

    with raw_server(answer) as server:
        async with client_of(server) as client:
            await client.threads.get("t")
            await client.threads.get("t")
    assert [asked.headers.get("cookie") for asked in server.asked] == [None, "node=7"]


async def test_a_closed_client_has_no_connections() -> None:
    """Neither idle ones nor those of streams that are still open."""

    def answer(asked: Asked, send: Send) -> None:
        send(EVENTS)
        send(b"%x\r\n%b\r\n" % (len(event("values", 1)), event("values", 1)))

    with raw_server(answer) as server:
        client = client_of(server)
        stream = client.runs.stream(None, "agent")
        assert (await anext(stream)).data == 1
        await client.aclose()
        with pytest.raises(LangGraphError):
            await anext(stream)
        await aeventually(lambda: server.open == 0)
        with pytest.raises(APIConnectionError, match="closed"):
            await client.threads.get("t")


@pytest.mark.parametrize("way", ["plain", "tls", "httpx"])
async def test_closing_the_client_ends_a_read_with_an_error(way: str) -> None:
    """The reader wakes up. A body without a length is not complete because the client closed it."""
    done = threading.Event()
    outcomes: list[type[Exception]] = []

    def answer(asked: Asked, send: Send) -> None:
        send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + event("values", 1))
        done.wait(60)
        raise OSError

    async def read() -> None:
        try:
            await anext(stream)
        except (LangGraphError, StopAsyncIteration) as error:
            outcomes.append(type(error))

    options = {"transport": httpx.AsyncHTTPTransport()} if way == "httpx" else {}
    with raw_server(answer, tls=way == "tls") as server:
        client = client_of(server, **options)
        stream = client.runs.stream(None, "agent")
        assert (await anext(stream)).data == 1
        job = Job(read)
        await aeventually(lambda: stream._is_busy)
        await sleep(0.05)  # Nothing shows that it waits for bytes: by now it most likely does.
        await client.aclose()
        await aeventually(lambda: outcomes)
        assert outcomes == [StreamIncomplete]
        done.set()
        await job.stop()


async def test_a_stream_cut_below_the_protocol_is_told() -> None:
    """A body that ends in the middle of a chunk is not a stream that is over."""

    def answer(asked: Asked, send: Send) -> None:
        send(EVENTS + chunked(event("values", 1))[:-5] + b"5\r\nev")
        raise OSError

    with raw_server(answer) as server:
        async with client_of(server) as client:
            stream = client.runs.stream(None, "agent")
            assert (await anext(stream)).data == 1
            with pytest.raises(StreamIncomplete):
                await anext(stream)
            assert sender_of(client).busy == 0


async def test_another_thread_may_take_the_last_idle_connection() -> None:
    """Between any two instructions: the call whose response was just read does not notice."""

    taken: list[Any] = []

    class Taken(deque[Any]):
        def __getitem__(self, index: Any) -> Any:
            taken.append(self.pop())
            return super().__getitem__(index)

    with raw_server(thread) as server:
        async with client_of(server) as client:
            sender_of(client)._idle = Taken()
            for _ in range(2):
                assert (await client.threads.get("t")).thread_id == "t"
                sender_of(client).drop(taken.pop())


async def test_proxies_are_httpx_s() -> None:
    """Where a proxy is set, httpx's own pool is used."""
    with raw_server(thread) as server:
        async with client_of(server, proxy=server.url) as client:
            assert (await client.threads.get("t")).thread_id == "t"
            assert not isinstance(client._transport._pools.current(), AsyncDirectSender)


@pytest.mark.parametrize("most", [1, 3])
async def test_no_more_connections_than_allowed(most: int) -> None:
    """Calls wait for a free one, in turn; streams hold theirs until they are left or forgotten."""

    def answer(asked: Asked, send: Send) -> None:
        if asked.line.startswith("GET"):
            open_at_once.append(server.open)
            thread(asked, send)
        else:
            send(EVENTS + chunked(event("values", 1))[:-5])

    open_at_once: list[int] = []
    found: list[str | None] = []

    async def call() -> None:
        found.append((await client.threads.get("t")).thread_id)

    limits = httpx.Limits(max_connections=most, keepalive_expiry=60)
    with raw_server(answer) as server:
        async with client_of(server, limits=limits, timeout=60) as client:
            sender = sender_of(client)
            jobs = [Job(call) for _ in range(12)]
            await aeventually(lambda: len(found) == 12)
            for job in jobs:
                await job.stop()
            # Only up to here: a server notices a moment later that a connection was closed.
            assert max(open_at_once) <= most
            for leave in (True, False):
                streams = [client.runs.stream(None, "agent") for _ in range(most)]
                for stream in streams:
                    assert (await anext(stream)).data == 1
                hurried = client.with_options(timeout=(5, 5, 5, 0.05))
                with pytest.raises(APITimeoutError, match="pool") as late:
                    await hurried.threads.get("t")
                assert isinstance(late.value, httpx.PoolTimeout)
                if leave:
                    await streams.pop().aclose()
                    assert (await client.threads.get("t")).thread_id == "t"
                del stream, streams  # A finalizer closes the others.
                collect()
                await aeventually(lambda: sender.busy == 0)
                assert (await client.threads.get("t")).thread_id == "t"
    assert set(found) == {"t"}


async def test_who_waits_for_a_connection_learns_that_the_client_was_closed() -> None:
    """All of them, although the connections never become free."""

    def answer(asked: Asked, send: Send) -> None:
        send(EVENTS + chunked(event("values", 1))[:-5])

    outcomes: list[str] = []

    async def call() -> None:
        try:
            await client.threads.get("t")
        except APIConnectionError as error:
            outcomes.append(error.message)

    with raw_server(answer) as server:
        client = client_of(server, limits=httpx.Limits(max_connections=1))
        stream = client.runs.stream(None, "agent")
        assert (await anext(stream)).data == 1
        jobs = [Job(call) for _ in range(3)]
        await sleep(0.05)  # Nothing shows that they wait: by now they most likely do.
        await client.aclose()
        await aeventually(lambda: len(outcomes) == 3)
        for job in jobs:
            await job.stop()
    assert set(outcomes) == {"the client is closed"}


async def test_headers_that_are_not_ascii_are_read() -> None:
    """Those of a refusal, and those that a callback gets."""
    notes: list[str] = []

    def answer(asked: Asked, send: Send) -> None:
        status = "404 Not Found" if "missing" in asked.line else "200 OK"
        send(http(THREAD, "x-note: café", status=status))

    def tell(response: Any) -> None:
        notes.append(response.headers["x-note"])

    with raw_server(answer) as server:
        async with client_of(server) as client:
            await client.http.get("/there", on_response=tell)
            with pytest.raises(NotFoundError) as caught:
                await client.http.get("/missing")
    assert [*notes, caught.value.response.headers["x-note"]] == ["café"] * 2


async def test_an_event_s_id_may_be_any_text() -> None:
    """It is sent back as it came, in UTF-8."""

    def answer(asked: Asked, send: Send) -> None:
        if "last-event-id" not in asked.headers:
            part = "".join(f"id: é{n}\nevent: values\ndata: {n}\n\n" for n in (1, 2, 3)).encode()
            head = EVENTS.replace(b"\r\n\r\n", b"\r\nlocation: /threads/t/runs/r/stream\r\n\r\n")
            send(head + chunked(part)[:-5])
            raise OSError
        send(EVENTS + chunked(event("end", None)))

    with raw_server(answer) as server:
        async with client_of(server) as client:
            parts = [part async for part in client.runs.stream("t", "agent")]
    assert [part.data for part in parts[:3]] == [1, 2, 3]
    sent = server.asked[-1].headers["last-event-id"].encode("latin-1")
    assert sent in ("é2".encode(), "é3".encode())


async def test_a_cookie_of_many_digits_does_not_harm_the_call() -> None:
    """The call succeeds, and its connection does not stay in use."""

    def answer(asked: Asked, send: Send) -> None:
        send(http(THREAD, f"set-cookie: a=b; Max-Age={'9' * 400}"))

    with raw_server(answer) as server:
        async with client_of(server) as client:
            await client.threads.get("t")
            assert sender_of(client).busy == 0


@pytest.mark.parametrize("odd", ["a\vb", "\f", "\0", "\x1b[2J", "x" * 2000])
async def test_an_id_that_cannot_be_sent_back_is_none(odd: str) -> None:
    """The stream is not continued after it, and says so at once."""

    def answer(asked: Asked, send: Send) -> None:
        part = f"id: {odd}\nevent: values\ndata: 1\n\n".encode()
        head = EVENTS.replace(b"\r\n\r\n", b"\r\nlocation: /threads/t/runs/r/stream\r\n\r\n")
        send(head + chunked(part)[:-5])
        raise OSError

    with raw_server(answer) as server:
        async with client_of(server) as client:
            stream = client.runs.stream("t", "agent", stream_resumable=True)
            part = await anext(stream)
            assert (part.data, part.id) == (1, None)
            with pytest.raises(StreamIncomplete, match="no ids"):
                await anext(stream)
    assert len(server.asked) == 1


@pytest.mark.parametrize("odd", ["", " ", 5, None, "\ud800", "r\nWARNING: all is lost"])
async def test_a_run_s_id_that_is_none_is_not_asked_for(odd: object) -> None:
    """Neither from the first event nor from a header; the clean end of the stream is believed."""

    def answer(asked: Asked, send: Send) -> None:
        head = EVENTS.replace(b"\r\n\r\n", b"\r\ncontent-location: /threads/t/runs/%20\r\n\r\n")
        send(head + chunked(event("metadata", {"run_id": odd}), event("values", 1)))

    with raw_server(answer) as server:
        async with client_of(server) as client:
            stream = client.runs.stream("t", "agent")
            assert [part.event async for part in stream] == ["metadata", "values"]
            assert stream.run_id is None
    assert len(server.asked) == 1
