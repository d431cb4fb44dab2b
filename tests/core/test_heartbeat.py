"""Deadlines, heartbeats and silence: when a wait is too long."""

from __future__ import annotations

import random
from typing import Any

import pytest

from langgraph_client._core.call import ANY, Call
from langgraph_client._core.connection import Steps
from langgraph_client._core.deadline import Deadline, until
from langgraph_client._core.heartbeat import Cadence, Pulse
from langgraph_client._core.outage import ReconnectPolicy
from langgraph_client._core.stream_session import Read, StreamSession
from langgraph_client.errors import APITimeoutError, InvalidArgumentError, StreamIncomplete

START = Call("POST", "/threads/t/runs/stream", ANY)
RUN = {"content-location": "/threads/t/runs/r"}
SILENCE = APITimeoutError("silence")


def test_a_deadline_shortens_every_step() -> None:
    """No step lasts longer than what is left; without a deadline nothing changes."""
    deadline = Deadline(10, now=100)
    steps = Steps(connect=5, read=300, write=None)
    assert deadline.clip(steps, 104) == Steps(5, 6, 6, 6)
    assert deadline.clip(steps, 200).read == 0.001
    assert not deadline.is_over(109)
    assert deadline.is_over(110)
    assert deadline.allows(3, 106)
    assert not deadline.allows(4, 106)
    endless = Deadline(None, now=100)
    assert endless.clip(steps, 104) is steps
    assert until(endless.end, 7, 104) == 7
    assert endless.allows(1e9, 104)
    assert not endless.is_over(1e9)


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
    assert beating(0, 0.35, 0.7) == pytest.approx(1.05)
    impatient, deaf = Cadence(0.2), Cadence(None)
    for cadence in (impatient, deaf):
        cadence.learn(0.01)
    assert (impatient.patience, deaf.patience) == (0.2, None)


@pytest.mark.parametrize("interval", [0.5, 2, 5, 20])
@pytest.mark.parametrize("busy", [0.1, 0.9, 1.99, 3.02, 4.2, 7.98])
def test_a_busy_reader_is_no_sign_of_fast_heartbeats(interval: float, busy: float) -> None:
    """Those that piled up meanwhile are read at once; the next one is still waited for."""
    begun = busy * interval
    sent = [interval * number for number in range(1, 20)]
    # Each read takes a moment. What came before the first read, or during the last one, is late.
    read = [max(time, begun + 1e-5 * number) for number, time in enumerate(sent)]
    for count in range(len(read)):
        patience = beating(None, *read[:count])
        assert patience is None or patience > interval, read[:count]


def test_a_busy_event_loop_is_no_sign_of_fast_heartbeats() -> None:
    """What came while other tasks kept the loop busy is read late, and all at once."""
    numbers = random.Random(0)
    for _ in range(300):
        read, time, free = [], 0.0, 0.0
        for _ in range(10):
            time += 5
            if numbers.random() < 0.5:
                free = max(free, time + numbers.uniform(-10, 10))
            read.append(max(time, free))
        for count in range(len(read)):
            patience = beating(*read[:count])
            assert patience is None or patience > 5, read[:count]


def test_padding_is_no_sign_of_fast_heartbeats() -> None:
    """Comments that a server sends at once, to get through buffers on the way, are no rhythm."""
    assert beating(None, 0, 0, 0.05, 0.1, 0.15) is None
    assert beating(None, 0, 0, 0.05, 0.1, 0.15, 5, 10) == pytest.approx(15, abs=0.5)


def test_late_readers_do_not_learn_a_wrong_cadence() -> None:
    """Heartbeats that had piled up, or have events between them, say little about the server."""
    assert beating(None, 12, 15, 20) == 15
    assert beating(None, 12, 15, None, 20, 25) is None
    assert beating(0, 5, 10, 12, 20, 25, 30) == 24
    assert beating(0, 5, 10, 12, 20, 25, 30, 35) == 15


def test_heartbeats_that_a_network_held_back_do_not_make_the_client_impatient() -> None:
    """After a stall they come at once: a good connection must not count as lost a second later."""
    late = [40, 40.01, 40.02, 40.03, 40.04]
    patience = beating(0, 5, 10, 15, *late)
    assert patience is not None
    assert patience >= 15
    assert beating(0, 5, 10, 15, *late, 45, 50, 55) == pytest.approx(15, abs=0.1)


def session(*, resumable: bool = True, first: Call[Any] = START, **policy: Any) -> StreamSession:
    """A session whose stream is open."""
    made = StreamSession(
        first, thread_id="t", run_id="r", resumable=resumable, policy=ReconnectPolicy(**policy)
    )
    made.opened(RUN, None)
    return made


def patience(stream: StreamSession) -> float | None:
    """How long it waits for bytes."""
    step = stream.next_step()
    assert isinstance(step, Read)
    return step.seconds


def broken(stream: StreamSession) -> None:
    """Let the connection fall silent, and another one be made."""
    stream.failed(SILENCE)
    stream.opened({}, None)


def test_silence_before_the_heartbeats_are_known() -> None:
    """A stream that can be continued is asked for again, each time with twice the patience."""
    stream = session(heartbeat_timeout=2)
    assert patience(stream) == 2
    broken(stream)
    broken(stream)
    assert patience(stream) == 8
    stream.receive(b": heartbeat\n\n", 0)
    assert patience(stream) == 2
    broken(stream)
    stream.receive(b"id: 1\nevent: values\ndata: 1\n\n", 0)
    assert stream.next_part() is not None
    stream.opened({}, None)
    assert patience(stream) == 2
    stream.cadence.learn(2.5)
    stream.opened({}, None)
    assert patience(stream) == 7.5


def test_heartbeats_count_from_the_connection_on_which_they_come() -> None:
    """Three of them are enough to know when the fourth is too late, in the same stream."""
    for resumable in (True, False):
        stream = session(resumable=resumable)
        for now in (0, 5, 10):
            stream.receive(b": heartbeat\n\n", now)
        assert patience(stream) == 15
    deaf = session(heartbeat_timeout=None)
    deaf.cadence.learn(2.5)
    deaf.opened({}, None)
    assert patience(deaf) is None


def test_what_cannot_be_continued_is_not_given_up_lightly() -> None:
    """Without known heartbeats the timeout for reading decides."""
    assert patience(session(resumable=False)) is None


def test_a_heartbeat_renews_the_budget() -> None:
    """A quiet run behind a proxy that cuts now and then is followed as long as it lasts."""
    stream = session(max_reconnects=2)
    for _ in range(20):
        broken(stream)
        broken(stream)
        stream.receive(b": heartbeat\n\n", 0)
    broken(stream)
    broken(stream)
    with pytest.raises(StreamIncomplete, match="given up after 2 attempts"):
        broken(stream)


def test_a_run_that_dies_with_its_connection_is_not_asked_for_again() -> None:
    """What is cancelled by the cut would look complete: it is told."""
    for first in (
        Call("POST", "/threads/t/runs/stream", ANY, body={"on_disconnect": "cancel"}),
        Call("GET", "/threads/t/runs/r/stream", ANY, [("cancel_on_disconnect", "true")]),
    ):
        with pytest.raises(StreamIncomplete, match="cancels the run with its connection"):
            session(first=first).failed(SILENCE)


@pytest.mark.parametrize("seconds", [0, -1, float("inf")])
def test_a_bad_heartbeat_timeout_is_refused(seconds: float) -> None:
    """Seconds are above 0, or there are none."""
    with pytest.raises(InvalidArgumentError, match=r"^heartbeat_timeout"):
        ReconnectPolicy(heartbeat_timeout=seconds)
