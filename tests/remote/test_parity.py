"""Single behaviours in which a remote graph could differ from a local one, and does not."""

from __future__ import annotations

import asyncio
import math
import operator
import pickle
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphRecursionError, InvalidUpdateError
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Interrupt, Send
from typing_extensions import TypedDict

from langgraph_client import RemoteException
from langgraph_client.testing import TestServer
from tests.support.comparison import compare, failure
from tests.support.family import FAMILY, Settings
from tests.support.graphs import graphs, shared_graphs

ON: dict[str, Any] = {"configurable": {"thread_id": "1"}}


class Told(TypedDict, total=False):
    items: list[int]
    told: Annotated[list[Any], operator.add]
    anything: Any


PEAK = [0, 0]


async def busy(state: Told) -> dict[str, Any]:
    """Counts how many of it run at the same time."""
    PEAK[0] += 1
    PEAK[1] = max(PEAK)
    for _ in range(5):
        await asyncio.sleep(0)
    PEAK[0] -= 1
    return {"told": [1]}


def _wide() -> Any:
    return (
        StateGraph(Told)
        .add_node("busy", busy)
        .add_conditional_edges(START, lambda state: [Send("busy", {})] * 6, ["busy"])
        .compile(name="wide")
    )


def _echo() -> Any:
    def echo(state: Told) -> dict[str, Any]:
        return {"told": [state.get("anything")]}

    return StateGraph(Told).add_node("echo", echo).add_edge(START, "echo").compile(name="echo")


def hosted_graphs() -> dict[str, Any]:
    return {
        **graphs(),
        "wide": _wide(),
        "echo": _echo(),
        "contextual": FAMILY["contextual"].build(),
        "agent": FAMILY["agent"].build(),
    }


@pytest.fixture
def graph_of() -> Iterator[Any]:
    """Gives the local and the remote graph of a name."""
    with TestServer(hosted_graphs()) as server:

        def both(name: str) -> tuple[Any, Any]:
            local = hosted_graphs()[name].copy({"checkpointer": InMemorySaver()})
            return local, server.remote_graph(name)

        yield both


def test_a_checkpoint_is_replayed_and_forked_from(graph_of: Any) -> None:
    """`checkpoint_id` in the config: None replays from there, an input forks."""
    seen = []
    for graph in graph_of("row"):
        graph.invoke({"topic": "t"}, ON)
        (early,) = [s for s in graph.get_state_history(ON) if s.next == ("two",)]
        replayed = list(graph.stream(None, early.config, stream_mode="updates"))
        forked = graph.invoke({"topic": "other"}, early.config)
        seen.append((replayed, forked, [s.next for s in graph.get_state_history(ON)]))
    assert seen[0] == seen[1]


def test_max_concurrency_is_kept(graph_of: Any) -> None:
    """No more nodes than that run side by side."""
    for graph in graph_of("wide"):
        peaks = []
        for most in (None, 2):
            PEAK[:] = [0, 0]
            asyncio.run(graph.ainvoke({}, {**ON, **({"max_concurrency": most} if most else {})}))
            peaks.append(PEAK[1])
        assert peaks == [6, 2]


@pytest.mark.parametrize("limit", [None, 0, 3, 1000])
def test_a_history_goes_to_its_end(graph_of: Any, limit: int | None) -> None:
    """All of 120 states, or as many as were asked for; none for 0."""
    _, remote = graph_of("counter")
    for count in range(40):
        remote.invoke({"count": count}, ON)
    found = len(list(remote.get_state_history(ON, limit=limit)))
    assert found == min(120, 120 if limit is None else limit)


def test_a_history_before_a_state(graph_of: Any) -> None:
    """`before`, with and without `filter` and `limit`."""
    seen = []
    for graph in graph_of("loop"):
        graph.invoke({"step": 0}, ON)
        states = list(graph.get_state_history(ON))
        seen.append(
            [
                [state.metadata["step"] for state in found]
                for found in (
                    graph.get_state_history(ON, before=states[2].config),
                    graph.get_state_history(ON, before=states[2].config, limit=1),
                    graph.get_state_history(ON, filter={"source": "input"}),
                )
            ]
        )
    assert seen[0] == seen[1]


