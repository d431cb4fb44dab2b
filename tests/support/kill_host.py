"""A process that hosts a graph on a port, over a file, to be killed by a test.

    python kill_host.py FILE

Prints its URL, and stays until its standard input is closed.
"""

from __future__ import annotations

import asyncio
import operator
import sys
from typing import Annotated, Any

from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from langgraph_client.server.server import Server


class Count(TypedDict, total=False):
    upto: int
    log: Annotated[list[int], operator.add]


async def step(state: Count) -> dict[str, Any]:
    await asyncio.sleep(0.002)
    return {"log": [len(state["log"])]}


def more(state: Count) -> str:
    return "step" if len(state["log"]) < state["upto"] else END


graph = (
    StateGraph(Count)
    .add_node("step", step)
    .add_edge(START, "step")
    .add_conditional_edges("step", more)
    .compile(name="counter")
)


if __name__ == "__main__":
    with Server({"counter": graph}, path=sys.argv[1]) as server:
        print(server.listen(), flush=True)
        sys.stdin.read()
