"""A deleted run takes its answer along: the question is open again."""

from __future__ import annotations

import asyncio
import operator
import threading
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt

from langgraph_client import LangGraphClient, Server
from tests.server.test_own_savers import AbleSaver

ACTS = threading.Event()
"""Set when a run has passed the question, and acts."""


class State(TypedDict):
    log: Annotated[list[str], operator.add]


async def act(state: State) -> Any:
    if state["log"][-1] == "slow":
        ACTS.set()
        await asyncio.Event().wait()
    return {"log": ["deleted"]}


def at_root(**compiled: Any) -> Any:
    builder = StateGraph(State).add_node("ask", lambda _: {"log": [interrupt("delete?")]})
    builder.add_node("act", act)
    return builder.add_edge(START, "ask").add_edge("ask", "act").compile(**compiled)


def in_subgraph(*, remembers: bool = False, **compiled: Any) -> Any:
    inner = StateGraph(State).add_node("ask", lambda _: {"log": [interrupt("delete?")]})
    inner.add_node("act", act).add_edge(START, "ask").add_edge("ask", "act")
    builder = StateGraph(State).add_node("inner", inner.compile(checkpointer=remembers or None))
    return builder.add_edge(START, "inner").compile(**compiled)


def in_subgraph_that_remembers(**compiled: Any) -> Any:
    return in_subgraph(remembers=True, **compiled)


def own(graph: Any) -> Server:
    return Server({"agent": graph(checkpointer=AbleSaver())})


def given(graph: Any) -> Server:
    return Server({"agent": graph()}, checkpointer=AbleSaver())


def stored(graph: Any) -> Server:
    return Server({"agent": graph()})


GRAPHS = pytest.mark.parametrize("graph", [at_root, in_subgraph, in_subgraph_that_remembers])
SERVERS = pytest.mark.parametrize("host", [stored, own, given])


async def is_open(client: LangGraphClient, thread_id: str) -> bool:
    """Return whether the thread waits, and a run without an answer is asked."""
    thread = await client.threads.get(thread_id)
    assert thread["status"] == "interrupted"
    result = await client.runs.wait(thread_id, "agent", input=None)
    return [question["value"] for question in result["__interrupt__"]] == ["delete?"]


@GRAPHS
@SERVERS
async def test_a_rollback_opens_the_question_again(
    graph: Any, host: Callable[[Any], Server]
) -> None:
    """A later run without an answer does not go past it."""
    with host(graph) as server:
        async with server.client() as client, asyncio.timeout(60):
            thread_id = (await client.threads.create())["thread_id"]
            await client.runs.wait(thread_id, "agent", input={"log": ["in"]})
            command = {"resume": "slow"}
            run = await client.runs.create(thread_id, "agent", command=command, durability="sync")
            await asyncio.to_thread(ACTS.wait, 30)
            ACTS.clear()
            await client.runs.cancel(thread_id, run["run_id"], wait=True, action="rollback")
            assert await is_open(client, thread_id)
            result = await client.runs.wait(thread_id, "agent", command={"resume": "yes"})
            assert result["log"][-2:] == ["yes", "deleted"]


@GRAPHS
@SERVERS
async def test_deleting_the_last_run_opens_its_question_again(
    graph: Any, host: Callable[[Any], Server]
) -> None:
    """The thread shows the state before the run, and not one with its answer."""
    with host(graph) as server:
        async with server.client() as client, asyncio.timeout(60):
            thread_id = (await client.threads.create())["thread_id"]
            await client.runs.wait(thread_id, "agent", input={"log": ["in"]})
            before = await client.threads.get(thread_id)
            run = await client.runs.create(thread_id, "agent", command={"resume": "yes"})
            await client.runs.join(thread_id, run["run_id"])
            await client.runs.delete(thread_id, run["run_id"])
            after = await client.threads.get(thread_id)
            assert after["values"] == before["values"]
            if host is stored:
                assert after["interrupts"] == before["interrupts"]
            assert await is_open(client, thread_id)


@pytest.mark.parametrize("how", ["rollback", "delete"])
@SERVERS
async def test_an_input_beside_the_answer_changes_nothing(
    host: Callable[[Any], Server], how: str
) -> None:
    """The command counts, and so does what it wrote to the older checkpoint."""
    with host(at_root) as server:
        async with server.client() as client, asyncio.timeout(60):
            thread_id = (await client.threads.create())["thread_id"]
            await client.runs.wait(thread_id, "agent", input={"log": ["in"]})
            answer = "slow" if how == "rollback" else "yes"
            run = await client.runs.create(
                thread_id, "agent", input={"log": ["beside"]}, command={"resume": answer}
            )
            if how == "rollback":
                await asyncio.to_thread(ACTS.wait, 30)
                ACTS.clear()
                await client.runs.cancel(thread_id, run["run_id"], wait=True, action="rollback")
            else:
                await client.runs.join(thread_id, run["run_id"])
                await client.runs.delete(thread_id, run["run_id"])
            assert await is_open(client, thread_id)


@SERVERS
async def test_a_remote_node_that_resumed_is_asked_again(host: Callable[[Any], Server]) -> None:
    """Its run has the node's input, but goes on from its thread's state, as its parent does."""
    with host(at_root) as server:
        async with server.client() as client, asyncio.timeout(60):
            child = server.remote_graph("agent", checkpointer=True)
            parent = StateGraph(State).add_node("child", child).add_edge(START, "child")
            graph: Any = parent.compile(checkpointer=InMemorySaver())
            config: Any = {"configurable": {"thread_id": "parent"}}
            await graph.ainvoke({"log": ["in"]}, config)
            result = await graph.ainvoke(Command(resume="yes"), config)
            assert result["log"][-2:] == ["yes", "deleted"]
            [thread] = await client.threads.search()
            [resumed, _] = await client.runs.list(thread["thread_id"])
            await client.runs.delete(thread["thread_id"], resumed["run_id"])
            assert await is_open(client, thread["thread_id"])


async def test_an_update_after_the_run_stays() -> None:
    """What was written since the run is not undone with it."""
    with stored(at_root) as server:
        async with server.client() as client, asyncio.timeout(60):
            thread_id = (await client.threads.create())["thread_id"]
            await client.runs.wait(thread_id, "agent", input={"log": ["in"]})
            run = await client.runs.create(thread_id, "agent", command={"resume": "yes"})
            await client.runs.join(thread_id, run["run_id"])
            await client.threads.update_state(thread_id, {"log": ["edited"]}, as_node="ask")
            before = await client.threads.get_state(thread_id)
            await client.runs.delete(thread_id, run["run_id"])
            assert await client.threads.get_state(thread_id) == before
            result = await client.runs.wait(thread_id, "agent", input=None)
            assert result["log"] == ["in", "yes", "deleted", "edited", "deleted"]
