"""A `Send` may have a timeout for the node's task; it arrives wherever the Send goes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import NodeTimeoutError
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send, TimeoutPolicy
from typing_extensions import TypedDict

from langgraph_client import Server
from langgraph_client.remote.commands import parent_command
from tests.support.plain_server import plain_graph

ON: Any = {"configurable": {"thread_id": "t"}}
NEVER = {"waits": True}


class State(TypedDict, total=False):
    waits: bool


async def wait(state: State) -> None:
    if state.get("waits"):
        await asyncio.Event().wait()


def waiting() -> Any:
    return StateGraph(State).add_node("wait", wait).add_edge(START, "wait").compile()


@pytest.mark.parametrize(
    "goto",
    [
        Send("wait", NEVER, timeout=0.05),
        [Send("wait", NEVER, timeout=TimeoutPolicy(idle_timeout=0.05))],
        ["wait", Send("wait", NEVER, timeout=0.05)],
    ],
    ids=["one", "list", "mixed"],
)
@pytest.mark.parametrize("by", ["command", "update"])
async def test_a_send_of_the_caller_times_out(by: str, goto: Any) -> None:
    """In a command to a run, and in a command to an update of the state."""
    command: Any = Command(goto=goto)
    with Server({"waiting": waiting()}) as server:
        remote = server.remote_graph("waiting")
        if by == "update":
            await remote.aupdate_state(ON, command, "wait")
            command = None
        with pytest.raises(NodeTimeoutError, match=r"exceeded its (run|idle) timeout of 0\.050s"):
            await asyncio.wait_for(remote.ainvoke(command, ON), 30)


async def test_a_send_to_the_parent_times_out() -> None:
    """A remote node may send something to a node of the local graph around it."""

    def leave(state: State) -> Any:
        return Command(graph=Command.PARENT, goto=[Send("wait", NEVER, timeout=0.05)])

    leaving = StateGraph(State).add_node("leave", leave).add_edge(START, "leave").compile()
    with Server({"leaving": leaving}) as server:
        builder = StateGraph(State).add_node("child", server.remote_graph("leaving"))
        builder.add_node("wait", wait).add_edge(START, "child")
        parent = builder.compile(checkpointer=InMemorySaver())
        with pytest.raises(NodeTimeoutError, match=r"run timeout of 0\.050s"):
            await asyncio.wait_for(parent.ainvoke({}, ON), 30)


def test_the_text_of_such_a_send_is_read() -> None:
    """Other servers write the command as Python's `repr`."""
    send = Send("wait", {"x": 1}, timeout=2)
    command = Command(graph=Command.PARENT, goto=[send])
    read = parent_command({"error": "ParentCommand", "message": repr(command)}, ("child:1",))
    assert read is not None
    assert read.goto == [send]


def test_other_servers_are_not_asked_for_a_timeout() -> None:
    """Their Send has none, so it is refused and not lost."""
    with Server({"waiting": waiting()}) as server:
        graph = plain_graph(server, "waiting")
        with pytest.raises(NotImplementedError, match="timeout"):
            graph.invoke(Command(goto=Send("wait", {}, timeout=1)), ON)