async def test_cancelling_ainvoke_cancels_the_run() -> None:
    """The run on the server ends as interrupted."""
    async with TestServer(shared_graphs()) as server, server.client() as client:
        remote = server.remote_graph("slow")
        with server.hold(node="wait") as hold:
            task = asyncio.create_task(remote.ainvoke({"topic": "t"}, ON))
            run_id = await hold.reached()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        (thread,) = await client.threads.search()
        await asyncio.wait_for(client.runs.join(thread.thread_id, run_id), 60)
        assert (await client.runs.get(thread.thread_id, run_id)).status == "interrupted"


@pytest.mark.parametrize(
    "context",
    [{"name": "a", "unknown": 1}, {"depth": 5}, {}, None, Settings("x", 3)],
    ids=repr,
)
def test_a_context_is_what_the_caller_gave(graph_of: Any, context: Any) -> None:
    """Defaults, unknown keys, none at all, an instance: the same result or the same error."""
    seen: list[Any] = []
    for graph in graph_of("contextual"):
        try:
            seen.append(graph.invoke({"topic": "t"}, ON, context=context))
        except Exception as error:  # What is raised is compared, too.
            seen.append(failure(error))
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    "value",
    [
        "nul \x00 inside",
        "lone \ud800 surrogate",
        2**70,
        -1.5e300,
        math.inf,
        (1, (2, [3])),
        {1: {2.5: {None: "x"}}},
        [None, {"a": None}],
        {"__plain__": 1, "__types__": []},
        [{"type": "text", "text": "a content block"}],
        HumanMessage("hi", id="1", additional_kwargs={"a": [None]}),
        AIMessageChunk(content="", tool_call_chunks=[], id="2"),
    ],
    ids=repr,
)
def test_values_survive_the_round_trip(graph_of: Any, value: Any) -> None:
    """What the node is given, and gives back, is what the caller gave and gets."""
    local, remote = graph_of("echo")
    # Without a thread: what a checkpoint keeps of it is langgraph's own business.
    there = remote.invoke({"anything": value})
    assert there == local.copy({"checkpointer": None}).invoke({"anything": value})
    assert type(there["told"][0]) is type(value)


def test_nan_survives_too(graph_of: Any) -> None:
    """Apart from the others, since it is not equal to itself."""
    _, remote = graph_of("echo")
    assert math.isnan(remote.invoke({"anything": math.nan})["told"][0])


def test_messages_keep_their_parts(graph_of: Any) -> None:
    """Ids, tool calls, additional arguments, content blocks; content blocks stay dicts."""
    seen = []
    for graph in graph_of("agent"):
        messages = graph.invoke({"messages": [HumanMessage("weather?", id="q")]}, ON)["messages"]
        seen.append(messages)
        assert messages == graph.get_state(ON).values["messages"]
    assert seen[0] == seen[1]
    assert isinstance(seen[1][-1].content[0], dict)


def test_interrupts_are_objects_in_either_version(graph_of: Any) -> None:
    """In results, streams and state; with the id that resumes."""
    _, remote = graph_of("approval")
    (asked,) = remote.invoke({"draft": "d"}, ON)["__interrupt__"]
    assert isinstance(asked, Interrupt)
    assert remote.get_state(ON).interrupts == (asked,)
    output = remote.invoke({"draft": "d"}, {"configurable": {"thread_id": "2"}}, version="v2")
    assert isinstance(output.interrupts[0], Interrupt)


def test_messages_may_stay_dicts() -> None:
    """`decode_messages=False`: in results, streams and state."""
    with TestServer(shared_graphs()) as server:
        chat = server.remote_graph("chat", decode_messages=False)
        result = chat.invoke({"messages": [("user", "hi")]}, ON)
        assert result["messages"][-1]["type"] == "ai"
        assert chat.get_state(ON).values == result
        streamed = list(chat.stream({"messages": [("user", "hi")]}, stream_mode="messages"))
        assert streamed[0][0]["type"] == "AIMessageChunk"
    assert isinstance(AIMessage(result["messages"][-1]["content"]), AIMessage)


