# Generated from tests/_async/test_httpx_bodies.py by .ci/unasync.py; do not edit.
"""Bodies over httpx: what is cut or damaged is noticed as on the client's own connections."""

from __future__ import annotations

import gzip
import threading
import zlib
from collections.abc import Iterator
from time import sleep
from typing import Any

import httpx
import pytest

from langgraph_client import RetryPolicy, get_sync_client
from langgraph_client._io.threads import Job
from langgraph_client.errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
)
from tests.support.eventually import eventually
from tests.support.raw_server import EVENTS, Asked, Send, chunked, http, raw_server
from tests.support.wire import event

ONCE = RetryPolicy(max_attempts=1)
THREAD = b'{"thread_id": "t"}'
PACKED = gzip.compress(THREAD, mtime=0)


class Pieces(httpx.SyncByteStream):
    """A body in these pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            yield piece


class Fixed(httpx.BaseTransport):
    """A transport of the caller's own that does not check what it gets."""

    def __init__(self, *pieces: bytes, headers: dict[str, str]) -> None:
        self.pieces = pieces
        self.headers = headers

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers=self.headers, stream=Pieces(*self.pieces))


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", PACKED),
        ("x-gzip", PACKED),
        ("deflate", zlib.compress(THREAD)),
        ("deflate", zlib.compress(THREAD)[2:-4]),
        ("identity", THREAD),
        ("", THREAD),
    ],
)
def test_a_body_is_decompressed(encoding: str, body: bytes) -> None:
    """In pieces of one byte, too."""
    for pieces in ([body], [bytes([byte]) for byte in body]):
        transport = Fixed(b"", *pieces, headers={"content-encoding": encoding})
        with get_sync_client(url="http://there", transport=transport) as client:
            assert (client.threads.get("t")).thread_id == "t"


@pytest.mark.parametrize(
    ("pieces", "headers", "kind"),
    [
        ([PACKED[:-9]], {"content-encoding": "gzip"}, APIConnectionError),
        ([zlib.compress(THREAD)[:-4]], {"content-encoding": "deflate"}, APIConnectionError),
        ([b"\x1f\x8bno"], {"content-encoding": "gzip"}, APIResponseValidationError),
        ([THREAD[:-1], b"}"], {"content-length": "19"}, APIConnectionError),
        ([PACKED], {"content-encoding": "gzip", "content-length": "99"}, APIConnectionError),
    ],
    ids=["gzip cut", "deflate cut", "not gzip", "less than promised", "less than promised, gzip"],
)
def test_a_cut_body_is_an_error(
    pieces: list[bytes], headers: dict[str, str], kind: type[APIError]
) -> None:
    """Even where what there is of it is JSON."""
    transport = Fixed(*pieces, headers=headers)
    with get_sync_client(url="http://there", transport=transport, retry=ONCE) as client:
        with pytest.raises(kind):
            client.threads.get("t")


def test_a_cut_gzip_body_over_httpx_s_own_connections_is_an_error() -> None:
    """HTTP's own framing is complete, so only the compressed data shows it."""

    def answer(asked: Asked, send: Send) -> None:
        send(http(PACKED[:-9], "content-encoding: gzip"))

    with raw_server(answer) as server:
        with (
            httpx.Client(base_url=server.url, timeout=60) as below,
            get_sync_client(url=server.url, retry=ONCE, http_client=below) as client,
        ):
            with pytest.raises(APIConnectionError, match="compressed body is not complete"):
                client.threads.get("t")


def test_a_response_without_a_body_may_promise_one() -> None:
    """A status that has no body may have the length of another response's."""

    class Unchanged(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            return httpx.Response(204, headers={"content-length": "5"}, stream=Pieces())

    with get_sync_client(url="http://there", transport=Unchanged(), retry=ONCE) as client:
        assert client.threads.delete("t") is None


def test_a_hook_may_read_the_response_first() -> None:
    """The body is then what httpx has kept of it."""
    seen: list[bytes] = []

    def hook(response: httpx.Response) -> None:
        seen.append(response.read())

    def answer(asked: Asked, send: Send) -> None:
        packed = "packed" in asked.line
        send(http(PACKED, "content-encoding: gzip") if packed else http(THREAD))

    with raw_server(answer) as server:
        with (
            httpx.Client(base_url=server.url, event_hooks={"response": [hook]}) as below,
            get_sync_client(url=server.url, retry=ONCE, timeout=60, http_client=below) as client,
        ):
            for thread_id in ("plain", "packed"):
                assert (client.threads.get(thread_id)).thread_id == "t"
    assert seen == [THREAD] * 2


def test_an_interrupted_read_is_an_error() -> None:
    """Whoever interrupts it: what was received so far is not the whole body."""
    done = threading.Event()
    outcomes: list[object] = []

    def answer(asked: Asked, send: Send) -> None:
        send(EVENTS + chunked(event("values", 1))[:-5])
        done.wait(60)

    def read() -> None:
        try:
            outcomes.append(stream._answer.read())
        except Exception as error:
            outcomes.append(str(error))

    with raw_server(answer) as server:
        with (
            httpx.Client(base_url=server.url, timeout=60) as below,
            get_sync_client(url=server.url, retry=ONCE, http_client=below) as client,
        ):
            stream: Any = client.runs.stream(None, "agent")
            assert (next(stream)).data == 1
            job = Job(read)
            sleep(0.05)  # Nothing shows that it waits for bytes: by now it most likely does.
            stream._answer.interrupt()
            eventually(lambda: outcomes)
            done.set()
            job.stop()
            stream.close()
    assert "closed by this client" in str(outcomes)
