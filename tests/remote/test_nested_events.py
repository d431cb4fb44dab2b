"""What goes on inside a remote graph reaches the streams of whatever is around it."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import pytest
from langchain_core.callbacks import dispatch_custom_event
from langchain_core.messages import AIMessage, ToolCall
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

from langgraph_client import Server
from langgraph_client.testing import FakeChatModel
from tests.support.comparison import compare
from tests.support.plain_server import plain_graph
from tests.support.versions import OWN_THREADS

pytestmark = pytest.mark.filterwarnings("ignore:The v3 streaming protocol")


@tool
def double(number: int) -> str:
    """Double a number."""
    return str(2 * number)


def talking() -> Any:
    """A graph whose first node asks a model, dispatches an event and whose second calls a tool."""
    model = FakeChatModel(["one two three"] * 100)

    def say(state: MessagesState) -> dict[str, Any]:
        said = model.invoke(state["messages"])
        dispatch_custom_event("said", {"text": said.text})
        call = ToolCall(name="double", args={"number": 2}, id="call-1")
        return {"messages": [said, AIMessage("", id="calls", tool_calls=[call])]}

    graph = StateGraph(MessagesState).add_node("say", say).add_node("tools", ToolNode([double]))
    return graph.add_edge(START, "say").add_edge("say", "tools").compile(name="talking")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server({"talking": talking()}) as running:
        yield running


def parent_of(child: Any) -> Any:
    return StateGraph(MessagesState).add_node("child", child).add_edge(START, "child").compile()


AROUND: dict[str, Callable[[Any], Any]] = {
    "a parent graph": parent_of,
    "a chain": lambda child: child | RunnableLambda(lambda state: state),
    "a function": lambda child: RunnableLambda(lambda state: child.invoke(state)),
}
CONFIG: Any = {"configurable": {"thread_id": "parent"}}
INPUT = {"messages": [{"type": "human", "content": "hello", "id": "1"}]}


@pytest.mark.filterwarnings("ignore:astream_events version='v1'")
@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("around", AROUND)
async def test_langchain_s_events_have_what_is_inside(
    server: Server, around: str, version: Any
) -> None:
    """Nodes, models with their tokens, tools and custom events, around whatever streams them."""
    seen = []
    remote = server.remote_graph("talking")
    for child in (talking(), remote):
        events = AROUND[around](child).astream_events(INPUT, version=version)
        # Chunks of inner chains are not among the calls that the server repeats.
        told = [(one["event"], one["name"], one["data"].get("chunk")) async for one in events]
        seen.append([one for one in told if one[0] != "on_chain_stream"])
    await remote.aclose()
    here, there = (Counter((event, name) for event, name, _ in told) for told in seen)
    assert there == here
    assert (here["on_tool_end", "double"], here["on_chat_model_end", "FakeChatModel"]) == (1, 1)
    assert here["on_custom_event", "said"] == (version == "v2")
    tokens = [[chunk.content for _, _, chunk in told if chunk is not None] for told in seen]
    assert len(tokens[0]) > 1
    assert tokens[1] == tokens[0]


async def test_metadata_of_models_are_those_of_a_local_graph(server: Server) -> None:
    """Also where there is no thread: they do not change when the model's messages are streamed."""
    told = []
    remote = server.remote_graph("talking")
    for child in (talking(), remote):
        events = parent_of(child).astream_events(INPUT, {"tags": ["mine"]}, version="v2")
        told.append([e["metadata"] async for e in events if e["event"] == "on_chat_model_start"])
    await remote.aclose()
    compare(*told)


def child_of(server: Server, kind: str) -> Any:
    if kind == "local":
        return talking()
    return server.remote_graph("talking") if kind == "bundled" else plain_graph(server, "talking")


@pytest.mark.parametrize("kind", ["local", "bundled", "plain"])
def test_a_run_stream_has_the_messages_of_the_node(server: Server, kind: str) -> None:
    """In `version="v3"`, the parent's stream of the subgraph has the messages of its models."""
    parent = parent_of(child_of(server, kind))
    told = []
    with parent.stream_events(INPUT, version="v3") as run:
        for name, item in run.interleave("subgraphs", "messages"):
            if name == "subgraphs":
                told += [str(message.text) for message in item.messages]
    assert told == ["one two three", ""]  # The second message has calls of tools.


@pytest.mark.parametrize("thread", [None, "chunks"])
@pytest.mark.parametrize("kind", ["local", "bundled", "plain"])
def test_a_node_may_stream_chunks_inside_such_a_run(
    server: Server, kind: str, thread: str | None
) -> None:
    """A node that streams its child's messages itself gets chunks, and the run nothing of them."""
    child = child_of(server, kind)
    config: Any = thread and {"configurable": {"thread_id": f"{thread} {kind}"}}
    told: list[str] = []
    shown: list[str] = []

    def node(state: MessagesState) -> MessagesState:
        for chunk, _ in child.stream({"messages": []}, config, stream_mode="messages"):
            told.append(type(chunk).__name__)
        return {"messages": []}

    with parent_of(node).stream_events(INPUT, version="v3") as run:
        for name, item in run.interleave("subgraphs", "messages"):
            shown += [item.text] if name == "messages" else [each.text for each in item.messages]
    assert told.count("AIMessageChunk") > 1
    assert shown == []


