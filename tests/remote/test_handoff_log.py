"""What the server logs of a remote agent that hands over."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from langgraph.graph import START, StateGraph
from langgraph.types import Command

from langgraph_client import Server
from tests.support.graphs import Log


def test_a_handoff_is_no_failure_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """A command for the parent graph is logged as the end of the run, without what it contains."""
    caplog.set_level(logging.INFO, "langgraph_client.server")

    def hand_over(state: Log) -> Command[Any]:
        return Command(graph=Command.PARENT, goto="other", update={"log": ["a secret"]})

    agent = StateGraph(Log).add_node("say", hand_over).add_edge(START, "say").compile(name="agent")
    with Server({"agent": agent}) as server:
        parent = (
            StateGraph(Log)
            .add_node("agent", server.remote_graph("agent"), destinations=("other",))
            .add_node("other", lambda state: {})
            .add_edge(START, "agent")
            .compile()
        )
        assert parent.invoke({"topic": "t"})["log"] == ["a secret"]
    (ended,) = [record for record in caplog.records if "ended" in record.message]
    assert ended.levelno == logging.INFO
    assert ended.message.endswith("a command for the graph around it")
    assert "a secret" not in caplog.text
