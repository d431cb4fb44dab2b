"""Run streams of event streaming: of a RemoteGraph as of the same graph compiled locally."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypedDict

import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.stream import (
    CustomTransformer,
    StreamChannel,
    StreamTransformer,
    UpdatesTransformer,
)
from langgraph.types import Command, interrupt

from langgraph_client.remote.message_events import MessageEvents
from langgraph_client.testing import FakeChatModel, TestServer

pytestmark = pytest.mark.filterwarnings("ignore:The v3 streaming protocol")
INPUT = {"messages": [{"type": "human", "content": "hello", "id": "1"}]}


class Asked(MessagesState):
    answer: str


class Counted(TypedDict):
    n: int


class Counting(StreamTransformer):
    """Counts what nodes write and what models say, in a named channel and in one without a name."""

    required_stream_modes = ("custom",)

    def init(self) -> dict[str, Any]:
        self._written: StreamChannel[Any] = StreamChannel("written")
        self._said: StreamChannel[Any] = StreamChannel()
        return {"writes": self._written, "said": self._said}

    def process(self, event: Any) -> bool:
        data = event["params"]["data"]
        if event["method"] == "custom":
            self._written.push((data, len(data)))
        elif event["method"] == "messages" and data[0]["event"] == "content-block-finish":
            self._said.push(data[0]["content"]["text"])
        return True

    def finalize(self) -> None:
        self._written.push("over")


def graphs() -> dict[str, Any]:
    model = FakeChatModel(["one two three"] * 100)

    def say(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    def ask(state: Asked) -> dict[str, Any]:
        return {"answer": interrupt("sure?")}

    def fail(state: MessagesState) -> dict[str, Any]:
        raise ValueError("no luck")

    inner = StateGraph(MessagesState).add_node("say", say).add_edge(START, "say").compile()
    nested = StateGraph(MessagesState).add_node("inner", inner).add_node("say", say)
    nested.add_edge(START, "inner").add_edge("inner", "say")

    def write(state: MessagesState) -> dict[str, Any]:
        get_stream_writer()("a")
        model.invoke(state["messages"])
        get_stream_writer()("b")
        return {}

    counted = StateGraph(MessagesState).add_node("write", write).add_edge(START, "write")
    return {
        "counted": counted.compile(transformers=[Counting]),
        "nested": nested.compile(),
        "asking": StateGraph(Asked).add_node("ask", ask).add_edge(START, "ask").compile(),
        "failing": StateGraph(MessagesState)
        .add_node("fail", fail)
        .add_edge(START, "fail")
        .compile(),
    }


@pytest.fixture(params=["local", "remote"])
def named(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Gives a graph by name: compiled locally with a checkpointer, or on a server, in turn."""
    if request.param == "local":
        yield lambda name: graphs()[name].copy({"checkpointer": InMemorySaver()})
    else:
        with TestServer(graphs()) as server:
            yield server.remote_graph


