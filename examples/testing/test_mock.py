"""Canned answers, for those who mock HTTP: no server, no graph."""

from __future__ import annotations

from refunds import refund

from langgraph_client import RemoteGraph
from langgraph_client.testing import LangGraphMock


def test_a_refund() -> None:
    with LangGraphMock() as mock, RemoteGraph("agent", url=mock.url) as agent:
        mock.threads.create()
        route = mock.runs.stream([("values", {"refunded": True})])
        assert refund(agent, "order-1", lambda _: True) == "refunded"
        assert route.call_count == 1


def test_a_failure() -> None:
    with LangGraphMock() as mock, RemoteGraph("agent", url=mock.url) as agent:
        mock.threads.create()
        mock.runs.stream(failure=("ValueError", "no such order"))
        assert refund(agent, "order-1", lambda _: True) == "failed: no such order"
