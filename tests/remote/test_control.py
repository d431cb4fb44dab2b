"""`control=`: a remote run drains between two supersteps, and goes on from there."""

from __future__ import annotations

import time
from typing import Any, TypedDict

import httpx
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphDrained
from langgraph.graph import START, StateGraph
from langgraph.runtime import RunControl, Runtime
from langgraph.types import Command

from langgraph_client import (
    APIResponseValidationError,
    InvalidArgumentError,
    RemoteGraph,
    Server,
    get_sync_client,
)
from langgraph_client.remote.run_request import PAUSE
from langgraph_client.server.graphs import drain_checks
from langgraph_client.values import HEADER, VERSION
from tests.support.plain_server import plain_graph
from tests.support.wire import EVENT_STREAM, event

ON = {"configurable": {"thread_id": "1"}}


class State(TypedDict, total=False):
    first: str
    second: str


def built(first: Any = lambda _: {"first": "done"}) -> Any:
    builder = StateGraph(State)
    builder.add_node("first", first)
    builder.add_node("second", lambda _: {"second": "done"})
    builder.add_edge(START, "first")
    builder.add_edge("first", "second")
    return builder.compile(checkpointer=InMemorySaver())


@pytest.mark.parametrize("is_remote", [False, True], ids=["local", "remote"])
async def test_a_drained_run_stops_before_its_next_superstep(is_remote: bool) -> None:
    """In both colours; the thread goes on from there."""
    control = RunControl()

    def first(_: State) -> State:
        control.request_drain("deploy")
        return {"first": "done"}

    graph = built(first)
    with Server({"agent": graph}) as server:
        subject = server.remote_graph("agent") if is_remote else graph
        with pytest.raises(GraphDrained, match="deploy") as caught:
            subject.invoke({}, ON, control=control)
        assert caught.value.reason == "deploy"
        assert subject.get_state(ON).next == ("second",)
        assert subject.invoke(None, ON) == {"first": "done", "second": "done"}

        control = RunControl()
        on = {"configurable": {"thread_id": "2"}}
        with pytest.raises(GraphDrained, match="deploy"):
            [part async for part in subject.astream({}, on, control=control)]
        assert (await subject.aget_state(on)).next == ("second",)


@pytest.mark.parametrize("is_remote", [False, True], ids=["local", "remote"])
def test_a_command_is_kept_by_a_run_that_drains_before_its_first_superstep(is_remote: bool) -> None:
    """Its update is in the state, and the next call goes where the command goes."""
    control = RunControl()
    control.request_drain()
    graph = built()
    with Server({"agent": graph}) as server:
        subject = server.remote_graph("agent") if is_remote else graph
        subject.invoke({}, ON)
        with pytest.raises(GraphDrained):
            subject.invoke(Command(update={"second": "?"}, goto="first"), ON, control=control)
        assert subject.get_state(ON).values == {"first": "done", "second": "?"}
        went = [*subject.stream(None, ON)]
    assert went == [{"first": {"first": "done"}}, {"second": {"second": "done"}}]


@pytest.mark.parametrize("mode", ["values", "updates", ["custom", "values"]], ids=repr)
def test_a_control_that_is_not_used_changes_nothing(mode: Any) -> None:
    """What the run asks its caller is in no stream."""
    graph = built()
    with Server({"agent": graph}) as server:
        remote = server.remote_graph("agent")
        streamed = list(remote.stream({}, ON, control=RunControl(), stream_mode=mode))
    assert streamed == list(
        graph.stream({}, {"configurable": {"thread_id": "2"}}, stream_mode=mode)
    )


def test_a_run_that_is_to_drain_from_the_start_on_does_nothing() -> None:
    """A run whose control was asked to drain before its start carries out no node."""
    graph = built()
    control = RunControl()
    control.request_drain("early")
    with Server({"agent": graph}) as server:
        with pytest.raises(GraphDrained, match="early"):
            server.remote_graph("agent").invoke({}, ON, control=control)
        assert server.remote_graph("agent").get_state(ON).next == ("__start__",)


def test_a_node_can_ask_for_it_too() -> None:
    """Through its `runtime`, as locally."""

    def first(_: State, runtime: Runtime) -> State:
        assert runtime.control is not None
        runtime.control.request_drain("node")
        return {"first": "done"}

    with Server({"agent": built(first)}) as server, pytest.raises(GraphDrained, match="node"):
        server.remote_graph("agent").invoke({}, ON, control=RunControl())


def test_others_who_read_the_run_see_no_questions() -> None:
    """Only the caller who gave the control gets the events that ask about it."""
    with Server({"agent": built()}) as server:
        remote = server.remote_graph("agent")
        runs: list[Any] = []
        list(remote.stream({}, ON, control=RunControl(), on_run_created=runs.append))
        client = server.sync_client()
        with client.runs.join_stream(
            runs[0]["thread_id"], runs[0]["run_id"], last_event_id="-1"
        ) as stream:
            events = [part.event for part in stream]
    assert "control" not in events
    assert "updates" in events


