"""A RemoteGraph of a scripted graph: messages are objects, as those of a compiled graph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk

from langgraph_client import RemoteGraph, ScriptedGraph, Server
from langgraph_client.server.graphs.script_steps import Ask, Emit, Say

CONFIG: Any = {"configurable": {"thread_id": "t"}}
CALL = {"name": "look", "args": {"at": "it"}, "id": "c1", "type": "tool_call"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    script = [Say(["Hel", "lo"], tool_calls=[CALL]), Emit(("a", "tuple")), Ask("sure?")]
    with Server({"agent": ScriptedGraph(script)}) as running:
        yield running


@pytest.fixture
def graph(server: Server) -> RemoteGraph:
    return server.remote_graph("agent")


def test_what_is_said_is_a_message(graph: RemoteGraph) -> None:
    """In the result, in the streams of values and updates, and in the state."""
    found = [graph.invoke({}, CONFIG)["messages"][-1]]
    found += [part["messages"][-1] for part in graph.stream({}, stream_mode="values") if part]
    updates = list(graph.stream({}, stream_mode="updates"))
    found.append(updates[0]["step-1"]["messages"][0])
    found.append(graph.get_state(CONFIG).values["messages"][-1])
    for message in found:
        assert type(message) is AIMessage
        assert message.content == "Hello"
        assert message.tool_calls == [CALL]


def test_tokens_are_chunks_of_a_message(graph: RemoteGraph) -> None:
    """They can be added up."""
    parts = [part for part, _ in graph.stream({}, stream_mode="messages")]
    assert [type(part) for part in parts] == [AIMessageChunk, AIMessageChunk]
    whole = parts[0] + parts[1]
    assert (whole.content, whole.tool_calls) == ("Hello", [CALL])


async def test_other_values_keep_their_types(server: Server) -> None:
    """As those that nodes of a compiled graph stream."""
    graph = server.remote_graph("agent")
    assert [part async for part in graph.astream({}, stream_mode="custom")] == [("a", "tuple")]
    await graph.aclose()


def test_messages_are_dicts_if_wanted(server: Server) -> None:
    """With `decode_messages=False`."""
    graph = server.remote_graph("agent", decode_messages=False)
    assert graph.invoke({})["messages"][-1]["content"] == "Hello"
    assert [part["content"] for part, _ in graph.stream({}, stream_mode="messages")] == [
        "Hel",
        "lo",
    ]
