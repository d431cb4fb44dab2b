"""A wide family of graphs, one for each thing that a graph can do, each with calls that show it.

`FAMILY` has, by name, a function that builds the graph afresh and the inputs that take it from its
start to its end on one thread. Local and remote graphs are compared over it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any

from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.config import get_store, get_stream_writer
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command, Overwrite, RetryPolicy, Send, interrupt
from pydantic import BaseModel
from typing_extensions import TypedDict

from tests.support.graphs import NameModel, fresh_graph


@dataclass(frozen=True)
class Member:
    """A graph, and the inputs given to it one after the other on one thread."""

    build: Callable[[], Any]
    inputs: Sequence[Any]
    context: Any = None
    #: Whether nodes run side by side, so that the order of their events differs from run to run.
    side_by_side: bool = False
    #: Classes of the graph's own schema.
    types: Sequence[type] = field(default=())


class Notes(TypedDict, total=False):
    topic: str
    notes: Annotated[list[str], operator.add]
    total: Annotated[int, operator.add]
    latest: str


def _note(text: str, **more: Any) -> Callable[[Notes], dict[str, Any]]:
    def node(state: Notes) -> dict[str, Any]:
        return {"notes": [text], "total": 1, "latest": text, **more}

    return node


def _reducers() -> Any:
    """Several nodes in one step write to channels that add up."""
    graph = StateGraph(Notes)
    graph.add_node("a", _note("a"))
    graph.add_node("b", lambda state: {"notes": ["b1", "b2"], "total": 10})
    graph.add_node("c", lambda state: {"total": state["total"]}, defer=True)
    graph.add_edge(START, "a")
    graph.add_edge(START, "b")
    graph.add_edge(["a", "b"], "c")
    return graph.compile(name="reducers")


def _overwriting() -> Any:
    """A node puts aside what the reducer has gathered."""
    graph = StateGraph(Notes)
    graph.add_node("a", _note("a"))
    graph.add_node("clean", lambda state: {"notes": Overwrite(["clean"])})
    graph.add_sequence([("b", _note("b"))])
    graph.add_edge(START, "a")
    graph.add_edge("a", "clean")
    graph.add_edge("clean", "b")
    return graph.compile(name="overwriting")


def _branches() -> Any:
    """A path function that returns names of several nodes, by a path map."""
    graph = StateGraph(Notes)
    for name in ("choose", "left", "right", "join"):
        graph.add_node(name, _note(name) if name in ("choose", "join") else lambda s: {"total": 2})
    graph.add_edge(START, "choose")
    graph.add_conditional_edges(
        "choose", lambda state: ["l", "r"], {"l": "left", "r": "right", "end": END}
    )
    graph.add_edge(["left", "right"], "join")
    return graph.compile(name="branches")


@tool
def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"sunny in {city}"


def _agent() -> Any:
    """A model that calls tools, with ids, extra arguments and content blocks; a message removed."""

    def model(state: MessagesState) -> dict[str, Any]:
        if isinstance(state["messages"][-1], ToolMessage):
            blocks: list[str | dict[str, Any]] = [{"type": "text", "text": "It is sunny."}]
            return {
                "messages": [AIMessage(blocks, id="answer", additional_kwargs={"k": [1, None]})]
            }
        calls = [
            {"name": "weather", "args": {"city": city}, "id": f"call-{city}", "type": "tool_call"}
            for city in ("Rome", "Oslo")
        ]
        return {"messages": [AIMessage("", id="asking", tool_calls=calls)]}

    def tidy(state: MessagesState) -> dict[str, Any]:
        return {"messages": [RemoveMessage(id="asking")]}

    def tools(state: MessagesState) -> dict[str, Any]:
        # With ids of their own: a reducer that gives them later changes the very objects that a
        # local stream has yielded.
        return {
            "messages": [
                ToolMessage(
                    weather.invoke(call["args"]), id=f"of {call['id']}", tool_call_id=call["id"]
                )
                for call in state["messages"][-1].tool_calls
            ]
        }

    graph = StateGraph(MessagesState)
    graph.add_node("model", model)
    graph.add_node("tools", tools)
    graph.add_node("tidy", tidy)
    graph.add_edge(START, "model")
    graph.add_conditional_edges(
        "model",
        lambda state: "tidy" if state["messages"][-1].id == "answer" else "tools",
        ["tools", "tidy"],
    )
    graph.add_edge("tools", "model")
    return graph.compile(name="agent")


def _talking() -> Any:
    """A model streams inside a subgraph."""
    model = NameModel()

    def chat(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    inner = StateGraph(MessagesState).add_node("chat", chat).add_edge(START, "chat").compile()
    return (
        StateGraph(MessagesState)
        .add_node("first", chat)
        .add_node("inner", inner)
        .add_edge(START, "first")
        .add_edge("first", "inner")
        .compile(name="talking")
    )


def _retried() -> Any:
    """A node that fails twice before it works; its writer tells each try."""
    tries: dict[str, int] = {}

    def shaky(state: Notes) -> dict[str, Any]:
        key = state["topic"]
        tries[key] = tries.get(key, 0) + 1
        get_stream_writer()({"try": tries[key]})
        if tries[key] < 3:
            raise ConnectionError("not yet")
        del tries[key]
        return {"notes": ["worked"]}

    policy = RetryPolicy(initial_interval=0.001, jitter=False, max_attempts=3)
    graph = StateGraph(Notes)
    graph.add_node("shaky", shaky, retry_policy=policy)
    return graph.add_edge(START, "shaky").compile(name="retried")


def _questions() -> Any:
    """Several interrupts in one node, answered one after the other; then one before a node."""

    def ask(state: Notes) -> dict[str, Any]:
        first = interrupt("first?")
        second = interrupt({"second?": first})
        return {"notes": [f"{first}", f"{second}"]}

    graph = StateGraph(Notes)
    graph.add_node("ask", ask)
    graph.add_node("after", _note("after"))
    graph.add_edge(START, "ask")
    graph.add_edge("ask", "after")
    return graph.compile(name="questions", interrupt_before=["after"])


def _inner_questions() -> Any:
    """Subgraphs two deep, each asking; a fan-out into the inner one."""

    def ask(state: Notes) -> dict[str, Any]:
        return {"notes": [interrupt(f"{state['topic']}?")]}

    deep = (
        StateGraph(Notes)
        .add_node("before", _note("deep"))
        .add_node("ask", ask)
        .add_edge(START, "before")
        .add_edge("before", "ask")
        .compile(name="deep")
    )
    middle = (
        StateGraph(Notes)
        .add_node("deep", deep)
        .add_node("more", _note("more"))
        .add_edge(START, "deep")
        .add_edge("deep", "more")
        .compile(name="middle")
    )
    return (
        StateGraph(Notes)
        .add_node("middle", middle)
        .add_conditional_edges(
            START, lambda state: [Send("middle", {"topic": t}) for t in ("x", "y")], ["middle"]
        )
        .compile(name="inner questions")
    )


def _functional() -> Any:
    """Tasks, an interrupt, and what was saved the last time."""

    @task
    def square(number: int) -> int:
        return number * number

    @entrypoint()
    def workflow(numbers: list[int], *, previous: Any = None) -> Any:
        squares = [square(number).result() for number in numbers]
        sure = interrupt({"sure?": squares})
        return entrypoint.final(value=[sum(squares), sure], save=sum(squares))

    return workflow


@dataclass
class Settings:
    name: str = "nobody"
    depth: int = 1


def _contextual() -> Any:
    """Static context, and values of the config."""

    def node(state: Notes, runtime: Runtime[Settings]) -> dict[str, Any]:
        return {"notes": [f"{runtime.context.name}:{runtime.context.depth}"]}

    graph = StateGraph(Notes, context_schema=Settings)
    return graph.add_node("node", node).add_edge(START, "node").compile(name="contextual")


def _storing() -> Any:
    """The store, read and written."""

    def node(state: Notes) -> dict[str, Any]:
        store = get_store()
        found = store.get(("notes", state["topic"]), "last")
        store.put(
            ("notes", state["topic"]), "last", {"seen": (found.value["seen"] if found else 0) + 1}
        )
        return {"notes": [str(found.value if found else None)]}

    return StateGraph(Notes).add_node("node", node).add_edge(START, "node").compile(name="storing")


@dataclass
class Point:
    x: int = 0
    path: Annotated[list[tuple[int, int]], operator.add] = field(default_factory=list)


def _dataclass() -> Any:
    """The state is a dataclass."""

    def move(state: Point) -> dict[str, Any]:
        return {"x": state.x + 1, "path": [(state.x, state.x + 1)]}

    graph = StateGraph(Point).add_node("move", move).add_edge(START, "move")
    graph.add_conditional_edges("move", lambda state: END if state.x > 2 else "move", ["move", END])
    return graph.compile(name="dataclass")


class Address(BaseModel):
    street: str = "Main"


class Customer(BaseModel):
    name: str
    address: Address = Address()
    orders: Annotated[list[int], operator.add] = []


def _pydantic() -> Any:
    """The state is a pydantic model, with a model inside."""

    def order(state: Customer) -> dict[str, Any]:
        return {"orders": [len(state.orders)], "address": Address(street=state.name)}

    return (
        StateGraph(Customer)
        .add_node("order", order)
        .add_edge(START, "order")
        .compile(name="pydantic")
    )


class Asked(TypedDict):
    question: str


class Answered(TypedDict):
    answer: str


class Both(Asked, Answered):
    hidden: int


def _schemas() -> Any:
    """Input, state and output differ."""
    return (
        StateGraph(Both, input_schema=Asked, output_schema=Answered)
        .add_node("think", lambda state: {"hidden": 1})
        .add_node("answer", lambda state: {"answer": state["question"] + "!"})
        .add_edge(START, "think")
        .add_edge("think", "answer")
        .compile(name="schemas")
    )


def _commands() -> Any:
    """Nodes that say where to go next: names, several names, sends, and out of a subgraph."""

    def start(state: Notes) -> Any:
        return Command(goto=["one", Send("two", {"topic": "sent"})], update={"notes": ["start"]})

    def leave(state: Notes) -> Any:
        return Command(graph=Command.PARENT, goto="last", update={"notes": ["left"]})

    inner = StateGraph(Notes).add_node("leave", leave).add_edge(START, "leave").compile()
    graph = StateGraph(Notes)
    graph.add_node("start", start, destinations=("one", "two"))
    graph.add_node("one", inner, destinations=("last",))
    graph.add_node("two", lambda state: {"notes": [state["topic"]]})
    graph.add_node("last", _note("last"))
    return graph.add_edge(START, "start").compile(name="commands")


def _writers() -> Any:
    """Nodes say things of every JSON kind while they work."""

    def node(state: Notes) -> dict[str, Any]:
        write = get_stream_writer()
        for item in (None, 0, 1.5, "", "text", [1, {"a": None}], {"k": "v"}, False):
            write(item)
        return {}

    return StateGraph(Notes).add_node("node", node).add_edge(START, "node").compile(name="writers")


def _named(name: str) -> Callable[[], Any]:
    return partial(fresh_graph, name)


FAMILY: dict[str, Member] = {
    "row": Member(_named("row"), [{"topic": "t"}, {"topic": "u"}]),
    "loop": Member(_named("loop"), [{"step": 0}]),
    "approval": Member(_named("approval"), [{"draft": "d"}, Command(resume="yes")]),
    "nested": Member(_named("nested"), [{"draft": "d"}, Command(resume={"deep": [1]})]),
    "parallel": Member(_named("parallel"), [{"draft": "d"}], side_by_side=True),
    "fanout": Member(_named("fanout"), [{"items": [1, 2, 3]}, {"items": []}], side_by_side=True),
    "functional": Member(_named("functional"), [3, 4]),
    "reducers": Member(
        _reducers, [{"topic": "t", "total": 5}, {"notes": ["given"]}], side_by_side=True
    ),
    "overwriting": Member(_overwriting, [{"notes": ["x"]}, {"notes": Overwrite(["y"])}]),
    "branches": Member(_branches, [{"topic": "t"}], side_by_side=True),
    "agent": Member(_agent, [{"messages": [HumanMessage("weather?", id="q")]}]),
    "talking": Member(_talking, [{"messages": [HumanMessage("I'm ada, my name?", id="q")]}]),
    "retried": Member(_retried, [{"topic": "t"}]),
    "questions": Member(_questions, [{"topic": "t"}, Command(resume=0), Command(resume=""), None]),
    "inner questions": Member(_inner_questions, [{"topic": "t"}], side_by_side=True),
    "workflow": Member(
        _functional,
        [[1, 2], Command(resume=False), [3], Command(resume=True)],
    ),
    "contextual": Member(_contextual, [{"topic": "t"}], context={"name": "ada", "depth": 2}),
    "dataclass": Member(_dataclass, [Point(1), {"x": 0}], types=[Point]),
    "pydantic": Member(_pydantic, [Customer(name="Ada"), {"name": "Bob"}], types=[Customer]),
    "schemas": Member(_schemas, [{"question": "why"}]),
    "commands": Member(
        _commands,
        [{"topic": "t"}, Command(goto="last"), Command(goto=Send("two", {"topic": "by hand"}))],
        side_by_side=True,
    ),
    "writers": Member(_writers, [{"topic": "t"}]),
}
