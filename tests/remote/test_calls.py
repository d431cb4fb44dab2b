"""How many requests one call of a RemoteGraph costs on the bundled server."""

from __future__ import annotations

import uuid
from typing import TypedDict

import pytest
from langgraph.graph import START, StateGraph

from langgraph_client import RemoteGraph
from langgraph_client.testing import TestServer


class State(TypedDict):
    x: int


def graph() -> StateGraph[State]:
    builder = StateGraph(State)
    builder.add_node("more", lambda state: {"x": state["x"] + 1})
    builder.add_edge(START, "more")
    return builder


@pytest.mark.parametrize("colour", ["async", "blocking"])
async def test_an_invocation_is_one_request(colour: str) -> None:
    """The stream's own end says that it is complete: neither the run nor its rest is asked for."""
    with TestServer({"agent": graph().compile()}) as server:
        thread_id = str(uuid.uuid4())
        async with server.client() as client:
            with server.sync_client() as sync_client:
                remote = RemoteGraph("agent", client=client, sync_client=sync_client)
                for config in (None, {"configurable": {"thread_id": thread_id}}):
                    for number in range(3):
                        if number:  # The first call may create the thread, and ask who answers.
                            server.requests.clear()
                        if colour == "async":
                            assert await remote.ainvoke({"x": 1}, config) == {"x": 2}
                        else:
                            assert remote.invoke({"x": 1}, config) == {"x": 2}
                    (request,) = server.requests
                    assert request.path.endswith("/runs/stream")
