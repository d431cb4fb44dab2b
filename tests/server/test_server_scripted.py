"""Scripted graphs, hosted like any other."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import httpx
import pytest
from langgraph.graph import START, StateGraph
from langgraph.types import interrupt
from typing_extensions import TypedDict

from langgraph_client.server.clock import Clock
from langgraph_client.server.graphs.hosted_script import HostedScript
from langgraph_client.server.graphs.protocol import GraphRun
from langgraph_client.server.graphs.script_steps import Ask, Emit, Fail, Say, Update, Wait
from langgraph_client.server.graphs.scripted import ScriptedGraph
from langgraph_client.server.server import Server
from langgraph_client.server.storage.sqlite.storage import SqliteStorage
from tests.server.conftest import parse
from tests.support.strict import STRICT


def by_input(state: dict[str, Any]) -> list[Any]:
    return [{"topic": state["topic"].upper()}] * state["times"]


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    """Bare httpx to a server with scripted graphs."""
    graphs = {
        "talk": ScriptedGraph([Wait(0), Say(["Hel", "lo"]), Emit({"half": True}), {"done": True}]),
        "ask": ScriptedGraph([{"draft": "d"}, Ask("sure?", into="said"), {"sent": True}]),
        "fail": ScriptedGraph([{"draft": "d"}, Fail(ValueError("no"))]),
        "function": ScriptedGraph(by_input),
    }
    with (
        Server(graphs) as server,
        httpx.Client(transport=server.transport(), base_url="http://test", timeout=60) as client,
    ):
        yield client


def new_thread(http: httpx.Client) -> str:
    return str(http.post("/threads", json={}).json()["thread_id"])


def test_script_streams(http: httpx.Client) -> None:
    """Steps become the events a graph would give: chunks, custom data, updates, values."""
    modes = ["messages-tuple", "custom", "updates"]
    body = {"assistant_id": "talk", "input": {"messages": []}, "stream_mode": modes}
    events = parse(http.post("/runs/stream", json=body).text)
    assert [event.name for event in events] == [
        "metadata",
        "messages",
        "messages",
        "updates",
        "custom",
        "updates",
    ]
    assert [event.data[0]["content"] for event in events[1:3]] == ["Hel", "lo"]
    assert events[3].data["step-2"]["messages"][0]["content"] == "Hello"


def test_script_accumulates_messages(http: httpx.Client) -> None:
    """Mode `messages` gives what was said so far."""
    body = {"assistant_id": "talk", "input": {}, "stream_mode": "messages"}
    events = parse(http.post("/runs/stream", json=body).text)
    said = [event.data[0]["content"] for event in events if event.name == "messages/partial"]
    assert said == ["Hel", "Hello"]


def test_script_stops_and_resumes(http: httpx.Client) -> None:
    """`Ask` is an interrupt: the thread waits, the answer goes into the state."""
    thread = new_thread(http)
    path = f"/threads/{thread}/runs/wait"
    first = http.post(path, json={"assistant_id": "ask", "input": {}}).json()
    assert first["__interrupt__"][0]["value"] == "sure?"
    state = http.get(f"/threads/{thread}/state").json()
    assert state["next"] == ["step-2"]
    assert http.get(f"/threads/{thread}").json()["status"] == "interrupted"
    second = http.post(path, json={"assistant_id": "ask", "command": {"resume": False}}).json()
    assert second == {"draft": "d", "said": False, "sent": True}
    assert http.get(f"/threads/{thread}").json()["status"] == "idle"
    history = http.get(f"/threads/{thread}/history", params={"limit": 20}).json()
    assert [found["next"] for found in history] == [[], ["step-3"], ["step-2"], ["step-1"]]


def test_script_fails(http: httpx.Client) -> None:
    """`Fail` ends the run as an exception in a node would."""
    thread = new_thread(http)
    answer = http.post(
        f"/threads/{thread}/runs/wait", json={"assistant_id": "fail", "input": {}}
    ).json()
    assert answer == {"__error__": {"error": "ValueError", "message": "no"}}
    assert http.get(f"/threads/{thread}").json()["status"] == "error"
    assert http.get(f"/threads/{thread}/state").json()["tasks"][0]["error"] == "ValueError('no')"


def test_script_as_a_function(http: httpx.Client) -> None:
    """A script may be a function of the state, the input included."""
    body = {"assistant_id": "function", "input": {"topic": "t", "times": 1}}
    assert http.post("/runs/wait", json=body).json() == {"topic": "T", "times": 1}


def test_modes_a_script_lacks_are_refused(http: httpx.Client) -> None:
    """A mode that scripts do not have fails the run by name instead of giving nothing."""
    body = {"assistant_id": "talk", "input": {}, "stream_mode": "debug"}
    assert (
        "does not support debug"
        in http.post("/runs/wait", json=body).json()["__error__"]["message"]
    )


def compiled(cause: Exception) -> Any:
    """Return a graph with the nodes that the steps of `scripted` stand for."""

    class State(TypedDict, total=False):
        draft: str
        answer: str

    def fail(state: State) -> None:
        raise cause

    graph = StateGraph(State)
    graph.add_node("write", lambda state: {"draft": "d"})
    graph.add_node("ask", lambda state: {"answer": interrupt("sure?")})
    graph.add_node("pause", lambda state: None)
    graph.add_node("fail", fail)
    for source, target in pairwise([START, "write", "ask", "pause", "fail"]):
        graph.add_edge(source, target)
    return graph.compile()


def scripted(cause: Exception) -> ScriptedGraph:
    return ScriptedGraph(
        [Update({"draft": "d"}, "write"), Ask("sure?", node="ask"), Wait(0), Fail(cause)]
    )


def events_of(http: httpx.Client, path: str, body: dict[str, Any], modes: list[str]) -> list[Any]:
    """Return the events of a run in these modes, without ids, times and names of steps."""
    body = {"assistant_id": "agent", "stream_mode": ["values", "updates", *modes], **body}
    text = http.post(path, json=body).text
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}", "#", text)
    text = text.replace("step-3", "pause").replace("step-4", "fail")
    return [(event.name, event.data) for event in parse(text)]


@pytest.mark.parametrize("path", ["/runs/stream", "/threads/{}/runs/stream"])
def test_tasks_are_those_of_a_graph_with_the_same_nodes(path: str) -> None:
    """Mode `tasks` tells of each step what it tells of a node, as a question and a failure, too."""
    seen = []
    for graph in (scripted(ValueError("no")), compiled(ValueError("no"))):
        with (
            Server({"agent": graph}) as server,
            httpx.Client(transport=server.transport(), base_url="http://test", timeout=60) as http,
        ):
            where = path.format(new_thread(http))
            events = events_of(http, where, {"input": {"draft": "a"}}, ["tasks"])
            if where.startswith("/threads"):
                events += events_of(http, where, {"command": {"resume": "yes"}}, ["tasks"])
            # A step that waits, unlike a node, writes nothing.
            seen.append([e for e in events if e[0] in ("tasks", "error") or "ask" in e[1]])
    assert seen[0] == seen[1]
    assert [name for name, _ in seen[0]].count("tasks") == (4 if "/threads" not in path else 10)


def test_checkpoints_are_those_that_the_history_shows(http: httpx.Client) -> None:
    """Mode `checkpoints` tells of each state that is stored, with the ids of its tasks."""
    thread = new_thread(http)
    path = f"/threads/{thread}/runs/stream"
    body = {"assistant_id": "ask", "stream_mode": ["tasks", "checkpoints"]}
    events = parse(http.post(path, json={**body, "input": {}}).text)
    events += parse(http.post(path, json={**body, "command": {"resume": True}}).text)
    shown = [event.data for event in events if event.name == "checkpoints"]
    history = http.get(f"/threads/{thread}/history", params={"limit": 20}).json()
    # The resumed run tells first of the state it starts from.
    assert shown.pop(2)["tasks"][0]["interrupts"][0]["value"] == "sure?"
    assert [found["config"]["configurable"] for found in shown] == [
        state["checkpoint"] for state in reversed(history)
    ]
    for found, state in zip(shown, reversed(history), strict=True):
        assert (found["values"], found["next"]) == (state["values"], state["next"])
        assert [task["id"] for task in found["tasks"]] == [task["id"] for task in state["tasks"]]
    begun = [event.data["id"] for event in events if "input" in (event.data or {})]
    assert list(dict.fromkeys(begun)) == [task["id"] for found in shown for task in found["tasks"]]


def test_checkpoints_are_in_the_form_of_a_graphs() -> None:
    """A checkpoint of a script has the fields of a compiled graph's."""
    seen = []
    for graph in (scripted(ValueError("no")), compiled(ValueError("no"))):
        with (
            Server({"agent": graph}) as server,
            httpx.Client(transport=server.transport(), base_url="http://test", timeout=60) as http,
        ):
            path = f"/threads/{new_thread(http)}/runs/stream"
            events = events_of(http, path, {"input": {"draft": "a"}}, ["checkpoints"])
            events += events_of(http, path, {"command": {"resume": "yes"}}, ["checkpoints"])
            found = [data for name, data in events if name == "checkpoints"]
            seen.append([data for data in found if data["next"] == ["ask"]])
    for script, graph_data in zip(*seen, strict=True):
        assert script.keys() == graph_data.keys()
        assert script["tasks"] == graph_data["tasks"]
        for config in ("config", "parent_config"):
            ids, more = script[config]["configurable"], graph_data[config]["configurable"]
            assert ids == {key: more[key] for key in ids}


