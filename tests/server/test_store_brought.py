"""The store that a graph was compiled with is the server's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore
from typing_extensions import TypedDict

from langgraph_client.server.server import Server

WORDS = ("cat", "dog", "car")


def embed(texts: list[str]) -> list[list[float]]:
    """Say how often each of three words comes up; nothing to download."""
    return [[float(text.count(word)) for word in WORDS] for text in texts]


class State(TypedDict, total=False):
    text: str
    found: list[str]


async def remember(state: State, *, store: BaseStore) -> dict[str, Any]:
    await store.aput(("notes",), state["text"], {"text": state["text"]})
    found = await store.asearch(("notes",), query=state["text"], limit=1)
    return {"found": [item.key for item in found]}


def graph(store: BaseStore | None) -> Any:
    builder = StateGraph(State).add_node("remember", remember)
    return builder.add_edge(START, "remember").add_edge("remember", END).compile(store=store)


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    """A server with a graph that brings a store with an index, and one that brings none."""
    store = InMemoryStore(index={"embed": embed, "dims": 3, "fields": ["text"]})
    graphs = {"brings": graph(store), "borrows": graph(None)}
    with (
        Server(graphs) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as client,
    ):
        yield client


def test_clients_search_by_meaning(http: httpx.Client) -> None:
    """What a graph's own store indexes, clients find by meaning, with a score."""
    for text in ("a cat and a dog", "a fast car", "a cat"):
        item = {"namespace": ["notes"], "key": text, "value": {"text": text}}
        assert http.put("/store/items", json=item).status_code == 204
    body = {"namespace_prefix": ["notes"], "query": "cat", "limit": 2}
    found = http.post("/store/items/search", json=body).json()["items"]
    assert [item["key"] for item in found] == ["a cat", "a cat and a dog"]
    assert found[0]["score"] > found[1]["score"] > 0


def test_graphs_and_clients_share_it(http: httpx.Client) -> None:
    """What any of the graphs writes is found by clients, and the other way round."""
    item = {"namespace": ["notes"], "key": "mine", "value": {"text": "dog dog"}}
    http.put("/store/items", json=item)
    for name, text in (("brings", "one cat"), ("borrows", "one car")):
        body = {"assistant_id": name, "input": {"text": text}}
        assert http.post("/runs/wait", json=body).json()["found"] == [text]
        query = {"namespace": "notes", "key": text}
        assert http.get("/store/items", params=query).json()["value"] == {"text": text}
    body = {"assistant_id": "borrows", "input": {"text": "dog"}}
    assert http.post("/runs/wait", json=body).json()["found"][0] in ("mine", "dog")


def test_what_it_cannot_do_is_refused(http: httpx.Client) -> None:
    """A store without times to live refuses one; an odd filter is 400, not a 500."""
    item = {"namespace": ["notes"], "key": "k", "value": {"n": "x"}, "ttl": 5}
    assert http.put("/store/items", json=item).status_code == 422
    http.put("/store/items", json={**item, "ttl": None})
    for wanted in ({"n": {"$gt": 3}}, {"n": {"$near": 3}}):
        body = {"namespace_prefix": ["notes"], "filter": wanted}
        assert http.post("/store/items/search", json=body).status_code == 400


def test_several_stores_stay_apart() -> None:
    """Where graphs bring different stores, clients see the server's own."""
    graphs = {"a": graph(InMemoryStore()), "b": graph(InMemoryStore())}
    with (
        Server(graphs) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as http,
    ):
        http.post("/runs/wait", json={"assistant_id": "a", "input": {"text": "x"}})
        body: dict[str, Any] = {"namespace_prefix": []}
        assert http.post("/store/items/search", json=body).json() == {"items": []}
