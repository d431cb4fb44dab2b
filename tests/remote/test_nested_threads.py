"""The nodes of a remote graph in a parent see the parent's thread; its state has its own thread."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from langgraph_sdk import Auth
from typing_extensions import TypedDict

from langgraph_client import Server
from tests.support.comparison import Names

ON = {"configurable": {"thread_id": "user-1"}}


class State(TypedDict, total=False):
    seen: Annotated[list[Any], operator.add]


def sees(state: State, config: RunnableConfig) -> State:
    own = ("given_", "created_by", "langgraph_auth", "run_id")
    metadata = {name for name in config["metadata"] if name.startswith(own)}
    told = (config["configurable"].get("thread_id"), config["metadata"].get("thread_id"))
    return {"seen": [*told, *sorted(metadata)]}


def one(node: Callable[..., Any], **compiled: Any) -> Any:
    return StateGraph(State).add_node("n", node).add_edge(START, "n").compile(**compiled)


def asks(state: State) -> State:
    return {"seen": [interrupt("?")]}


def child(saver: Any = None) -> Any:
    inner = one(sees)
    graph = StateGraph(State).add_node("sees", sees).add_node("inner", inner).add_node("asks", asks)
    graph.add_edge(START, "sees").add_edge("sees", "inner").add_edge("inner", "asks")
    return graph.compile(checkpointer=saver)


OWN_SAVER = InMemorySaver()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    graphs = {"child": child(), "kept": child(OWN_SAVER), "sees": one(sees), "asks": one(asks)}
    with Server(graphs) as running:
        yield running


def played(parent: Any, config: Any = ON) -> Any:
    """What is streamed, kept and told of a run with an interrupt."""
    modes = ["updates", "messages", "checkpoints", "tasks", "debug"]
    told: list[Any] = []
    for given in ({"seen": []}, Command(resume="yes")):
        told.append(list(parent.stream(given, config, stream_mode=modes, subgraphs=True)))
        told.append(parent.get_state(config, subgraphs=True))
    told.append(list(parent.get_state_history(config)))
    return Names()(told)


@pytest.mark.parametrize("checkpointer", [None, True])
def test_nodes_see_the_thread_of_the_parent(server: Server, checkpointer: Any) -> None:
    """In `configurable` and metadata, in subgraphs and on resumption; and nothing of the server."""
    here = played(one(child(checkpointer), checkpointer=InMemorySaver()))
    remote = server.remote_graph("child", checkpointer=checkpointer)
    there = played(one(remote, checkpointer=InMemorySaver()))
    assert there == here
    assert set(there[-1][0][1]["values"]["seen"]) == {"user-1", "yes"}


@pytest.mark.parametrize(
    ("checkpointer", "saver", "config"),
    [(False, InMemorySaver, ON), (None, lambda: None, ON), (None, lambda: None, {})],
)
def test_a_node_that_keeps_nothing_sees_it_too(
    server: Server, checkpointer: Any, saver: Any, config: Any
) -> None:
    """Without a checkpointer of its own or of the parent; and none if the parent has none."""
    here = one(one(sees, checkpointer=checkpointer), checkpointer=saver())
    there = one(server.remote_graph("sees", checkpointer=checkpointer), checkpointer=saver())
    assert there.invoke({"seen": []}, config) == here.invoke({"seen": []}, config)


def test_a_saver_of_the_graph_keeps_the_node_s_own_thread(server: Server) -> None:
    """The parent's thread in that saver is not touched."""
    remote = server.remote_graph("kept")
    parent = one(remote, checkpointer=InMemorySaver())
    assert set(played(parent)[-1][0][1]["values"]["seen"]) == {"user-1", "yes"}
    threads = {saved.config["configurable"]["thread_id"] for saved in OWN_SAVER.list(None)}
    assert len(threads) == 1
    assert threads.pop().startswith("user-1/n:")


def test_others_see_the_thread_of_the_run(server: Server) -> None:
    """Who joins the run by the protocol is told of the thread that the server has."""
    remote = server.remote_graph("child")
    parent = one(remote, checkpointer=InMemorySaver())
    list(parent.stream({"seen": []}, ON, stream_mode=["checkpoints", "debug"], subgraphs=True))
    client = server.sync_client()
    thread, *_ = client.threads.search(metadata={"graph_id": "child"}, sort_by="created_at")
    (run,) = client.runs.list(thread.thread_id)
    parts = client.runs.join_stream(thread.thread_id, run.run_id, last_event_id="-1")
    configs = [part.data["config"] for part in parts if part.event == "checkpoints"]
    assert {config["configurable"]["thread_id"] for config in configs} == {thread.thread_id}
    state = client.threads.get_state(thread.thread_id)
    assert state.checkpoint["thread_id"] == thread.thread_id


def test_two_levels_on_one_server() -> None:
    """A node two levels down sees the outermost thread, and no two nodes share a state."""
    home: list[Server] = []

    def counted(state: State) -> State:
        return {"seen": [len(state["seen"])]}

    def middle(state: State) -> State:
        inner = home[0].remote_graph("counted", checkpointer=True)
        sight = home[0].remote_graph("sees").invoke({"seen": []})
        return {"seen": [inner.invoke({"seen": []})["seen"], sight["seen"]]}

    graphs = {"counted": one(counted), "middle": one(middle), "sees": one(sees)}
    with Server(graphs) as server:
        home.append(server)
        graph = StateGraph(State)
        for name in "lr":
            graph.add_node(name, server.remote_graph("middle"))
            graph.add_edge(START, name)
        parent = graph.compile(checkpointer=InMemorySaver())
        seen = parent.invoke({"seen": []}, ON)["seen"]
    assert seen == [[0], ["user-1", "user-1"]] * 2


