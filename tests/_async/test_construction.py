"""Clients that programs build by themselves, and the one that a hosted graph means."""

from __future__ import annotations

from typing import TypedDict

import httpx
import pytest
from langgraph.graph import START, StateGraph

from langgraph_client import LangGraphClient, Server, get_client
from langgraph_client.errors import InvalidArgumentError
from tests.support.wire import URL, Wire, reply


class Found(TypedDict, total=False):
    graphs: list[str]


async def ask(state: Found) -> Found:
    client = get_client()
    return {"graphs": [found.graph_id for found in await client.assistants.search()]}


async def test_a_client_around_one_of_httpx() -> None:
    """It sends to that client's base URL, with its headers and its transport, and no other key."""
    wire = Wire(reply([]), reply({}))
    headers = {"Authorization": "mine", "User-Agent": "program"}
    async with httpx.AsyncClient(base_url=f"{URL}/api/", transport=wire, headers=headers) as given:
        async with LangGraphClient(given) as client:
            await client.threads.search()
        await given.get(f"{URL}/after")  # It was not closed.
    sent = wire.requests[0]
    assert str(sent.url) == f"{URL}/api/threads/search"
    assert (sent.headers["authorization"], sent.headers["user-agent"]) == ("mine", "program")
    assert "x-api-key" not in sent.headers


async def test_a_client_of_httpx_without_a_base_url_is_refused() -> None:
    """Where the server is has to be said."""
    async with httpx.AsyncClient() as given:
        with pytest.raises(InvalidArgumentError, match="url"):
            LangGraphClient(given)


@pytest.mark.parametrize("api_key", [None, "secret"])
async def test_a_hosted_graph_means_its_own_server(
    api_key: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`get_client()` in a node asks the server that runs it, with the key of that server."""
    monkeypatch.setenv("LANGGRAPH_URL", "http://127.0.0.1:9")
    builder = StateGraph(Found)
    builder.add_node("ask", ask)
    builder.add_edge(START, "ask")
    graph = builder.compile()
    with Server({"agent": graph}, api_key=api_key) as server:
        transport = server.async_transport()
        async with get_client(url=URL, transport=transport, api_key=api_key) as client:
            result = await client.runs.wait(None, "agent", input={})
    assert result == {"graphs": ["agent"]}
