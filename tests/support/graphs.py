"""Graphs that the fixtures host on a server, and that tests run locally beside it.

Most tests of the clients and of `RemoteGraph` use them. For one graph per feature see `family`.
"""

from __future__ import annotations

import asyncio
import operator
import re
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langgraph.config import get_stream_writer
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, Send, interrupt
from typing_extensions import TypedDict


class Log(TypedDict, total=False):
    topic: str
    log: Annotated[list[str], operator.add]


def _row() -> Any:
    def one(state: Log) -> dict[str, Any]:
        get_stream_writer()({"from": "one"})
        return {"log": ["one"]}

    def two(state: Log) -> dict[str, Any]:
        return {"log": [f"two:{state.get('topic')}"]}

    return (
        StateGraph(Log)
        .add_node("one", one)
        .add_node("two", two)
        .add_edge(START, "one")
        .add_edge("one", "two")
        .add_edge("two", END)
        .compile(name="row")
    )


class Count(TypedDict):
    count: int


def _counter() -> Any:
    def increment(state: Count) -> dict[str, Any]:
        return {"count": state["count"] + 1}

    return (
        StateGraph(Count)
        .add_node("increment", increment)
        .add_edge(START, "increment")
        .compile(name="counter")
    )


class Job(TypedDict, total=False):
    step: int
    message: str


def _loop() -> Any:
    def start(state: Job) -> dict[str, Any]:
        return {"step": state.get("step", 0) + 1, "message": "Working"}

    def decide(state: Job) -> dict[str, Any]:
        return {"message": "Process complete"} if state["step"] >= 3 else {}

    return (
        StateGraph(Job)
        .add_node("start", start)
        .add_node("decide", decide)
        .add_edge(START, "start")
        .add_edge("start", "decide")
        .add_conditional_edges(
            "decide", lambda state: END if state["step"] >= 3 else "start", ["start", END]
        )
        .compile(name="loop")
    )


class NameModel(BaseChatModel):
    """Answers from the conversation alone, word by word when streamed."""

    @property
    def _llm_type(self) -> str:
        return "names"

    def _answer(self, messages: list[BaseMessage]) -> str:
        said = " ".join(message.text for message in messages if message.type == "human")
        found = re.search(r"I'm (\w+)", said)
        if "name?" in messages[-1].text:
            return f"You are {found[1].title()}" if found else "I do not know"
        return "Hello there"

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        message = AIMessage(self._answer(messages))
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(self, messages: list[BaseMessage], *_: Any, **__: Any) -> Any:
        for word in re.split(r"(?<= )", self._answer(messages)):
            yield ChatGenerationChunk(message=AIMessageChunk(word))


