"""Serve the transport of an httpx client on a port, so that any client can talk to it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import Any

import httpx
import uvicorn

App = Callable[[Any, Any, Any], Awaitable[None]]

_HOP_BY_HOP = {b"connection", b"transfer-encoding", b"content-length", b"keep-alive"}


class _Server(uvicorn.Server):
    """Waits for its end on an event: tests replace `asyncio.sleep`, which uvicorn polls with."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.runs_in: asyncio.Task[None] | threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._end.wait()
        self.should_exit = self.force_exit = True  # Without waiting for connections.

    def stop(self) -> None:
        """End, also from another thread."""
        self.should_exit = True  # If it is not up yet.
        with contextlib.suppress(RuntimeError):  # The loop of the test is closed already.
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._end.set)


_running: list[_Server] = []


def url_of(client: httpx.Client | httpx.AsyncClient) -> str:
    """Where `client` can be reached: its own URL, or a port that its transport is served on."""
    transport = client._transport
    if isinstance(transport, httpx.AsyncHTTPTransport | httpx.HTTPTransport):
        return str(client.base_url).rstrip("/")
    return _serve(client)


def stop_all() -> None:
    """Stop every server that `url_of` has started."""
    while _running:
        _running.pop().stop()


def without_hop_by_hop(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers, but those of one connection."""
    return [(name, value) for name, value in headers if name.lower() not in _HOP_BY_HOP]


def _serve(client: httpx.Client | httpx.AsyncClient) -> str:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    config = uvicorn.Config(
        _app(client), log_config=None, log_level="critical", lifespan="off", access_log=False
    )
    server = _Server(config)
    _running.append(server)
    if isinstance(client, httpx.AsyncClient):
        # In the loop of the test, where what its transport waits for belongs.
        loop = asyncio.get_running_loop()
        server.runs_in = loop.create_task(server.serve(sockets=[listener]))
    else:
        server.runs_in = threading.Thread(
            target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True
        )
        server.runs_in.start()
    # Nobody needs to wait: the socket listens already.
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def _app(client: httpx.Client | httpx.AsyncClient) -> App:
    transport = client._transport
    if isinstance(transport, httpx.ASGITransport):
        return transport.app

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            request = _request(client, scope, await _body(receive))
            response = await _response(client, request)
            headers = without_hop_by_hop(response.headers.raw)
            start = {"type": "http.response.start", "status": response.status_code}
            await send({**start, "headers": [(name.lower(), value) for name, value in headers]})
            async for chunk in _chunks(response):
                if chunk:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})

    return app


async def _response(
    client: httpx.Client | httpx.AsyncClient, request: httpx.Request
) -> httpx.Response:
    if isinstance(client, httpx.AsyncClient):
        return await client._transport.handle_async_request(request)
    return await asyncio.to_thread(client._transport.handle_request, request)


async def _chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    if isinstance(response.stream, httpx.AsyncByteStream):
        async for chunk in response.stream:
            yield chunk
        return
    assert isinstance(response.stream, httpx.SyncByteStream)
    chunks = iter(response.stream)
    while chunk := await asyncio.to_thread(lambda: next(chunks, b"")):
        yield chunk


async def _body(receive: Any) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return bytes(body)
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)


def _request(client: httpx.Client | httpx.AsyncClient, scope: Any, body: bytes) -> httpx.Request:
    path = scope.get("raw_path") or scope["path"].encode()
    if scope["query_string"]:
        path += b"?" + scope["query_string"]
    headers = [(name, value) for name, value in scope["headers"] if name != b"host"]
    url = client.base_url.copy_with(raw_path=path)
    return httpx.Request(scope["method"], url, headers=headers, content=body)
