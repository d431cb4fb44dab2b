"""Graphs that do next to nothing: what is measured is the server."""

from __future__ import annotations

import asyncio
from typing import Any

from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    count: int


async def add(state: State) -> dict[str, Any]:
    return {"count": state.get("count", 0) + 1}


async def write(state: State) -> dict[str, Any]:
    writer = get_stream_writer()
    for number in range(state["count"]):
        writer({"number": number})
        if number % 100 == 99:
            await asyncio.sleep(0)
    return {}


async def tick(state: State) -> dict[str, Any]:
    writer = get_stream_writer()
    for number in range(5):
        if number:
            await asyncio.sleep(0.05)
        writer(number)
    return {}


def _one(node: Any) -> Any:
    builder = StateGraph(State).add_node("node", node)
    return builder.add_edge(START, "node").add_edge("node", END).compile()


trivial = _one(add)
writer = _one(write)
paced = _one(tick)
