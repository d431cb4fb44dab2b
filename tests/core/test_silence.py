"""Deadlines, heartbeats and silence: when a wait is too long."""

from __future__ import annotations

from typing import Any

import pytest

from langgraph_client._core.call import ANY, Call
from langgraph_client._core.deadline import Deadline
from langgraph_client._core.resumption import ReconnectPolicy, Resumption
from langgraph_client._core.silence import Cadence, Pulse
from langgraph_client.errors import APITimeoutError, InvalidArgumentError, StreamIncomplete
from langgraph_client.models.events import StreamPart

START = Call("POST", "/threads/t/runs/stream", ANY)


def test_a_deadline_shortens_every_step() -> None:
    """No step lasts longer than what is left; without a deadline nothing changes."""
    deadline = Deadline(10, now=100)
    limits = {"connect": 5, "read": 300, "write": None}
    assert deadline.clip(limits, 104) == {"connect": 5, "read": 6, "write": 6, "pool": 6}
    assert deadline.clip(limits, 200)["read"] == 0.001
    assert not deadline.over(109)
    assert deadline.over(110)
    assert deadline.allows(3, 106)
    assert not deadline.allows(4, 106)
    endless = Deadline(None, now=100)
    assert endless.clip(limits, 104) == limits
    assert endless.allows(1e9, 104)
    assert not endless.over(1e9)


def beating(*times: float | None) -> float | None:
    """The patience that heartbeats at these times give; None stands for an event."""
    cadence = Cadence()
    pulse = Pulse(cadence)
    for time in times:
        if time is None:
            pulse.other()
        else:
            pulse.beat(time)
    return cadence.patience


def test_the_cadence_is_the_server_s_own() -> None:
    """Three missing heartbeats are too many, whatever lies between two of them."""
    assert beating() is None
    assert beating(0, 5) is None
    assert beating(0, 5, 10) == 15
    assert beating(0, 20, 40) == 60
    assert beating(0, 0.01, 0.02) == 1
    impatient, deaf = Cadence(0.2), Cadence(None)
    for cadence in (impatient, deaf):
        cadence.learn(0.01)
    assert (impatient.patience, deaf.patience) == (0.2, None)


def test_late_readers_do_not_learn_a_wrong_cadence() -> None:
    """Heartbeats that had piled up, or have events between them, say little about the server."""
    assert beating(None, 12, 15, 20) == 15
    assert beating(None, 12, 15, None, 20, 25) is None
    assert beating(0, 5, 10, 12, 20, 25, 30) == 24
    assert beating(0, 5, 10, 12, 20, 25, 30, 35) == 15


def resumable(**policy: Any) -> Resumption:
    state = Resumption(START, thread_id="t", resumable=True, policy=ReconnectPolicy(**policy))
    state.opened({"content-location": "/threads/t/runs/r"}, None)
    return state


def test_silence_before_the_heartbeats_are_known() -> None:
    """A stream that can be continued is asked for again, each time with twice the patience."""
    state = resumable(silence=2)
    assert state.patience(None) == 2
    state.broken(APITimeoutError("silence"))
    state.broken(APITimeoutError("silence"))
    assert state.patience(None) == 8
    assert state.patience(7.5) == 7.5
    state.alive()
    assert state.patience(None) == 2
    state.broken(APITimeoutError("silence"))
    state.seen(StreamPart("values", 1, "1-0"))
    assert state.patience(None) == 2
    assert resumable(silence=None).patience(7.5) is None


def test_what_cannot_be_continued_is_not_given_up_lightly() -> None:
    """Without known heartbeats the timeout for reading decides."""
    state = Resumption(START, thread_id="t")
    state.opened({"content-location": "/threads/t/runs/r"}, None)
    assert state.patience(None) is None
    assert state.patience(15) == 15


def test_a_heartbeat_renews_the_budget() -> None:
    """A quiet run behind a proxy that cuts now and then is followed as long as it lasts."""
    state = resumable(max_reconnects=2)
    for _ in range(20):
        state.broken(None)
        state.broken(None)
        state.alive()
    state.broken(None)
    state.broken(None)
    with pytest.raises(StreamIncomplete, match="given up after 2 attempts"):
        state.broken(None)


def test_a_run_that_dies_with_its_connection_is_not_asked_for_again() -> None:
    """What is cancelled by the cut would look complete: it is told."""
    for first in (
        Call("POST", "/threads/t/runs/stream", ANY, body={"on_disconnect": "cancel"}),
        Call("GET", "/threads/t/runs/r/stream", ANY, [("cancel_on_disconnect", "true")]),
    ):
        state = Resumption(first, thread_id="t", run_id="r", resumable=True)
        state.opened({}, None)
        with pytest.raises(StreamIncomplete, match="cancelled with its connection"):
            state.broken(None)


@pytest.mark.parametrize("silence", [0, -1, float("inf")])
def test_bad_silence_is_refused(silence: float) -> None:
    """Seconds are above 0, or there are none."""
    with pytest.raises(InvalidArgumentError, match=r"^silence"):
        ReconnectPolicy(silence=silence)
