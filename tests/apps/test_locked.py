"""`http.disable_…` and `http.mount_prefix`."""

from __future__ import annotations

import httpx
import pytest

from tests.apps.conftest import Apps


@pytest.fixture
def http(apps: Apps, subject: str) -> httpx.Client:
    client = apps.client("locked")
    if not client.base_url.path.startswith("/api"):  # That of langgraph dev is without the prefix.
        client.base_url = client.base_url.join("/api/v1")
    return client


def test_what_is_left(http: httpx.Client) -> None:
    """The endpoints that are not taken away are below the prefix."""
    thread = http.post("/threads", json={}).json()
    assert http.get(f"/threads/{thread['thread_id']}").json()["status"] == "idle"
    assert http.post("/assistants/search", json={}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/runs/wait"),
        ("POST", "/threads/{}/runs"),
        ("POST", "/threads/{}/commands"),
        ("GET", "/threads/{}/stream/events"),
        ("POST", "/runs/crons/search"),
        ("POST", "/store/items/search"),
        ("GET", "/store/items"),
        ("GET", "/info"),
        ("GET", "/openapi.json"),
        ("GET", "/docs"),
        ("POST", "/mcp"),
        ("GET", "/.well-known/agent-card.json"),
    ],
)
def test_what_is_taken_away(http: httpx.Client, method: str, path: str) -> None:
    """Endpoints of parts that are disabled are not there."""
    thread_id = http.post("/threads", json={}).json()["thread_id"]
    body = {} if method == "POST" else None
    assert http.request(method, path.format(thread_id), json=body).status_code == 404


def test_without_the_prefix(http: httpx.Client, subject: str) -> None:
    """At the root there is only what load balancers look at."""
    root = http.base_url.copy_with(raw_path=b"")
    assert httpx.get(root.join("/ok"), timeout=60).json()["ok"] is True
    assert httpx.post(root.join("/threads"), json={}, timeout=60).status_code == 404
    assert http.get("/ok").json()["ok"] is True
