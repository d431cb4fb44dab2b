"""What your code asked for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from refunds import refund

from langgraph_client import RemoteGraph
from langgraph_client.testing import Ask, ScriptedGraph, TestServer

AGENT = ScriptedGraph([Ask("sure?", into="refunded")])


@pytest.mark.langgraph(graphs={"agent": AGENT})
def test_one_run_for_the_question_and_one_for_the_answer(
    langgraph_server: TestServer, remote_graph: Callable[[str], RemoteGraph]
) -> None:
    refund(remote_graph("agent"), "order-1", lambda _: True)
    first, second = langgraph_server.requests.runs(graph="agent")
    assert first.input == {"order": "order-1"}
    assert second.command == {"resume": True}
    langgraph_server.requests.assert_one("POST", "/threads/*/runs/stream", command={"resume": True})
