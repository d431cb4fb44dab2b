"""Which messages of a remote node its parent streams in the mode "messages"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

from langgraph_client import Server
from tests.support.comparison import Names
from tests.support.versions import OWN_THREADS

CONFIG: Any = {"configurable": {"thread_id": "1"}}


def said(message_id: str) -> dict[str, Any]:
    return {"messages": [AIMessage(message_id, id=message_id)]}


def asking() -> Any:
    """Says something, and asks before it goes on."""
    builder = StateGraph(MessagesState).add_node("say", lambda state: said("draft"))
    builder.add_node("ask", lambda state: said(interrupt("send it?")))
    return builder.add_edge(START, "say").add_edge("say", "ask").compile(name="child")


def handing_over(target: str) -> Any:
    """Its own subgraph adds a message by a command, and goes on at a node or ends."""

    def hand_over(state: MessagesState) -> Command[Any]:
        return Command(graph=Command.PARENT, goto=target, update=said("handed over"))

    inner = StateGraph(MessagesState).add_node("hand_over", hand_over)
    builder = StateGraph(MessagesState)
    builder.add_node("inner", inner.add_edge(START, "hand_over").compile(), destinations=(target,))
    builder.add_node("last", lambda state: {})
    return builder.add_edge(START, "inner").compile(name="child")


CHILDREN = {
    "asking": asking(),
    "handing over": handing_over("last"),
    "handing over at the end": handing_over(END),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(CHILDREN) as running:
        yield running


def parent_of(child: Any, saver: Any = None) -> Any:
    builder = StateGraph(MessagesState).add_node("child", child).add_edge(START, "child")
    return builder.compile(checkpointer=saver, name="parent")


def streamed(child: Any, subgraphs: bool) -> list[Any]:
    """The ids of the messages that two runs stream, each with the depth of its graph."""
    parent, seen = parent_of(child, InMemorySaver()), []
    for given in ({"messages": [HumanMessage("hi", id="in")]}, Command(resume="sent")):
        for part in parent.stream(given, CONFIG, stream_mode="messages", subgraphs=subgraphs):
            namespace, (message, _) = part if subgraphs else ((), part)
            seen.append((len(namespace), message.id))
    return seen


@pytest.mark.parametrize("subgraphs", [False, True])
@pytest.mark.parametrize("name", list(CHILDREN))
def test_a_parent_streams_each_message_once(server: Server, name: str, subgraphs: bool) -> None:
    """What nodes inside have got or sent is not streamed again when the remote node returns it."""
    expected = streamed(CHILDREN[name], subgraphs)
    assert streamed(server.remote_graph(name), subgraphs) == expected


def test_so_it_does_through_two_remote_graphs(server: Server) -> None:
    """A remote graph in a hosted graph tells the outermost parent what its nodes have got."""
    expected = streamed(parent_of(CHILDREN["asking"]), True)
    with Server({"parent": parent_of(server.remote_graph("asking"))}) as outer:
        assert streamed(outer.remote_graph("parent"), True) == expected


def test_metadata_of_messages_tell_the_outermost_task(server: Server) -> None:
    """And the checkpoint from which the call starts, also where a subgraph has the remote node."""
    told = []
    for child in (CHILDREN["asking"], server.remote_graph("asking")):
        parent, seen = parent_of(parent_of(child), InMemorySaver()), []
        parent.invoke({"messages": [HumanMessage("hi", id="in")]}, CONFIG)
        *_, first = parent.get_state_history(CONFIG)
        for config in ({"configurable": {"thread_id": "2"}}, first.config):
            given = {"messages": [HumanMessage("hi", id="in")]}
            for _, (_, metadata) in parent.stream(
                given, config, stream_mode="messages", subgraphs=True
            ):
                seen.append([metadata["checkpoint_ns"], metadata.get("checkpoint_id")])
        told.append(Names()(seen))
    assert told[1] == told[0]


def calling(graph: Any) -> Any:
    """A node that calls a graph on a thread of its own."""

    def call(state: MessagesState) -> dict[str, Any]:
        graph.invoke({"messages": []}, {"configurable": {"thread_id": "below"}})
        return {"messages": []}

    return call


@OWN_THREADS
def test_metadata_of_messages_tell_the_outermost_thread(server: Server) -> None:
    """Also where a node calls the graph that has the remote node, on a thread of its own."""
    told = []
    for child in (CHILDREN["asking"], server.remote_graph("asking")):
        parent = parent_of(calling(parent_of(child, InMemorySaver())))
        options: Any = {"stream_mode": "messages", "subgraphs": True}
        told.append(Names()(list(parent.stream({"messages": []}, CONFIG, **options))))
    assert told[1] == told[0]
    assert [metadata["thread_id"] for _, (_, metadata) in told[0]] == ["1"]


def test_a_message_that_two_calls_say_is_streamed_once() -> None:
    """The second one has the id of a message that the parent has streamed."""
    graph = StateGraph(MessagesState).add_node("say", lambda state: said("draft"))
    saying = graph.add_edge(START, "say").compile(name="saying")
    told = []
    with Server({"saying": saying}) as running:
        for child in (saying, running.remote_graph("saying")):

            def node(state: MessagesState, child: Any = child) -> Any:
                for _ in range(2):
                    child.invoke({"messages": []})
                return said("own")

            told.append(streamed(node, True))
    assert told == [[(1, "draft"), (0, "own")]] * 2


def speaking() -> Any:
    """Writes to the stream, and in a subgraph once more."""

    def speak(state: MessagesState) -> Any:
        get_stream_writer()("spoken")
        return {}

    inner = StateGraph(MessagesState).add_node("speak", speak).add_edge(START, "speak")
    outer = StateGraph(MessagesState).add_node("speak", speak).add_node("inner", inner.compile())
    return outer.add_edge(START, "speak").add_edge("speak", "inner").compile(name="child")


@pytest.mark.parametrize("deep", [True, False])
@pytest.mark.parametrize("mode", ["custom", ["updates", "custom"], "updates"])
def test_what_a_node_streams_itself_the_parent_does_not(
    mode: Any, deep: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Custom events go to the innermost stream that has them, and to no other.

    It gets those of subgraphs, too, even if it shows nothing else of them.
    """
    told = []
    with Server({"child": speaking()}) as running:
        for child in (speaking(), running.remote_graph("child")):

            def node(state: MessagesState, child: Any = child) -> Any:
                options: Any = {"stream_mode": mode, "print_mode": "updates", "subgraphs": deep}
                get_stream_writer()(list(child.stream({"messages": []}, **options)))
                return {}

            options: Any = {"stream_mode": "custom", "subgraphs": True}
            parts = list(parent_of(node).stream({"messages": []}, **options))
            told.append(Names()([parts, capsys.readouterr().out]))
    assert told[1] == told[0]
