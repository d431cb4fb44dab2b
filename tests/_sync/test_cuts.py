# Generated from tests/_async/test_cuts.py by .ci/unasync.py; do not edit.
"""Resumable streams over a network that cuts: nothing lost, nothing repeated."""

from __future__ import annotations

import pytest

from langgraph_client import get_sync_client
from langgraph_client._core.outage import ReconnectPolicy
from langgraph_client.errors import StreamIncomplete
from langgraph_client.testing import TestServer
from tests.support.cuts import Cutting

MODES = ["values", "updates", "custom", "tasks"]


@pytest.mark.parametrize("times", [1, 4])
@pytest.mark.parametrize("after", [1, 60, 100, 137, 200, 333, 500, 701, 1000])
def test_a_cut_anywhere_changes_nothing(server: TestServer, after: int, times: int) -> None:
    """The events of a stream that was cut are those that the server keeps, in its order."""
    network = Cutting(server.transport(), after, times)
    at_once = ReconnectPolicy(initial=0)
    with get_sync_client(url="http://server", transport=network, reconnect=at_once) as client:
        thread = client.threads.create()
        stream = client.runs.stream(
            thread.thread_id, "row", input={"topic": "t"}, stream_mode=MODES, stream_resumable=True
        )
        parts = [part for part in stream]
        network.times = 0
        assert stream.run_id is not None
        kept = client.runs.join_stream(thread.thread_id, stream.run_id, last_event_id="0")
        assert parts == [part for part in kept]
        runs = client.runs.list(thread.thread_id)
    assert len(parts) > 8
    assert [run.run_id for run in runs] == [stream.run_id]  # One call starts one run.


def test_a_cut_of_what_cannot_be_resumed_is_told(server: TestServer) -> None:
    """Without `stream_resumable` a cut is an error that names the run, never a short stream."""
    network = Cutting(server.transport(), 100, 1)
    with get_sync_client(url="http://server", transport=network) as client:
        thread = client.threads.create()
        stream = client.runs.stream(thread.thread_id, "row", input={"topic": "t"})
        with pytest.raises(StreamIncomplete) as caught:
            [part for part in stream]
        assert caught.value.run_id == stream.run_id
        assert client.runs.join(thread.thread_id, caught.value.run_id or "") is not None


def test_a_thread_s_stream_goes_on(server: TestServer) -> None:
    """The stream of a thread, cut time and again, shows what the thread's log holds, once."""
    with get_sync_client(url="http://server", transport=server.transport()) as direct:
        thread = direct.threads.create()
        for topic in ("a", "b"):
            run = direct.runs.create(
                thread.thread_id, "row", input={"topic": topic}, stream_resumable=True
            )
            direct.runs.join(thread.thread_id, run.run_id)
        kept = direct.threads.join_stream(thread.thread_id, last_event_id="-")
        whole = [next(kept) for _ in range(6)]
        kept.close()
    for after in (1, 100, 333):
        network = Cutting(server.transport(), after, 5)
        at_once = ReconnectPolicy(initial=0)
        with get_sync_client(url="http://server", transport=network, reconnect=at_once) as client:
            stream = client.threads.join_stream(thread.thread_id, last_event_id="-")
            assert [next(stream) for _ in whole] == whole
            stream.close()
        assert network.times < 5