def test_a_node_may_read_such_a_run_itself(server: Server) -> None:
    """Its events have the namespaces of the parent, and its messages are made of blocks."""
    told = []
    for child in (talking(), server.remote_graph("talking")):
        heard: list[Any] = []

        def node(state: MessagesState, child: Any = child, heard: list[Any] = heard) -> Any:
            with child.stream_events(state, version="v3") as run:
                for event in run:
                    params = event["params"]
                    heard.append((event["method"], params["namespace"], params["data"]))
            return {"messages": []}

        parent_of(node).invoke(INPUT)
        told.append(heard)
    compare(*told)
    assert ["messages" in method for method, *_ in told[0]].count(True) > 3


@OWN_THREADS
@pytest.mark.parametrize("modes", ["messages", ["messages", "tools", "updates"]])
@pytest.mark.parametrize("subgraphs", [True, False])
async def test_a_parent_streams_the_messages_of_a_call_on_a_thread_of_its_own(
    server: Server, modes: Any, subgraphs: bool
) -> None:
    """As of a local graph: with those of subgraphs, and under the namespace of the call itself."""
    told = []
    for kind in ("local", "bundled"):
        child = child_of(server, kind)
        own: Any = {"configurable": {"thread_id": f"{modes}{subgraphs}"}}

        async def node(state: MessagesState, child: Any = child, own: Any = own) -> MessagesState:
            await child.ainvoke({"messages": []}, own)
            return {"messages": []}

        parent = parent_of(node)
        options: Any = {"stream_mode": modes, "subgraphs": subgraphs}
        parts = parent.astream(INPUT, CONFIG, **options)
        # A local tool's message gets its id after its event.
        told.append([part if "tools" not in part else part[-1]["event"] async for part in parts])
        if kind != "local":
            await child.aclose()
    compare(*told)
    assert subgraphs == ("three" in str(told[0]))


@OWN_THREADS
def test_a_run_stream_has_the_messages_of_a_call_on_a_thread_of_its_own(server: Server) -> None:
    """Likewise, made of blocks."""
    told = []
    for child in (talking(), server.remote_graph("talking")):

        def node(state: MessagesState, child: Any = child) -> MessagesState:
            child.invoke({"messages": []}, {"configurable": {"thread_id": "run stream"}})
            return {"messages": []}

        with parent_of(node).stream_events(INPUT, CONFIG, version="v3") as run:
            told.append([str(message.text) for message in run.messages])
    assert told == [["one two three", ""]] * 2


@pytest.mark.parametrize("kind", ["local", "bundled"])
def test_a_parent_streams_the_tools_of_its_node(server: Server, kind: str) -> None:
    """The mode "tools" with `subgraphs`, as with a local child."""
    events = parent_of(child_of(server, kind)).stream(INPUT, stream_mode="tools", subgraphs=True)
    told = [(tuple(part.partition(":")[0] for part in ns), event["event"]) for ns, event in events]
    assert told == [(("child",), "tool-started"), (("child",), "tool-finished")]


def test_of_a_server_without_tool_events_there_are_none(server: Server) -> None:
    """A parent that streams tools can have a node on any server."""
    parent = parent_of(child_of(server, "plain"))
    assert list(parent.stream(INPUT, stream_mode="tools", subgraphs=True)) == []


class Log(TypedDict, total=False):
    log: Annotated[list[str], operator.add]


def asking_beside_another() -> Any:
    graph = StateGraph(Log).add_node("ask", lambda _: {"log": [interrupt("?")]})
    graph.add_node("say", lambda _: {"log": ["said"]})
    return graph.add_edge(START, "ask").add_edge(START, "say").compile()


@pytest.mark.parametrize("kind", ["local", "bundled", "plain"])
def test_a_node_that_pauses_streams_no_state_after_its_question(kind: str) -> None:
    """A graph of its own streams the writes beside the question once more; a subgraph does not."""
    with Server({"asking": asking_beside_another()}) as hosting:
        children = {
            "local": asking_beside_another,
            "bundled": lambda: hosting.remote_graph("asking"),
            "plain": lambda: plain_graph(hosting, "asking"),
        }
        graph = StateGraph(Log).add_node("child", children[kind]()).add_edge(START, "child")
        parent = graph.compile(checkpointer=InMemorySaver())
        config: Any = {"configurable": {"thread_id": "t"}}
        states = list(parent.stream({"log": []}, config, stream_mode="values", subgraphs=True))
        inside = [sorted(state) for ns, state in states if ns]
        assert inside == [["log"], ["__interrupt__", "log"]]
        assert parent.invoke(Command(resume="yes"), config)["log"] == ["yes", "said"]


@pytest.mark.parametrize("checkpointer", [None, True, False])
async def test_metadata_name_the_task_and_the_thread_of_the_parent(
    server: Server, checkpointer: Any
) -> None:
    """Also of a node's second child, and of one that remembers: their own namespaces are others."""

    async def namespaces(child: Any) -> list[Any]:
        def node(state: MessagesState) -> Any:
            for _ in range(2):
                child.invoke(state)
            return {"messages": []}

        graph = StateGraph(MessagesState).add_node("node", node).add_edge(START, "node")
        parent = graph.compile(checkpointer=InMemorySaver())
        config: Any = {"configurable": {"thread_id": "t"}}
        events = parent.astream_events(INPUT, config, version="v2")
        metadata = [e["metadata"] async for e in events if e["event"] == "on_chat_model_start"]
        keys = ("checkpoint_ns", "langgraph_checkpoint_ns", "thread_id")
        return [[each.get(key) for key in keys] for each in metadata]

    local = talking()
    local.checkpointer = checkpointer
    remote = server.remote_graph("talking", checkpointer=checkpointer)
    here = await namespaces(local)
    compare(here, await namespaces(remote))
    assert len(here) == 2
