"""Servers with an `Auth`: everybody has what is theirs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from langgraph.graph import START, StateGraph
from langgraph.types import interrupt
from typing_extensions import TypedDict

from langgraph_client.auth import Auth
from langgraph_client.testing import TestServer

BASE = "http://test"


class State(TypedDict, total=False):
    secret: str
    answer: Any


def ask(state: State) -> State:
    return {"answer": interrupt(f"what of {state.get('secret')}?")}


def keep(state: State) -> State:
    return {"answer": f"kept {state.get('secret')}"}


GRAPHS = {
    "keep": StateGraph(State).add_node("keep", keep).add_edge(START, "keep").compile(),
    "ask": StateGraph(State).add_node("ask", ask).add_edge(START, "ask").compile(),
}


def owners(*, own_store: bool = True) -> Auth:
    """Return an `Auth` for which the authorization header is the name of the user.

    Args:
        own_store: Whether each user has a namespace; if not, the filter is the answer for items
            too.
    """
    auth = Auth()

    @auth.authenticate
    async def authenticate(authorization: str | None) -> str:
        if not authorization:
            raise Auth.exceptions.HTTPException(401, "who are you?", {"www-authenticate": "Name"})
        return authorization

    @auth.on
    async def own_things(ctx: Auth.types.AuthContext, value: dict[str, Any]) -> dict[str, str]:
        value.setdefault("metadata", {})["owner"] = ctx.user.identity
        return {"owner": ctx.user.identity}

    async def own_namespace(ctx: Auth.types.AuthContext, value: dict[str, Any]) -> None:
        value["namespace"] = (ctx.user.identity, *(value["namespace"] or ()))

    if own_store:
        auth.on.store(own_namespace)
    return auth


@pytest.fixture
def server() -> Iterator[TestServer]:
    """A server where everybody has what is theirs."""
    with TestServer(GRAPHS, auth=owners()) as running:
        yield running


def client(server: TestServer, user: str | None) -> httpx.Client:
    """Return bare httpx to a server, as a user."""
    headers = {} if user is None else {"authorization": user}
    return httpx.Client(transport=server.transport(), base_url=BASE, timeout=60, headers=headers)


@pytest.fixture
def ann(server: TestServer) -> Iterator[httpx.Client]:
    """The server as ann."""
    with client(server, "ann") as http:
        yield http


@pytest.fixture
def bob(server: TestServer) -> Iterator[httpx.Client]:
    """The server as bob."""
    with client(server, "bob") as http:
        yield http


@pytest.fixture
def nobody(server: TestServer) -> Iterator[httpx.Client]:
    """The server as somebody without a name."""
    with client(server, None) as http:
        yield http
