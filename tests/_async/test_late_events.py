"""Thread streams of a run that is over, although no event has said so."""

from __future__ import annotations

from time import monotonic
from typing import Any

import httpx
import pytest

from langgraph_client import LangGraphClient, get_client
from langgraph_client._async import run_watch
from tests.support.event_streaming import (
    THREAD,
    Event,
    FollowedThread,
    Held,
    accepted,
    ended,
    frames,
    started,
)

AGENT: Any = {"assistant_id": "agent"}
EVENTS: list[Event] = [
    started("r1"),
    ("values", [], {"count": 0}),
    ("values", [], {"count": 1}),
    ended(),
]


def client_of(thread: FollowedThread) -> LangGraphClient:
    return get_client(url="http://server", transport=thread)


async def test_a_run_that_was_stopped_before_it_began_ends_what_is_read_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No event tells so; its status does, which is looked at after a second of silence."""
    # So that the looks at a run that has begun are much later.
    monkeypatch.setattr(run_watch, "_CHECK_SECONDS", 60.0)
    server = FollowedThread(frames([]), answers=[accepted("r1")], run_status="interrupted")
    async with (
        client_of(server) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        begun = monotonic()
        await thread.run.start()
        assert [message async for message in thread.messages] == []
        assert await thread.output == {"done": True}
        assert monotonic() - begun < 50


class SlowThread(FollowedThread):
    """A thread whose second connection says nothing for three seconds."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if request.url.path.endswith("/stream/events") and len(self.filters) == 2:
            body = Held(frames(EVENTS), cut=False, silence=3)
            return httpx.Response(200, headers=response.headers, stream=body)
        return response


async def test_late_events_of_one_s_own_run_are_not_lost() -> None:
    """Its status says that the run is over, so its events must come: silence is not their end."""
    server = SlowThread(b"", answers=[accepted("r1")], run_status="success")
    async with (
        client_of(server) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        await thread.run.start()
        assert [values async for values in thread.values] == [{"count": 0}, {"count": 1}]
