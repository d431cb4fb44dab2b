"""Fixtures, named for what they give."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from support.graphs import graphs

from langgraph_client import LangGraphClient, Server, SyncLangGraphClient


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--interop", action="store_true", help="run the interop scenarios on a langgraph dev, too"
    )


@pytest.fixture
def server() -> Iterator[Server]:
    """An in-process server with the graphs of `support.graphs`, in memory."""
    with Server(graphs()) as running:
        yield running


@pytest.fixture
async def client(server: Server) -> AsyncIterator[LangGraphClient]:
    """An async client of `server`."""
    async with server.client() as made:
        yield made


@pytest.fixture
def sync_client(server: Server) -> Iterator[SyncLangGraphClient]:
    """A blocking client of `server`."""
    with server.sync_client() as made:
        yield made


@pytest.fixture(params=["local", "remote"])
def graph_named(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Gives a graph by name: compiled locally with a checkpointer, or on a server, in turn."""
    if request.param == "local":
        from langgraph.checkpoint.memory import InMemorySaver

        local = {
            name: graph.copy({"checkpointer": InMemorySaver()}) for name, graph in graphs().items()
        }
        yield local.__getitem__
    else:
        with Server(graphs()) as running:
            yield running.remote_graph
