"""A graph with a config of its own, called in a node: which config wins."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from typing_extensions import TypedDict

from langgraph_client import Server
from langgraph_client.testing import FakeChatModel

OWN: Any = {
    "tags": ["own", "both"],
    "metadata": {"owner": "graph", "graph": 1},
    "recursion_limit": 9,
    "max_concurrency": 7,
    "configurable": {"owner": "graph", "graph": 1},
}
AROUND: Any = {
    "tags": ["around", "both"],
    "metadata": {"owner": "node", "node": 1},
    "configurable": {"thread_id": "t", "owner": "node", "node": 1},
}


class State(TypedDict):
    seen: Annotated[list[Any], operator.add]


def look(state: State, config: RunnableConfig) -> State:
    """Tell the config that a node sees."""
    shown: dict[str, Any] = {"tags": config.get("tags"), "limit": int(config["recursion_limit"])}
    shown["concurrency"] = config.get("max_concurrency")
    for section in ("metadata", "configurable"):
        values: Any = config.get(section)
        shown[section] = {key: values.get(key) for key in ("owner", "graph", "node", "call")}
    return {"seen": [shown]}


def looking() -> Any:
    graph = StateGraph(State).add_node("look", look).add_edge(START, "look")
    return graph.compile(name="looking").with_config(OWN)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    agent = create_agent(FakeChatModel(lambda messages: "fine"), tools=[], name="agent")
    with Server({"looking": looking(), "agent": agent}) as running:
        yield running


def parent_of(node: Any, schema: Any = State) -> Any:
    graph = StateGraph(schema).add_node("node", node).add_edge(START, "node")
    return graph.compile(checkpointer=InMemorySaver(), name="parent")


CALL: Any = {"tags": ["call", "around"], "metadata": {"call": 1, "node": 2}}
CALLS: dict[str, Callable[[Any, RunnableConfig], Any]] = {
    "without a config": lambda child, config: child.invoke({"seen": []}),
    "with the node's config": lambda child, config: child.invoke({"seen": []}, config),
    "with a config": lambda child, config: child.invoke({"seen": []}, CALL),
    "with a limit": lambda child, config: child.invoke({"seen": []}, {"recursion_limit": 5}),
    "on a thread": lambda child, config: child.invoke(
        {"seen": []}, {"configurable": {"thread_id": "other"}}
    ),
    "of a copy": lambda child, config: child.with_config(CALL).invoke({"seen": []}),
    "in a stream": lambda child, config: list(child.stream({"seen": []}, stream_mode="values"))[-1],
}


@pytest.mark.parametrize("limit", [{}, {"recursion_limit": 6, "max_concurrency": 3}])
@pytest.mark.parametrize("call", CALLS)
def test_nodes_see_what_they_see_in_a_local_graph(server: Server, call: str, limit: Any) -> None:
    """The config of a graph wins over what its caller has from the node around it."""

    def seen(child: Any) -> Any:
        def node(state: State, config: RunnableConfig) -> Any:
            return {"seen": CALLS[call](child, config)["seen"][-1:]}

        return parent_of(node).invoke({"seen": []}, {**AROUND, **limit})["seen"]

    assert seen(server.remote_graph("looking")) == seen(looking())


EVENT_CALLS: dict[str, Any] = {
    "without a config": None,
    "with tags": {"tags": ["call", "around"]},
    "with metadata": {"metadata": {"call": 1}},
    "with a configurable": {"configurable": {"call": 1}},
    "on a thread": {"configurable": {"thread_id": "events"}, "metadata": {}},
}


@pytest.mark.parametrize("call", EVENT_CALLS)
async def test_a_call_for_events_names_what_it_inherits(server: Server, call: str) -> None:
    """There langchain passes the config of the node to the graph as if the call named it."""

    async def seen(child: Any) -> Any:
        async def node(state: State) -> Any:
            events = child.astream_events({"seen": []}, EVENT_CALLS[call], version="v2")
            return {"seen": [each async for each in events][-1]["data"]["output"]["seen"][-1:]}

        around = {**AROUND, "recursion_limit": 6}
        return (await parent_of(node).ainvoke({"seen": []}, around))["seen"]

    async with server.remote_graph("looking") as remote:
        assert await seen(remote) == await seen(looking())


def test_tags_that_cannot_be_sent_are_left_out(server: Server) -> None:
    """With `strict_config=False`, also tags of the node around the call."""
    child = server.remote_graph("looking", strict_config=False)

    def node(state: State) -> Any:
        with pytest.warns(UserWarning, match="config.tags"):
            return {"seen": child.invoke({"seen": []})["seen"][-1:]}

    around: Any = {**AROUND, "tags": [object()]}
    (shown,) = parent_of(node).invoke({"seen": []}, around)["seen"]
    assert shown["tags"] == ["own", "both"]


def test_a_node_that_is_the_graph_sees_the_parents_config(server: Server) -> None:
    """langgraph passes the parent's config to it, which wins."""
    told = [
        parent_of(child).invoke({"seen": []}, AROUND)["seen"]
        for child in (looking(), server.remote_graph("looking"))
    ]
    assert told[1] == told[0]


def test_messages_name_the_agent_that_a_tool_calls(server: Server) -> None:
    """`lc_agent_name` in the metadata is that of the remote agent, not of the one around it."""
    agent = server.remote_graph("agent")

    def node(state: MessagesState) -> Any:
        return agent.invoke({"messages": [("user", "how?")]})

    parent = parent_of(node, MessagesState)
    config: Any = {"metadata": {"lc_agent_name": "boss"}, "configurable": {"thread_id": "t"}}
    parts = parent.stream({"messages": []}, config, stream_mode="messages", subgraphs=True)
    assert {metadata["lc_agent_name"] for namespace, (_, metadata) in parts if namespace} == {
        "agent"
    }
