"""A real graph, compiled as in production, hosted in the test's own process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langgraph.graph import START, StateGraph
from langgraph.types import interrupt
from refunds import refund
from typing_extensions import TypedDict

from langgraph_client import RemoteGraph


class Refund(TypedDict, total=False):
    order: str
    refunded: bool


def decide(state: Refund) -> dict[str, Any]:
    """Ask somebody."""
    return {"refunded": interrupt(f"refund {state['order']}?")}


builder = StateGraph(Refund)
builder.add_node("decide", decide)
builder.add_edge(START, "decide")


@pytest.mark.langgraph(graphs={"agent": builder.compile()})
def test_the_graph_and_its_caller_get_along(
    remote_graph: Callable[[str], RemoteGraph],
) -> None:
    agent = remote_graph("agent")
    assert refund(agent, "order-7", lambda question: question == "refund order-7?") == "refunded"
    state = agent.get_state({"configurable": {"thread_id": "order-7"}})
    assert state.values == {"order": "order-7", "refunded": True}
