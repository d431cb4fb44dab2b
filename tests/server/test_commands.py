"""Commands on a thread where nothing waits: what they write is kept, as by a local graph."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

import httpx
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command

from langgraph_client.testing import ScriptedGraph, TestServer

ON: Any = {"configurable": {"thread_id": "local"}}


class State(TypedDict):
    log: Annotated[list[str], operator.add]


def built(saver: Any = None) -> Any:
    builder = StateGraph(State)
    builder.add_node("one", lambda _: {"log": ["one"]})
    builder.add_node("late", lambda _: {"log": ["late"]}, defer=True)
    builder.add_edge(START, "one")
    return builder.compile(checkpointer=saver)


@pytest.mark.parametrize("goto", [None, "one", "late"])
@pytest.mark.parametrize("durability", ["async", "sync", "exit"])
@pytest.mark.parametrize("own", [False, True], ids=["servers", "own"])
def test_an_update_is_kept_whether_or_not_a_node_is_executed(
    goto: Any, durability: Any, own: bool
) -> None:
    """The state shows it, and the next run has it."""
    local = built(InMemorySaver())
    command: dict[str, Any] = {"update": {"log": ["update"]}}
    if goto:
        command["goto"] = goto
    expected = []
    for given in ({"log": ["first"]}, Command(**command), {"log": ["next"]}):
        local.invoke(given, ON, durability=durability)
        expected.append(local.get_state(ON).values)
    with TestServer({"agent": built(InMemorySaver() if own else None)}) as server:
        client = server.sync_client()
        thread_id = client.threads.create()["thread_id"]
        shown = []
        runs: Any = (
            {"input": {"log": ["first"]}},
            {"command": command},
            {"input": {"log": ["next"]}},
        )
        for asked in runs:
            client.runs.wait(thread_id, "agent", durability=durability, **asked)
            shown.append(client.threads.get_state(thread_id)["values"])
    assert shown == expected
    assert "update" in shown[1]["log"]


@pytest.mark.parametrize("command", [None, {}])
def test_an_empty_command_is_none(command: Any) -> None:
    """The run has its input, of a compiled graph and of a script."""
    script = ScriptedGraph([{"answer": "!"}])
    with TestServer({"agent": built(), "script": script}) as server:
        for name, after in (
            ("agent", {"log": ["given", "one"]}),
            ("script", {"log": ["given"], "answer": "!"}),
        ):
            body = {"assistant_id": name, "input": {"log": ["given"]}, "command": command}
            with httpx.Client(
                transport=server.transport(), base_url="http://server", timeout=60
            ) as http:
                assert http.post("/runs/wait", json=body).json() == after
