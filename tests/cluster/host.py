"""A server on a port over a shared database, to be stopped, paused and killed by a test.

    python host.py DATABASE PORT EFFECTS

Prints a line once it serves, and stops in good order on SIGTERM. Each step of a run is noted in the
file EFFECTS: the thread, the epoch of its lease, the step, and the process.
"""

from __future__ import annotations

import asyncio
import operator
import os
import signal
import sys
import threading
from typing import Annotated, Any

from langchain_core.runnables import RunnableConfig
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from langgraph_client.server.options import WebhookOptions
from langgraph_client.server.server import Server


class Count(TypedDict, total=False):
    upto: int
    log: Annotated[list[int], operator.add]


async def step(state: Count, config: RunnableConfig) -> dict[str, Any]:
    number = len(state["log"])
    if effects is not None:
        assert running is not None
        thread_id = config["configurable"]["thread_id"]
        epoch = running.services.storage.shared.epochs.get(thread_id, 0)
        os.write(effects, f"{thread_id} {epoch} {number} {os.getpid()}\n".encode())
    get_stream_writer()({"step": number})
    await asyncio.sleep(0.02)
    return {"log": [number]}


def more(state: Count) -> str:
    return "step" if len(state["log"]) < state["upto"] else END


effects: int | None = None
running: Server | None = None
graph = (
    StateGraph(Count)
    .add_node("step", step)
    .add_edge(START, "step")
    .add_conditional_edges("step", more)
    .compile(name="counter")
)


async def write(state: Count) -> dict[str, Any]:
    told = get_stream_writer()
    for number in range(state["upto"]):
        told(number)
        if number % 100 == 99:
            await asyncio.sleep(0)
    return {}


async def quick(state: Count) -> dict[str, Any]:
    return {"log": [1]}


# For tests/benchmarks/servers.py.
GRAPHS = {
    "counter": graph,
    "many": StateGraph(Count).add_node(write).add_edge(START, "write").compile(name="many"),
    "quick": StateGraph(Count).add_node(quick).add_edge(START, "quick").compile(name="quick"),
}


if __name__ == "__main__":
    database, port, file = sys.argv[1:4]
    effects = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    hooks = WebhookOptions(loopback=True)
    # Before it starts: it carries out runs at once, if some wait.
    running = Server(GRAPHS, path=database, max_runs=20, webhooks=hooks)
    with running:
        print(running.listen(port=int(port)), flush=True)
        stop.wait()
    os._exit(0)
