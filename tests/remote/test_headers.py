"""The headers of a call are those of all its requests."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any, TypedDict

import pytest
from langgraph.graph import START, StateGraph
from langgraph.runtime import RunControl
from langgraph.types import StateUpdate
from opentelemetry import trace

from langgraph_client import AuthenticationError
from langgraph_client.auth import Auth
from langgraph_client.testing import TestServer

OWN: dict[str, Any] = {"headers": {"x-own": "1"}, "params": {"own": "1"}}


class State(TypedDict, total=False):
    x: int
    y: int


def on(thread_id: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": thread_id}}


def quick() -> Any:
    builder = StateGraph(State).add_node("first", lambda _: {"x": 1})
    builder.add_node("second", lambda _: {"x": 2})
    return builder.add_edge(START, "first").add_edge("first", "second").compile()


async def _wait(_: State) -> State:
    await asyncio.Event().wait()
    return {}


def slow() -> Any:
    builder = StateGraph(State).add_node("first", lambda _: {"x": 1}).add_node("wait", _wait)
    return builder.add_edge(START, "first").add_edge("first", "wait").compile()


def invoke(graph: Any) -> None:
    graph.invoke({}, on("1"), **OWN)


async def ainvoke(graph: Any) -> None:
    await graph.ainvoke({}, on("1"), **OWN)


def drain(graph: Any) -> None:
    graph.invoke({}, on("1"), control=RunControl(), **OWN)


def leave(graph: Any) -> None:
    for _ in graph.stream({}, on("1"), **OWN):
        break


def recreate(graph: Any) -> None:
    graph.invoke({}, on("1"), **OWN)
    (thread,) = graph.sync_client.threads.search(**OWN)
    graph.sync_client.threads.delete(thread["thread_id"], **OWN)
    graph.invoke({}, on("1"), **OWN)


def update(graph: Any) -> None:
    graph.update_state(on("1"), {"x": 5}, as_node="first", **OWN)


def update_without_a_graph(graph: Any) -> None:
    thread_id = graph.sync_client.threads.create(**OWN)["thread_id"]
    graph.update_state(on(thread_id), {"x": 5}, as_node="first", **OWN)


def update_a_task(graph: Any) -> None:
    graph.update_state(on("1"), {"x": 5}, as_node="first", task_id="t", **OWN)


def read(graph: Any) -> None:
    graph.get_state(on("1"), **OWN)
    list(graph.get_state_history(on("1"), **OWN))


def draw(graph: Any) -> None:
    graph.get_graph(**OWN)


CALLS = [
    invoke,
    ainvoke,
    drain,
    leave,
    recreate,
    update,
    update_without_a_graph,
    update_a_task,
    read,
    draw,
]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
async def test_every_request_of_a_call_has_its_headers_and_parameters(call: Any) -> None:
    """The one before a run, too, and the one that cancels it."""
    with TestServer({"quick": quick(), "slow": slow()}) as server:
        name = "slow" if call is leave else "quick"
        (assistant,) = server.sync_client().assistants.search(graph_id=name)
        server.requests.clear()
        for asked in (name, assistant["assistant_id"]):
            graph = server.remote_graph(asked)
            if asyncio.iscoroutine(calling := call(graph)):
                await calling
        assert len(server.requests) > 1
        for request in server.requests:
            assert (request.headers.get("x-own"), "own=1" in request.query) == ("1", True), request


def test_the_trace_is_in_every_request() -> None:
    """Also where a method has no `headers`, as a local graph's has none."""
    context = trace.SpanContext(2, 1, is_remote=False, trace_flags=trace.TraceFlags(1))
    with (
        TestServer({"quick": quick()}) as server,
        trace.use_span(trace.NonRecordingSpan(context)),
    ):
        graph = server.remote_graph("quick", distributed_tracing=True)
        graph.get_input_jsonschema()
        list(graph.get_subgraphs())
        one = StateUpdate({"x": 1}, "first")
        graph.bulk_update_state(on("1"), [[one, StateUpdate({"y": 1}, "second")]])
        graph.invoke({}, on("2"))
        assert [r for r in server.requests if "traceparent" not in r.headers] == []


async def _user(authorization: str) -> dict[str, Any]:
    if authorization not in ("Bearer ann", "Bearer bob"):
        raise Auth.exceptions.HTTPException(status_code=401, detail="who are you?")
    return {"identity": authorization.removeprefix("Bearer ")}


def test_one_graph_serves_many_users() -> None:
    """Each by the headers of the call; a call without them changes nothing for the others."""
    auth = Auth()
    auth.authenticate(_user)
    with TestServer({"quick": quick()}, auth=auth) as server:
        graph = server.remote_graph("quick")
        with pytest.raises(AuthenticationError):
            graph.invoke({}, on("nobody"))
        for user in ("ann", "bob"):
            headers = {"Authorization": f"Bearer {user}"}
            for thread_id in (user, str(uuid.uuid4())):
                assert graph.invoke({}, on(thread_id), headers=headers) == {"x": 2}
                graph.update_state(on(f"{thread_id}'s"), {"x": 7}, headers=headers)
                state = graph.get_state(on(f"{thread_id}'s"), headers=headers)
                assert state.values == {"x": 7}