PROGRAM = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("langgraph", "langchain_core", "langsmith"):
            raise ImportError(name)

sys.meta_path.insert(0, Blocker())
import httpx
from langgraph_client.server.graphs.script_steps import Ask, Say
from langgraph_client.server.graphs.scripted import ScriptedGraph
from langgraph_client.server.server import Server
from langgraph_client.server.storage.sqlite.storage import SqliteStorage

with Server({"talk": ScriptedGraph([Say("hi"), Ask("?")])}) as server:
    with httpx.Client(transport=server.transport(), base_url="http://test", timeout=60) as http:
        made = http.post("/runs/wait", json={"assistant_id": "talk", "input": {}})
        print(made.json()["__interrupt__"][0]["value"])
        events = {"assistant_id": "talk", "input": {}, "stream_mode": "messages"}
        print(http.post("/runs/stream", json=events).text.count("messages/partial"))
"""


def test_script_needs_no_langgraph() -> None:
    """A scripted graph is hosted where neither langgraph nor langchain is installed."""
    done = subprocess.run(
        [sys.executable, *STRICT, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout.split() == ["?", "1"]


async def test_events_of_a_step_are_written_before_its_state() -> None:
    """What a step does is told, and written, before the state behind it: a kill in between repeats
    the step, and loses nothing."""
    order: list[str] = []

    async def write_events() -> None:
        order.append("write")

    storage = SqliteStorage(None, clock=Clock())
    try:
        hosted = HostedScript(
            ScriptedGraph([{"done": True}]),
            storage.script_states,
            durable=True,
            write_events=write_events,
        )
        kwargs = {
            "stream_mode": ["updates"],
            "input": {},
            "interrupt_before": None,
            "interrupt_after": None,
        }
        run = GraphRun(kwargs, {"configurable": {"thread_id": "thread"}})
        async for name, _ in hosted.events(run):
            order.append(name)
            saved = storage.script_states.get("thread")
            assert saved is not None
            assert "done" not in saved.values
        assert order == ["write", "updates", "write"]
    finally:
        await storage.close()
