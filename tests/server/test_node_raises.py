"""What nodes raise."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated, Any

import pytest
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from langgraph_client import BadRequestError, InternalServerError
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
    with Server(graphs) as server, server.sync_client(timeout=60) as client:
        for name in ("bad", "edge"):
            thread = client.threads.create().thread_id
            events = list(client.runs.stream(thread, name, input={"n": 0}, stream_mode=mode))
            assert events[-1].event == "error"
            assert client.threads.get(thread).status == "error"
        assert client.runs.wait(None, "good", input={"n": 0}) == {"n": 1}


def leaving_factory(config: Any) -> Any:
    sys.exit(3)


async def panicking_factory(config: Any) -> Any:
    raise KeyboardInterrupt


@pytest.mark.parametrize("factory", [leaving_factory, panicking_factory])
def test_what_a_factory_raises_is_answered(factory: Any) -> None:
    """Whatever a factory raises fails the run, or the request, that it was called for."""
    with Server({"g": factory}) as server, server.sync_client(timeout=60) as client:
        thread = client.threads.create().thread_id
        assert "__error__" in client.runs.wait(thread, "g", input={}, raise_error=False)
        with pytest.raises(InternalServerError):
            client.threads.get_state(thread)
        with pytest.raises(InternalServerError):
            client.assistants.get_schemas(client.assistants.search()[0].assistant_id)


RAISED: dict[int, BaseException] = {
    2: SystemExit(3),
    3: KeyboardInterrupt("stop"),
    4: asyncio.CancelledError("not me"),
}


def raising_reducer(old: int, new: int) -> int:
    if new in RAISED:
        raise RAISED[new]
    return new


class Reduced(TypedDict):
    n: Annotated[int, raising_reducer]


@pytest.mark.parametrize("raised", RAISED)
def test_what_a_reducer_raises_is_answered(raised: int) -> None:
    """Whatever a reducer raises while a state is written to refuses the request, in its words."""
    graph = StateGraph(Reduced).add_node("node", lambda state: {"n": 1}).add_edge(START, "node")
    words = str(RAISED[raised])
    with Server({"g": graph}) as server, server.sync_client(timeout=60) as client:
        thread = client.threads.create().thread_id
        client.runs.wait(thread, "g", input={"n": 0})
        with pytest.raises(BadRequestError, match=words):
            client.threads.update_state(thread, {"n": raised})
        assert client.threads.get_state(thread)["values"] == {"n": 1}
        step: Any = {"updates": [{"as_node": "node", "values": {"n": raised}}]}
        with pytest.raises(BadRequestError, match=words):
            client.threads.create(graph_id="g", supersteps=[step])
