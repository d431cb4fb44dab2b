"""A server with a key, and a server that other machines can reach."""

from __future__ import annotations

from typing import Any, TypedDict

import httpx
import pytest
from langgraph.graph import START, StateGraph

from langgraph_client import Auth, AuthenticationError, InvalidArgumentError, Server, get_client
from langgraph_client.testing import ScriptedGraph, TestServer


class Seen(TypedDict, total=False):
    text: str


GRAPHS = {"agent": ScriptedGraph([{"answer": "!"}])}


@pytest.mark.parametrize("kind", [Server, TestServer])
async def test_clients_in_process_have_the_server_s_key(kind: type[Server]) -> None:
    """All clients that a server hands out can call it."""
    with kind(GRAPHS, api_key="k") as server:
        assert server.sync_client().threads.count() == 0
        assert await server.client().threads.count() == 0
        remote = server.remote_graph("agent")
        assert remote.invoke({"question": "?"})["answer"] == "!"
        assert (await remote.ainvoke({"question": "?"}))["answer"] == "!"


def test_a_client_in_process_may_have_another_key() -> None:
    """A key that is passed is sent, also by a `RemoteGraph`, and so are headers."""
    with TestServer(GRAPHS, api_key="k") as server:
        with pytest.raises(AuthenticationError):
            server.sync_client(api_key="wrong").threads.count()
        with pytest.raises(AuthenticationError):
            server.remote_graph("agent", api_key="wrong").invoke({"question": "?"})
        server.remote_graph("agent", headers={"x-team": "a"}).invoke({"question": "?"})
        assert server.requests[-1].headers["x-team"] == "a"


async def test_the_server_s_key_is_for_this_server_only() -> None:
    """A client with another URL or transport may reach another server."""
    received: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        received.append(request.headers.get("x-api-key"))
        return httpx.Response(200, json=0)

    other = httpx.MockTransport(answer)
    with TestServer(GRAPHS, api_key="k") as server:
        server.sync_client(url="https://example.com", transport=other).threads.count()
        await server.client(transport=other).threads.count()
        with pytest.raises(AuthenticationError):
            server.sync_client(url="https://example.com").threads.count()
    assert received == [None, None]


def test_a_key_that_a_remote_graph_would_not_send_is_refused() -> None:
    """A client that is passed has its own key, headers and URL."""
    with TestServer(GRAPHS) as server:
        with pytest.raises(InvalidArgumentError, match="api_key: is not sent by client="):
            server.remote_graph("agent", client=server.client(), api_key="k")
        with pytest.raises(InvalidArgumentError, match="headers: is not sent by sync_client="):
            server.remote_graph("agent", sync_client=server.sync_client(), headers={"x-team": "a"})
        with pytest.raises(InvalidArgumentError, match="url: is that of this server"):
            server.remote_graph("agent", url="https://example.com")
        server.remote_graph("agent", client=None, api_key="k").invoke({"question": "?"})


def test_no_port_beyond_this_machine_without_a_key() -> None:
    """A server that everyone could use does not listen; it can still listen on loopback."""
    server = Server(GRAPHS)
    with pytest.raises(InvalidArgumentError, match=r"host: '0\.0\.0\.0' can be reached"):
        server.listen("0.0.0.0")
    with server:
        assert httpx.get(f"{server.listen()}/ok", timeout=60).status_code == 200


def test_a_port_beyond_this_machine_with_a_key_or_an_auth() -> None:
    """Either of both is enough."""
    auth = Auth()
    auth.authenticate(lambda: "ann")
    for server in (Server(GRAPHS, api_key="k"), Server(GRAPHS, auth=auth)):
        port = httpx.URL(server.listen("0.0.0.0")).port
        with server:
            assert httpx.get(f"http://127.0.0.1:{port}/ok", timeout=60).status_code == 200


def test_an_auth_that_everyone_passes_is_not_enough() -> None:
    """With the exception for LangGraph Studio, requests need not be authenticated."""
    auth = Auth()
    auth.authenticate(lambda: "ann")
    with pytest.raises(InvalidArgumentError, match="without the exception for LangGraph Studio"):
        Server(GRAPHS, auth=auth, studio_auth=True).listen("0.0.0.0")


def test_an_empty_key_is_refused() -> None:
    """A variable that is not set must not make a server whose key everyone knows."""
    with pytest.raises(InvalidArgumentError, match="api_key: must not be empty"):
        Server(GRAPHS, api_key="")


def _users() -> Auth:
    """Return an `Auth` of two users with tokens."""
    auth = Auth()

    @auth.authenticate
    async def authenticate(authorization: str | None) -> str:
        if authorization not in ("ann", "bob"):
            raise Auth.exceptions.HTTPException(401, "unknown token")
        return authorization

    return auth


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({}, "Missing or wrong x-api-key"),
        ({"authorization": "ann"}, "Missing or wrong x-api-key"),
        ({"x-api-key": "k"}, "unknown token"),
        ({"x-api-key": "k", "authorization": "ann"}, None),
    ],
)
def test_a_key_beside_an_auth_is_needed_too(headers: dict[str, str], detail: str | None) -> None:
    """The key opens the door; then the `Auth` asks who it is."""
    server = Server(GRAPHS, api_key="k", auth=_users())
    url = server.listen()
    with server:
        response = httpx.post(f"{url}/threads", json={}, headers=headers, timeout=60)
        assert response.status_code == (200 if detail is None else 401)
        assert detail is None or detail in response.text


def test_a_graph_calls_its_own_server_with_a_key_and_an_auth() -> None:
    """`get_client()` has the server's key, and acts for the user of the run; so do tools of MCP."""
    seen: list[str] = []

    async def look(state: Seen) -> Seen:
        thread = await get_client().threads.create()
        seen.append(thread["metadata"]["owner"])
        return {}

    auth = _users()

    @auth.on
    async def mark(ctx: Auth.types.AuthContext, value: dict[str, Any]) -> None:
        value.setdefault("metadata", {})["owner"] = ctx.user.identity

    graph = StateGraph(Seen).add_node(look).add_edge(START, "look").compile()
    with Server({"agent": graph}, api_key="k", auth=auth) as server:
        client = server.sync_client(headers={"authorization": "bob"})
        client.runs.wait(None, "agent", input={})
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "agent"}}
        assert not client.http.post("/mcp", json=call)["result"]["isError"]
    assert seen == ["bob", "bob"]
