"""The state of a stream: what is believed, what is asked, what is told."""

from __future__ import annotations

import pytest

from langgraph_client._core.call import ANY, Call
from langgraph_client._core.resumption import ReconnectPolicy, Resumption
from langgraph_client.errors import APIConnectionError, StreamIncomplete
from langgraph_client.models.events import StreamPart

START = Call("POST", "/threads/t/runs/stream", ANY)
RUN = {"content-location": "/threads/t/runs/r"}


def opened(*, resumable: bool = True) -> Resumption:
    state = Resumption(START, thread_id="t", resumable=resumable, policy=ReconnectPolicy(initial=0))
    state.opened(RUN, None)
    return state


def values(number: int) -> StreamPart:
    return StreamPart("values", number, f"{number}-0")


def replayed(state: Resumption, *parts: StreamPart) -> list[StreamPart]:
    """What of a replay is handed on."""
    state.ask()
    return [part for part in map(state.seen, parts) if part is not None]


def test_a_replay_that_was_closed_as_well_is_asked_for_again() -> None:
    """A replay without even the event that is known cannot have been whole."""
    state = opened()
    state.seen(values(1))
    assert state.closed(mid_event=False)
    assert not state.answered("success")
    assert replayed(state) == []
    assert not state.closed(mid_event=False)
    assert not state.finished
    assert replayed(state, values(1), values(2)) == [values(2)]
    assert not state.closed(mid_event=False)
    assert replayed(state, values(2)) == []
    assert not state.closed(mid_event=False)
    assert state.finished


def test_a_server_that_keeps_nothing_of_what_is_over_is_believed() -> None:
    """It is asked twice, and not for ever."""
    state = opened()
    state.seen(values(1))
    state.closed(mid_event=False)
    state.answered("success")
    for _ in range(2):
        assert not state.finished
        assert replayed(state) == []
        state.closed(mid_event=False)
    assert state.finished


def test_events_without_ids_cannot_be_resumed() -> None:
    """Asking for a resumable stream is one thing, getting it another."""
    state = opened()
    state.seen(StreamPart("metadata", {"run_id": "r"}, None))
    with pytest.raises(StreamIncomplete, match="not being resumable"):
        state.broken(None)


def test_who_knows_an_event_s_id_can_go_on_before_the_first() -> None:
    """A stream joined after an event has lost nothing when it breaks at once."""
    join = Call("GET", "/threads/t/runs/r/stream", ANY)
    state = Resumption(join, thread_id="t", run_id="r", last_event_id="1-0")
    state.ask()
    state.opened({}, None)
    state.broken(None)
    assert state.ask().headers["last-event-id"] == "1-0"
    unknown = Resumption(join, thread_id="t", run_id="r")
    unknown.opened({}, None)
    with pytest.raises(StreamIncomplete):
        unknown.broken(None)


def test_a_run_that_goes_on_for_long_goes_on_without_its_stream() -> None:
    """The status is given one second to follow; what ends later was not seen to its end."""
    state = Resumption(START, thread_id="t")
    state.opened(RUN, None)
    state.seen(StreamPart("values", 1, None))
    assert state.closed(mid_event=False)
    pauses = []
    for _ in range(3):
        assert state.answered("running")
        pauses.append(state.pause)
    assert pauses == [0.25, 0.5, 0.25]
    with pytest.raises(StreamIncomplete, match="while the run is running"):
        state.answered("running")


def test_a_failure_that_nobody_explains() -> None:
    """The error names the run, and why its own error is missing."""
    error = opened().unexplained(APIConnectionError("refused"))
    assert "its error is missing: refused" in str(error)
    assert (error.run_id, error.thread_id) == ("r", "t")


def test_an_event_that_was_sent_twice_at_the_seam_is_handed_on_once() -> None:
    """Like events are believed when a second replay has them both."""
    for twins in (1, 2):
        state = opened()
        state.seen(values(1))
        state.broken(None)
        assert replayed(state, values(1), values(2), values(2)) == [values(2)]
        assert state.doubt
        again = replayed(state, *[values(2)] * twins, values(3))
        assert again == [*[values(2)] * (twins - 1), values(3)]
        assert not state.doubt


def test_like_events_of_an_unbroken_stream_are_not_doubted() -> None:
    """Where nothing was replayed there is no seam."""
    state = opened()
    assert [state.seen(values(1)) for _ in range(3)] == [values(1)] * 3
    assert not state.doubt


def test_doubts_have_an_end() -> None:
    """A stream of many like events is not asked for again and again."""
    state = opened()
    doubts = 0
    for n in range(1, 30):
        state.ask()
        state.seen(values(n))
        state.seen(values(n))
        doubts += state.doubt
    assert doubts == 8
