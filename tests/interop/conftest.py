"""Scenarios that run on our server and on the real one: `--interop` adds the real one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from interop.real import langgraph_dev
from support.graphs import graphs

from langgraph_client import LangGraphClient, Server, get_client


@pytest.fixture(scope="session")
def real_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL of a `langgraph dev` that hosts the graphs of `support.graphs`."""
    if not request.config.getoption("--interop"):
        pytest.skip("needs a langgraph dev: run with --interop (make interop)")
    with langgraph_dev(tmp_path_factory.mktemp("real")) as url:
        yield url


@pytest.fixture(scope="session")
def our_url() -> Iterator[str]:
    """The URL of a bundled server with the same graphs."""
    with Server(graphs()) as server:
        server.listen(port=0)
        assert server.url is not None
        yield server.url


@pytest.fixture(params=["ours", "real"])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of either server, in turn."""
    found: str = request.getfixturevalue("our_url" if request.param == "ours" else "real_url")
    return found


@pytest.fixture
async def client(url: str) -> AsyncIterator[LangGraphClient]:
    """An async client of either server."""
    async with get_client(url=url) as made:
        yield made
