"""The context of a call is in `configurable`, too, as on the real server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, MessagesState, StateGraph
from typing_extensions import TypedDict

from langgraph_client.testing import FakeChatModel, TestServer
from tests.support.comparison import compare


class State(TypedDict, total=False):
    seen: Any


class Fields(TypedDict, total=False):
    tenant: str
    model: str


@dataclass
class Settings:
    tenant: str = "none"
    model: str = "small"


def look(state: State, config: RunnableConfig) -> State:
    return {"seen": {key: config["configurable"].get(key) for key in ("tenant", "model", "x")}}


def graph_of(schema: Any) -> Any:
    return StateGraph(State, schema).add_node("look", look).add_edge(START, "look").compile()


GRAPHS = {"plain": graph_of(None), "dict": graph_of(Fields), "dataclass": graph_of(Settings)}


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("by", ["client", "RemoteGraph"])
def test_nodes_find_the_context_in_configurable(by: str, name: str) -> None:
    """For a run of a client and of a RemoteGraph; a key that the schema lacks is left out."""
    context = {"tenant": "acme"} if name == "dataclass" else {"tenant": "acme", "x": 1}
    with TestServer(GRAPHS) as server:
        if by == "client":
            result: Any = server.sync_client().runs.wait(None, name, input={}, context=context)
        else:
            result = server.remote_graph(name).invoke({}, context=context)
    expected = {"tenant": "acme", "model": None, "x": 1 if name == "plain" else None}
    assert result["seen"] == expected


async def test_the_context_is_not_among_metadata() -> None:
    """langchain copies a `model` of `configurable` into them; a local graph has none there."""
    model = FakeChatModel(["hi"] * 4)

    def say(state: MessagesState) -> Any:
        return {"messages": [model.invoke("?")]}

    def build() -> Any:
        builder = StateGraph(MessagesState, Fields).add_node("say", say).add_edge(START, "say")
        return builder.compile(name="say")

    async def told(graph: Any) -> list[Any]:
        context = {"tenant": "acme", "model": "large"}
        heard = Heard()
        messages = graph.stream({}, {"callbacks": [heard]}, context=context, stream_mode="messages")
        events = graph.astream_events({}, context=context, version="v2")
        metadata = [metadata for _, metadata in messages]
        return [*metadata, *heard.metadata, *[event["metadata"] async for event in events]]

    with TestServer({"say": build()}) as server:
        remote = await told(server.remote_graph("say"))
    compare(await told(build()), remote)
    assert len(remote) > 10


class Heard(BaseCallbackHandler):
    """Keeps the metadata of the chains and models that it hears of."""

    def __init__(self) -> None:
        self.metadata: list[Any] = []

    def on_chain_start(self, *_: Any, **more: Any) -> None:
        self.metadata.append(more["metadata"])

    on_chat_model_start = on_chain_start


def test_the_own_configurable_wins() -> None:
    """A RemoteGraph may have both, as a local graph may."""
    config: RunnableConfig = {"configurable": {"tenant": "own"}}
    with TestServer(GRAPHS) as server:
        seen = server.remote_graph("dict").invoke({}, config, context={"tenant": "context"})["seen"]
    assert seen["tenant"] == "own"


def test_factories_find_the_context_in_configurable() -> None:
    """They get it with the config, whoever starts the run."""
    made: list[Any] = []

    def make(config: RunnableConfig) -> Any:
        made.append(config["configurable"].get("tenant"))
        return GRAPHS["dict"]

    with TestServer({"made": make}) as server:
        context = {"tenant": "acme"}
        server.sync_client().runs.wait(None, "made", input={}, context=context)
        server.remote_graph("made").invoke({}, context=context)
    assert set(made) >= {"acme"}