def test_with_authentication_nodes_see_the_run_s_own_thread() -> None:
    """The server cannot tell whose the parent's thread is, so nobody runs under its id."""
    auth = Auth()

    @auth.authenticate
    async def user(headers: dict[bytes, bytes]) -> str:
        return "bob"

    with Server({"sees": one(sees)}, auth=auth) as server:
        parent = one(server.remote_graph("sees"), checkpointer=InMemorySaver())
        thread_id = parent.invoke({"seen": []}, ON)["seen"][0]
    assert thread_id.startswith("user-1/n:")


@pytest.mark.parametrize("keeps", [None, True, False])
def test_a_node_that_has_not_started_has_an_empty_state(server: Server, keeps: bool | None) -> None:
    """Its namespace is its task's, or the node's if it has a state of its own."""
    config = {"configurable": {"thread_id": f"not started {keeps}"}}
    with server.remote_graph("sees").copy({"checkpointer": keeps}) as remote:
        seen = []
        for node in (one(sees, checkpointer=keeps), remote):
            parent = one(node, interrupt_before=["n"], checkpointer=InMemorySaver())
            parent.invoke({"seen": []}, config)
            (task,) = parent.get_state(config, subgraphs=True).tasks
            if keeps is False:
                # langgraph takes each RemoteGraph for a subgraph with a state.
                seen.append(task.state.values if node is remote else {})
            else:
                place = task.state.config["configurable"]["checkpoint_ns"]
                seen.append((task.state.values, place.replace(task.id, "ID")))
    assert seen[1] == seen[0]


@pytest.mark.parametrize("durability", ["exit", "sync", "async"])
def test_the_durability_of_the_parent_holds(server: Server, durability: Any) -> None:
    """A remote node writes its checkpoints when a local subgraph does: at the end, or each step."""
    told = []
    for below in (child(), server.remote_graph("child")):
        parent = one(below, checkpointer=InMemorySaver())
        on: Any = {"configurable": {"thread_id": f"durability {durability}"}}
        how: Any = {"stream_mode": ["checkpoints", "updates"], "durability": durability}
        names = Names()
        played = [names(item) for item in parent.stream({"seen": []}, on, subgraphs=True, **how)]
        state = parent.get_state(on, subgraphs=True)
        inside = state.tasks[0].state
        history = list(parent.get_state_history(inside.config))
        played.append(names([state, history]))
        played += [names(item) for item in parent.stream(Command(resume="a"), on, **how)]
        told.append(played)
        assert (inside.parent_config is None) == (durability == "exit")
    assert told[1] == told[0]


def test_a_state_that_is_forked_keeps_its_parents(server: Server) -> None:
    """The parent goes on from an update of its node's state: the stream shows that one first."""
    told = []
    for below in (one(sees, checkpointer=True), server.remote_graph("sees", checkpointer=True)):
        parent, names = one(below, checkpointer=InMemorySaver()), Names()
        config: Any = {"configurable": {"thread_id": "forked"}}
        parent.invoke({"seen": []}, config)
        states = [task.state for state in parent.get_state_history(config) for task in state.tasks]
        *_, first = parent.get_state_history(next(filter(None, states)))
        forked = parent.update_state(first.config, {"seen": ["forked"]})
        stream = parent.stream(None, forked, stream_mode="checkpoints", subgraphs=True)
        shown = [(len(ns), part["config"], part["metadata"]["source"]) for ns, part in stream]
        told.append(names([first.config, shown]))
    assert told[1] == told[0]


def test_a_graph_between_that_begins_anew_gives_its_node_an_input(server: Server) -> None:
    """The parent goes on from a state two graphs below. The graph between has a new task."""
    told = []
    for below in (child(True), server.remote_graph("child", checkpointer=True)):
        parent, names = one(one(below), checkpointer=InMemorySaver()), Names()
        config: Any = {"configurable": {"thread_id": "between"}}
        parent.invoke({"seen": ["first"]}, config)
        (between,) = parent.get_state(config, subgraphs=True).tasks
        (inside,) = between.state.tasks
        forked = parent.update_state(inside.state.config, {"seen": ["forked"]})
        stream = parent.stream(None, forked, stream_mode="checkpoints", subgraphs=True)
        told.append(names([forked, list(stream)]))
    assert told[1] == told[0]


@pytest.mark.parametrize(
    "own",
    [
        {"configurable": {"thread_id": None}},
        {"configurable": {"checkpoint_id": None}},
        {"thread_id": "own"},
        {"configurable": {"thread_id": "own"}},
    ],
    ids=str,
)
@pytest.mark.parametrize("is_default", [False, True])
def test_only_a_configurable_with_a_thread_takes_a_call_out_of_the_node(
    server: Server, own: Any, is_default: bool
) -> None:
    """Nothing that is None does, nor a thread id beside it: then a question pauses the parent."""
    told = []
    for below in (one(asks), server.remote_graph("asks")):
        called = below.with_config(own) if is_default else below

        def calls(state: State, called: Any = called) -> State:
            return {"seen": [called.invoke({"seen": []}, None if is_default else own)["seen"]]}

        parent = one(calls, checkpointer=InMemorySaver())
        config: Any = {"configurable": {"thread_id": f"out of {own}"}}
        paused = parent.invoke({"seen": []}, config)
        state = parent.get_state(config, subgraphs=True)
        told.append(Names()([paused, state.next, parent.invoke(Command(resume="yes"), config)]))
    assert told[1] == told[0]
    assert ("__interrupt__" in told[0][0]) == (own != {"configurable": {"thread_id": "own"}})
