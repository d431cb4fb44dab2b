"""What is measured: clients of one shape, from the incumbent's down to the bare socket.

Each has `open` (blocking) and `aopen` (async), which give something to call: `get`, `post` and
`stream`, or `aget`, `apost` and `astream`.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit

import orjson
from events import Dechunker, Splitter

THREAD_ID = "00000000-0000-0000-0000-000000000008"
INPUT = {"messages": [{"role": "user", "content": "hello"}]}
METADATA = {"owner": "me"}


def mode_of(spec: str) -> str:
    """The stream mode of a stream's description; see `canned_server`."""
    kind = spec.partition(":")[0]
    return "messages-tuple" if kind == "messages" else kind


class Sdk:
    """A module with `get_client` and `get_sync_client`."""

    def __init__(self, module: str) -> None:
        self._module = importlib.import_module(module)

    def open(self, url: str) -> Any:
        return self._module.get_sync_client(url=url, api_key="test")

    def aopen(self, url: str) -> Any:
        return self._module.get_client(url=url, api_key="test")

    def get(self, client: Any) -> Any:
        return client.threads.get(THREAD_ID)

    def post(self, client: Any) -> Any:
        return client.threads.create(metadata=METADATA)

    aget, apost = get, post

    def stream(self, client: Any, spec: str) -> Any:
        return client.runs.stream(None, spec, input=INPUT, stream_mode=mode_of(spec))

    astream = stream


class Remote:
    """A `RemoteGraph`; the graph's name is the description of its stream."""

    def __init__(self, module: str, **options: Any) -> None:
        self._kind = importlib.import_module(module).RemoteGraph
        self._options = options

    def open(self, url: str) -> Any:
        return url

    aopen = open

    def _stream(self, url: str, spec: str, method: str) -> Any:
        graph = self._kind(spec, url=url, api_key="test", **self._options)
        return getattr(graph, method)(INPUT, stream_mode=spec.partition(":")[0])

    def stream(self, url: str, spec: str) -> Any:
        return self._stream(url, spec, "stream")

    def astream(self, url: str, spec: str) -> Any:
        return self._stream(url, spec, "astream")


class Bare:
    """httpx, and httpx-sse, as one would write it by hand."""

    def __init__(self) -> None:
        import httpx

        self._httpx = httpx
        # Without its limit of a hundred connections, at which five hundred calls would wait.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        self._options: dict[str, Any] = {"headers": {"x-api-key": "test"}, "timeout": 60}
        self._options["limits"] = limits

    def open(self, url: str) -> Any:
        return self._httpx.Client(base_url=url, **self._options)

    def aopen(self, url: str) -> Any:
        return self._httpx.AsyncClient(base_url=url, **self._options)

    def get(self, client: Any) -> Any:
        return orjson.loads(client.get(f"/threads/{THREAD_ID}").content)

    async def aget(self, client: Any) -> Any:
        return orjson.loads((await client.get(f"/threads/{THREAD_ID}")).content)

    def post(self, client: Any) -> Any:
        return orjson.loads(client.post("/threads", json={"metadata": METADATA}).content)

    async def apost(self, client: Any) -> Any:
        return orjson.loads((await client.post("/threads", json={"metadata": METADATA})).content)

    def stream(self, client: Any, spec: str) -> Iterator[Any]:
        from httpx_sse import connect_sse

        with connect_sse(client, "POST", "/runs/stream", json=body_of(spec)) as source:
            for event in source.iter_sse():
                yield event.event, orjson.loads(event.data)

    async def astream(self, client: Any, spec: str) -> AsyncIterator[Any]:
        from httpx_sse import aconnect_sse

        async with aconnect_sse(client, "POST", "/runs/stream", json=body_of(spec)) as source:
            async for event in source.aiter_sse():
                yield event.event, orjson.loads(event.data)


def body_of(spec: str) -> dict[str, Any]:
    """The body of a request for a stream."""
    return {"assistant_id": spec, "input": INPUT, "stream_mode": [mode_of(spec)]}


