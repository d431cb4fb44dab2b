"""The headers of a LangSmith trace reach factories and nodes, whatever other headers do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypedDict

import httpx
import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, StateGraph
from langsmith.run_helpers import tracing_context
from langsmith.run_trees import RunTree

from langgraph_client.server.http.tracing_headers import tracing_headers
from langgraph_client.server.runs.run_document import assistant_id_of
from langgraph_client.testing import TestServer

ASSISTANT = assistant_id_of("traced")
TRACE = "20240101T000000000000Z00000000-0000-4000-8000-000000000000"
BAGGAGE = ",".join(
    (
        "other=1",
        " langsmith-project=my%20own",
        "langsmith-metadata=%7B%22a%22%3A1%7D",
        "langsmith-tags=x%2Cy",
    )
)
DEEP = '{"a":' + "[" * 197 + "]" * 197 + "}"
"""Metadata that can be read, but not as a part of a run's document."""
KEYS = ("langsmith-trace", "langsmith-project", "langsmith-metadata", "langsmith-tags")
SEEN = dict(zip(KEYS, (TRACE, "my own", {"a": 1}, ["x", "y"]), strict=True))


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({}, {}),
        ({"baggage": BAGGAGE}, {}),
        ({"langsmith-trace": TRACE}, {"langsmith-trace": TRACE}),
        ({"langsmith-trace": TRACE, "baggage": BAGGAGE}, SEEN),
        (
            {"langsmith-trace": TRACE, "baggage": "langsmith-metadata=%5B1%5D,langsmith-project"},
            {"langsmith-trace": TRACE, "langsmith-project": ""},
        ),
        (
            {"langsmith-trace": TRACE, "baggage": "langsmith-metadata=%7B"},
            {"langsmith-trace": TRACE},
        ),
        (
            {"langsmith-trace": TRACE, "baggage": f"langsmith-metadata={DEEP}"},
            {"langsmith-trace": TRACE},
        ),
        (
            {"langsmith-trace": TRACE, "baggage": 'langsmith-metadata={"a":1e999}'},
            {"langsmith-trace": TRACE},
        ),
    ],
    ids=[
        "none",
        "no trace",
        "no baggage",
        "all",
        "a list as metadata",
        "not JSON",
        "nested too deep",
        "an infinite number",
    ],
)
def test_headers_of_a_trace(headers: dict[str, str], found: dict[str, Any]) -> None:
    """The baggage counts only beside a trace, and a malformed part of it is ignored."""
    assert tracing_headers(headers) == found


class State(TypedDict, total=False):
    seen: dict[str, Any]


def trace_of(config: RunnableConfig) -> dict[str, Any]:
    configurable = config.get("configurable", {})
    return {key: configurable[key] for key in KEYS if key in configurable}


def look(state: State, config: RunnableConfig) -> State:
    return {"seen": trace_of(config)}


@contextmanager
def served() -> Iterator[tuple[TestServer, list[dict[str, Any]]]]:
    """Give a server with a graph that a factory makes, and the traces that the factory gets."""
    made: list[dict[str, Any]] = []

    def make(config: RunnableConfig) -> Any:
        made.append(trace_of(config))
        return StateGraph(State).add_node("look", look).add_edge(START, "look").compile()

    with TestServer({"traced": make}) as server:
        yield server, made


def run(http: httpx.Client, thread: str) -> Any:
    body = {"assistant_id": "traced", "input": {}}
    return http.post(f"{thread}/runs/wait", json=body).json()["seen"]


REQUESTS: dict[str, Callable[[httpx.Client, str], Any]] = {
    "run": run,
    "state": lambda http, thread: http.get(f"{thread}/state"),
    "history": lambda http, thread: http.post(f"{thread}/history", json={}),
    "update": lambda http, thread: http.post(f"{thread}/state", json={"values": {}}),
    "graph": lambda http, thread: http.get(f"/assistants/{ASSISTANT}/graph"),
    "schemas": lambda http, thread: http.get(f"/assistants/{ASSISTANT}/schemas"),
    "subgraphs": lambda http, thread: http.get(f"/assistants/{ASSISTANT}/subgraphs"),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_every_request_that_opens_a_graph_has_its_trace(name: str) -> None:
    """Factories find it, and nodes; no setting of the server is needed."""
    with (
        served() as (server, made),
        httpx.Client(transport=server.transport(), base_url="http://test", timeout=60) as http,
    ):
        thread = f"/threads/{http.post('/threads', json={}).json()['thread_id']}"
        assert run(http, thread) == {}
        made.clear()
        http.headers.update({"langsmith-trace": TRACE, "baggage": BAGGAGE})
        answer = REQUESTS[name](http, thread)
        assert made[0] == SEEN
        if name == "run":
            assert answer == SEEN


def test_the_trace_of_a_remote_graph() -> None:
    """With `distributed_tracing`, the graph on the server finds the run around the call."""
    around = RunTree(name="parent", run_type="chain", inputs={}, project_name="mine")
    with served() as (server, made):
        graph = server.remote_graph("traced", distributed_tracing=True)
        with tracing_context(parent=around, enabled=True):
            seen = graph.invoke({})["seen"]
        assert seen == made[-1]
        assert seen["langsmith-trace"] == around.to_headers()["langsmith-trace"]
        assert seen["langsmith-project"] == "mine"
