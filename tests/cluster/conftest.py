"""Several servers on one PostgreSQL database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest

from langgraph_client.server.options import WebhookOptions
from langgraph_client.server.server import Server
from tests.support.hosted import Gate, hosted


@pytest.fixture
def database(postgres: str) -> str:
    """The URL of the database that the servers share."""
    return postgres


class Pair(NamedTuple):
    """Two servers: one that answers requests, and one that carries out the runs."""

    api: httpx.Client
    worker: httpx.Client
    servers: tuple[Server, Server]


def http_of(server: Server) -> httpx.Client:
    """Return bare httpx to a server."""
    return httpx.Client(transport=server.transport(), base_url="http://test", timeout=60)


@pytest.fixture
def gate() -> Gate:
    """Lets a test hold a node and let it go."""
    return Gate()


@pytest.fixture
def pair(database: str, gate: Gate) -> Iterator[Pair]:
    """A server that only answers, and one that carries out runs, with the same graphs."""
    graphs: dict[str, Any] = hosted(gate)
    hooks = WebhookOptions(loopback=True)
    with (
        Server(graphs, path=database, role="api", webhooks=hooks) as api,
        Server(graphs, path=database, role="worker", webhooks=hooks) as worker,
        http_of(api) as first,
        http_of(worker) as second,
    ):
        yield Pair(first, second, (api, worker))
