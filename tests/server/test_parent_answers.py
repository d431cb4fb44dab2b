"""An answer that a graph around a run has given is used once, whatever happens to the server."""

from __future__ import annotations

import asyncio
import json
import queue
import threading
from pathlib import Path
from typing import Any, TypedDict

import httpx
import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt

from langgraph_client import RemoteGraph, Server
from langgraph_client.values import HEADER, PARENT, VERSION
from tests.support.free_port import free_port


class State(TypedDict, total=False):
    one: str
    two: str


def asking_twice(began: threading.Event) -> Any:
    async def slow(state: State) -> State:
        if not began.is_set():  # The first attempt, which is cut here.
            began.set()
            await asyncio.Event().wait()
        return {}

    builder = StateGraph(State)
    builder.add_node("one", lambda _: {"one": interrupt("may I read?")})
    builder.add_node("slow", slow)
    builder.add_node("two", lambda _: {"two": interrupt("may I delete?")})
    builder.add_edge(START, "one").add_edge("one", "slow").add_edge("slow", "two")
    return builder.compile()


def asking_once(began: threading.Event) -> Any:
    async def slow(state: State) -> State:
        if not began.is_set():  # The first attempt, which is cut here.
            began.set()
            await asyncio.Event().wait()
        return {}

    builder = StateGraph(State)
    builder.add_node("one", lambda _: {"one": interrupt("may I read?")})
    builder.add_node("slow", slow)
    builder.add_edge(START, "one").add_edge("one", "slow")
    return builder.compile()


def client(server: Server) -> httpx.Client:
    headers = {HEADER: VERSION}
    url = "http://langgraph.server"
    return httpx.Client(transport=server.transport(), base_url=url, timeout=60, headers=headers)


@pytest.mark.sqlite
def test_an_answer_is_not_given_to_a_later_question_after_a_restart(tmp_path: Path) -> None:
    """The second question is asked."""
    began = threading.Event()
    path = tmp_path / "state.db"
    taken_over = {"resuming": True, "answer": "yes"}
    run = {"assistant_id": "asking", "input": {}, "durability": "sync"}
    with Server({"asking": asking_twice(began)}, path=path) as server, client(server) as http:
        thread = f"/threads/{http.post('/threads', json={}).json()['thread_id']}"
        http.post(f"{thread}/runs/wait", json=run)
        config = {"configurable": {PARENT: taken_over}}
        resumed = http.post(f"{thread}/runs", json={**run, "config": config}).json()["run_id"]
        assert began.wait(60)
    with Server({"asking": asking_twice(began)}, path=path) as server, client(server) as http:
        http.get(f"{thread}/runs/{resumed}/join")
        state = http.get(f"{thread}/state").json()
    assert state["values"] == {"one": "yes"}
    (task,) = state["tasks"]
    assert [question["value"] for question in task["interrupts"]] == ["may I delete?"]


@pytest.mark.sqlite
def test_a_later_attempt_tells_its_parent_that_the_answer_may_be_used(tmp_path: Path) -> None:
    """A question of the parent graph itself is asked, and does not get the answer a second time."""
    began, path, ends = threading.Event(), tmp_path / "state.db", queue.Queue[Any]()

    class Parent(TypedDict, total=False):
        child: State
        ok: str

    with Server({"child": asking_once(began)}, path=path) as server:
        url = server.listen(port=free_port())
        child = RemoteGraph("child", url=url)

        def node(_: Parent) -> Parent:
            return {"child": child.invoke({}), "ok": interrupt("may I delete?")}

        builder = StateGraph(Parent).add_node("node", node).add_edge(START, "node")
        parent = builder.compile(checkpointer=InMemorySaver(), interrupt_before=["node"])
        config: RunnableConfig = {"configurable": {"thread_id": "parent"}}
        parent.invoke({}, config)
        # The parent has shown no question: the first interrupt gets the answer.
        resume = threading.Thread(
            target=lambda: ends.put(parent.invoke(Command(resume="yes"), config))
        )
        resume.start()
        assert began.wait(60)
    with Server({"child": asking_once(began)}, path=path) as server:
        server.listen(port=httpx.URL(url).port)
        ended = ends.get(timeout=60)
        resume.join()
        child.close()
    assert [question.value for question in ended["__interrupt__"]] == ["may I delete?"]


@pytest.mark.parametrize(
    "pause", [-1, 61, True, "1", 10**400], ids=["negative", "long", "a boolean", "text", "huge"]
)
def test_a_pause_that_cannot_be_is_refused(pause: Any) -> None:
    """The words of a RemoteGraph's header are checked like any others."""
    with Server({"asking": asking_twice(threading.Event())}) as server, client(server) as http:
        headers = {"x-langgraph-client-control": json.dumps({"drain": None, "pause": pause})}
        body = {"assistant_id": "asking", "input": {}}
        refused = http.post("/runs/wait", json=body, headers=headers)
    assert refused.status_code == 422
    assert "pause" in refused.json()["detail"]
