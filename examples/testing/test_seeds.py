"""Threads made in the state that a test begins with, and servers kept in a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from langgraph_client import RemoteGraph
from langgraph_client.testing import Ask, ScriptedGraph, TestServer, Update
from langgraph_client.types import Command

AGENT = ScriptedGraph([Update({"plan": "x"}, "plan"), Ask("sure?", into="ok", node="ask")])
pytestmark = pytest.mark.langgraph(graphs={"agent": AGENT})

GraphNamed = Callable[[str], RemoteGraph]


def test_from_the_middle(langgraph_server: TestServer, remote_graph: GraphNamed) -> None:
    thread_id = langgraph_server.seed_thread("agent", {"plan": "mine"}, next="ask")
    config = {"configurable": {"thread_id": thread_id}}
    assert remote_graph("agent").invoke(Command(resume=1), config) == {"plan": "mine", "ok": 1}


def test_from_a_file(
    langgraph_server: TestServer, remote_graph: GraphNamed, tmp_path: Path
) -> None:
    config = {"configurable": {"thread_id": "1"}}
    remote_graph("agent").invoke({}, config)
    before = langgraph_server.dump(tmp_path / "waiting.json")
    langgraph_server.reset()
    langgraph_server.load(tmp_path / "waiting.json")
    assert langgraph_server.dump() == before
    assert remote_graph("agent").invoke(Command(resume=1), config)["ok"] == 1
