"""MCP and A2A when a run is stopped: by a cancellation, or at a breakpoint of its graph."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Annotated, Any

import httpx
import pytest
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict

from langgraph_client.testing import TestServer
from tests.auth.conftest import client, owners
from tests.support.hosted import Gate

METHODS = ["SendMessage", "SendStreamingMessage"]
CONTEXT = "00000000-0000-4000-8000-000000000001"


class Messages(TypedDict, total=False):
    messages: Annotated[list[Any], add_messages]


def graphs(gate: Gate) -> dict[str, Any]:
    """Return an agent that waits at the gate if it is told so, and one with a breakpoint."""

    async def answer(state: Messages) -> Messages:
        if state["messages"][-1].content == "wait":
            await gate.hold()
        return {"messages": [("ai", "an answer")]}

    def plan(state: Messages) -> Messages:
        return {"messages": [("ai", "a plan")]}

    builder = StateGraph(Messages).add_node("plan", plan).add_node("answer", answer)
    builder.add_edge(START, "plan").add_edge("plan", "answer")
    agent = StateGraph(Messages).add_node("answer", answer).add_edge(START, "answer")
    return {"agent": agent.compile(), "stops": builder.compile(interrupt_before=["answer"])}


@pytest.fixture
def gate() -> Gate:
    """Where the agent waits."""
    return Gate()


@pytest.fixture(params=[False, True], ids=["open", "auth"])
def http(gate: Gate, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """Bare httpx to a server with these graphs, without and with an `Auth`."""
    with (
        TestServer(graphs(gate), auth=owners() if request.param else None) as server,
        client(server, "ann") as http,
    ):
        yield http


def rpc(http: httpx.Client, path: str, method: str, params: Any) -> Any:
    """Send a request, and return the result; of a stream, that of each of its events."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = http.post(path, json=body)
    if answer.headers["content-type"].startswith("text/event-stream"):
        lines = answer.text.splitlines()
        return [json.loads(line[6:])["result"] for line in lines if line.startswith("data: ")]
    return answer.json()["result"]


def send(http: httpx.Client, method: str, graph: str, text: str) -> tuple[str, str, list[Any]]:
    """Send a message; return the task's id, its last state and the parts of its artifacts."""
    said = {"messageId": text, "role": "ROLE_USER", "contextId": CONTEXT, "parts": [{"text": text}]}
    result = rpc(http, f"/a2a/{graph}", method, {"message": said})
    if method == "SendMessage":
        task = result["task"]
        made = task.get("artifacts", [])
        return task["id"], task["status"]["state"], [part for a in made for part in a["parts"]]
    updates = [event["statusUpdate"] for event in result if "statusUpdate" in event]
    made = [event["artifactUpdate"]["artifact"] for event in result if "artifactUpdate" in event]
    last = updates[-1]
    return last["taskId"], last["status"]["state"], [part for a in made for part in a["parts"]]


def while_it_waits(gate: Gate, call: Any, act: Any) -> Any:
    """Make a call in a thread; when its run is at the gate, act; return the call's result."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(call()))
    thread.start()
    gate.arrived()
    act()
    thread.join(60)
    assert results, "the call has not ended"
    return results[0]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("action", ["interrupt", "rollback"])
def test_a_cancelled_task_is_canceled(
    http: httpx.Client, gate: Gate, method: str, action: str
) -> None:
    """It has no artifact: the last answer in its context is that of an earlier task."""
    assert send(http, method, "agent", "hi")[1:] == (
        "TASK_STATE_COMPLETED",
        [{"text": "an answer"}],
    )

    def cancel() -> None:
        run = http.get(f"/threads/{CONTEXT}/runs").json()[0]["run_id"]
        http.post(f"/threads/{CONTEXT}/runs/{run}/cancel", params={"action": action})

    task, *end = while_it_waits(gate, lambda: send(http, method, "agent", "wait"), cancel)
    assert end == ["TASK_STATE_CANCELED", []]
    if action == "interrupt":
        assert rpc(http, "/a2a/agent", "GetTask", {"id": task})["status"]["state"] == end[0]


@pytest.mark.parametrize("method", METHODS)
def test_a_breakpoint_is_input_required(http: httpx.Client, method: str) -> None:
    """The task waits, as reading it says, and has no artifact, as there is no question."""
    task_id, *end = send(http, method, "stops", "hi")
    assert end == ["TASK_STATE_INPUT_REQUIRED", []]
    task = rpc(http, "/a2a/stops", "GetTask", {"id": task_id})
    assert (task["status"]["state"], task.get("artifacts")) == ("TASK_STATE_INPUT_REQUIRED", None)
    said = {"messageId": "2", "role": "ROLE_USER", "taskId": task_id, "parts": [{"text": "go on"}]}
    task = rpc(http, "/a2a/stops", "SendMessage", {"message": said})["task"]
    assert task["status"]["state"] == "TASK_STATE_COMPLETED"
    assert task["artifacts"][0]["parts"] == [{"text": "an answer"}]


@pytest.mark.parametrize("action", ["interrupt", "rollback"])
def test_a_cancelled_tool_is_an_error(http: httpx.Client, gate: Gate, action: str) -> None:
    """The values that it has left are no result of the tool."""
    call = {"name": "agent", "arguments": {"messages": "wait"}}
    result = while_it_waits(
        gate,
        lambda: rpc(http, "/mcp", "tools/call", call),
        lambda: http.post("/runs/cancel", params={"action": action}, json={"status": "all"}),
    )
    assert result["isError"]
    assert result["content"] == [{"type": "text", "text": "The run was cancelled before its end."}]