def _chat() -> Any:
    model = NameModel()

    def chat(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    return (
        StateGraph(MessagesState)
        .add_node("chat", chat)
        .add_edge(START, "chat")
        .compile(name="chat")
    )


def _functional() -> Any:
    @task
    def double(number: int) -> int:
        return number * 2

    @entrypoint()
    def total(number: int, *, previous: int | None = None) -> entrypoint.final[dict[str, int], int]:
        doubled = double(number).result()
        summed = (previous or 0) + doubled
        return entrypoint.final(value={"doubled": doubled, "total": summed}, save=summed)

    return total


class Draft(TypedDict, total=False):
    draft: str
    answers: Annotated[list[Any], operator.add]


def _review(state: Draft) -> dict[str, Any]:
    return {"answers": [interrupt({"question": "approve?", "draft": state["draft"]})]}


def _write(state: Draft) -> dict[str, Any]:
    return {"draft": state.get("draft", "draft") + "!"}


def _approval() -> Any:
    return (
        StateGraph(Draft)
        .add_node("write", _write)
        .add_node("review", _review)
        .add_edge(START, "write")
        .add_edge("write", "review")
        .compile(name="approval")
    )


def _parallel() -> Any:
    def left(state: Draft) -> dict[str, Any]:
        return {"answers": [{"left": interrupt("left?")}]}

    def right(state: Draft) -> dict[str, Any]:
        return {"answers": [{"right": interrupt("right?")}]}

    return (
        StateGraph(Draft)
        .add_node("left", left)
        .add_node("right", right)
        .add_edge(START, "left")
        .add_edge(START, "right")
        .compile(name="parallel")
    )


def _nested() -> Any:
    inner = (
        StateGraph(Draft)
        .add_node("review", _review)
        .add_edge(START, "review")
        .compile(name="inner")
    )
    return (
        StateGraph(Draft)
        .add_node("write", _write)
        .add_node("inner", inner)
        .add_edge(START, "write")
        .add_edge("write", "inner")
        .compile(name="nested")
    )


class How(TypedDict, total=False):
    how: str
    steps: int


class QuotaError(Exception):
    """An exception type that only the graph's process knows."""


def _failing() -> Any:
    def good(state: How) -> dict[str, Any]:
        return {"steps": state.get("steps", 0) + 1}

    def bad(state: How) -> dict[str, Any]:
        match state.get("how"):
            case "value":
                raise ValueError("value is wrong")
            case "key":
                raise KeyError("missing")
            case "custom":
                raise QuotaError("too much")
            case "nothing":
                raise AssertionError
            case "update":
                return 3  # type: ignore[return-value]
            case _:
                return {}

    return (
        StateGraph(How)
        .add_node("good", good)
        .add_node("bad", bad)
        .add_edge(START, "good")
        .add_edge("good", "bad")
        .add_conditional_edges(
            "bad", lambda state: "good" if state.get("how") == "loop" else END, ["good", END]
        )
        .compile(name="failing")
    )


class Work(TypedDict, total=False):
    items: list[int]
    squares: Annotated[list[int], operator.add]


def _fanout() -> Any:
    def square(work: dict[str, Any]) -> dict[str, Any]:
        return {"squares": [work["item"] ** 2]}

    def split(state: Work) -> dict[str, Any]:
        return {}

    return (
        StateGraph(Work)
        .add_node("split", split)
        .add_node("square", square)
        .add_edge(START, "split")
        .add_conditional_edges(
            "split", lambda state: [Send("square", {"item": i}) for i in state["items"]], ["square"]
        )
        .compile(name="fanout")
    )


class Squares(TypedDict, total=False):
    squares: Annotated[list[int], operator.add]


class Item(TypedDict, total=False):
    item: int
    squares: Annotated[list[int], operator.add]


def _square() -> Any:
    def square(state: Item) -> dict[str, Any]:
        return {"squares": [state["item"] ** 2]}

    return (
        StateGraph(Item, output_schema=Squares)
        .add_node("square", square)
        .add_edge(START, "square")
        .compile(name="square")
    )


def _router() -> Any:
    def choose(state: Log) -> Any:
        return Command(goto=state.get("topic", "left"), update={"log": ["choose"]})

    def left(state: Log) -> dict[str, Any]:
        return {"log": ["left"]}

    def right(state: Log) -> dict[str, Any]:
        return {"log": ["right"]}

    return (
        StateGraph(Log)
        .add_node("choose", choose, destinations=("left", "right"))
        .add_node("left", left)
        .add_node("right", right)
        .add_edge(START, "choose")
        .compile(name="router")
    )


def _climber() -> Any:
    """Leaves the graph for a node of its parent."""

    def climb(state: Log) -> Any:
        return Command(graph=Command.PARENT, goto="other", update={"log": ["from the child"]})

    return StateGraph(Log).add_node("climb", climb).add_edge(START, "climb").compile(name="climber")


def _slow() -> Any:
    """Says that it has started, then runs until it is cancelled (or the test's patience ends)."""

    async def wait(state: Log) -> dict[str, Any]:
        get_stream_writer()("started")
        await asyncio.sleep(300)
        return {"log": ["waited"]}

    return StateGraph(Log).add_node("wait", wait).add_edge(START, "wait").compile(name="slow")


_MAKERS: dict[str, Callable[[], Any]] = {
    "row": _row,
    "counter": _counter,
    "loop": _loop,
    "chat": _chat,
    "functional": _functional,
    "approval": _approval,
    "parallel": _parallel,
    "nested": _nested,
    "failing": _failing,
    "fanout": _fanout,
    "square": _square,
    "router": _router,
    "climber": _climber,
    "slow": _slow,
}


def graphs() -> dict[str, Any]:
    """Return fresh graphs, without checkpointers, by name."""
    return {name: make() for name, make in _MAKERS.items()}


def fresh_graph(name: str) -> Any:
    """Return one of `graphs`, without making the others."""
    return _MAKERS[name]()


@cache
def shared_graphs() -> Mapping[str, Any]:
    """Return the same graphs each time, for servers: they host copies, and compiling takes time."""
    return MappingProxyType(graphs())
