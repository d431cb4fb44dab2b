"""Resumable streams over a network that cuts: nothing lost, nothing repeated."""

from __future__ import annotations

import pytest

from langgraph_client import get_client
from langgraph_client._core.outage import ReconnectPolicy
from langgraph_client.errors import StreamIncomplete
from langgraph_client.testing import TestServer
from tests.support.cuts import Cutting

MODES = ["values", "updates", "custom", "tasks"]


@pytest.mark.parametrize("times", [1, 4])
@pytest.mark.parametrize("after", [1, 60, 100, 137, 200, 333, 500, 701, 1000])
async def test_a_cut_anywhere_changes_nothing(server: TestServer, after: int, times: int) -> None:
    """The events of a stream that was cut are those that the server keeps, in its order."""
    network = Cutting(server.async_transport(), after, times)
    at_once = ReconnectPolicy(initial=0)
    async with get_client(url="http://server", transport=network, reconnect=at_once) as client:
        thread = await client.threads.create()
        stream = client.runs.stream(
            thread.thread_id, "row", input={"topic": "t"}, stream_mode=MODES, stream_resumable=True
        )
        parts = [part async for part in stream]
        network.times = 0
        assert stream.run_id is not None
        kept = client.runs.join_stream(thread.thread_id, stream.run_id, last_event_id="0")
        assert parts == [part async for part in kept]
        runs = await client.runs.list(thread.thread_id)
    assert len(parts) > 8
    assert [run.run_id for run in runs] == [stream.run_id]  # One call starts one run.


async def test_a_cut_of_what_cannot_be_resumed_is_told(server: TestServer) -> None:
    """Without `stream_resumable` a cut is an error that names the run, never a short stream."""
    network = Cutting(server.async_transport(), 100, 1)
    async with get_client(url="http://server", transport=network) as client:
        thread = await client.threads.create()
        stream = client.runs.stream(thread.thread_id, "row", input={"topic": "t"})
        with pytest.raises(StreamIncomplete) as caught:
            [part async for part in stream]
        assert caught.value.run_id == stream.run_id
        assert await client.runs.join(thread.thread_id, caught.value.run_id or "") is not None


async def test_a_thread_s_stream_goes_on(server: TestServer) -> None:
    """The stream of a thread, cut time and again, shows what the thread's log holds, once."""
    async with get_client(url="http://server", transport=server.async_transport()) as direct:
        thread = await direct.threads.create()
        for topic in ("a", "b"):
            run = await direct.runs.create(
                thread.thread_id, "row", input={"topic": topic}, stream_resumable=True
            )
            await direct.runs.join(thread.thread_id, run.run_id)
        kept = direct.threads.join_stream(thread.thread_id, last_event_id="-")
        whole = [await anext(kept) for _ in range(6)]
        await kept.aclose()
    for after in (1, 100, 333):
        network = Cutting(server.async_transport(), after, 5)
        at_once = ReconnectPolicy(initial=0)
        async with get_client(url="http://server", transport=network, reconnect=at_once) as client:
            stream = client.threads.join_stream(thread.thread_id, last_event_id="-")
            assert [await anext(stream) for _ in whole] == whole
            await stream.aclose()
        assert network.times < 5
