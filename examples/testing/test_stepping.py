"""Runs held where you want to look at them."""

from __future__ import annotations

import pytest

from langgraph_client import SyncLangGraphClient
from langgraph_client.testing import ScriptedGraph, TestServer, Update

AGENT = ScriptedGraph([Update({"plan": "x"}, "plan"), Update({"done": True}, "tools")])


@pytest.mark.langgraph(graphs={"agent": AGENT})
def test_the_state_between_two_nodes(
    langgraph_server: TestServer, sync_langgraph_client: SyncLangGraphClient
) -> None:
    client, thread = sync_langgraph_client, sync_langgraph_client.threads.create()
    with langgraph_server.hold(node="tools") as hold:
        run = client.runs.create(thread.thread_id, "agent", input={})
        hold.wait()
        assert client.threads.get_state(thread.thread_id).values == {"plan": "x"}
        assert client.runs.get(thread.thread_id, run.run_id).status == "running"
    assert client.runs.join(thread.thread_id, run.run_id) == {"plan": "x", "done": True}
