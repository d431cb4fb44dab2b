"""The bundled server, given every odd value in every field of every body: never a 500."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import httpx
import pytest

from langgraph_client import Server
from langgraph_client.server.http.endpoint import Endpoint
from langgraph_client.server.http.endpoints import ENDPOINTS, SSE
from langgraph_client.server.http.schemas.bodies import BODIES
from tests.support.graphs import fresh_graph

GRAPH = "row"
ODD: list[Any] = [
    None,
    True,
    -1,
    0.5,
    1e308,
    2**63,
    10**30,
    "",
    "x",
    "\x00",
    "x" * 1000,
    "9" * 5000,
    "../%2F",
    [],
    [None],
    [[]],
    ["x", 1],
    {},
    {"": 1},
    {"a": {"$gt": [None]}},
    {"configurable": {"thread_id": 5, "checkpoint_id": []}},
    {"a2a": 5, "graph_id": [], "task_id": [1]},
]
#: JSON that Python's encoder does not write: no JSON at all, or what it means differs by reader.
RAW = [b"NaN", b"1e400", b'"\\ud800"', b'{"a":1,"a":2}', b"1" * 5000, b"[" * 200 + b"]" * 200]
#: Fields within fields.
INNER = {
    "config": ["tags", "recursion_limit", "configurable", "metadata", "callbacks", "run_id"],
    "command": ["update", "resume", "goto"],
    "checkpoint": ["thread_id", "checkpoint_ns", "checkpoint_id", "checkpoint_map"],
    "before": ["checkpoint_id", "configurable"],
    "extract": ["a"],
    "filter": ["a"],
    "metadata": ["graph_id", "given_thread_id", "a2a"],
    "values": ["log"],
    "ttl": ["strategy"],
}
#: Fields that no schema of a run names, and that some runs have.
UNNAMED = ["checkpoint", "checkpoint_id", "if_not_exists", "multitask_strategy", "on_disconnect"]
_RUN = {"assistant_id": GRAPH, "input": {}}
_CRON = {"assistant_id": GRAPH, "schedule": "0 0 1 1 *", "enabled": False}
_RPC = {"jsonrpc": "2.0", "id": 1}
_MESSAGE = {"messageId": "1", "role": "user", "parts": [{"text": "x"}]}
#: Valid bodies, by the name of their schema or by the path.
VALID: Mapping[str, list[Any]] = {
    "AssistantCreate": [{"graph_id": GRAPH}],
    "StorePut": [{"namespace": ["a"], "key": "k", "value": {}}],
    "StoreDelete": [{"namespace": ["a"], "key": "k"}],
    "ThreadPrune": [{"thread_ids": []}],
    "ThreadStateAt": [{"checkpoint": {}}],
    "ProtocolCommand": [
        {"id": 1, "method": "run.start", "params": {"assistant_id": GRAPH, "config": {}}},
        {"id": 1, "method": "input.respond", "params": {"responses": [], "namespace": []}},
        {"id": 1, "method": "subscription.subscribe", "params": {"channels": [], "depth": 1}},
    ],
    "/mcp": [
        {**_RPC, "method": "tools/list", "params": {"cursor": "0"}},
        {**_RPC, "method": "tools/call", "params": {"name": GRAPH, "arguments": {}}},
    ],
    "/a2a/{assistant_id}": [
        {**_RPC, "method": "SendMessage", "params": {"message": _MESSAGE, "configuration": {}}},
        {**_RPC, "method": "GetTask", "params": {"id": "x", "contextId": "x"}},
        {
            **_RPC,
            "method": "ListTasks",
            "params": {"pageSize": 1, "pageToken": "0", "status": "x", "historyLength": 1},
        },
    ],
    "RunWaitStateless": [_RUN],
    "RunWaitStateful": [_RUN],
    "RunCreateStateless": [_RUN],
    "RunCreateStateful": [_RUN],
    "RunBatch": [[_RUN]],
    "RunsCancel": [{"status": "all"}],
    "RunControl": [{"number": 1}],
    "CronCreate": [_CRON],
    "CronPatch": [{"enabled": False}],
}


def fields_of(schema: Mapping[str, Any]) -> dict[str, None]:
    """Return the names of the fields of a body, in order."""
    found = dict.fromkeys(schema.get("properties", ()))
    if "$ref" in schema:
        found |= fields_of(BODIES[schema["$ref"]])
    for part in (*schema.get("allOf", ()), *([schema["items"]] if "items" in schema else ())):
        found |= fields_of(part)
    return found


class Odd(NamedTuple):
    """A body with an odd value, and where it is."""

    place: str
    content: bytes


def bodies(endpoint: Endpoint) -> Iterator[Odd]:
    """Yield the bodies for an endpoint, with each odd value at each place."""
    name = endpoint.body or ""
    for odd in ODD:
        yield Odd("", json.dumps(odd).encode())
    for content in (b"", b"\xff", b"\xef\xbb\xbf{}", "{}".encode("utf-16"), b"{}{}", b"{"):
        yield Odd("", content)
    fields = [*fields_of(BODIES[name]), *(UNNAMED if name.startswith("Run") else ())]
    for valid in VALID.get(endpoint.path) or VALID.get(name, [{}]):
        for field in fields:
            below = [*INNER.get(field, ()), *(valid.get(field, ()) if field == "params" else ())]
            for path in ((field,), *((field, inner) for inner in below)):
                changed = copy.deepcopy(valid)
                at = changed[0] if isinstance(changed, list) else changed
                for step in path[:-1]:
                    at = at.setdefault(step, {})
                for odd in ODD:
                    at[path[-1]] = odd
                    yield Odd(".".join(path), json.dumps(changed).encode())
                at[path[-1]] = "@"
                for raw in RAW:
                    content = json.dumps(changed).encode().replace(b'"@"', raw)
                    yield Odd(".".join(path), content)


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    hosted = {name: fresh_graph(name) for name in (GRAPH, "chat")}
    with (
        Server(hosted) as server,
        httpx.Client(transport=server.transport(), base_url="http://x", timeout=60) as client,
    ):
        yield client


def ids(http: httpx.Client) -> dict[str, str]:
    """Make one of everything, and return the ids."""
    thread_id = http.post("/threads", json={}).json()["thread_id"]
    http.post(f"/threads/{thread_id}/runs/wait", json=_RUN)
    return {
        "thread_id": thread_id,
        "run_id": http.get(f"/threads/{thread_id}/runs").json()[0]["run_id"],
        "assistant_id": http.post("/assistants", json={"graph_id": "chat"}).json()["assistant_id"],
        "cron_id": http.post("/runs/crons", json=_CRON).json()["cron_id"],
    }


WITH_BODIES = [one for one in ENDPOINTS if one.body is not None and one.response != SSE]


@pytest.mark.parametrize("endpoint", WITH_BODIES, ids=lambda one: f"{one.method} {one.path}")
def test_no_value_of_a_field_is_a_500(http: httpx.Client, endpoint: Endpoint) -> None:
    """Whatever a field holds, the request is done or refused, and so is what comes after it."""
    made = ids(http)
    path = endpoint.path.format(**made)
    for odd in bodies(endpoint):
        answer = http.request(endpoint.method, path, content=odd.content)
        assert answer.status_code < 500, (odd.place, odd.content[:200], answer.text)
    for path in (
        "/threads/{thread_id}",
        "/threads/{thread_id}/state",
        "/assistants/{assistant_id}",
    ):
        assert http.get(path.format(**made)).status_code < 500
    assert http.delete(f"/threads/{made['thread_id']}").status_code in (204, 404)
