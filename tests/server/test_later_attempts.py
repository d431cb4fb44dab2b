"""An answer is for one question, also in a later attempt of its run."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any, TypedDict

import httpx
import pytest
from langgraph.graph import START, StateGraph
from langgraph.types import interrupt

from langgraph_client import Server
from tests.support.eventually import eventually


class State(TypedDict, total=False):
    answers: list[str]
    other: str


class Beside:
    """A node beside the one that asks: it fails or asks first, and then hangs until a restart."""

    def __init__(self, *, asks: bool) -> None:
        self.asks = asks
        self.asked = threading.Event()
        self.hung = threading.Event()
        self._failed = False

    async def __call__(self, _: State) -> State:
        if self.asks:
            interrupt("other?")
        elif not self._failed:
            await asyncio.to_thread(self.asked.wait, 20)
            self._failed = True
            raise ValueError("the disk is full")
        if not self.hung.is_set():
            self.hung.set()
            await asyncio.Event().wait()
        return {"other": "done"}


def graph(beside: Beside, *, nested: bool) -> Any:
    def ask(_: State) -> State:
        beside.asked.set()
        return {"answers": [interrupt("read?"), interrupt("delete?")]}

    builder = StateGraph(State).add_node("ask", ask).add_node("beside", beside)
    inner = builder.add_edge(START, "ask").add_edge(START, "beside").compile()
    if not nested:
        return inner
    return StateGraph(State).add_node("inner", inner).add_edge(START, "inner").compile()


def client(server: Server) -> httpx.Client:
    url = "http://langgraph.server"
    return httpx.Client(transport=server.transport(), base_url=url, timeout=60)


def waiting(http: httpx.Client, thread: str) -> dict[str, str]:
    questions = http.get(thread).json()["interrupts"].values()
    return {one["value"]: one["id"] for task in questions for one in task}


@pytest.mark.sqlite
@pytest.mark.parametrize("nested", [False, True], ids=["root", "subgraph"])
@pytest.mark.parametrize("by_id", [False, True], ids=["plain", "by id"])
def test_a_second_question_of_a_node_is_asked(tmp_path: Path, by_id: bool, nested: bool) -> None:
    """The first attempt has used the answer, and is cut while another node is still working."""
    beside, path = Beside(asks=by_id), tmp_path / "state.db"
    run: dict[str, Any] = {"assistant_id": "asks", "durability": "sync"}
    hosted = {"asks": graph(beside, nested=nested)}
    with Server(hosted, path=path) as server, client(server) as http:
        thread = f"/threads/{http.post('/threads', json={}).json()['thread_id']}"
        http.post(f"{thread}/runs/wait", json={**run, "input": {}})
        answer: object = "yes"
        if by_id:
            ids = waiting(http, thread)
            answer = {ids["read?"]: "yes", ids["other?"]: "yes"}
        resumed = http.post(f"{thread}/runs", json={**run, "command": {"resume": answer}}).json()
        assert beside.hung.wait(60)
        # Its second question is stored while the other node still works.
        eventually(lambda: "delete?" in http.get(f"{thread}/state?subgraphs=true").text)
    with Server(hosted, path=path) as server, client(server) as http:
        http.get(f"{thread}/runs/{resumed['run_id']}/join")
        assert set(waiting(http, thread)) == {"delete?"}