def config(thread_id: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": thread_id}}


def test_projections_come_in_the_order_of_a_local_graph(named: Any) -> None:
    """Values, messages, lifecycle and subgraphs arrive as they do locally."""
    with named("nested").stream_events(INPUT, config("t"), version="v3") as run:
        arrived = []
        for name, item in run.interleave("values", "messages", "lifecycle", "subgraphs"):
            if name == "values":
                arrived.append((name, len(item["messages"])))
            elif name == "messages":
                arrived.append((name, list(item.text)))
            elif name == "lifecycle":
                arrived.append((name, item["event"]))
            else:
                arrived.append((name, item.graph_name))
        assert arrived == [
            ("values", 1),
            ("lifecycle", "started"),
            ("subgraphs", "inner"),
            ("lifecycle", "completed"),
            ("values", 2),
            ("messages", ["one ", "two ", "three"]),
            ("values", 3),
        ]
        assert [message.type for message in run.output["messages"]] == ["human", "ai", "ai"]


def test_a_subgraph_has_projections_of_its_own(named: Any) -> None:
    """The messages of a subgraph are read on it, while the run goes on."""
    with named("nested").stream_events(INPUT, config("t"), version="v3") as run:
        read = [
            ([list(message.text) for message in subgraph.messages], subgraph.status)
            for subgraph in run.subgraphs
        ]
        assert read == [([["one ", "two ", "three"]], "completed")]


def test_subgraphs_of_subgraphs_are_those_of_a_local_graph() -> None:
    """Each run stream of a subgraph has the subgraphs below it, at any depth."""

    def around(name: str, node: Any) -> Any:
        builder = StateGraph(Counted)
        builder.add_node(name, node)
        builder.set_entry_point(name)
        builder.set_finish_point(name)
        return builder.compile()

    def found(run: Any) -> list[Any]:
        return [(each.graph_name, found(each), each.status) for each in run.subgraphs]

    graph = around("mid", around("leaf", around("node", lambda state: {"n": state["n"] + 1})))
    with TestServer({"top": graph}) as server:
        with graph.stream_events({"n": 1}, version="v3") as here:
            expected = found(here)
        with server.remote_graph("top").stream_events({"n": 1}, version="v3") as there:
            assert found(there) == expected
            assert there.output == {"n": 2}
    assert [name for name, *_ in expected[0][1]] == ["leaf"]


async def test_further_projections_run_at_the_caller(named: Any) -> None:
    """`transformers=` are read by their names, in async code as well."""
    graph = named("nested")
    run = await graph.astream_events(
        INPUT, config("t"), version="v3", transformers=[UpdatesTransformer, CustomTransformer]
    )
    assert [list(update) async for update in run.updates] == [["inner"], ["say"]]
    assert len((await run.output())["messages"]) == 3


def test_a_transformer_that_the_graph_was_compiled_with_has_its_channels(named: Any) -> None:
    """What it pushes on the server comes in its order, as Python values, among the events too."""
    with named("counted").stream_events(INPUT, config("t"), version="v3") as run:
        items = list(run.interleave("writes", "said"))
    assert items == [
        ("writes", ("a", 1)),
        ("said", "one two three"),
        ("writes", ("b", 1)),
        ("writes", "over"),
    ]
    with named("counted").stream_events(INPUT, config("u"), version="v3") as run:
        events = [e["params"]["data"] for e in run if e["method"] == "custom:written"]
    assert events == [("a", 1), ("b", 1), "over"]


@pytest.mark.parametrize("is_remote", [False, True])
async def test_projections_of_the_graph_itself(is_remote: bool) -> None:
    """`transformers=` of a RemoteGraph are those of its run streams, each once."""
    with TestServer(graphs()) as server:
        local = graphs()["counted"].copy({"checkpointer": InMemorySaver()})
        # Also those of an iterator, for more than one run.
        remote = server.remote_graph("counted", transformers=iter([Counting]))
        graph = (remote if is_remote else local).with_config({"tags": ["copied"]})
        assert graph.stream_transformers == (Counting,)
        with graph.stream_events(INPUT, config("t"), version="v3") as run:
            assert "writes" in run.extensions
            items = list(run.interleave("writes", "said"))
        assert items == [("writes", ("a", 1)), ("said", "one two three")] + [
            ("writes", item) for item in (("b", 1), "over")
        ]
        run = await graph.astream_events(INPUT, config("u"), version="v3")
        events = [e["params"]["data"] async for e in run if e["method"] == "custom:written"]
        assert events == [("a", 1), ("b", 1), "over"]


def test_live_objects_that_a_compiled_transformer_pushes_fail_no_run() -> None:
    """They stay where they are; what can be sent comes."""

    class Live(StreamTransformer):
        def __init__(self, scope: tuple[str, ...] = ()) -> None:
            super().__init__(scope)
            self.pushed: StreamChannel[Any] = StreamChannel()

        def init(self) -> dict[str, Any]:
            return {"pushed": self.pushed}

        def process(self, event: Any) -> bool:
            self.pushed.push(object.__new__(Live))
            self.pushed.push({"method": event["method"]})
            return True

    def say(state: MessagesState) -> dict[str, Any]:
        return {"messages": ["said"]}

    graph = StateGraph(MessagesState).add_node("say", say).add_edge(START, "say")
    with TestServer({"live": graph.compile(transformers=[Live])}) as server:
        run = server.remote_graph("live").stream_events(INPUT, config("t"), version="v3")
        assert {item["method"] for item in run.extensions["pushed"]} >= {"values"}
        assert len(run.output["messages"]) == 2


async def test_a_compiled_transformer_s_channels_in_async_code(named: Any) -> None:
    """They are read beside other projections; a channel that nobody has is a KeyError."""
    run = await named("counted").astream_events(INPUT, config("t"), version="v3")
    assert [item async for item in run.extensions["said"]] == ["one two three"]
    for name in ("counted", "nested"):
        run = await named(name).astream_events(INPUT, config("u"), version="v3")
        with pytest.raises(KeyError, match="nope"):
            print([item async for item in run.extensions["nope"]])


def test_an_interrupt_is_seen_and_answered(named: Any) -> None:
    """`interrupted` and `interrupts` say what is asked; a `Command` goes on."""
    graph = named("asking")
    with graph.stream_events({"messages": []}, config("t"), version="v3") as run:
        assert run.interrupted
        assert [one.value for one in run.interrupts] == ["sure?"]
    with graph.stream_events(Command(resume="yes"), config("t"), version="v3") as run:
        assert run.output["answer"] == "yes"
        assert not run.interrupted


def test_a_failure_is_raised_where_it_is_read(named: Any) -> None:
    """The output of a failed run raises what the node raised."""
    run = named("failing").stream_events(INPUT, config("t"), version="v3")
    with run, pytest.raises(ValueError, match="no luck"):
        print(run.output)


def test_what_event_streaming_chooses_itself_is_refused(named: Any) -> None:
    """`stream_mode`, `subgraphs` and instances of transformers are a TypeError, as locally."""
    graph = named("nested")
    with pytest.raises(TypeError, match="stream_mode"):
        graph.stream_events(INPUT, config("t"), version="v3", stream_mode="values")
    with pytest.raises(TypeError, match="instance"):
        graph.stream_events(INPUT, config("t"), version="v3", transformers=[UpdatesTransformer()])


def streaming_graph() -> Any:
    """A graph whose node streams the blocks of a model's message by itself."""

    def say(state: MessagesState) -> dict[str, Any]:
        model = GenericFakeChatModel(messages=iter([AIMessage("hello world")]))
        return {"messages": model.stream_events(state["messages"], version="v3").output}

    return StateGraph(MessagesState).add_node("say", say).add_edge(START, "say").compile()


@pytest.mark.parametrize("is_remote", [False, True])
def test_a_model_streamed_by_a_node_is_one_message(is_remote: bool) -> None:
    """`model.stream_events(version="v3")` in a node gives one message, delta by delta."""
    with TestServer({"streaming": streaming_graph()}) as server:
        graph = server.remote_graph("streaming") if is_remote else streaming_graph()
        with graph.stream_events(INPUT, version="v3") as run:
            (message,) = list(run.messages)
            assert list(message.text) == ["hello", " ", "world"]
            assert message.output.id == run.output["messages"][-1].id


def calling_graph() -> Any:
    """A graph whose model calls a tool, and says why its message ends."""
    call = {"name": "weather", "args": {}, "id": "call-1"}
    reasons = {"finish_reason": "tool_calls", "normalized_finish_reason": "stop"}

    def say(state: MessagesState) -> dict[str, Any]:
        reply = AIMessage("", tool_calls=[call], response_metadata=reasons)
        model = FakeChatModel([reply]).bind_tools([{"name": "weather"}])
        return {"messages": [model.invoke("hello")]}

    return StateGraph(MessagesState).add_node("say", say).add_edge(START, "say").compile()


def test_the_end_of_a_message_is_that_of_a_local_graph() -> None:
    """langchain-core copies the reasons for the end into the last event since 1.8.4."""
    with calling_graph().stream_events(INPUT, version="v3") as run:
        local = [event["params"]["data"] for event in run if event["method"] == "messages"]
    # As servers send them: in chunks, with the values after each step.
    parts = calling_graph().stream(INPUT, stream_mode=["messages", "values"], version="v2")
    converter = MessageEvents()
    converted = [event["data"] for part in parts for event in converter.convert(part)]
    ends = [
        [data[0] for data in events if isinstance(data, tuple) and "event" in data[0]][-1]
        for events in (local, converted)
    ]
    assert ends[0]["event"] == "message-finish"
    assert ends[0] == ends[1]


def test_who_joins_a_run_does_not_see_the_events_of_its_run_stream() -> None:
    """Events of blocks are for the RemoteGraph that asked; others get the protocol's."""
    with TestServer(graphs()) as running, running.sync_client() as client:
        with running.remote_graph("nested").stream_events(INPUT, config("t"), version="v3") as run:
            assert len(run.output["messages"]) == 3
        thread_id = client.threads.search()[0]["thread_id"]
        (first,) = client.runs.list(thread_id)
        names = {
            part.event.partition("|")[0]
            for part in client.runs.join_stream(thread_id, first["run_id"], last_event_id="-1")
        }
        assert "values" in names
        assert names.isdisjoint({"message_events", "classes", "tracer_calls", "handler_calls"})


@pytest.mark.parametrize("is_remote", [False, True])
def test_a_namespace_of_the_caller_is_the_scope_of_the_projections(is_remote: bool) -> None:
    """With a `checkpoint_ns` in the config there is nothing to see of what lies beside it."""
    scoped = {"configurable": {"thread_id": "t", "checkpoint_ns": "outer:abc"}}
    with TestServer(graphs()) as server:
        graph = server.remote_graph("nested") if is_remote else graphs()["nested"]
        with graph.stream_events(INPUT, scoped, version="v3") as run:
            assert list(run.lifecycle) == []
            assert list(run.values) == []
