"""Several graphs on one thread: each has its own channels, as with one checkpointer."""

from __future__ import annotations

import operator
from typing import Annotated, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import StateUpdate
from typing_extensions import TypedDict

from langgraph_client.testing import TestServer

ON = {"configurable": {"thread_id": "user-1"}}


class Letters(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    letters: int


class Digits(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    digits: int


def letters(saver: Any = None) -> Any:
    builder = StateGraph(Letters)
    builder.add_node("a", lambda _: {"log": ["a"], "letters": 1})
    builder.add_node("b", lambda _: {"log": ["b"]})
    return builder.add_edge(START, "a").add_edge("a", "b").compile(checkpointer=saver)


def digits(saver: Any = None) -> Any:
    builder = StateGraph(Digits).add_node("one", lambda _: {"log": ["1"], "digits": 1})
    return builder.add_edge(START, "one").compile(checkpointer=saver)


def states(graph: Any) -> list[Any]:
    state = graph.get_state(ON)
    return [state.values, state.next, [past.values for past in graph.get_state_history(ON)]]


def read(first: Any, second: Any) -> list[Any]:
    first.invoke({"log": ["in"]}, ON)
    before = states(second)
    second.invoke({"log": ["in"]}, ON)
    return [before, states(first), states(second)]


def update(first: Any, second: Any) -> list[Any]:
    first.invoke({"log": ["in"]}, ON)
    second.update_state(ON, {"log": ["u"], "digits": 5}, as_node="one")
    told = states(second)
    first.update_state(ON, {"letters": 7}, as_node="a")
    return [told, states(first)]


def bulk_update(first: Any, second: Any) -> list[Any]:
    second.invoke({"log": ["in"]}, ON)
    updates = [StateUpdate({"log": ["x"]}, "a"), StateUpdate({"log": ["y"]}, "b")]
    first.bulk_update_state(ON, [updates])
    return states(first)


@pytest.mark.parametrize("by", ["name", "id"])
@pytest.mark.parametrize("story", [read, update, bulk_update], ids=lambda story: story.__name__)
def test_each_graph_has_its_own_channels(story: Any, by: str) -> None:
    """Whichever of them ran last."""
    saver = InMemorySaver()
    local = story(letters(saver), digits(saver))
    with TestServer({"letters": letters(), "digits": digits()}) as server:
        names = ["letters", "digits"]
        if by == "id":
            search = server.sync_client().assistants.search
            names = [search(graph_id=name)[0]["assistant_id"] for name in names]
        assert story(*map(server.remote_graph, names)) == local


def test_an_update_by_another_graph_leaves_the_thread_its_own() -> None:
    """Other clients see what the graph that ran last has; each RemoteGraph sees its own state."""
    with TestServer({"letters": letters(), "digits": digits()}) as server:
        first, second = server.remote_graph("letters"), server.remote_graph("digits")
        threads = server.sync_client().threads
        first.invoke({"log": ["in"]}, ON)
        (before,) = threads.search()
        second.update_state(ON, {"log": ["u"], "digits": 5}, as_node="one")
        second.bulk_update_state(ON, [[StateUpdate({"log": ["v"], "digits": 6}, "one")]])
        (after,) = threads.search()
        assert after["metadata"] == before["metadata"]
        assert after["values"] == {"log": ["in", "a", "b", "u", "v"], "letters": 1}
        assert threads.get_state(after["thread_id"])["values"] == after["values"]
        assert second.get_state(ON).values == {"log": ["in", "a", "b", "u", "v"], "digits": 6}


def test_a_thread_of_an_assistant_that_was_deleted_can_be_read() -> None:
    """It is read by the graph that ran last."""
    with TestServer({"letters": letters()}) as server:
        client = server.sync_client()
        assistant_id = client.assistants.create("letters")["assistant_id"]
        graph = server.remote_graph(assistant_id)
        graph.invoke({"log": ["in"]}, ON)
        client.assistants.delete(assistant_id)
        assert graph.get_state(ON).values == {"log": ["in", "a", "b"], "letters": 1}