def request(method: str, path: str, body: Any = None) -> bytes:
    """The bytes of a request."""
    content = b"" if body is None else json.dumps(body).encode()
    head = (
        f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\nx-api-key: test\r\n"
        f"content-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


GET = request("GET", f"/threads/{THREAD_ID}")


class Peer(asyncio.Protocol):
    """One connection of the bare socket, async."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.is_over = False
        self._waiter: asyncio.Future[None] | None = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.data += data
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        self.is_over = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def more(self) -> None:
        """Wait for more bytes."""
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter


class Socket:
    """Bytes to and from a socket, and orjson: what the machine allows."""

    def open(self, url: str) -> socket.socket:
        place = urlsplit(url)
        connected = socket.create_connection((place.hostname or "", place.port or 80))
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connected

    def _call(self, connected: socket.socket, asked: bytes) -> Any:
        connected.sendall(asked)
        data = connected.recv(65536)
        while (whole := whole_answer(data)) is None:
            data += connected.recv(65536)
        return orjson.loads(whole)

    def get(self, connected: socket.socket) -> Any:
        return self._call(connected, GET)

    def post(self, connected: socket.socket) -> Any:
        return self._call(connected, request("POST", "/threads", {"metadata": METADATA}))

    def stream(self, connected: socket.socket, spec: str) -> Iterator[Any]:
        connected.sendall(request("POST", "/runs/stream", body_of(spec)))
        data = b""
        while b"\r\n\r\n" not in data:
            data += connected.recv(65536)
        data = data.partition(b"\r\n\r\n")[2]
        dechunker, splitter = Dechunker(), Splitter()
        while True:
            yield from splitter.feed(dechunker.feed(data))
            if dechunker.done:
                return
            data = connected.recv(262144)

    def aopen(self, url: str) -> tuple[Any, list[Peer]]:
        return urlsplit(url), []

    async def _connected(self, client: tuple[Any, list[Peer]]) -> Peer:
        place, idle = client
        if idle:
            return idle.pop()
        loop = asyncio.get_running_loop()
        return (await loop.create_connection(Peer, place.hostname, place.port))[1]

    async def _acall(self, client: tuple[Any, list[Peer]], asked: bytes) -> Any:
        peer = await self._connected(client)
        peer.transport.write(asked)
        while (whole := whole_answer(peer.data)) is None:
            await peer.more()
        peer.data.clear()
        client[1].append(peer)
        return orjson.loads(whole)

    def aget(self, client: Any) -> Any:
        return self._acall(client, GET)

    def apost(self, client: Any) -> Any:
        return self._acall(client, request("POST", "/threads", {"metadata": METADATA}))

    async def astream(self, client: Any, spec: str) -> AsyncIterator[Any]:
        peer = await self._connected(client)
        peer.transport.write(request("POST", "/runs/stream", body_of(spec)))
        while b"\r\n\r\n" not in peer.data:
            await peer.more()
        data = bytes(peer.data).partition(b"\r\n\r\n")[2]
        peer.data.clear()
        dechunker, splitter = Dechunker(), Splitter()
        while True:
            for part in splitter.feed(dechunker.feed(data)):
                yield part
            if dechunker.done or peer.is_over:
                break
            peer.transport.resume_reading()
            if not peer.data:
                await peer.more()
            peer.transport.pause_reading()
            data = bytes(peer.data)
            peer.data.clear()
        peer.transport.resume_reading()
        client[1].append(peer)


def whole_answer(data: bytes | bytearray) -> bytes | None:
    """The body of an answer of known length, once it is there."""
    head, end, body = bytes(data).partition(b"\r\n\r\n")
    if not end:
        return None
    length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return body if len(body) >= length else None


SUBJECTS = {
    "theirs": lambda: Sdk("langgraph_sdk"),
    "ours": lambda: Sdk("langgraph_client"),
    "their RemoteGraph": lambda: Remote("langgraph.pregel.remote"),
    "our RemoteGraph": lambda: Remote("langgraph_client"),
    "our RemoteGraph, dicts": lambda: Remote("langgraph_client", decode_messages=False),
    "httpx": Bare,
    "socket": Socket,
}
