"""uvloop, the event loop that `uvicorn[standard]` brings: clients and servers on it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from langgraph_client import RemoteGraph, ScriptedGraph, Server, get_client, get_sync_client
from langgraph_client.errors import APIConnectionError, APITimeoutError
from langgraph_client.testing import Emit, FaultProxy
from tests.support.free_port import free_port
from tests.support.raw_server import client_context
from tests.support.tls_front import tls_front

uvloop = pytest.importorskip("uvloop", reason="uvloop is not for this platform")

LONG = "x" * 2_000_000
GRAPHS = {
    "agent": ScriptedGraph([Emit({"n": n}) for n in range(50)] + [{"done": True}]),
    "long": ScriptedGraph([{"text": LONG}]),
}


@pytest.fixture
def url() -> Iterator[str]:
    with Server(GRAPHS) as server:
        yield server.listen()


async def use(url: str, **options: Any) -> None:
    """Use each kind of connection."""
    async with get_client(url=url, **options) as client:
        # Its loop is uvloop's.
        assert type(asyncio.get_running_loop()).__module__.startswith("uvloop")
        assert await client.runs.wait(None, "agent", input={}) == {"done": True}
        custom: dict[str, Any] = {"input": {}, "stream_mode": "custom"}
        parts = [part.data async for part in client.runs.stream(None, "agent", **custom)]
        assert parts[1:] == [{"n": n} for n in range(50)]
        both = await asyncio.gather(
            *(client.runs.wait(None, "long", input={"text": LONG}) for _ in range(3))
        )
        assert both == [{"text": LONG}] * 3
        for transport in ("sse", "websocket"):
            async with client.threads.stream(assistant_id="agent", transport=transport) as thread:
                await thread.run.start(input={})
                assert await thread.output == {"done": True}
        async for _ in client.runs.stream(None, "agent", **custom):
            break
        graph = RemoteGraph("agent", client=client)
        assert await graph.ainvoke({}) == {"done": True}


def test_a_client_on_uvloop(url: str) -> None:
    """Calls, streams, large bodies in both directions, and a stream that is left."""
    uvloop.run(use(url))


def test_a_client_whose_requests_httpx_carries_on_uvloop(url: str) -> None:
    """The same over a transport of httpx, as behind a proxy."""
    uvloop.run(use(url, transport=httpx.AsyncHTTPTransport()))


def test_a_client_on_uvloop_with_tls(url: str) -> None:
    """The same with TLS."""
    with tls_front(url) as safe:
        uvloop.run(use(safe, verify=client_context()))


def test_failures_on_uvloop_are_ours(url: str) -> None:
    """Nobody listens, silence, and a connection that breaks."""

    async def fail() -> None:
        async with get_client(url=f"http://127.0.0.1:{free_port()}", retry=None) as client:
            with pytest.raises(APIConnectionError):
                await client.info()
        with FaultProxy(url) as proxy:
            async with get_client(url=proxy.url, retry=None, timeout=0.2) as client:
                with proxy.faults.stall(), pytest.raises(APITimeoutError):
                    await client.info()
            async with get_client(url=proxy.url, retry=None) as client:
                with proxy.faults.cut_after(bytes=5), pytest.raises(APIConnectionError):
                    await client.info()

    uvloop.run(fail())


@pytest.mark.filterwarnings("ignore:.*event_loop_policy:DeprecationWarning")
def test_a_server_on_uvloop() -> None:
    """Where uvloop is the policy of the program, the loops of a server and a proxy are its, too."""
    before = asyncio.get_event_loop_policy()
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    try:
        with Server(GRAPHS) as server, FaultProxy(server.listen()) as proxy:
            with get_sync_client(url=proxy.url) as client:
                assert client.runs.wait(None, "agent", input={}) == {"done": True}
            asyncio.run(use(proxy.url))
    finally:
        asyncio.set_event_loop_policy(before)
