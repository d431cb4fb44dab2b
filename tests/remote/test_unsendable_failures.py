"""A failure with values that cannot be sent is a failure nevertheless."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import ToolMessage
from langgraph.graph import START, StateGraph
from langgraph.types import Command

from langgraph_client import RemoteException, Server
from tests.support.graphs import Log


class Odd:
    """A value that raises whatever reads it."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


def graph_of(node: Any) -> Any:
    return StateGraph(Log).add_node("n", node).add_edge(START, "n").compile()


@pytest.mark.parametrize("artifact", [(i for i in range(2)), Odd()], ids=["iterator", "odd"])
@pytest.mark.parametrize("place", ["args", "attribute"])
def test_an_error_with_a_message_that_cannot_be_sent(artifact: Any, place: str) -> None:
    """It is raised without that message, in place of a result."""

    def fail(state: Log) -> Any:
        message = ToolMessage("m", tool_call_id="1", artifact=artifact)
        if place == "args":
            raise ValueError("bad", message)
        error = ValueError("bad")
        error.reply = message  # type: ignore[attr-defined]
        raise error

    with Server({"g": graph_of(fail)}) as server, pytest.raises(ValueError, match="bad"):
        server.remote_graph("g").invoke({"topic": "t"})


def test_a_handoff_with_a_value_that_cannot_be_sent() -> None:
    """It fails: a parent that got no command must not go on as if there was none."""

    def hand_over(state: Log) -> Command[Any]:
        return Command(graph=Command.PARENT, goto="b", update={"log": [Odd()]})

    with Server({"g": graph_of(hand_over)}) as server, pytest.raises(RemoteException):
        server.remote_graph("g").invoke({"topic": "t"})
