"""httpx2, httpx's successor: its clients, transports and timeouts in the place of httpx's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from langgraph_client import (
    APIConnectionError,
    APITimeoutError,
    LangGraphClient,
    NotFoundError,
    Server,
    SyncLangGraphClient,
    get_client,
    get_sync_client,
)
from tests.support.graphs import shared_graphs

httpx2: Any = pytest.importorskip("httpx2")


@pytest.fixture
def url() -> Iterator[str]:
    with Server(shared_graphs()) as running:
        yield running.listen()


def ways(url: str) -> Iterator[SyncLangGraphClient]:
    """Blocking clients over httpx2, in each way it can be brought."""
    own = httpx2.Client(base_url=url, trust_env=False)
    yield SyncLangGraphClient(own)
    yield get_sync_client(url=url, http_client=own)
    own.close()
    yield get_sync_client(url=url, transport=httpx2.HTTPTransport())
    limits, timeout = httpx2.Limits(max_connections=2), httpx2.Timeout(20, connect=3)
    yield get_sync_client(url=url, limits=limits, timeout=timeout)


def test_a_blocking_client(url: str) -> None:
    """Calls, errors and streams are as over httpx."""
    for client in ways(url):
        with client:
            thread = client.threads.create().thread_id
            assert client.runs.wait(thread, "counter", input={"count": 1}) == {"count": 2}
            events = client.runs.stream(thread, "counter", input={"count": 1})
            assert [event.data for event in events][-1] == {"count": 2}
            with pytest.raises(NotFoundError):
                client.threads.get("00000000-0000-0000-0000-000000000000")


async def test_an_async_client(url: str) -> None:
    """The same with an async client and transport."""
    async with httpx2.AsyncClient(base_url=url, trust_env=False) as own:
        for client in (
            LangGraphClient(own),
            get_client(url=url, http_client=own),
            get_client(url=url, transport=httpx2.AsyncHTTPTransport()),
        ):
            async with client:
                thread = (await client.threads.create()).thread_id
                events = client.runs.stream(thread, "counter", input={"count": 1})
                assert [event.data async for event in events][-1] == {"count": 2}


def raising(name: str) -> Any:
    def handle(request: Any) -> Any:
        raise getattr(httpx2, name)("it went wrong", request=request)

    return httpx2.MockTransport(handle)


@pytest.mark.parametrize(
    ("name", "ours", "alike"),
    [
        ("ConnectError", APIConnectionError, httpx.ConnectError),
        ("ReadError", APIConnectionError, httpx.ReadError),
        ("RemoteProtocolError", APIConnectionError, httpx.RemoteProtocolError),
        ("ReadTimeout", APITimeoutError, httpx.ReadTimeout),
        ("ConnectTimeout", APITimeoutError, httpx.ConnectTimeout),
    ],
)
def test_its_errors_are_ours(name: str, ours: type[Exception], alike: type[Exception]) -> None:
    """Each of its errors is caught as ours and as httpx's of the same name; no key is in it."""
    client = get_sync_client(
        url="http://127.0.0.1:1", api_key="secret-key", transport=raising(name), sleep=print
    )
    with client, pytest.raises(ours) as caught:
        client.threads.get("00000000-0000-0000-0000-000000000000")
    assert isinstance(caught.value, alike)
    cause = caught.value.__cause__
    assert type(cause).__module__.startswith("httpx2")
    assert "secret-key" not in repr(vars(cause)["_request"].headers)


def test_an_unused_client_is_closed() -> None:
    """A client that was made around one of its transports closes it."""
    closed: list[bool] = []

    class Transport(httpx2.AsyncBaseTransport):
        async def aclose(self) -> None:
            closed.append(True)

    async def main() -> None:
        async with get_client(url="http://127.0.0.1:1", transport=Transport()):
            pass

    asyncio.run(main())
    assert closed == [True]
