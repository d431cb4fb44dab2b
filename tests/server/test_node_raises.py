"""What nodes raise."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from langgraph_client.server.server import Server


class Number(TypedDict, total=False):
    n: int


def graph_of(node: Any) -> Any:
    return StateGraph(Number).add_node("node", node).add_edge(START, "node").compile()


async def leaving(state: Number) -> None:
    await asyncio.sleep(0)
    sys.exit(3)


async def leaving_in_a_task(state: Number) -> None:
    await asyncio.gather(leaving(state))


def leaving_in_a_thread(state: Number) -> None:
    sys.exit(3)


async def interrupted(state: Number) -> None:
    raise KeyboardInterrupt


def failing(state: Number) -> None:
    pytest.fail("not to be called")


@pytest.mark.parametrize("mode", ["values", "custom"])
@pytest.mark.parametrize(
    "node", [leaving, leaving_in_a_task, leaving_in_a_thread, interrupted, failing]
)
def test_what_a_node_raises_is_its_run_s_failure(node: Any, mode: Any) -> None:
    """Whatever a node raises, `SystemExit` and the like included, ends the run as an error, on
    langgraph's short cut for single steps as on its long way; the server goes on."""

    def edge(state: Number) -> str:
        raise SystemExit(4)

    graphs = {
        "bad": graph_of(node),
        "good": graph_of(lambda state: {"n": 1}),
        "edge": StateGraph(Number)
        .add_node("node", lambda state: {"n": 1})
        .add_edge(START, "node")
        .add_conditional_edges("node", edge)
        .compile(),
    }
    with Server(graphs) as server, server.sync_client(timeout=10) as client:
        for name in ("bad", "edge"):
            thread = client.threads.create().thread_id
            events = list(client.runs.stream(thread, name, input={"n": 0}, stream_mode=mode))
            assert events[-1].event == "error"
            assert client.threads.get(thread).status == "error"
        assert client.runs.wait(None, "good", input={"n": 0}) == {"n": 1}
