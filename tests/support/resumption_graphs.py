"""The graphs that `resumption_scenarios` plays with, and how it calls them."""

from __future__ import annotations

import operator
from collections.abc import Callable
from itertools import pairwise
from typing import Annotated, Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

#: The nodes that ran, here or on the server, which is in the same process.
RAN: list[str] = []


class State(TypedDict, total=False):
    log: Annotated[list[Any], operator.add]
    question: str


def noting(name: str) -> Callable[[State], State]:
    def node(state: State) -> State:
        RAN.append(name)
        return {"log": [name]}

    return node


def asking(name: str, times: int = 1) -> Callable[[State], State]:
    def node(state: State) -> State:
        RAN.append(name)
        return {"log": [interrupt(state.get("question", f"{name}?")) for _ in range(times)]}

    return node


def row(*nodes: tuple[str, Any]) -> Any:
    """A graph of nodes one after the other."""
    graph = StateGraph(State)
    for name, node in nodes:
        graph.add_node(name, node)
    graph.add_edge(START, nodes[0][0])
    for (one, _), (other, _) in pairwise(nodes):
        graph.add_edge(one, other)
    return graph


def both_ask() -> Any:
    """A graph of two nodes side by side that both ask."""
    graph = StateGraph(State).add_node("x", asking("x")).add_node("y", asking("y"))
    return graph.add_edge(START, "x").add_edge(START, "y")


def children(**compiled: Any) -> dict[str, Any]:
    a, b, q = ("a", noting("a")), ("b", noting("b")), ("q", asking("q"))
    return {
        "asks": row(q).compile(**compiled),
        "steps": row(a, b).compile(**compiled),
        "asks_between": row(a, q, b).compile(**compiled),
        "asks_twice": row(("qq", asking("qq", 2))).compile(**compiled),
        "asks_later": row(a, q).compile(interrupt_before=["a"], **compiled),
        "stops_after_its_end": row(a, b).compile(interrupt_after=["b"], **compiled),
        "both_ask": both_ask().compile(**compiled),
        "deep": row(a, ("inner", row(q, b).compile()), ("c", noting("c"))).compile(**compiled),
    }


Child = Callable[..., Any]
#: The config of the parent's thread, a new one for each time that a scenario is played.
K: dict[str, Any] = {"configurable": {}}


def around(node: Any, **compiled: Any) -> Any:
    """A parent graph with this one node."""
    return row(("n", node)).compile(checkpointer=InMemorySaver(), **compiled)


def told(result: Any) -> Any:
    """The questions in a result of `invoke`, or else the log."""
    questions = [one.value for one in result.get("__interrupt__", ())]
    return questions or result["log"]


def answered(parent: Any, *answers: Any, given: Any = None) -> list[Any]:
    """Invoke a parent with an input, then with answers; None goes on without one."""
    results = [told(parent.invoke(given or {"log": ["in"]}, K))]
    for answer in answers:
        command = None if answer is None else Command(resume=answer)
        results.append((told(parent.invoke(command, K)), parent.get_state(K).next))
    return results


def side_by_side(one: Any, other: Any) -> Any:
    graph = StateGraph(State).add_node("l", one).add_node("r", other)
    graph.add_edge(START, "l").add_edge(START, "r")
    # Answers of any class can be kept.
    saver = InMemorySaver(serde=JsonPlusSerializer(pickle_fallback=True))
    return graph.compile(checkpointer=saver)


def by_question(parent: Any) -> dict[str, Any]:
    return {one.value: one.id for one in parent.get_state(K).interrupts}
