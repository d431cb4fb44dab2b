"""What the server's tests share: a server with graphs of their own, and bare httpx to it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple

import httpx
import pytest

from langgraph_client.server.server import Server
from tests.support.hosted import Gate, hosted

BASE = "http://test"


class Sent(NamedTuple):
    """One server-sent event as it came."""

    name: str
    data: Any
    id: str | None


def parse(text: str) -> list[Sent]:
    """Return the events of a stream's text; comments are left out."""
    found = []
    for frame in text.split("\r\n\r\n"):
        fields = dict(
            line.split(": ", 1) for line in frame.split("\r\n") if line[:1] not in ("", ":")
        )
        if fields:
            found.append(Sent(fields["event"], json.loads(fields["data"]), fields.get("id")))
    return found


@pytest.fixture
def gate() -> Gate:
    """Lets a test hold a node and let it go."""
    return Gate()


@pytest.fixture
def server(gate: Gate) -> Iterator[Server]:
    """A server in memory with the graphs of `support.hosted`."""
    with Server(hosted(gate)) as running:
        yield running


@pytest.fixture
def http(server: Server) -> Iterator[httpx.Client]:
    """Bare httpx over the server's blocking transport."""
    with httpx.Client(transport=server.transport(), base_url=BASE, timeout=60) as client:
        yield client


@pytest.fixture
async def ahttp(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """Bare httpx over the server's async transport."""
    transport = server.async_transport()
    async with httpx.AsyncClient(transport=transport, base_url=BASE, timeout=60) as client:
        yield client


@pytest.fixture
def thread(http: httpx.Client) -> str:
    """The id of a new thread."""
    return str(http.post("/threads", json={}).json()["thread_id"])
