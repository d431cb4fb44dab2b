"""Graphs and clients that nobody closes: LangGraph's RemoteGraph has no method for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from langgraph_client import RemoteGraph, ScriptedGraph, get_client, get_sync_client
from langgraph_client.testing import FaultProxy, TestServer
from tests.support.eventually import aeventually, eventually
from tests.support.garbage import collect

# A socket that nobody closed would be a warning, and fails these tests.


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    """Counts the connections to a server."""
    graphs = {"agent": ScriptedGraph([{"done": True}])}
    with TestServer(graphs) as server, FaultProxy(server.listen()) as proxy:
        yield proxy


def test_what_is_dropped_is_closed(proxy: FaultProxy) -> None:
    """As soon as it is collected, its connections are gone."""

    def use() -> None:
        assert RemoteGraph("agent", url=proxy.url).invoke({}) == {"done": True}
        assert list(RemoteGraph("agent", url=proxy.url).stream({})) != []
        assert get_sync_client(url=proxy.url).ok()

    use()
    collect()
    eventually(lambda: proxy.connections == 0)


async def test_what_is_dropped_is_closed_while_its_loop_goes_on(proxy: FaultProxy) -> None:
    """The same for async code."""

    async def use() -> None:
        assert await RemoteGraph("agent", url=proxy.url).ainvoke({}) == {"done": True}
        assert [_ async for _ in RemoteGraph("agent", url=proxy.url).astream({})] != []
        assert await get_client(url=proxy.url).ok()

    await use()
    collect()
    await aeventually(lambda: proxy.connections == 0)


def test_what_is_dropped_as_its_loop_ends_is_closed(proxy: FaultProxy) -> None:
    """Nothing runs after it that could close it."""

    async def use() -> None:
        assert await RemoteGraph("agent", url=proxy.url).ainvoke({}) == {"done": True}

    for _ in range(3):
        asyncio.run(use())
        collect()
    eventually(lambda: proxy.connections == 0)
