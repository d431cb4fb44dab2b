"""A port: connections that bring no request do not stay."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from contextlib import suppress
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect

from langgraph_client import Auth, ScriptedGraph, Server
from langgraph_client.server.http.listener import Port, http_protocol, socket_protocol

SECONDS = 1.0
HEAD = b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n"


class Served:
    """An application on a port, whose clients have a second for the head of a request."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        routes = [Route("/slow", self._slow), WebSocketRoute("/socket", self._echo)]
        config = uvicorn.Config(
            Starlette(routes=routes),
            http=http_protocol(None, SECONDS),
            ws=socket_protocol(None),
            lifespan="off",
            log_config=None,
            # Of uvicorn: it is not what is tested, and a pause of the machine may be that long.
            timeout_keep_alive=60,
        )
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._server = uvicorn.Server(config)

    async def _slow(self, request: Request) -> PlainTextResponse:
        await self.go_on.wait()
        return PlainTextResponse("done")

    async def _echo(self, websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text())

    async def __aenter__(self) -> Served:
        self._task = asyncio.create_task(self._server.serve([self._listening]))
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.should_exit = True
        await self._task

    async def sent(self, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        return reader, writer


async def long(reader: asyncio.StreamReader) -> bool:
    """Return whether a connection is open after twice the time that a head may take."""
    try:
        async with asyncio.timeout(2 * SECONDS):
            return await reader.read(1) != b""
    except TimeoutError:
        return True


@pytest.mark.parametrize("data", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nhost: x\r\n"])
async def test_half_a_head_is_not_waited_for_for_ever(data: bytes) -> None:
    """Nothing, or a part of a request: the connection is closed."""
    async with Served() as served:
        reader, writer = await served.sent(data)
        async with asyncio.timeout(60):
            assert await reader.read() == b""
        writer.close()


async def test_an_endless_head_is_not_read_to_its_end() -> None:
    """The connection is closed, whichever parser uvicorn has: httptools has no limit of its own."""
    async with Served() as served:
        _, writer = await served.sent(b"GET /slow HTTP/1.1\r\nhost: x\r\nx-a: ")
        with suppress(ConnectionError):
            for _ in range(1000):
                writer.write(b"x" * 10_000)
                await writer.drain()
            raise AssertionError("10 MB of a header were taken")
        writer.close()


async def test_a_request_may_take_longer() -> None:
    """The limit is for the head; a body and a response have others."""
    async with Served() as served:
        reader, writer = await served.sent(HEAD)
        assert await long(reader)
        served.go_on.set()
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
        assert (await reader.readuntil(b"done")).endswith(b"done")
        writer.write(HEAD)  # On the same connection, again.
        assert (await reader.readuntil(b"done")).endswith(b"done")
        writer.write(HEAD[:9])
        async with asyncio.timeout(60):
            assert await reader.read() == b""
        writer.close()


async def test_a_body_may_come_after_its_response() -> None:
    """A response that needs no body is read by a client that sends one, and so is the next."""
    async with Served() as served:
        served.go_on.set()
        size = 1_000_000
        head = HEAD.replace(b"\r\n\r\n", b"\r\ncontent-length: %d\r\n\r\n" % size)
        reader, writer = await served.sent(head)
        assert (await reader.readuntil(b"done")).endswith(b"done")
        assert await long(reader)
        for _ in range(10):
            writer.write(b"x" * (size // 10))
            await writer.drain()
        writer.write(HEAD)
        assert (await reader.readuntil(b"done")).endswith(b"done")
        writer.close()


async def test_a_socket_stays() -> None:
    """A WebSocket is no request whose head is late."""
    async with Served() as served, connect(f"ws://127.0.0.1:{served.port}/socket") as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2 * SECONDS):
                await client.recv()
        await client.send("here")
        assert await client.recv() == "here"


@pytest.mark.parametrize("method", [b"POST", b"GET"])
@pytest.mark.parametrize(
    ("rest", "blames_body"),
    [
        (b"content-length: 2\r\n\r\n{}", True),
        (b"content-length: 9999\r\n\r\n", True),
        (b"cookie: a=" + b"b" * 9000 + b"\r\n\r\n", False),
    ],
)
async def test_a_handshake_that_cannot_be_one_is_refused_at_once(
    method: bytes, rest: bytes, blames_body: bool
) -> None:
    """The client gets an answer that says why, and the connection ends."""
    async with Served() as served:
        head = b" /slow HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
        key = b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n"
        reader, writer = await served.sent(method + head + key + rest)
        async with asyncio.timeout(60):
            response = await reader.read()
        assert response.startswith(b"HTTP/1.1 400 ")
        assert (b"body" in response) is blames_body
        writer.close()


async def test_a_fault_of_the_server_says_that_its_connection_ends() -> None:
    """uvicorn closes it, so a client must not take it for its next request."""
    auth = Auth()

    @auth.authenticate
    async def authenticate() -> str:
        headers: Any = {"x": 5}  # No header, which is found only when the response is made.
        raise Auth.exceptions.HTTPException(401, headers=headers)

    with Server({"agent": ScriptedGraph([{"a": 1}])}, auth=auth) as server:
        async with httpx.AsyncClient(base_url=server.listen(), trust_env=False, timeout=60) as http:
            answer = await http.get("/threads/x")
    assert (answer.status_code, answer.headers["connection"]) == (500, "close")


async def test_an_unhurried_client_is_served() -> None:
    """Pieces of a head may come one after the other."""
    async with Served() as served:
        served.go_on.set()
        reader, writer = await served.sent(HEAD[:5])
        await asyncio.sleep(0)
        writer.write(HEAD[5:])
        assert (await reader.readuntil(b"done")).endswith(b"done")
        writer.close()
        async with httpx.AsyncClient(timeout=60) as client:
            url = f"http://127.0.0.1:{served.port}/slow"
            assert (await client.get(url)).text == "done"


async def test_a_client_that_comes_as_the_port_is_closed_is_not_left_waiting(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Also if the loop was held up meanwhile, so that all of it happens in one turn."""

    async def unused(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("no request is sent")

    port = Port("127.0.0.1", 0)
    await port.serve(unused, None)
    stopping = asyncio.create_task(port.stop())
    await asyncio.sleep(0)
    with socket.create_connection(("127.0.0.1", httpx.URL(port.url).port)) as client:
        time.sleep(0.5)  # noqa: ASYNC251 (longer than open responses have)
        with caplog.at_level(logging.ERROR):
            await stopping
        client.setblocking(False)
        assert await asyncio.get_running_loop().sock_recv(client, 1) == b""
    assert caplog.records == []
