"""`store` with an index, and a `checkpointer` of the application's own."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.apps.conftest import Apps


@pytest.fixture
def http(apps: Apps) -> httpx.Client:
    return apps.client("memory")


def put(http: httpx.Client, key: str, value: Any, **options: Any) -> None:
    body = {"namespace": ["animals"], "key": key, "value": value, **options}
    assert http.put("/store/items", json=body).status_code == 204


def search(http: httpx.Client, query: str) -> list[Any]:
    body = {"namespace_prefix": ["animals"], "query": query}
    return http.post("/store/items/search", json=body).json()["items"]


def test_items_are_found_by_their_meaning(http: httpx.Client) -> None:
    """The nearest first, with a score; only the fields of the index count."""
    put(http, "one", {"text": "a cat", "other": "dog dog"})
    put(http, "two", {"text": "a car"})
    found = search(http, "cat")
    assert found[0]["key"] == "one"
    assert found[0]["score"] == pytest.approx(1.0)
    put(http, "one", {"text": "a dog"})
    assert search(http, "dog")[0]["key"] == "one"


def test_a_node_finds_by_meaning(http: httpx.Client) -> None:
    """The store of a graph is the same, with its index."""
    for text in ("the cat", "the car", "cat and cat"):
        answer = http.post("/runs/wait", json={"assistant_id": "agent", "input": {"text": text}})
        assert answer.json()["found"]
    assert answer.json()["found"][0] in ("the cat", "cat and cat")


def test_a_thread_lives_in_the_own_checkpointer(http: httpx.Client, apps: Apps) -> None:
    """A run is interrupted and resumed, its history read, its thread copied and deleted."""
    thread_id = http.post("/threads", json={}).json()["thread_id"]
    body = {"assistant_id": "stateful", "input": {}}
    assert "__interrupt__" in http.post(f"/threads/{thread_id}/runs/wait", json=body).json()
    copied = http.post(f"/threads/{thread_id}/copy").json()["thread_id"]
    body = {"assistant_id": "stateful", "command": {"resume": "yes"}}
    for place in (thread_id, copied):
        done = http.post(f"/threads/{place}/runs/wait", json=body).json()
        assert done == {"steps": ["first", "yes"]}
    assert len(http.get(f"/threads/{thread_id}/history?limit=10").json()) == 4
    assert http.delete(f"/threads/{thread_id}").status_code == 204
    lines = (apps.folder("memory") / "saver.log").read_text().splitlines()
    assert "open" in lines
    assert f"put {thread_id}" in lines
    assert f"delete {thread_id}" in lines
