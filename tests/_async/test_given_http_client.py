"""An httpx client that a caller passes: its address, headers and timeouts are used."""

from __future__ import annotations

import httpx
import pytest

from langgraph_client import get_client
from tests.support.wire import URL, Wire, reply

ELSEWHERE = "http://elsewhere.example"
KEY_HEADERS = {"x-api-key": "its own", "authorization": "Bearer secret", "user-agent": "program"}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables that name another server, and its key."""
    monkeypatch.setenv("LANGGRAPH_URL", ELSEWHERE)
    monkeypatch.setenv("LANGGRAPH_API_KEY", "of the environment")


def names(request: httpx.Request) -> dict[str, str | None]:
    """Who sends the request."""
    return {name: request.headers.get(name) for name in KEY_HEADERS}


async def test_its_base_url_is_the_address() -> None:
    """Its headers may be secrets of that server, so no variable sends them to another one."""
    wire = Wire(reply({}), reply({}), reply({}))
    async with httpx.AsyncClient(base_url=URL + "/api/", transport=wire) as given:
        async with get_client(http_client=given) as client:
            await client.http.get("/info")
        async with get_client(url=ELSEWHERE, http_client=given) as client:
            await client.http.get("/info")
    async with (
        httpx.AsyncClient(transport=wire) as without_url,
        get_client(http_client=without_url) as client,
    ):
        await client.http.get("/info")
    urls = [str(request.url) for request in wire.requests]
    assert urls == [URL + "/api/info", ELSEWHERE + "/info", ELSEWHERE + "/info"]


async def test_only_arguments_replace_its_headers() -> None:
    """The environment's key and the default user agent do not; those of the call's client do."""
    wire = Wire(reply({}), reply({}), reply({}))
    async with httpx.AsyncClient(base_url=URL, headers=KEY_HEADERS, transport=wire) as given:
        await get_client(url=URL, http_client=given).http.get("/info")
        await get_client(http_client=given, api_key=None).http.get("/info")
        mine = {"User-Agent": "mine"}
        await get_client(http_client=given, api_key="mine", headers=mine).http.get("/info")
    assert [names(request) for request in wire.requests] == [
        KEY_HEADERS,
        KEY_HEADERS,
        {**KEY_HEADERS, "x-api-key": "mine", "user-agent": "mine"},
    ]


@pytest.mark.parametrize("headers", [{"authorization": "Bearer secret"}, {}])
async def test_credentials_of_the_environment_s_url_replace_no_authorization(
    monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    """Without one, they are sent."""
    monkeypatch.setenv("LANGGRAPH_URL", "http://ada:pw@elsewhere.example")
    wire = Wire(reply({}))
    async with httpx.AsyncClient(headers=headers, transport=wire) as given:
        await get_client(http_client=given).http.get("/info")
    sent = wire.requests[0].headers["authorization"]
    assert sent == headers.get("authorization", "Basic YWRhOnB3")


async def test_without_headers_of_its_own_it_sends_those_of_any_client() -> None:
    """httpx's user agent says nothing about the program."""
    wire = Wire(reply({}))
    async with httpx.AsyncClient(base_url=URL, transport=wire) as given:
        await get_client(http_client=given).http.get("/info")
    assert names(wire.requests[0]) == {
        "x-api-key": "of the environment",
        "authorization": None,
        "user-agent": "langgraph-client",
    }


async def test_its_timeout_is_the_one_of_the_moment() -> None:
    """It may be changed at any time; a timeout that was passed here wins."""
    wire = Wire(*(reply({}) for _ in range(4)))
    async with httpx.AsyncClient(base_url=URL, timeout=7, transport=wire) as given:
        client = get_client(http_client=given)
        timed = get_client(http_client=given, timeout=9)
        await client.http.get("/info")
        given.timeout = httpx.Timeout(8)
        await client.http.get("/info")
        await client.with_options(timeout=9).http.get("/info")
        await timed.http.get("/info")
    read = [request.extensions["timeout"]["read"] for request in wire.requests]
    assert read == [7, 8, 9, 9]


async def test_a_call_s_own_timeout_wins_over_that_of_the_client_below() -> None:
    """`with_options` is for single calls, `client.http.client` for all others."""
    wire = Wire(reply({}), reply({}))
    async with get_client(url=URL, transport=wire) as client:
        client.http.client.timeout = httpx.Timeout(8)
        await client.http.get("/info")
        await client.with_options(timeout=9).http.get("/info")
    read = [request.extensions["timeout"]["read"] for request in wire.requests]
    assert read == [8, 9]
