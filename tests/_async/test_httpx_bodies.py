"""Bodies over httpx: what is cut or damaged is noticed as on the client's own connections."""

from __future__ import annotations

import gzip
import threading
import zlib
from asyncio import sleep
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from langgraph_client import RetryPolicy, get_client
from langgraph_client._io.tasks import Job
from langgraph_client.errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
)
from tests.support.eventually import aeventually
from tests.support.raw_server import EVENTS, Asked, Send, chunked, http, raw_server
from tests.support.wire import event

ONCE = RetryPolicy(max_attempts=1)
THREAD = b'{"thread_id": "t"}'
PACKED = gzip.compress(THREAD, mtime=0)


class Pieces(httpx.AsyncByteStream):
    """A body in these pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece


class Fixed(httpx.AsyncBaseTransport):
    """A transport of the caller's own that does not check what it gets."""

    def __init__(self, *pieces: bytes, headers: dict[str, str]) -> None:
        self.pieces = pieces
        self.headers = headers

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
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
async def test_a_body_is_decompressed(encoding: str, body: bytes) -> None:
    """In pieces of one byte, too."""
    for pieces in ([body], [bytes([byte]) for byte in body]):
        transport = Fixed(b"", *pieces, headers={"content-encoding": encoding})
        async with get_client(url="http://there", transport=transport) as client:
            assert (await client.threads.get("t")).thread_id == "t"


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
async def test_a_cut_body_is_an_error(
    pieces: list[bytes], headers: dict[str, str], kind: type[APIError]
) -> None:
    """Even where what there is of it is JSON."""
    transport = Fixed(*pieces, headers=headers)
    async with get_client(url="http://there", transport=transport, retry=ONCE) as client:
        with pytest.raises(kind):
            await client.threads.get("t")


async def test_a_cut_gzip_body_over_httpx_s_own_connections_is_an_error() -> None:
    """HTTP's own framing is complete, so only the compressed data shows it."""

    def answer(asked: Asked, send: Send) -> None:
        send(http(PACKED[:-9], "content-encoding: gzip"))

    with raw_server(answer) as server:
        async with (
            httpx.AsyncClient(base_url=server.url, timeout=60) as below,
            get_client(url=server.url, retry=ONCE, http_client=below) as client,
        ):
            with pytest.raises(APIConnectionError, match="compressed body is not complete"):
                await client.threads.get("t")


async def test_a_response_without_a_body_may_promise_one() -> None:
    """A status that has no body may have the length of another response's."""

    class Unchanged(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return httpx.Response(204, headers={"content-length": "5"}, stream=Pieces())

    async with get_client(url="http://there", transport=Unchanged(), retry=ONCE) as client:
        assert await client.threads.delete("t") is None


async def test_a_hook_may_read_the_response_first() -> None:
    """The body is then what httpx has kept of it."""
    seen: list[bytes] = []

    async def hook(response: httpx.Response) -> None:
        seen.append(await response.aread())

    def answer(asked: Asked, send: Send) -> None:
        packed = "packed" in asked.line
        send(http(PACKED, "content-encoding: gzip") if packed else http(THREAD))

    with raw_server(answer) as server:
        async with (
            httpx.AsyncClient(base_url=server.url, event_hooks={"response": [hook]}) as below,
            get_client(url=server.url, retry=ONCE, timeout=60, http_client=below) as client,
        ):
            for thread_id in ("plain", "packed"):
                assert (await client.threads.get(thread_id)).thread_id == "t"
    assert seen == [THREAD] * 2


async def test_an_interrupted_read_is_an_error() -> None:
    """Whoever interrupts it: what was received so far is not the whole body."""
    done = threading.Event()
    outcomes: list[object] = []

    def answer(asked: Asked, send: Send) -> None:
        send(EVENTS + chunked(event("values", 1))[:-5])
        done.wait(60)

    async def read() -> None:
        try:
            outcomes.append(await stream._answer.read())
        except Exception as error:
            outcomes.append(str(error))

    with raw_server(answer) as server:
        async with (
            httpx.AsyncClient(base_url=server.url, timeout=60) as below,
            get_client(url=server.url, retry=ONCE, http_client=below) as client,
        ):
            stream: Any = client.runs.stream(None, "agent")
            assert (await anext(stream)).data == 1
            job = Job(read)
            await sleep(0.05)  # Nothing shows that it waits for bytes: by now it most likely does.
            await stream._answer.interrupt()
            await aeventually(lambda: outcomes)
            done.set()
            await job.stop()
            await stream.aclose()
    assert "closed by this client" in str(outcomes)
