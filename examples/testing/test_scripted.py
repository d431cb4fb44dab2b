"""A scripted agent: what it says and asks, try by try. It needs no langgraph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from refunds import refund

from langgraph_client import RemoteGraph
from langgraph_client.testing import Ask, Attempts, Fail, Say, ScriptedGraph, TestServer

GraphNamed = Callable[[str], RemoteGraph]

ASKING = ScriptedGraph([Say("One moment."), Ask("refund 40?", into="refunded")])
FAILING_ONCE = ScriptedGraph(
    Attempts([Fail(ConnectionError("the bank is away"))], [{"refunded": True}])
)


def by_order(state: dict[str, Any]) -> list[Any]:
    """A script may be a function of the input."""
    return [{"refunded": state["order"].startswith("order-")}]


@pytest.mark.langgraph(graphs={"agent": ASKING})
def test_the_question_reaches_the_one_who_approves(remote_graph: GraphNamed) -> None:
    agent = remote_graph("agent")
    assert refund(agent, "order-1", lambda question: question == "refund 40?") == "refunded"


@pytest.mark.langgraph(graphs={"agent": ASKING})
def test_who_declines_declines(remote_graph: GraphNamed) -> None:
    assert refund(remote_graph("agent"), "order-1", lambda _: False) == "declined"


@pytest.mark.langgraph(graphs={"agent": FAILING_ONCE})
def test_a_second_try_may_work(remote_graph: GraphNamed, langgraph_server: TestServer) -> None:
    agent = remote_graph("agent")
    with langgraph_server.expect_error(ConnectionError):  # Without this the test would fail.
        assert refund(agent, "order-1", lambda _: True) == "failed: the bank is away"
    assert refund(agent, "order-1", lambda _: True) == "refunded"


@pytest.mark.langgraph(graphs={"agent": ScriptedGraph(by_order)})
def test_what_it_does_may_depend_on_the_input(remote_graph: GraphNamed) -> None:
    assert refund(remote_graph("agent"), "order-1", lambda _: True) == "refunded"
    assert refund(remote_graph("agent"), "gift-1", lambda _: True) == "declined"
