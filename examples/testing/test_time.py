"""Time that moves when the test says so: a day passes in a millisecond."""

from __future__ import annotations

import pytest

from langgraph_client import SyncLangGraphClient
from langgraph_client.testing import ScriptedGraph, TestClock, TestServer

CLOCK = TestClock()
pytestmark = pytest.mark.langgraph(graphs={"agent": ScriptedGraph([{"done": True}])}, clock=CLOCK)


def test_a_report_is_made_every_hour(sync_langgraph_client: SyncLangGraphClient) -> None:
    thread = sync_langgraph_client.threads.create()
    sync_langgraph_client.crons.create_for_thread(
        thread.thread_id, "agent", schedule="0 * * * *", input={}
    )
    CLOCK.advance(days=1)
    assert len(sync_langgraph_client.runs.list(thread.thread_id, limit=100)) == 24


def test_a_reminder_waits_for_its_time(
    sync_langgraph_client: SyncLangGraphClient, langgraph_server: TestServer
) -> None:
    client, thread = sync_langgraph_client, sync_langgraph_client.threads.create()
    run = client.runs.create(thread.thread_id, "agent", input={}, after_seconds=3600)
    assert client.runs.get(thread.thread_id, run.run_id).status == "pending"
    CLOCK.advance(hours=1)
    assert client.runs.join(thread.thread_id, run.run_id) == {"done": True}
