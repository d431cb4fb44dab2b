"""Code of yours that calls an agent: it refunds an order, once somebody has approved.

The tests beside this file test it without a network, keys, or a model.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langgraph_client import RemoteException, RemoteGraph
from langgraph_client.types import Command


def refund(agent: RemoteGraph, order: str, approve: Callable[[Any], bool]) -> str:
    """Ask the agent to refund an order; `approve` answers its questions."""
    config: dict[str, Any] = {"configurable": {"thread_id": order}}
    try:
        result = agent.invoke({"order": order}, config)
        while "__interrupt__" in result:
            (question,) = result["__interrupt__"]
            result = agent.invoke(Command(resume=approve(question.value)), config)
    except RemoteException as error:
        return f"failed: {error.message}"
    return "refunded" if result["refunded"] else "declined"