@pytest.mark.parametrize(
    ("how", "kind", "node"),
    [("value", ValueError, "bad"), ("key", KeyError, "bad"), ("custom", RemoteException, "bad")],
)
def test_a_failure_says_where(graph_of: Any, how: str, kind: type, node: str) -> None:
    """Node, run and thread are attributes and a note; the text is the message alone."""
    _, remote = graph_of("failing")
    with pytest.raises(kind) as caught:
        remote.invoke({"how": how}, ON)
    error = caught.value
    assert isinstance(error, RemoteException)
    assert (error.node, error.thread_id) == (node, "1")
    assert error.run_id
    assert str(error) == error.message
    assert f"node {node}" in error.__notes__[-1]
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_langgraph_s_own_errors_are_its_classes(graph_of: Any) -> None:
    """Of runs, and of state calls."""
    _, failing = graph_of("failing")
    with pytest.raises(GraphRecursionError):
        failing.invoke({"how": "loop"}, {**ON, "recursion_limit": 4})
    _, row = graph_of("row")
    with pytest.raises(InvalidUpdateError):
        row.update_state(ON, {"log": ["x"]}, "no such node")


def test_errors_of_state_calls_are_those_of_the_local_graph(graph_of: Any) -> None:
    """An unknown node, values that a reducer refuses, a node that is none."""
    seen = []
    for graph in graph_of("row"):
        told = []
        graph.invoke({"topic": "t"}, ON)
        for call in (
            lambda graph: graph.update_state(ON, {"log": ["x"]}, "no such node"),
            lambda graph: graph.update_state(ON, {"log": 3}, "one"),
            lambda graph: graph.update_state(ON, {"nope": 3}, "__end__"),
        ):
            with pytest.raises(Exception) as caught:  # noqa: PT011
                call(graph)
            told.append(failure(caught.value))
        seen.append(told)
    assert seen[0] == seen[1]


def test_a_command_goes_to_names_and_sends_together(graph_of: Any) -> None:
    """A list that the protocol has no word for; the bundled server understands it."""
    seen = []
    for graph in graph_of("router"):
        graph.invoke({"topic": "left"}, ON)
        seen.append(sorted(graph.invoke(Command(goto=[Send("left", {}), "right"]), ON)["log"]))
    assert seen[0] == seen[1]


@pytest.mark.parametrize("checkpointer", [None, True])
def test_the_place_of_a_subgraph_that_has_not_started(checkpointer: bool | None) -> None:
    """Its namespace is its task's, or its node's if it has a state of its own."""

    def build() -> Any:
        inner = StateGraph(Told).add_node("one", lambda state: {"told": [1]})
        child = inner.add_edge(START, "one").compile(checkpointer=checkpointer)
        outer = StateGraph(Told).add_node("child", child).add_edge(START, "child")
        return outer.compile(name="outer", interrupt_before=["child"])

    seen = []
    with TestServer({"outer": build()}) as server, server.remote_graph("outer") as remote:
        for graph in (build().copy({"checkpointer": InMemorySaver()}), remote):
            graph.invoke({"told": []}, ON)
            (task,) = graph.get_state(ON, subgraphs=True).tasks
            named = task.state.config["configurable"]
            seen.append([named["thread_id"], named["checkpoint_ns"].replace(task.id, "ID")])
    assert seen == [["1", "child" if checkpointer else "child:ID"]] * 2


def test_updates_of_several_supersteps(graph_of: Any) -> None:
    """`bulk_update_state` leaves the state and history that it leaves locally."""
    from langgraph.types import StateUpdate

    seen = []
    for graph in graph_of("row"):
        graph.bulk_update_state(
            ON, [[StateUpdate({"log": ["x"]}, "one")], [StateUpdate({"log": ["y"]}, "two")]]
        )
        seen.append([(s.values, s.next, s.metadata["step"]) for s in graph.get_state_history(ON)])
    compare(seen[0], seen[1])


def test_the_only_update_of_a_superstep_needs_no_node(graph_of: Any) -> None:
    """It counts as an update of the last node, also after a superstep with several updates."""
    from langgraph.types import StateUpdate

    several = [StateUpdate({"topic": "t"}, "__start__"), StateUpdate({"log": ["x"]}, "one")]
    seen = []
    for graph in graph_of("row"):
        graph.bulk_update_state(ON, [several, [StateUpdate({"log": ["y"]})]])
        seen.append([(s.values, s.next, s.metadata) for s in graph.get_state_history(ON)])
    compare(seen[0], seen[1])
