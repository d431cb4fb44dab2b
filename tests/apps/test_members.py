"""`auth` and `http.enable_custom_route_auth`: everybody has what is theirs."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.apps.conftest import Apps


@pytest.fixture
def http(apps: Apps) -> httpx.Client:
    return apps.client("members")


ANN, BOB, READER = ({"authorization": f"Bearer {name}"} for name in "abr")


def test_who_sends_it(http: httpx.Client) -> None:
    """401 and 403 are what the handler says, on every path but those about the server itself."""
    for path in ("/threads/x", "/assistants/x", "/me"):
        assert http.get(path).status_code == 401
        assert http.get(path, headers={"authorization": "Bearer banned"}).status_code == 403
    assert http.get("/threads/x").json() == {"detail": "who are you?"}
    assert http.post("/threads", headers=READER, json={}).status_code == 403
    for path in ("/ok", "/info", "/openapi.json"):
        assert http.get(path).status_code == 200


def test_users_see_their_own_threads(http: httpx.Client) -> None:
    """What is another's is answered as if it were not there, with these statuses."""
    thread = http.post("/threads", headers=ANN, json={"metadata": {"a": 1}}).json()
    assert thread["metadata"] == {"a": 1, "owner": "ann"}
    place = f"/threads/{thread['thread_id']}"
    body = {"assistant_id": "echo", "input": {}}
    assert http.post(f"{place}/runs/wait", headers=ANN, json=body).status_code == 200
    (run,) = http.get(f"{place}/runs", headers=ANN).json()
    of_run = f"{place}/runs/{run['run_id']}"
    for method, path, given in (
        ("GET", place, None),
        ("PATCH", place, {"metadata": {"b": 2}}),
        ("DELETE", place, None),
        ("POST", f"{place}/runs", body),
        ("POST", f"{place}/runs/wait", {**body, "if_not_exists": "create"}),
        ("POST", f"{place}/runs/stream", body),
        ("GET", of_run, None),
        ("DELETE", of_run, None),
        ("GET", f"{place}/state", None),
        ("POST", f"{place}/runs/crons", {"assistant_id": "echo", "schedule": "0 0 1 1 *"}),
        ("POST", "/threads/prune", {"thread_ids": [thread["thread_id"]]}),
    ):
        answer = http.request(method, path, headers=BOB, json=given)
        assert answer.status_code == 404, (method, path, answer.text)
    for path, given in (
        ("/threads", {"thread_id": thread["thread_id"]}),
        ("/threads", {"thread_id": thread["thread_id"], "if_exists": "do_nothing"}),
        (f"{place}/copy", None),
    ):
        assert http.post(path, headers=BOB, json=given).status_code == 409
    assert http.get(place, headers=ANN).json()["metadata"]["owner"] == "ann"
    for path in ("search", "count"):  # Bob may have threads of other tests.
        theirs = {"metadata": {"a": 1}}
        assert http.post(f"/threads/{path}", headers=ANN, json=theirs).json()
        assert not http.post(f"/threads/{path}", headers=BOB, json=theirs).json()


def test_the_user_in_the_graph(http: httpx.Client) -> None:
    """Nodes know the user, also in a run that another run has started."""
    for graph in ("echo", "outer"):
        body: Any = {"assistant_id": graph, "input": {}}
        answer = http.post("/runs/wait", headers=BOB, json=body).json()
        assert answer["told"] == ["bob", "bob", "member", "bob", ["p"], "bob"]


def test_routes_of_the_application(http: httpx.Client, subject: str) -> None:
    """Its routes know the user, and ask the server as that user."""
    http.post("/threads", headers=ANN, json={})
    http.post("/threads", headers=BOB, json={})
    assert http.get("/me", headers=BOB).json() == {"identity": "bob", "path": "/me"}
    if subject == "ours":  # langgraph-api 0.16.7 shows routes what is everybody's.
        assert http.get("/mine", headers=BOB).json() == ["bob"]


def test_items_are_by_user(http: httpx.Client, subject: str) -> None:
    """Items are in the namespace that the handler puts before."""
    item = {"namespace": ["notes"], "key": "k", "value": {"x": 1}}
    assert http.put("/store/items", headers=ANN, json=item).status_code == 204
    query = {"namespace": "notes", "key": "k"}
    found = http.get("/store/items", headers=ANN, params=query).json()
    assert (found["namespace"], found["value"]) == (["ann", "notes"], {"x": 1})
    assert http.get("/store/items", headers=BOB, params=query).json() is None
    if subject == "ours":  # There reading an item that is not there makes its namespace.
        assert http.post("/store/namespaces", headers=BOB, json={}).json()["namespaces"] == []
