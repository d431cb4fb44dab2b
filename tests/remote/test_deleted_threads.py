"""Runs on a thread that was deleted since the RemoteGraph created it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypedDict

import httpx
import langgraph_sdk.client
import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, StateGraph

from langgraph_client import NotFoundError, RemoteGraph
from langgraph_client.testing import TestServer
from langgraph_client.thread_ids import server_thread_id

ON: Any = {"configurable": {"thread_id": "user-1"}}


class State(TypedDict, total=False):
    seen: str


def looking() -> Any:
    """A graph whose node writes its thread's id."""

    def look(_: State, config: RunnableConfig) -> dict[str, str]:
        return {"seen": config["configurable"]["thread_id"]}

    return StateGraph(State).add_node("look", look).add_edge(START, "look").compile()


@pytest.fixture
def server() -> Iterator[TestServer]:
    with TestServer({"looking": looking()}) as running:
        yield running


def delete(server: TestServer) -> None:
    server.sync_client().threads.delete(server_thread_id("user-1"))


async def test_the_node_gets_the_callers_id_again(server: TestServer) -> None:
    """Whichever method runs next; a run on a thread that exists needs no other POST."""
    remote = server.remote_graph("looking")
    assert remote.invoke({}, ON) == {"seen": "user-1"}
    delete(server)
    assert remote.invoke({}, ON) == {"seen": "user-1"}
    delete(server)
    assert await remote.ainvoke({}, ON) == {"seen": "user-1"}
    server.requests.clear()
    assert remote.invoke({}, ON) == {"seen": "user-1"}
    (run,) = server.requests.matching("POST")
    assert run.path.endswith("/runs/stream")


def test_with_a_client_of_langgraph_sdk(server: TestServer) -> None:
    """Its streams send their request when the first event is read."""
    http = httpx.Client(base_url="http://server", transport=server.transport(), timeout=60)
    with langgraph_sdk.client.SyncLangGraphClient(http) as client:
        remote = RemoteGraph("looking", sync_client=client)
        for _ in range(2):
            assert remote.invoke({}, ON) == {"seen": "user-1"}
            delete(server)


def test_a_run_that_is_refused_for_another_reason_is_sent_twice_at_most(
    server: TestServer,
) -> None:
    """The thread exists, but the assistant does not any more."""
    client = server.sync_client()
    assistant = client.assistants.create("looking")
    remote = RemoteGraph(assistant["assistant_id"], sync_client=client)
    remote.invoke({}, ON)
    client.assistants.delete(assistant["assistant_id"])
    server.requests.clear()
    with pytest.raises(NotFoundError):
        remote.invoke({}, ON)
    assert len(server.requests.matching("POST", "/threads/*/runs/stream")) <= 2


def test_another_client_is_that_of_another_server(server: TestServer) -> None:
    """There the thread is created before its first run, as here."""
    remote = RemoteGraph("looking", sync_client=server.sync_client())
    remote.invoke({}, ON)
    with TestServer({"looking": looking()}) as other:
        remote.sync_client = other.sync_client()
        assert remote.invoke({}, ON) == {"seen": "user-1"}
        assert all(request.status == 200 for request in other.requests)
