"""A real graph with a model that calls tools: the replies are scripted, the rest is yours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from langgraph_client import RemoteGraph
from langgraph_client.testing import FakeChatModel


def weather(city: str) -> str:
    """Return the weather of a city."""
    return f"sunny in {city}"


def build_agent(model: Any) -> Any:
    """Build the agent; in production `model` is a real one."""
    bound = model.bind_tools([weather])

    def call_model(state: MessagesState) -> dict[str, Any]:
        return {"messages": [bound.invoke(state["messages"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("model", call_model)
    builder.add_node("tools", ToolNode([weather]))
    builder.add_edge(START, "model")
    builder.add_conditional_edges("model", tools_condition)
    builder.add_edge("tools", "model")
    return builder


@pytest.fixture
def model() -> FakeChatModel:
    """A model for each test: it goes through its replies once."""
    return FakeChatModel([{"name": "weather", "args": {"city": "Rome"}}, "It is sunny in Rome."])


@pytest.fixture
def langgraph_graphs(model: FakeChatModel) -> dict[str, Any]:
    """What `remote_graph` finds."""
    return {"agent": build_agent(model)}


def test_the_agent_looks_the_weather_up(
    model: FakeChatModel, remote_graph: Callable[[str], RemoteGraph]
) -> None:
    result = remote_graph("agent").invoke({"messages": [("user", "How is Rome?")]})
    assert result["messages"][-1].content == "It is sunny in Rome."
    assert model.calls[0].tools == ["weather"]
    assert model.calls[1].messages[-1].content == "sunny in Rome"
