"""The OpenAPI document, the page made of it, and how much room a thread takes."""

from __future__ import annotations

import json
import re

import httpx
import pytest

from langgraph_client.server.errors import Invalid
from langgraph_client.server.http.endpoints import ENDPOINTS
from langgraph_client.server.http.lazy_routes import LazyRoutes
from langgraph_client.server.http.schemas.replies import REPLIES
from langgraph_client.server.http.validation import validate
from langgraph_client.server.options import HttpOptions
from langgraph_client.server.server import Server
from tests.support.hosted import Gate, hosted


def test_document_has_every_route(server: Server) -> None:
    """Every route of the server is an endpoint of the table, and the other way round."""
    there = {
        (method, route.path)
        for group in server.app.routes
        if isinstance(group, LazyRoutes)  # not the sockets, for which the document has no words
        for route in group.routes
        for method in route.methods - {"HEAD", "OPTIONS"}
    }
    assert {(operation.method, operation.path) for operation in ENDPOINTS} == there
    assert len(ENDPOINTS) == len(there)


def test_references_lead_somewhere(http: httpx.Client) -> None:
    """Every reference in the document names one of its schemas, and ids are told apart."""
    document = http.get("/openapi.json").json()
    named = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert named <= document["components"]["schemas"].keys()
    assert {"ThreadCreate", "Command", "Thread"} <= named
    ids = [one["operationId"] for path in document["paths"].values() for one in path.values()]
    assert len(ids) == len(set(ids)) == len(ENDPOINTS)


def test_docs_need_no_other_host(http: httpx.Client) -> None:
    """The page shows every path, without a script, a style or a picture from elsewhere."""
    answer = http.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert all(operation.path in answer.text for operation in ENDPOINTS)
    assert "<script" not in answer.text
    assert "://" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "/assistants", {"graph_id": "row"}),
        ("post", "/assistants/search", {}),
        ("get", "/assistants/{assistant_id}", None),
        ("post", "/assistants/{assistant_id}/versions", {}),
        ("get", "/assistants/{assistant_id}/graph", None),
        ("get", "/assistants/{assistant_id}/schemas", None),
        ("get", "/assistants/{assistant_id}/subgraphs", None),
        ("post", "/threads", {}),
        ("post", "/threads/search", {"select": ["status"]}),
        ("post", "/threads/count", {}),
        ("get", "/threads/{thread_id}", None),
        ("get", "/threads/{thread_id}/state", None),
        ("get", "/threads/{thread_id}/storage", None),
        ("post", "/threads/{thread_id}/history", {"limit": 9}),
        ("post", "/threads/{thread_id}/state", {"values": {"log": ["x"]}, "as_node": "one"}),
        ("post", "/threads/prune", {"thread_ids": []}),
        ("get", "/threads/{thread_id}/runs", None),
        ("post", "/threads/{thread_id}/runs", {"assistant_id": "row", "input": {}}),
        ("post", "/runs", {"assistant_id": "row", "input": {}}),
        ("post", "/runs/crons", {"assistant_id": "row", "schedule": "0 0 1 1 *"}),
        ("post", "/runs/crons/search", {}),
        ("post", "/store/items/search", {}),
        ("post", "/store/namespaces", {}),
        ("get", "/ok", None),
        ("get", "/info", None),
    ],
)
def test_replies_are_as_documented(
    http: httpx.Client, thread: str, method: str, path: str, body: object
) -> None:
    """What a server answers fits the schema that its document gives."""
    http.post(f"/threads/{thread}/runs/wait", json={"assistant_id": "row", "input": {}})
    assistant = http.post("/assistants/search", json={}).json()[0]["assistant_id"]
    text = http.get("/openapi.json").text.replace("#/components/schemas/", "")
    document = json.loads(text)
    url = path.format(thread_id=thread, assistant_id=assistant)
    answer = http.request(method, url, json=body)
    assert answer.status_code == 200
    said = document["paths"][path][method]["responses"]["200"]["content"]["application/json"]
    validate(answer.json(), said["schema"], document["components"]["schemas"])


def test_document_says_what_is_not_a_thread() -> None:
    """The schemas of replies are checked above by something that does refuse."""
    with pytest.raises(Invalid):
        validate({"thread_id": "x"}, REPLIES["Thread"], REPLIES)


def test_storage_grows_with_the_thread(http: httpx.Client, thread: str) -> None:
    """A thread takes nothing before its first run, and more after each; unknown ones are 404."""
    path = f"/threads/{thread}/storage"
    empty = http.get(path).json()
    assert (empty["total_bytes"], empty["channel_values"]["by_channel"]) == (0, {})
    sizes = []
    for _ in range(2):
        http.post(f"/threads/{thread}/runs/wait", json={"assistant_id": "row", "input": {}})
        found = http.get(path).json()
        sizes.append(found["total_bytes"])
        assert found["channel_values"]["by_channel"]["log"]["bytes"] > 0
        assert found["checkpoints"]["count"] > 0
    assert 0 < sizes[0] < sizes[1]
    unknown = http.get("/threads/00000000-0000-4000-8000-00000000dead/storage")
    assert unknown.status_code == 404


def test_a_command_of_a_run_is_checked(http: httpx.Client) -> None:
    """A target that is neither a name nor complete is refused before the run is created."""
    for goto in ({"node": "left"}, ["left", {"node": "right", "input": None}], 5):
        body = {"assistant_id": "row", "command": {"goto": goto}}
        assert http.post("/runs/wait", json=body).status_code == 422


def test_what_an_application_says_about_authentication(gate: Gate) -> None:
    """Its schemes stand in the place of the API key, and a path may have its own."""
    security = {
        "securitySchemes": {"mine": {"type": "http", "scheme": "bearer"}},
        "security": [{"mine": []}],
        "paths": {"/threads": {"POST": [{}]}, "/nowhere": {"GET": [{}]}},
    }
    with (
        Server(hosted(gate), http=HttpOptions(security=security)) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as http,
    ):
        document = http.get("/openapi.json").json()
    assert document["components"]["securitySchemes"] == security["securitySchemes"]
    assert document["security"] == [{"mine": []}]
    assert document["paths"]["/threads"]["post"]["security"] == [{}]
    assert "/nowhere" not in document["paths"]
