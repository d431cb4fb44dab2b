"""Graphs for the tests of the page, which stop where a test says."""

from __future__ import annotations

import operator
from typing import Annotated, Any, Literal

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGenerationChunk
from langgraph.graph import END, START, MessagesState, StateGraph
from typing_extensions import TypedDict

from tests.support.graphs import NameModel
from tests.support.graphs import graphs as shared
from tests.support.hosted import Gate

HOSTILE = [
    "<script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 2'>",
    "<svg onload='window.hacked = 3'><iframe srcdoc='<script>parent.hacked = 4</script>'></iframe>",
    "[press](javascript:window.hacked=5) [data](data:text/html,<script>hacked=6</script>)",
    "![pixel](https://tracker.example/pixel.png) <https://good.example/page>",
    "[web](https://good.example/page) and `<b>code</b>`",
    "```html\n<script>window.hacked = 7</script>\n```",
    "# <img src=x onerror=window.hacked=8>\n* <b onclick=window.hacked=9>bold</b>",
    "> <a href=//x>y</a>",
]


def _chat() -> Any:
    def answer(state: MessagesState) -> dict[str, Any]:
        last = state["messages"][-1].text
        if last == "hostile":
            hostile = AIMessage("\n\n".join(HOSTILE), name="<script>window.hacked=10</script>")
            return {"messages": [hostile]}
        call = {"name": "look_up", "args": {"word": last}, "id": "call-1"}
        return {
            "messages": [
                AIMessage("Let me look.", tool_calls=[call]),
                ToolMessage('{"found": 3}', tool_call_id="call-1", name="look_up"),
                AIMessage(f"You said **{last}**.\n\n```python\nprint({last!r})\n```"),
            ]
        }

    graph = StateGraph(MessagesState).add_node("answer", answer)
    return graph.add_edge(START, "answer").compile(name="chat")


class Order(TypedDict, total=False):
    topic: str
    amount: int
    express: bool
    size: Literal["small", "large"]
    tags: list[str]
    log: Annotated[list[str], operator.add]


def _order(gate: Gate) -> Any:
    """Two nodes in a row; the second one waits for the gate."""

    def check(state: Order) -> dict[str, Any]:
        return {"log": [f"checked {state.get('topic')}"]}

    async def pack(state: Order) -> dict[str, Any]:
        await gate.hold()
        return {"log": ["packed"]}

    graph = StateGraph(Order).add_node("check", check).add_node("pack", pack)
    graph.add_edge(START, "check").add_edge("check", "pack").add_edge("pack", END)
    return graph.compile(name="order")


def _shout() -> Any:
    """Fails with what it was given."""

    def shout(state: Order) -> dict[str, Any]:
        raise ValueError(state.get("topic"))

    graph = StateGraph(Order).add_node("shout", shout).add_edge(START, "shout")
    return graph.compile(name="shout")


class _SlowModel(NameModel):
    """Streams a first word, waits for the gate, and streams the rest."""

    gate: Any

    async def _astream(self, messages: list[BaseMessage], *_: Any, **__: Any) -> Any:
        yield ChatGenerationChunk(message=AIMessageChunk("First "))
        await self.gate.hold()
        yield ChatGenerationChunk(message=AIMessageChunk("second."))


def _stream(gate: Gate) -> Any:
    """Streams a message within a subgraph."""
    model = _SlowModel(gate=gate)

    async def say(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    inner = StateGraph(MessagesState).add_node("say", say).add_edge(START, "say").compile()
    graph = StateGraph(MessagesState).add_node("inner", inner).add_edge(START, "inner")
    return graph.compile(name="stream")


def graphs(gate: Gate) -> dict[str, Any]:
    """The graphs, by name; `order` waits for `gate`."""
    picked = {name: shared()[name] for name in ("approval", "parallel", "failing", "row", "nested")}
    return {
        **picked,
        "chat": _chat(),
        "order": _order(gate),
        "shout": _shout(),
        "stream": _stream(gate),
    }
