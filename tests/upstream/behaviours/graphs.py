"""Graphs that the behaviours are looked at on."""

from __future__ import annotations

import dataclasses
import enum
import operator
import time
import uuid
from typing import Annotated, Any

from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import interrupt
from pydantic import BaseModel
from typing_extensions import TypedDict


def cfg(**kw: Any) -> dict:
    return {"configurable": {"thread_id": str(uuid.uuid4()), **kw}}


class S(TypedDict, total=False):
    x: int
    log: Annotated[list, operator.add]


@dataclasses.dataclass
class DS:
    x: int = 0


class PS(BaseModel):
    x: int = 0


class Letter(enum.Enum):
    A = 1


def linear(**kw: Any):
    def a(s):
        return {"x": s.get("x", 0) + 1, "log": ["a"]}

    def b(s):
        return {"x": s["x"] * 10, "log": ["b"]}

    g = StateGraph(S)
    g.add_node("a", a)
    g.add_node("b", b)
    g.add_edge(START, "a")
    g.add_edge("a", "b")
    return g.compile(checkpointer=InMemorySaver(), **kw)


def asks():
    def ask(s):
        got = interrupt({"q": "ok?"})
        return {"log": [got]}

    g = StateGraph(S)
    g.add_node("ask", ask)
    g.add_edge(START, "ask")
    return g.compile(checkpointer=InMemorySaver())


def two_asks():
    g = StateGraph(S)
    for n in ("p", "q"):
        g.add_node(n, lambda s, n=n: {"log": [n + str(interrupt(n))]})
        g.add_edge(START, n)
    return g.compile(checkpointer=InMemorySaver())


def chat():
    def talk(s):
        return {"messages": [AIMessage("hi", id="1")]}

    g = StateGraph(MessagesState)
    g.add_node("talk", talk)
    g.add_edge(START, "talk")
    return g.compile(checkpointer=InMemorySaver())


def llm():
    from langchain_core.language_models.fake_chat_models import GenericFakeChatModel

    model = GenericFakeChatModel(messages=iter([AIMessage("one two")] * 9))

    def talk(s):
        return {"messages": [model.invoke(s["messages"])]}

    g = StateGraph(MessagesState)
    g.add_node("talk", talk)
    g.add_edge(START, "talk")
    return g.compile(checkpointer=InMemorySaver())


def typed(schema: Any):
    def build():
        g = StateGraph(schema)
        g.add_node("n", lambda s: {"x": s.x + 1})
        g.add_edge(START, "n")
        return g.compile(checkpointer=InMemorySaver())

    return build


def value_node(fn: Any, schema: Any = S, **kw: Any):
    def build():
        g = StateGraph(schema)
        g.add_node("n", fn)
        g.add_edge(START, "n")
        return g.compile(checkpointer=InMemorySaver(), **kw)

    return build


def nested():
    sub = StateGraph(S)
    sub.add_node("inner", lambda s: {"log": ["inner" + str(interrupt("deep"))]})
    sub.add_edge(START, "inner")
    g = StateGraph(S)
    g.add_node("sub", sub.compile())
    g.add_edge(START, "sub")
    return g.compile(checkpointer=InMemorySaver())


class Boom(ValueError):
    pass


def raises():
    def n(s):
        raise Boom("kaput")

    return value_node(n)()


def stateless():
    g = StateGraph(S)
    g.add_node("n", lambda s: {"x": 1})
    g.add_edge(START, "n")
    return g.compile()


class AnyState(TypedDict, total=False):
    v: Any


def endless():
    g = StateGraph(S)
    g.add_node("n", lambda s: {"x": s["x"] + 1})
    g.add_edge(START, "n")
    g.add_edge("n", "n")
    return g.compile(checkpointer=InMemorySaver())


def nested_plainly():
    sub = StateGraph(S)
    sub.add_node("inner", lambda s: {"log": ["inner"]})
    sub.add_edge(START, "inner")
    g = StateGraph(S)
    g.add_node("sub", sub.compile())
    g.add_edge(START, "sub")
    return g.compile(checkpointer=InMemorySaver())


def slow():

    def n(s):
        time.sleep(0.2)
        return {"x": 1}

    g = StateGraph(S)
    g.add_node("n1", n)
    g.add_node("n2", n)
    g.add_node("n3", n)
    g.add_edge(START, "n1")
    g.add_edge("n1", "n2")
    g.add_edge("n2", "n3")
    return g.compile(checkpointer=InMemorySaver())


def ran(g, inp=None):
    c = cfg()
    g.invoke(inp or {"x": 1}, c)
    return c


async def awaited(coro):
    return await coro
