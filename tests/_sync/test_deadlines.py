# Generated from tests/_async/test_deadlines.py by .ci/unasync.py; do not edit.
"""A call's deadline ends it, whatever a server sends: a byte now and then is no answer."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from time import sleep
from typing import Any

import httpx
import pytest

from langgraph_client import RetryPolicy, SyncLangGraphClient, get_sync_client
from langgraph_client.errors import APITimeoutError
from tests.support.raw_server import EVENTS, Asked, RawServer, Send, chunked, http, raw_server

ONCE = RetryPolicy(max_attempts=1)
DEADLINE = 0.3
LONG = 60.0  # Seconds for which a server goes on: a call that ends by itself then is too late.
GZIP = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n"
EMPTY_BLOCK = b"\x00\x00\x00\xff\xff"  # Of deflate: nothing, and not the last block.
OWN = {"timeout": 2.0, "deadline": DEADLINE}


def early_hints() -> Iterator[bytes]:
    """Heads that are not the response's."""
    while True:
        yield b"HTTP/1.1 103 Early Hints\r\n\r\n"


def slow_head() -> Iterator[bytes]:
    """A head that never ends."""
    yield b"HTTP/1.1 200 OK\r\nx-note: "
    while True:
        yield b"a"


def empty_blocks() -> Iterator[bytes]:
    """A compressed body that never yields a byte."""
    packing = zlib.compressobj(wbits=31)
    yield GZIP + chunked(packing.compress(b"") + packing.flush(zlib.Z_SYNC_FLUSH))[:-5]
    while True:
        yield chunked(EMPTY_BLOCK)[:-5]


def slow_chunk() -> Iterator[bytes]:
    """A chunk whose extension never ends."""
    yield GZIP.replace(b"content-encoding: gzip\r\n", b"") + b"5; a="
    while True:
        yield b"a"


def trailers() -> Iterator[bytes]:
    """What may follow a body."""
    yield GZIP.replace(b"content-encoding: gzip\r\n", b"") + b"2\r\n{}\r\n0\r\n"
    while True:
        yield b"x-a: a\r\n"


def sending(pieces: Iterator[bytes], send: Send) -> None:
    """Send these, one after the other."""
    end = time.monotonic() + LONG
    with suppress(OSError):  # The client has left.
        for piece in pieces:  # Time itself is what the tests are about.
            send(piece)
            time.sleep(0.02)
            if time.monotonic() > end:
                return


def client_of(server: RawServer, **options: Any) -> SyncLangGraphClient:
    return get_sync_client(url=server.url, retry=ONCE, **{**OWN, **options})


@pytest.mark.parametrize("pieces", [early_hints, slow_head, empty_blocks, slow_chunk, trailers])
def test_it_ends_a_response_that_does_not_end(pieces: Any) -> None:
    """Each wait is short and ends in time; together they last for ever."""
    with raw_server(lambda asked, send: sending(pieces(), send)) as server:
        with client_of(server) as client:
            # A machine that stalls may spend the shorter ones on the way to the first read.
            for deadline in (DEADLINE, 5.0, LONG / 2):
                begin = time.monotonic()
                with pytest.raises(APITimeoutError) as caught:
                    client.with_options(deadline=deadline).threads.get("t")
                if isinstance(caught.value, httpx.ReadTimeout):
                    break
            assert isinstance(caught.value, httpx.ReadTimeout)
            assert time.monotonic() - begin < LONG


@pytest.mark.parametrize("pieces", [early_hints, slow_head])
def test_it_ends_the_opening_of_a_stream(pieces: Any) -> None:
    """The deadline ends it also where what comes is not a stream."""
    with raw_server(lambda asked, send: sending(pieces(), send)) as server:
        with client_of(server) as client:
            begin = time.monotonic()
            with pytest.raises(APITimeoutError):
                next(client.runs.stream(None, "agent"))
            assert time.monotonic() - begin < LONG / 2


def test_a_stream_that_is_open_has_none() -> None:
    """It goes on after the deadline of its opening."""
    deadline = 4.0  # Long enough to open it on a machine that stalls.

    def answer(asked: Asked, send: Send) -> None:
        send(EVENTS)
        for _ in range(5):  # Time itself is what the test is about.
            time.sleep(deadline / 4)
            send(chunked(b"event: values\ndata: 1\n\n")[:-5])
        send(chunked(b"event: end\ndata: null\n\n"))

    with raw_server(answer) as server:
        with client_of(server, deadline=deadline, timeout=60.0) as client:
            parts = [part.data for part in client.runs.stream(None, "agent")]
            assert parts == [1] * 5 + [None]


def test_the_wait_behind_a_stream_s_last_event_ends() -> None:
    """The end of its body is waited for, so that the connection can be kept, but not for long."""

    def answer(asked: Asked, send: Send) -> None:
        packing = zlib.compressobj(wbits=31)
        packed = packing.compress(b"event: end\ndata: null\n\n") + packing.flush(zlib.Z_SYNC_FLUSH)
        head = EVENTS.replace(b"\r\n\r\n", b"\r\ncontent-encoding: gzip\r\n\r\n")
        send(head + chunked(packed)[:-5])
        end = time.monotonic() + LONG
        with suppress(OSError):  # The client has left.
            while time.monotonic() < end:  # Time itself is what the test is about.
                send(chunked(EMPTY_BLOCK)[:-5])
                time.sleep(0.002)

    with raw_server(answer) as server:
        with client_of(server) as client:
            begin = time.monotonic()
            assert [part.event for part in client.runs.stream(None, "agent")] == ["end"]
            assert time.monotonic() - begin < LONG / 2


def test_a_connection_is_used_again_without_the_last_call_s_deadline() -> None:
    """A call on a kept connection has its own deadline, whatever the one before had."""
    deadline = 3.0  # Long enough for a call on a machine that stalls.
    with raw_server(lambda asked, send: send(http(b'{"thread_id": "t"}'))) as server:
        with client_of(server, deadline=deadline) as client:
            client.threads.get("t")
            sleep(deadline)
            client.threads.get("t")
            client.with_options(deadline=60).threads.get("t")
    assert {asked.connection for asked in server.asked} == {1}


@pytest.mark.parametrize(
    "pieces",
    [
        empty_blocks,
    ],
)
def test_it_ends_what_httpx_reads(pieces: Any) -> None:
    """Over a caller's own httpx client; blocking, a wait of httpx itself cannot be ended."""
    with raw_server(lambda asked, send: sending(pieces(), send)) as server:
        with (
            httpx.Client(base_url=server.url) as below,
            get_sync_client(
                url=server.url, retry=ONCE, deadline=DEADLINE, http_client=below
            ) as client,
        ):
            begin = time.monotonic()
            with pytest.raises(APITimeoutError):
                client.threads.get("t")
            assert time.monotonic() - begin < LONG / 2
