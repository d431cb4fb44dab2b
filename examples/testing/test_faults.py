"""A wire that breaks: does your code lose anything, or do anything twice?"""

from __future__ import annotations

import pytest

from langgraph_client import SyncLangGraphClient
from langgraph_client.testing import Emit, ScriptedGraph, TestServer

COUNTING = ScriptedGraph([Emit(1), Emit(2), Emit(3), {"done": True}])
pytestmark = pytest.mark.langgraph(graphs={"agent": COUNTING})


def test_a_cut_stream_goes_on(
    langgraph_server: TestServer, sync_langgraph_client: SyncLangGraphClient
) -> None:
    thread = sync_langgraph_client.threads.create()
    with langgraph_server.faults.cut_after(events=2, times=1) as cut:
        events = list(
            sync_langgraph_client.runs.stream(
                thread.thread_id, "agent", input={}, stream_mode="custom", stream_resumable=True
            )
        )
    assert cut.fired == 1
    assert [event.data for event in events if event.event == "custom"] == [1, 2, 3]


def test_a_server_that_is_busy_is_asked_again(
    langgraph_server: TestServer, sync_langgraph_client: SyncLangGraphClient
) -> None:
    with langgraph_server.faults.refuse(status=503, times=1) as refused:
        assert sync_langgraph_client.assistants.search()[0].graph_id == "agent"
    assert refused.fired == 1
