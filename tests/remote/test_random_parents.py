"""Random parents and random calls: over a remote child all stays as over a local one.

The same twenty-five each time; `RANDOM_GRAPHS=2000` tries so many others.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import task
from langgraph.graph import END, START, StateGraph
from langgraph.store.memory import InMemoryStore
from langgraph.types import interrupt

from langgraph_client import Server
from tests.remote.test_random_graphs import CALLS, Context, State, build, played, specs

pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")

#: The child is a node, is called by one (with its config or without, once or twice, also in a
#: task), or is a node of a subgraph. Nodes may ask themselves.
STEPS = st.tuples(
    st.sampled_from(["node", "node", "with config", "bare", "twice", "in a task", "inside"]),
    st.sampled_from(["", "", "before", "after"]),
)


def fitting(spec: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is not the same, see `parity.md`: questions in tasks, and nodes without state.

    Nor may nodes run side by side, whose order differs locally, too.
    """
    kinds = {"ask in a task": "ask", "send": "say"}
    nodes = [(kinds.get(kind, kind), extra) for kind, extra in spec["nodes"]]
    return {**spec, "nodes": nodes, "checkpointer": spec["checkpointer"] or None}


def calling(child: Any, how: str, asks: str) -> Any:
    """A node that calls the child, and may ask before or after."""

    @task
    def called(given: State) -> Any:
        return child.invoke(given)

    def run(state: State, config: RunnableConfig) -> State:
        given: State = {"log": ["in"], "n": state.get("n", 0)}
        said = [interrupt("before?")] if asks == "before" else []
        for _ in range(2 if how == "twice" else 1):
            if how == "in a task":
                result = called(given).result()
            else:
                result = child.invoke(given, *([config] if how == "with config" else []))
            said.append(result["log"])
        said += [interrupt("after?")] if asks == "after" else []
        return {"log": [len(said)], "n": state.get("n", 0) + 1, "last": said}

    return run


def row(steps: list[Any], **compiled: Any) -> Any:
    graph = StateGraph(State, Context)
    for number, step in enumerate(steps):
        graph.add_node(f"n{number}", step)
        graph.add_edge(f"n{number - 1}" if number else START, f"n{number}")
    return graph.compile(**compiled)


def parent_over(child: Any, steps: list[tuple[str, str]]) -> Any:
    made = []
    for how, asks in steps:
        kinds = {"node": lambda: child, "inside": lambda: row([child])}
        made.append(kinds[how]() if how in kinds else calling(child, how, asks))
    return row(made, checkpointer=InMemorySaver(), store=InMemoryStore(), name="parent")


@settings(
    max_examples=int(os.environ.get("RANDOM_GRAPHS", "25")),
    derandomize="RANDOM_GRAPHS" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    specs(0).map(fitting),
    st.lists(STEPS, min_size=1, max_size=3),
    st.lists(CALLS, min_size=1, max_size=5),
)
def test_random_calls_of_random_parents(
    spec: dict[str, Any], steps: list[tuple[str, str]], calls: list[tuple[str, Any]]
) -> None:
    """Results, states and histories are the same after every call."""
    here = played(parent_over(build(spec, END), steps), calls)
    with Server({"g": build({**spec, "checkpointer": None}, END)}) as server:
        remote = server.remote_graph("g", checkpointer=spec["checkpointer"])
        assert played(parent_over(remote, steps), calls) == here
