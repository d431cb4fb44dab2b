"""Holds before nodes that do not exist, and before nodes that only a run shows."""

from __future__ import annotations

from typing import Any

import pytest
from langgraph.func import entrypoint, task
from langgraph.graph import START, StateGraph

from langgraph_client.testing import Attempts, ScriptedGraph, TestServer, Update


def one_node(name: str, node: Any = lambda state: {}) -> StateGraph[Any]:
    return StateGraph(dict).add_node(name, node).add_edge(START, name)


class Caller:
    """A node that has a graph as an attribute."""

    def __init__(self, graph: Any) -> None:
        self.graph = graph

    def __call__(self, state: Any) -> Any:
        return self.graph.invoke(state) if state.get("deep") else {}


@task
def deep_task(value: int) -> int:
    return value


def calling_a_task(state: Any) -> Any:
    return {"x": deep_task(1).result()} if state.get("deep") else {}


@entrypoint()
def functional(value: Any) -> Any:
    return value


@pytest.mark.parametrize(
    "graph",
    [
        ScriptedGraph([Update({"a": 1}, "tools")]),
        ScriptedGraph(Attempts([Update({"a": 1}, "tools")], [Update({"a": 1}, "again")])),
        one_node("tools"),
        one_node("tools").compile(),
    ],
)
def test_a_hold_before_a_misspelt_node_is_an_error(graph: Any) -> None:
    """At its end, if it has held nothing; the node that was meant is named."""
    with TestServer({"agent": graph}) as server:
        client = server.sync_client()
        with (
            pytest.raises(ValueError, match="no node 'toools'; did you mean 'tools'"),
            server.hold(node="toools"),
        ):
            client.runs.wait(None, "agent", input={})
        with pytest.raises(ZeroDivisionError), server.hold(node="toools"):
            raise ZeroDivisionError


def test_a_script_has_all_its_nodes() -> None:
    """So that any other name is an error, and they are named."""
    with (
        TestServer({"agent": ScriptedGraph([Update({"a": 1}, "plan")])}) as server,
        pytest.raises(ValueError, match=r"no node 'other', only \[.*'plan'\]"),
        server.hold(node="other"),
    ):
        pass


def test_only_the_graph_of_the_hold_counts() -> None:
    """Another graph's nodes may be unknown, or have the name."""
    graphs: dict[str, Any] = {
        "agent": ScriptedGraph([Update({"a": 1}, "plan")]),
        "other": ScriptedGraph([Update({"a": 1}, "tools")]),
        "factory": lambda: one_node("inner"),
    }
    with TestServer(graphs) as server:
        with (
            pytest.raises(ValueError, match="no node 'tools'"),
            server.hold(node="tools", graph="agent"),
        ):
            pass
        with server.hold(node="tools"), server.hold(node="tools", graph="other"):
            pass


@pytest.mark.parametrize(
    ("graph", "node"),
    [
        (ScriptedGraph([Update({"a": 1}, "plan")]), "plan"),
        (ScriptedGraph(Attempts([{"a": 1}], [Update({"a": 1}, "again")])), "again"),
        (ScriptedGraph(lambda values: [{"a": 1}]), "perhaps"),
        (ScriptedGraph(Attempts([{"a": 1}], lambda values: [{"a": 1}])), "perhaps"),
        (one_node("plan"), "plan"),
        (one_node("plan").compile(), "plan"),
        (one_node("sub", one_node("inner_1").compile()), "inner_1"),
        (one_node("sub", Caller(one_node("inner_2").compile())), "inner_2"),
        (one_node("sub", calling_a_task), "deep_task"),
        (lambda: one_node("made_inside"), "made_inside"),
        (functional, "some_task"),
    ],
)
def test_a_node_that_was_not_reached_is_no_error(graph: Any, node: str) -> None:
    """In subgraphs, wherever a node has them; in tasks, and in what only a run shows."""
    with TestServer({"agent": graph}) as server, server.hold(node=node) as hold:
        pass
    assert hold.held == []


@pytest.mark.parametrize(
    ("graph", "node"),
    [
        (one_node("sub", Caller(one_node("inner_3").compile())), "inner_3"),
        (one_node("sub", calling_a_task), "deep_task"),
        (lambda: one_node("made_here"), "made_here"),
    ],
)
def test_such_nodes_are_held(graph: Any, node: str) -> None:
    """As before a node of the graph itself."""
    with TestServer({"agent": graph}) as server:
        with server.hold(node=node) as hold:
            run = server.sync_client().runs.create(None, "agent", input={"deep": True})
            assert hold.wait() == run.run_id
        server.wait_idle()
        assert server.errors == []
