"""Fixtures of the tests that use the page in a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from langgraph_client import Server, SyncLangGraphClient
from tests.support.hosted import Gate

from .browser import CHROMIUM, Browser, Page, browser
from .graphs import graphs


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A running Chromium."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with browser(tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture
def gate() -> Gate:
    """Where the second node of `order` waits."""
    return Gate()


@pytest.fixture
def server(gate: Gate) -> Iterator[Server]:
    """A server on a port, with the graphs of `ui.graphs`."""
    server = Server(graphs(gate))
    server.listen()
    with server:
        yield server
        gate.open()


@pytest.fixture
def client(server: Server) -> Iterator[SyncLangGraphClient]:
    """A client of `server`."""
    with server.sync_client() as made:
        yield made


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """An empty page in a browser; it fails the test if its console showed an error."""
    with chromium.page() as opened:
        yield opened
        assert opened.problems == []


@pytest.fixture
def visit(page: Page, server: Server) -> Callable[[str], Page]:
    """Opens a part of the server's page: `visit("threads")`."""

    def visit(path: str) -> Page:
        page.open("about:blank")
        page.open(f"{server.url}/ui/#/{path}")
        return page

    return visit
