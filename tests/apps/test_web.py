"""`http`: an application of the user's own in front of the server's endpoints."""

from __future__ import annotations

import httpx
import pytest
from websockets.sync.client import connect

from tests.apps.conftest import Apps


@pytest.fixture
def http(apps: Apps) -> httpx.Client:
    return apps.client("web")


def test_routes_lifespan_and_state(http: httpx.Client, subject: str) -> None:
    """A route of the user's finds its application and what its lifespan has made."""
    assert http.get("/hello/ada").json() == {"said": "hello ada"}
    if subject == "ours":  # langgraph-api 0.16.7 forgets what a lifespan yields.
        assert http.get("/state").json() == "from the lifespan"


def test_errors_of_routes(http: httpx.Client) -> None:
    """What a route raises is answered as its framework has it, and so is a bad parameter."""
    answer = http.get("/hello/nobody")
    assert (answer.status_code, answer.json()) == (418, {"detail": "a teapot"})


def test_which_routes_win(http: httpx.Client) -> None:
    """The user's routes win over the server's, but for `/ok`; one with another method does not."""
    assert http.get("/info").json() == {"mine": "info"}
    assert http.get("/ok").json()["ok"] is True
    assert http.get("/threads/x/title").json() == {"title": "x"}
    assert http.get("/runs/wait").json() == {"mine": "runs"}
    assert http.post("/runs/wait", json={"assistant_id": "echo", "input": {}}).status_code == 200


def test_middleware_sees_every_request(http: httpx.Client) -> None:
    """The user's middleware stands in front of the server's own endpoints, too."""
    for path in ("/hello/ada", "/ok", "/threads/none"):
        assert http.get(path).headers["x-seen"] == path
    events = http.post("/runs/stream", json={"assistant_id": "echo", "input": {}})
    assert events.headers["x-seen"] == "/runs/stream"
    assert "event: values" in events.text


def test_websockets(http: httpx.Client) -> None:
    """WebSockets of the application are served."""
    url = str(http.base_url.join("/socket")).replace("http://", "ws://")
    with connect(url, open_timeout=60) as websocket:
        websocket.send("hi")
        assert websocket.recv() == "hi!"


def test_the_openapi_document_has_all_routes(http: httpx.Client) -> None:
    """Those of the server, and those of the application."""
    paths = http.get("/openapi.json").json()["paths"]
    assert {"/hello/{name}", "/threads/{thread_id}/runs/wait", "/ask"} <= set(paths)


def test_headers_that_runs_find(http: httpx.Client) -> None:
    """Those that the config names are in `configurable`, in lower case; keys never are."""
    headers = {"X-Tenant": "acme", "x-secret": "s", "x-api-key": "k", "user-agent": "me", "y": "n"}
    body = {"assistant_id": "echo", "input": {}, "config": {"configurable": {"x-tenant": "body"}}}
    told = http.post("/runs/wait", json=body, headers=headers).json()["told"]
    told.pop("x-request-id", None)  # langgraph-api adds one.
    assert told == {"user-agent": "me", "x-tenant": "acme"}


def test_headers_that_factories_find(http: httpx.Client) -> None:
    """A factory is called with them as well when a graph is only drawn."""
    (made,) = http.post("/assistants/search", json={"graph_id": "made"}).json()
    headers = {"x-tenant": "acme"}
    drawn = http.get(f"/assistants/{made['assistant_id']}/graph", headers=headers).json()
    assert "of_acme" in [node["id"] for node in drawn["nodes"]]
    assert made["description"] == "Tells what it was made with"


def test_cors(http: httpx.Client) -> None:
    """Pages of the origins in the config may call, and read the headers it names."""
    headers = {"origin": "https://app.example", "access-control-request-method": "POST"}
    answer = http.options("/runs/wait", headers=headers)
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    answer = http.get("/ok", headers={"origin": "https://app.example"})
    assert "x-seen" in answer.headers["access-control-expose-headers"]
    other = http.get("/ok", headers={"origin": "https://other.example"})
    assert "access-control-allow-origin" not in other.headers


def test_a_client_without_a_url_means_this_server(http: httpx.Client) -> None:
    """Code of the application calls the server it is part of."""
    assert http.post("/ask").json()["assistants"] >= 2
