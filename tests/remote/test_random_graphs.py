"""Random graphs and random calls: the local graph and the remote one stay the same all along.

The same hundred each time; `RANDOM_GRAPHS=2000` tries so many others.
"""

from __future__ import annotations

import operator
import os
from typing import Annotated, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

from langgraph_client import Server
from tests.support.comparison import Names, failure

pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")

TEXTS = ["a", "b", "", "é\u2028"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(TEXTS),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("xy"), inner, max_size=2)
    ),
    max_leaves=4,
)


class State(TypedDict, total=False):
    log: Annotated[list[Any], operator.add]
    n: int
    last: Any


def node(number: int, kind: str, extra: Any) -> Any:
    """A node of a kind; `extra` is what it says."""

    def run(state: State) -> Any:
        said = {"log": [f"{number}:{kind}"], "n": state.get("n", 0) + 1}
        match kind:
            case "say":
                return {**said, "last": extra}
            case "ask":
                return {**said, "last": interrupt({"node": number, "extra": extra})}
            case "ask twice":
                return {**said, "last": [interrupt(extra), interrupt(number)]}
            case "fail once":
                if state.get("n", 0) % 2 == 0:
                    raise ValueError(f"{number} fails")
                return said
            case "nothing":
                return None
            case _:
                return Command(update=said, goto=END)

    return run


KINDS = ["say", "say", "ask", "ask twice", "fail once", "nothing", "end"]


@st.composite
def specs(draw: Any, depth: int = 1) -> dict[str, Any]:
    """A row of nodes with jumps over some of them, and perhaps a graph of the same kind inside."""
    count = draw(st.integers(1, 4 if depth else 2))
    kinds = KINDS + (["graph"] if depth else [])
    nodes = [
        (kind := draw(st.sampled_from(kinds)), draw(specs(0)) if kind == "graph" else draw(JSON))
        for _ in range(count)
    ]
    jumps = draw(st.dictionaries(st.integers(0, count - 1), st.integers(0, count), max_size=2))
    stops = draw(st.lists(st.integers(0, count - 1), max_size=1)) if depth else []
    return {"nodes": nodes, "jumps": jumps, "stops": stops}


def build(spec: dict[str, Any]) -> Any:
    graph = StateGraph(State)
    count = len(spec["nodes"])
    for number, (kind, extra) in enumerate(spec["nodes"]):
        made = build(extra) if kind == "graph" else node(number, kind, extra)
        graph.add_node(f"n{number}", made)
        following = f"n{number + 1}" if number + 1 < count else END
        jump = spec["jumps"].get(number)
        if jump is None or jump <= number:  # Loops only as far as the recursion limit lets them.
            graph.add_edge(f"n{number}", following)
        else:
            over = f"n{jump}" if jump < count else END

            def choose(state: State, over: str = over, following: str = following) -> str:
                return over if state.get("n", 0) % 2 else following

            graph.add_conditional_edges(f"n{number}", choose, [over, following])
    graph.add_edge(START, "n0")
    return graph.compile(name="g", interrupt_before=[f"n{stop}" for stop in spec["stops"]])


CALLS = st.one_of(
    st.tuples(st.just("invoke"), st.fixed_dictionaries({"n": st.integers(0, 2)})),
    st.tuples(st.just("invoke"), st.none()),
    st.tuples(st.just("resume"), JSON.filter(lambda answer: answer is not None)),
    st.tuples(st.just("stream"), st.sampled_from(["values", "updates", "tasks", "debug"])),
    st.tuples(st.just("update"), st.fixed_dictionaries({"log": st.lists(st.just("by hand"))})),
    st.tuples(st.just("goto"), st.just("n0")),
    st.tuples(st.just("fork"), st.integers(0, 5)),
    st.tuples(st.just("subgraph update"), st.just({"log": ["inside"]})),
)


def played(graph: Any, calls: list[tuple[str, Any]]) -> list[Any]:
    names, told = Names(), []
    config: dict[str, Any] = {"configurable": {"thread_id": "t"}, "recursion_limit": 8}

    def call(what: str, value: Any) -> Any:
        match what:
            case "invoke":
                return graph.invoke(value, config)
            case "resume":
                waiting = graph.get_state(config).interrupts
                if len(waiting) > 1:
                    value = {waiting[0].id: value}
                return graph.invoke(Command(resume=value), config) if waiting else None
            case "stream":
                how: Any = {"stream_mode": value, "subgraphs": True}
                return [names(item) for item in graph.stream({"log": ["s"]}, config, **how)]
            case "update":
                return graph.update_state(config, value, "n0")
            case "goto":
                if graph.get_state(config).next:
                    return None  # Two nodes side by side: which comes first differs locally, too.
                return graph.invoke(Command(goto=value, update={"log": ["go"]}), config)
            case "fork":
                history = list(graph.get_state_history(config))
                return graph.invoke(None, history[value].config) if value < len(history) else None
            case "state":
                return graph.get_state(config, subgraphs=True)
            case "history":
                return list(graph.get_state_history(config))
            case _:
                inside = [task.state for task in graph.get_state(config).tasks if task.state]
                return graph.update_state(inside[0], value) if inside else None

    def tell(what: str, value: Any = None) -> None:
        try:
            told.append((what, names(call(what, value))))
        except Exception as error:  # What is raised is compared, too.
            told.append((what, failure(error)))

    for what, value in calls:
        tell(what, value)
        tell("state")
    tell("history")
    return told


@settings(
    max_examples=int(os.environ.get("RANDOM_GRAPHS", "100")),
    deadline=None,
    derandomize="RANDOM_GRAPHS" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(specs(), st.lists(CALLS, min_size=1, max_size=5))
def test_random_calls_of_random_graphs(spec: dict[str, Any], calls: list[tuple[str, Any]]) -> None:
    """Results, states and histories are the same after every call."""
    here = played(build(spec).copy({"checkpointer": InMemorySaver()}), calls)
    with Server({"g": build(spec)}) as server:
        assert played(server.remote_graph("g"), calls) == here
