"""Threads seeded before a node: what comes next depends on the whole state."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from langgraph_client.testing import ScriptedGraph, TestServer


class State(TypedDict):
    log: Annotated[list[str], operator.add]


def routed(by: Callable[[State], str], **options: Any) -> dict[str, Any]:
    """A graph whose first node leads to `tools` or to the end."""
    builder = StateGraph(State)
    builder.add_node("plan", lambda state: {"log": ["plan"]})
    builder.add_node("tools", lambda state: {"log": ["tools"]})
    builder.add_edge(START, "plan").add_edge("tools", END)
    builder.add_conditional_edges("plan", by, ["tools", END])
    return {"agent": builder.compile(**options)}


HISTORY: list[dict[str, object]] = [{"log": ["a"]}, {"log": ["b"]}]


def test_the_history_counts_for_what_comes_next() -> None:
    """A graph that decides by what earlier updates wrote stands where it was asked to."""
    with TestServer(routed(lambda state: "tools" if len(state["log"]) > 2 else END)) as server:
        thread_id = server.seed_thread("agent", {"log": ["c"]}, next="tools", history=HISTORY)
        state = server.sync_client().threads.get_state(thread_id)
        assert (state.next, state.values) == (["tools"], {"log": ["a", "b", "c"]})
        with pytest.raises(ValueError, match="no node leads to"):
            server.seed_thread("agent", {"log": ["c"]}, next="tools")


def test_a_history_may_keep_a_thread_from_what_was_asked() -> None:
    """Then it is an error, and there is no thread."""
    saver = InMemorySaver()
    graphs = routed(lambda state: "tools" if len(state["log"]) < 2 else END, checkpointer=saver)
    with TestServer(graphs) as server:
        with pytest.raises(ValueError, match=r"after 'plan' comes \[\]"):
            server.seed_thread("agent", {"log": ["c"]}, next="tools", history=HISTORY)
        assert server.sync_client().threads.search() == []
        assert not saver.storage


def test_a_graph_that_decides_otherwise_the_next_time_is_an_error() -> None:
    """What was tried is no proof; the thread itself is looked at."""
    ways = iter(["tools", END])
    saver = InMemorySaver()
    with TestServer(routed(lambda state: next(ways), checkpointer=saver)) as server:
        with pytest.raises(ValueError, match=r"next is \[\], not \['tools'\]"):
            server.seed_thread("agent", {"log": []}, next="tools")
        assert server.sync_client().threads.search() == []
        assert not saver.storage


def test_a_history_that_the_graph_refuses_is_its_own_error() -> None:
    """It is not reported as a node that leads nowhere."""
    with (
        TestServer(routed(lambda state: END)) as server,
        pytest.raises(Exception, match="can only concatenate list"),
    ):
        server.seed_thread("agent", {}, next="tools", history=[{"log": 5}])


class Minimal(InMemorySaver):
    """A checkpointer that cannot delete threads."""

    def delete_thread(self, thread_id: str) -> None:
        raise NotImplementedError

    async def adelete_thread(self, thread_id: str) -> None:
        raise NotImplementedError


def test_each_node_is_tried_on_a_thread_of_its_own() -> None:
    """Also with a checkpointer that cannot delete what was tried before."""
    graphs = routed(
        lambda state: "tools" if len(state["log"]) == 1 else END, checkpointer=Minimal()
    )
    with TestServer(graphs) as server:
        thread_id = server.seed_thread("agent", {"log": ["only"]}, next="tools")
        state = server.sync_client().threads.get_state(thread_id)
        assert (state.next, state.values) == (["tools"], {"log": ["only"]})


@pytest.mark.parametrize("name", ["values", "metadata"])
def test_what_is_no_mapping_is_refused(name: str) -> None:
    """An empty list is none either."""
    given: dict[str, Any] = {name: []}
    with (
        TestServer({"agent": ScriptedGraph([{"done": True}])}) as server,
        pytest.raises(ValueError, match=rf"{name}: must be a mapping .* not \[\]"),
    ):
        server.seed_thread("agent", **given)
