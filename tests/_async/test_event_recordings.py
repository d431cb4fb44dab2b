"""Recorded event streams of a real server, read by a thread stream."""

from __future__ import annotations

from typing import Any

import pytest

from langgraph_client import ReconnectPolicy, get_client
from langgraph_client.stream import RunFailedError
from tests.support.event_recordings import Recording, recordings
from tests.support.event_streaming import THREAD, FollowedThread
from tests.support.eventually import aeventually

pytestmark = pytest.mark.usefixtures("unhurried")

RECORDINGS = recordings()


@pytest.fixture(params=sorted(RECORDINGS) or ["none"])
def recording(request: pytest.FixtureRequest) -> Recording:
    """Each of the recorded streams."""
    if request.param not in RECORDINGS:
        pytest.skip("the recordings are not here")
    return RECORDINGS[request.param]


@pytest.mark.parametrize("part", [None, 0.5], ids=["whole", "cut"])
async def test_a_recorded_run_is_read(recording: Recording, part: float | None) -> None:
    """Each projection has what was recorded, also where the connection breaks on the way.

    That server's numbers do not stay: after a cut it sends everything again from the beginning.
    """
    first = [] if part is None else [recording.frames[: int(len(recording.frames) * part)]]
    server = FollowedThread(*first, recording.frames)
    at_once = ReconnectPolicy(initial=0)
    async with (
        get_client(url="http://server.example", transport=server, reconnect=at_once) as client,
        client.threads.stream(THREAD, assistant_id="agent") as thread,
    ):
        values: list[Any] = [item async for item in thread.values]
        assert values == (recording.values or [{"done": True}])
        assert len([item async for item in thread.messages]) == recording.messages
        assert [call.name async for call in thread.tool_calls] == recording.tools
        async for subgraph in thread.subgraphs:
            assert subgraph.status != "started"
        if recording.end == "failed":
            with pytest.raises(RunFailedError, match=recording.error):
                print(await thread.output)
        else:
            assert await thread.output == {"done": True}
        # That server may ask after it has said that the run is interrupted.
        await aeventually(lambda: len(thread.interrupts) == len(recording.asked))
        assert [asked["interrupt_id"] for asked in thread.interrupts] == recording.asked