def test_a_caller_that_does_not_answer_is_not_waited_for_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A client that has gone does not hold up its run at each step."""
    monkeypatch.setattr(drain_checks, "LIMIT", 0.01)
    with (
        Server({"agent": built()}) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as wire,
    ):
        answer = wire.post(
            "/runs/stream",
            json={"assistant_id": "agent", "input": {}, "stream_mode": "updates"},
            headers={
                HEADER: VERSION,
                "x-langgraph-client-control": '{"drain": null}',
            },
        )
        assert answer.text.count("event: control") == 1
        assert answer.text.count("event: updates") == 2


def test_answers_to_runs_without_a_control_are_refused() -> None:
    """An answer needs a run with a control (404), a number (422), and a header in form (422)."""
    with (
        Server({"agent": built()}) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as wire,
    ):
        over = server.sync_client().runs.create(None, "agent", input={})
        path = f"/threads/{over.thread_id}/runs/{over.run_id}/control"
        server.sync_client().runs.join(over.thread_id, over.run_id)
        assert wire.post(path, json={"number": 1}).status_code == 404
        assert wire.post(path, json={}).status_code == 422
        odd = {"x-langgraph-client-control": '{"drain": 1}'}
        body = {"assistant_id": "agent"}
        assert wire.post("/runs", json=body, headers=odd).status_code == 422
        assert wire.get("/info").json()["flags"]["run_control"] is True


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ({"thread_id": "../a?b#", "run_id": "..", "number": 1}, "..%2Fa%3Fb%23/runs/%2E%2E"),
        ({"thread_id": "t", "run_id": "r"}, None),
        ({"thread_id": 5, "run_id": "r", "number": 1}, None),
        ({"thread_id": "t", "number": 1}, None),
        ([1], None),
        (None, None),
    ],
)
def test_a_question_leads_to_no_other_endpoint(question: Any, asked: str | None) -> None:
    """Its ids are the server's words; a question that names no run is an error that says so."""
    paths: list[str] = []
    events = event("metadata", {"run_id": "r"}) + event("control", question) + event("values", {})

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path.decode())
        if not paths[-1].endswith("/stream"):
            return httpx.Response(200, json={}, headers={HEADER: VERSION})
        return httpx.Response(200, content=events + event("end", None), headers=EVENT_STREAM)

    transport = httpx.MockTransport(answer)
    with get_sync_client(url="http://server", transport=transport) as client:
        graph = RemoteGraph("agent", sync_client=client)
        if asked is None:
            with pytest.raises(APIResponseValidationError, match="'control'"):
                graph.invoke({}, control=RunControl())
        else:
            graph.invoke({}, control=RunControl())
            assert paths[-1] == f"/threads/{asked}/control"


def test_other_servers_are_refused_by_name() -> None:
    """Before the run is started."""
    paths: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path)
        return httpx.Response(200, json={})

    transport = httpx.MockTransport(answer)
    with get_sync_client(url="http://server", transport=transport) as client:
        graph = RemoteGraph("agent", sync_client=client)
        with pytest.raises(NotImplementedError, match="control"):
            graph.invoke({}, control=RunControl())
        with pytest.raises(InvalidArgumentError, match="control"):
            graph.invoke({}, control="drain")  # type: ignore[arg-type]
    assert paths == ["/info"]


@pytest.mark.filterwarnings("ignore:astream_events version='v1'")
@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_a_run_whose_events_are_read_drains_as_well(version: Any) -> None:
    """While langchain's events are read, too, the graph waits for the answer."""
    control = RunControl()

    def first(_: State) -> State:
        control.request_drain("deploy")
        return {"first": "done"}

    with Server({"agent": built(first)}) as server:
        remote = server.remote_graph("agent")
        with pytest.raises(GraphDrained, match="deploy"):
            [
                event
                async for event in remote.astream_events({}, ON, control=control, version=version)
            ]
        assert (await remote.aget_state(ON)).next == ("second",)
        events = [event async for event in remote.astream_events(None, ON, control=RunControl())]
        assert events[-1]["data"]["output"] == {"first": "done", "second": "done"}


@pytest.mark.parametrize("is_remote", [False, True], ids=["local", "remote"])
@pytest.mark.parametrize("is_called", [False, True], ids=["as a node", "called"])
def test_a_drained_parent_drains_its_node(is_remote: bool, is_called: bool) -> None:
    """The child stops before its next superstep, and goes on from there with the parent."""
    control = RunControl()

    def first(_: State) -> State:
        if not control.drain_requested:
            time.sleep(2 * PAUSE)  # A run inside a parent does not ask after every short step.
            control.request_drain("deploy")
        return {"first": "done"}

    with Server({"agent": built(first)}) as server:
        child = server.remote_graph("agent") if is_remote else built(first)
        if not is_remote:
            child.checkpointer = None  # The parent's, as for the remote one.
        node = (lambda state: child.invoke(state)) if is_called else child
        parent = StateGraph(State).add_node("child", node).add_node("last", lambda _: {})
        parent.add_edge(START, "child").add_edge("child", "last")
        graph = parent.compile(checkpointer=InMemorySaver())
        with pytest.raises(GraphDrained, match="deploy"):
            graph.invoke({}, ON, control=control)
        state = graph.get_state(ON, subgraphs=True)
        assert state.next == ("child",)
        assert state.values == {}
        assert graph.invoke(None, ON) == {"first": "done", "second": "done"}


@pytest.mark.parametrize("kind", ["local", "bundled", "plain"])
def test_a_parent_that_is_to_drain_starts_nothing_in_its_node(kind: str) -> None:
    """Of the bundled server. Others have no request that drains a run, and run to the end."""
    control, ran = RunControl(), []
    graph = built(lambda _: ran.append("first"))
    with Server({"agent": graph}) as server:
        remote = {"bundled": server.remote_graph, "plain": lambda name: plain_graph(server, name)}
        child = graph if kind == "local" else remote[kind]("agent")

        def node(state: State) -> Any:
            control.request_drain("deploy")
            return child.invoke(state)

        parent = StateGraph(State).add_node("child", node).add_node("last", lambda _: {})
        parent.add_edge(START, "child").add_edge("child", "last")
        with pytest.raises(GraphDrained, match="deploy"):
            parent.compile(checkpointer=InMemorySaver()).invoke({}, ON, control=control)
    assert ran == (["first"] if kind == "plain" else [])
