"""A node calls two remote graphs at a time: the parent's one answer is for one question."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphInterrupt
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

from langgraph_client import Server
from langgraph_client.testing import TestServer
from tests.support.eventually import eventually
from tests.support.plain_server import plain_graph

K: RunnableConfig = {"configurable": {"thread_id": "parent"}}


class State(TypedDict, total=False):
    answer: str


class Parent(TypedDict, total=False):
    answers: list[Any]


def asking(question: str) -> Any:
    builder = StateGraph(State).add_node("ask", lambda _: {"answer": interrupt(question)})
    return builder.add_edge(START, "ask").compile()


def slow(gate: threading.Event, began: threading.Event) -> Any:
    async def wait(_: State) -> State:
        began.set()
        await asyncio.to_thread(gate.wait, 60)
        return {}

    builder = StateGraph(State).add_node("wait", wait)
    builder.add_node("ask", lambda _: {"answer": interrupt("read?")})
    return builder.add_edge(START, "wait").add_edge("wait", "ask").compile()


def around(node: Any) -> Any:
    builder = StateGraph(Parent).add_node("node", node).add_edge(START, "node")
    return builder.compile(checkpointer=InMemorySaver())


def asked(result: Any) -> list[str]:
    return [question.value for question in result["__interrupt__"]]


@pytest.fixture(scope="module")
def server() -> Iterator[TestServer]:
    with TestServer({"read": asking("read?"), "delete": asking("delete?")}) as running:
        yield running


@pytest.fixture(params=["bundled", "plain"])
def remote(server: TestServer, request: pytest.FixtureRequest) -> Callable[[str], Any]:
    if request.param == "bundled":
        return server.remote_graph
    return lambda name: plain_graph(server, name)


async def test_the_second_question_is_asked(remote: Callable[[str], Any]) -> None:
    """The answer to the first one is not an approval of the second."""
    graphs = [remote("read"), remote("delete")]

    async def node(_: Parent, config: RunnableConfig) -> Parent:
        calls = (graph.ainvoke({}, config) for graph in graphs)
        answers = await asyncio.gather(*calls, return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        return {"answers": answers}

    parent = around(node)
    assert asked(await parent.ainvoke({}, K)) == ["read?"]
    assert asked(await parent.ainvoke(Command(resume="yes"), K)) == ["delete?"]
    ended = await parent.ainvoke(Command(resume="no"), K)
    assert ended == {"answers": [{"answer": "yes"}, {"answer": "no"}]}
    for graph in graphs:
        await graph.aclose()


def test_the_answer_is_for_the_question_that_was_shown(
    server: TestServer, remote: Callable[[str], Any]
) -> None:
    """It is not for one that the other graph has asked at the same time, in another thread."""
    graphs = [remote("read"), remote("delete")]

    def node(_: Parent, config: RunnableConfig) -> Parent:
        calls = []
        with ThreadPoolExecutor() as pool:
            for graph in graphs:
                server.requests.clear()
                calls.append(pool.submit(copy_context().run, graph.invoke, {}, config))
                # langgraph numbers the subgraphs that a task calls, and each has the state of its
                # number. So the second call begins when the first one has its number.
                eventually(lambda: len(server.requests) > 0)
        for call in reversed(calls):
            if isinstance(error := call.exception(), GraphInterrupt):
                raise error
        return {"answers": [call.result() for call in calls]}

    parent = around(node)
    assert asked(parent.invoke({}, K)) == ["delete?"]
    assert asked(parent.invoke(Command(resume="no"), K)) == ["read?"]
    ended = parent.invoke(Command(resume="yes"), K)
    assert ended == {"answers": [{"answer": "yes"}, {"answer": "no"}]}
    for graph in graphs:
        graph.close()


async def test_a_graph_that_has_not_asked_yet_does_not_keep_the_answer() -> None:
    """The other graph gets the answer to its question, although it is called second."""
    gate, began = threading.Event(), threading.Event()
    with Server({"slow": slow(gate, began), "delete": asking("delete?")}) as server:
        first, second = server.remote_graph("slow"), server.remote_graph("delete")

        async def ask_second(config: RunnableConfig) -> Any:
            await asyncio.to_thread(began.wait, 60)
            answer = await second.ainvoke({}, config)
            gate.set()  # Not earlier: the question of the first one would cancel this call.
            return answer

        async def node(_: Parent, config: RunnableConfig) -> Parent:
            # The question of the second one cancels the first one.
            try:
                async with asyncio.TaskGroup() as tasks:
                    calls = [
                        tasks.create_task(first.ainvoke({}, config)),
                        tasks.create_task(ask_second(config)),
                    ]
            except BaseExceptionGroup as group:  # `except*` of Python 3.11.2 raises a group again.
                raise group.exceptions[0] from None
            return {"answers": [call.result() for call in calls]}

        parent = around(node)
        assert asked(await parent.ainvoke({}, K)) == ["delete?"]
        assert asked(await parent.ainvoke(Command(resume="no"), K)) == ["read?"]
        ended = await parent.ainvoke(Command(resume="yes"), K)
    assert ended == {"answers": [{"answer": "yes"}, {"answer": "no"}]}
