"""Over HTTP/2 streams share a connection: what happens to one of them concerns no other."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress

import httpx
import pytest
from hypercorn.asyncio import serve
from hypercorn.config import Config
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from langgraph_client import AsyncRunStream, get_client
from langgraph_client.errors import APITimeoutError, StreamIncomplete
from tests.support.eventually import eventually
from tests.support.free_port import free_port


async def events(request: Request) -> Response:
    """Six events, one after the other; the second one perhaps only after a `go_on`, or never."""
    name = (await request.json())["assistant_id"]

    async def body() -> object:
        for number in range(6):
            yield f"event: values\ndata: {number}\n\n"
            if name == "held":
                await request.app.state.going_on.wait()
            await asyncio.sleep(60 if name == "silent" else 0.1)
        yield "event: end\ndata: null\n\n"

    return StreamingResponse(body(), media_type="text/event-stream")


async def go_on(request: Request) -> Response:
    await request.body()  # hypercorn 0.18 breaks off if a response comes before the request's end.
    request.app.state.going_on.set()
    return Response()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server that speaks HTTP/2 in clear."""
    port = free_port()
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.loglevel = "error"
    app = Starlette(
        routes=[
            Route("/runs/stream", events, methods=["POST"]),
            Route("/go_on", go_on),
        ]
    )
    stopping: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def main() -> None:
        stop = asyncio.Event()
        app.state.going_on = asyncio.Event()
        stopping.set_result((asyncio.get_running_loop(), stop))
        await serve(app, config, shutdown_trigger=stop.wait)  # type: ignore[arg-type]

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    loop, stop = stopping.result(60)

    def is_listening() -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    eventually(is_listening)
    yield f"http://127.0.0.1:{port}"
    loop.call_soon_threadsafe(stop.set)
    thread.join(60)


async def followed(stream: AsyncRunStream[object], begun: asyncio.Event) -> list[str]:
    names = []
    async for part in stream:
        begun.set()
        names.append(part.event)  # type: ignore[attr-defined]
    return names


async def test_closing_one_stream_touches_no_other(url: str) -> None:
    """Who reads the closed one comes to its end; the other goes on to its own."""
    async with httpx.AsyncClient(http1=False, http2=True, timeout=60) as http:
        client = get_client(url=url, http_client=http)
        one = client.runs.stream(None, "x", input={})
        other = client.runs.stream(None, "x", input={})
        begun = [asyncio.Event(), asyncio.Event()]
        readers = [
            asyncio.ensure_future(followed(*each)) for each in zip((one, other), begun, strict=True)
        ]
        async with asyncio.timeout(60):
            for event in begun:
                await event.wait()
            await one.aclose()
            assert len(await readers[0]) < 6
            assert await readers[1] == [*["values"] * 6, "end"]


async def test_a_silent_stream_is_given_up_alone(url: str) -> None:
    """The time that a read may take ends that read; the other stream goes on."""
    async with httpx.AsyncClient(http1=False, http2=True, timeout=60) as http:
        client = get_client(url=url, http_client=http, timeout=60)
        impatient = get_client(url=url, http_client=http, timeout=httpx.Timeout(60, read=3))
        begun = asyncio.Event()
        other = asyncio.ensure_future(followed(client.runs.stream(None, "held", input={}), begun))
        silent = impatient.runs.stream(None, "silent", input={})
        async with asyncio.timeout(60):
            await begun.wait()
            with pytest.raises(StreamIncomplete) as caught:
                await followed(silent, asyncio.Event())
            await http.get(f"{url}/go_on")
            assert await other == [*["values"] * 6, "end"]
        assert isinstance(caught.value.__cause__, APITimeoutError)
