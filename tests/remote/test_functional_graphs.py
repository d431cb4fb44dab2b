"""Graphs of the functional API: what they return, and a command as their input."""

from __future__ import annotations

from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send, interrupt
from typing_extensions import TypedDict

from langgraph_client import RemoteGraph, Server
from tests.support.comparison import compare

ON: Any = {"configurable": {"thread_id": "t"}}


def telling() -> Any:
    @entrypoint(checkpointer=InMemorySaver())
    def tell(given: Any) -> Any:
        return entrypoint.final(value=f"got {given!r}", save=1)

    return tell


async def test_events_have_the_final_object_of_an_entrypoint() -> None:
    """langchain's events have what the function returned, whose value is the output."""
    local = telling().copy({"name": "tell"})
    with Server({"tell": telling()}) as server:
        here = [event async for event in local.astream_events(1, ON, version="v2")]
        # Without `allow_types`, which name the classes of the graph's own schema.
        remote = RemoteGraph("tell", client=server.client())
        there = [event async for event in remote.astream_events(1, ON, version="v2")]
    compare(here, there)
    outputs = [event["data"].get("output") for event in here]
    assert entrypoint.final(value="got 1", save=1) in outputs


@pytest.mark.parametrize(
    "goto", ["tell", ["tell"], Send("tell", {"n": 1}), [Send("tell", {"n": 1})], ["a", "b"]]
)
def test_an_entrypoint_gets_a_command_as_it_was_sent(goto: Any) -> None:
    """A list of one target stays a list."""
    command = Command(goto=goto)
    with Server({"tell": telling()}) as server:
        assert server.remote_graph("tell").invoke(command, ON) == telling().invoke(command, ON)


class State(TypedDict, total=False):
    answer: str


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_question_of_a_task_in_a_subgraph_is_as_often_in_the_result(version: Any) -> None:
    """A local graph has it twice: of the task, and of the node that called it."""

    @task
    def ask() -> Any:
        return interrupt("?")

    def build() -> Any:
        inner = StateGraph(State).add_node("ask", lambda _: {"answer": ask().result()})
        outer = StateGraph(State).add_node("inner", inner.add_edge(START, "ask").compile())
        return outer.add_edge(START, "inner").compile(checkpointer=InMemorySaver())

    with Server({"g": build()}) as server:
        remote = server.remote_graph("g").invoke({}, ON, version=version)
        compare(build().invoke({}, ON, version=version), remote)
