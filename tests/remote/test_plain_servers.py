"""RemoteGraph on a server that speaks nothing but the protocol."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, Send

from langgraph_client.remote.commands import parent_command
from langgraph_client.testing import FakeChatModel, TestServer
from tests.support.plain_server import plain_graph

pytestmark = pytest.mark.filterwarnings("ignore:The v3 streaming protocol")
INPUT = {"messages": [{"type": "human", "content": "hello", "id": "1"}]}
ON = {"configurable": {"thread_id": "t"}}


def saying() -> Any:
    model = FakeChatModel(["one two three"] * 100)

    def say(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    builder = StateGraph(MessagesState).add_node("say", say).add_node("again", say)
    return builder.add_edge(START, "say").add_edge("say", "again").compile()


def leaving() -> Any:
    def leave(state: MessagesState) -> Any:
        update = {"messages": [{"type": "ai", "content": "left", "id": "2"}]}
        return Command(graph=Command.PARENT, update=update, goto=["next"])

    return StateGraph(MessagesState).add_node("leave", leave).add_edge(START, "leave").compile()


GRAPHS = {"saying": saying, "leaving": leaving}


@pytest.fixture(scope="module")
def server() -> Iterator[TestServer]:
    """A server of the graphs."""
    with TestServer({name: make() for name, make in GRAPHS.items()}) as running:
        yield running


class Heard(BaseCallbackHandler):
    """Keeps what it is told of models."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def on_chat_model_start(self, *_: Any, **__: Any) -> None:
        self.told.append("start")

    def on_llm_new_token(self, token: Any, **_: Any) -> None:
        self.told += [token] if token else []

    def on_llm_end(self, response: Any, **_: Any) -> None:
        self.told.append(f"end: {response.generations[0][0].text}")

    def on_llm_error(self, error: BaseException, **_: Any) -> None:
        self.told.append(f"failed: {error}")


async def test_handlers_hear_the_models(server: TestServer) -> None:
    """From the streamed messages, as there are no handler calls."""
    local, blocking, waiting = Heard(), Heard(), Heard()
    for _ in saying().stream(INPUT, {"callbacks": [local]}, stream_mode="messages"):
        pass
    remote = plain_graph(server, "saying")
    remote.invoke(INPUT, {"callbacks": [blocking]})
    await remote.ainvoke(INPUT, {"callbacks": [waiting]})
    said = ["start", "one ", "two ", "three", "end: one two three"]
    assert blocking.told == waiting.told == said * 2
    assert local.told == said * 2


def test_a_run_stream_has_the_events_of_messages(server: TestServer) -> None:
    """They are made from the chunks, message by message, as a local graph gives them."""
    seen = []
    for graph in (
        saying().copy({"checkpointer": InMemorySaver()}),
        plain_graph(server, "saying"),
    ):
        with graph.stream_events(INPUT, ON, version="v3") as run:
            seen.append([(list(message.text), message.node) for message in run.messages])
        with graph.stream_events(INPUT, {"configurable": {"thread_id": "u"}}, version="v3") as run:
            events = [
                (event["event"], event.get("index"), event.get("delta"))
                for message in run.messages
                for event in message
            ]
            seen.append([events, len(run.output["messages"])])
    assert seen[:2] == seen[2:]


def test_a_command_for_the_parent_arrives(server: TestServer) -> None:
    """The parent goes on where the remote graph said, with what it said."""
    arrived = []
    for inner in (leaving(), plain_graph(server, "leaving")):

        def after(state: MessagesState) -> dict[str, Any]:
            return {"messages": [{"type": "ai", "content": "after", "id": "3"}]}

        builder = StateGraph(MessagesState).add_node("inner", inner, destinations=("next",))
        parent = builder.add_node("next", after).add_edge(START, "inner").compile()
        ended = parent.invoke(INPUT)
        arrived.append([(message.type, message.content) for message in ended["messages"]])
    assert arrived[0] == arrived[1] == [("human", "hello"), ("ai", "left"), ("ai", "after")]


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("Command(update={'a': 1}, goto='n')", Command(graph="p:1", update={"a": 1}, goto="n")),
        ("Command(graph='__parent__', goto=('n', 'm'))", Command(graph="p:1", goto=["n", "m"])),
        (
            "Command(goto=[Send(node='n', arg={'x': (1, 2)}), 'm'])",
            Command(graph="p:1", goto=[Send("n", {"x": (1, 2)}), "m"]),
        ),
        ("Command(update=[('a', 1)])", Command(graph="p:1", update=[("a", 1)])),
    ],
)
def test_a_command_is_read_from_its_text(text: str, command: Any) -> None:
    """LangGraph's server sends a command for the parent as its `repr` only."""
    data = {"error": "ParentCommand", "message": text}
    assert parent_command(data, ("p:1",)) == command


@pytest.mark.parametrize(
    "text",
    [
        "Command(update={'messages': [AIMessage(content='x')]})",
        "Command(goto=print('x'))",
        "__import__('os').system('true')",
        "Command(",
        "None",
    ],
)
def test_text_that_is_no_literal_is_not_read(text: str) -> None:
    """It stays the text of a failed run: nothing of it is called."""
    assert parent_command({"error": "ParentCommand", "message": text}, ()) is None


def test_other_errors_are_no_commands() -> None:
    """Whatever their text says."""
    text = "Command(goto='n')"
    assert parent_command({"error": "ValueError", "message": text}, ()) is None
    assert parent_command(text, ()) is None


@pytest.mark.parametrize("given", [{"goto": "n"}, {"resume": 1}, {"graph": "p"}])
def test_an_update_cannot_go_anywhere(server: TestServer, given: dict[str, Any]) -> None:
    """The protocol's state update has values only."""
    remote = plain_graph(server, "saying")
    with pytest.raises(NotImplementedError, match="only the bundled server"):
        remote.update_state(ON, Command(**given))


def test_a_command_s_update_is_written(server: TestServer) -> None:
    """As the values of the update."""
    on = {"configurable": {"thread_id": "updated"}}
    remote = plain_graph(server, "saying")
    remote.invoke(INPUT, on)
    remote.update_state(on, Command(update={"messages": [AIMessage("by hand", id="9")]}), "say")
    assert remote.get_state(on).values["messages"][-1].content == "by hand"
