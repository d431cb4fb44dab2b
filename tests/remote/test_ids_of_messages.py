"""The ids of messages that a node returns without one."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langgraph.graph import START, MessagesState, StateGraph

from langgraph_client import Server


@pytest.mark.parametrize("mode", ["updates", "tasks", "debug"])
def test_a_message_has_the_id_that_it_has_in_the_state(mode: Any) -> None:
    """What a step shows of a node's result can be recognised in the state."""
    builder = StateGraph(MessagesState)
    builder.add_node("say", lambda state: {"messages": [AIMessage("hi")]})
    graph = builder.add_edge(START, "say").compile()
    with Server({"agent": graph}) as server:
        remote = server.remote_graph("agent")
        config: Any = {"configurable": {"thread_id": "1"}}
        parts: list[Any] = list(
            remote.stream({"messages": []}, config, stream_mode=["values", mode])
        )
    shown = [data for name, data in parts if name == mode]
    tasks = [data.get("payload", data) for data in shown]
    (result,) = [task[key] for task in tasks for key in ("say", "result") if key in task]
    state = [data for name, data in parts if name == "values"][-1]
    assert result["messages"][0].id == state["messages"][0].id is not None
