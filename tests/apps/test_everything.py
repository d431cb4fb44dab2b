"""An application that has everything at once: authentication, routes, store, checkpointer."""

from __future__ import annotations

import httpx
import pytest

from tests.apps.conftest import Apps
from tests.support.eventually import eventually

ADA, BOB = {"x-user": "ada"}, {"x-user": "bob"}


@pytest.fixture
def http(apps: Apps) -> httpx.Client:
    client = apps.client("everything")
    if not client.base_url.path.startswith("/whole"):  # That of langgraph dev has no prefix.
        client.base_url = client.base_url.join("/whole")
    return client


def test_a_conversation(http: httpx.Client) -> None:
    """A factory is told who calls and with which headers; what a user says is remembered for that
    user, threads are the user's own, and their state is in the application's own checkpointer."""
    assert http.post("/threads", json={}).status_code == 401
    thread = http.post("/threads", json={}, headers=ADA).json()["thread_id"]
    body = {"assistant_id": "agent", "input": {"name": "Eve"}}
    path = f"/threads/{thread}/runs/wait"
    first = http.post(path, json=body, headers={**ADA, "x-tone": "warm"}).json()
    assert (first["said"], first["known"]) == ("hello Eve from ada, warm", [])
    second = http.post(path, json=body, headers=ADA).json()
    assert (second["said"], second["known"]) == ("hello Eve from ada, plain", ["Eve"])
    assert http.post(path, json=body, headers=BOB).status_code == 404
    state = http.get(f"/threads/{thread}/state", headers=ADA).json()
    assert state["values"]["said"] == second["said"]


def test_routes_are_authenticated(http: httpx.Client) -> None:
    """Custom routes ask who calls, and the middleware of the application stands behind that."""
    assert http.get("/mine").status_code == 401
    answer = http.get("/mine", headers=BOB)
    assert (answer.status_code, answer.headers["x-user-seen"]) == (200, "bob")
    assert http.get("/assistants/none", headers=BOB).headers["x-user-seen"] == "bob"
    root = http.base_url.copy_with(raw_path=b"")
    assert httpx.get(root.join("/ok"), timeout=60).status_code == 200


def test_a_client_in_a_route(http: httpx.Client, subject: str) -> None:
    """Calls this server as whom the route says: it sees that user's threads."""
    thread = http.post("/threads", json={}, headers=BOB).json()["thread_id"]
    assert thread in http.get("/mine", headers=BOB).json()
    if subject == "ours":  # Clients in routes of langgraph-api 0.16.7 are asked for nothing.
        assert thread not in http.get("/mine", headers=ADA).json()


def test_what_it_says_about_itself(http: httpx.Client) -> None:
    """Its description, and how it is called."""
    (assistant,) = http.post("/assistants/search", json={}, headers=ADA).json()
    assert assistant["description"] == "Greets, and remembers"
    document = http.get("/openapi.json").json()
    assert "bearer" in document["components"]["securitySchemes"]


def test_a_webhook_to_the_application(http: httpx.Client) -> None:
    """A webhook without a host goes to a route of the application, with the config's headers."""
    body = {"assistant_id": "agent", "input": {"name": "Ann"}, "webhook": "/hook"}
    assert http.post("/runs/wait", json=body, headers=BOB).status_code == 200
    # It is sent behind the answer.
    eventually(lambda: http.get("/heard", headers=BOB).json())
    assert http.get("/heard", headers=BOB).json() == [["success", "k"]]
