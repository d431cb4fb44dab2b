"""A stream without I/O: what is believed, what is asked, what is handed on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from langgraph_client._core.call import ANY, Call
from langgraph_client._core.failure import status_error
from langgraph_client._core.outage import ReconnectPolicy
from langgraph_client._core.stream_session import Ask, Done, Open, Read, Sleep, StreamSession
from langgraph_client.errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    StreamIncomplete,
)
from langgraph_client.models.events import StreamPart
from tests.support.wire import event

START = Call("POST", "/threads/t/runs/stream", ANY)
JOIN = Call("GET", "/threads/t/runs/r/stream", ANY)
RUN = {"content-location": "/threads/t/runs/r"}
REFUSED = APIConnectionError("refused")


def refusal(status: int) -> APIError:
    return status_error(
        method="GET", url="http://h", status=status, headers={}, content=b"", now=datetime.now(UTC)
    )


def values(number: int, id: bool = True) -> bytes:
    return event("values", number, f"{number}-0" if id else None)


def part(number: int) -> StreamPart:
    return StreamPart("values", number, f"{number}-0")


def opened(first: Call[Any] = START, **options: Any) -> StreamSession:
    """A session whose stream is open."""
    options = {"thread_id": "t", "policy": ReconnectPolicy(initial=0), **options}
    session = StreamSession(first, **options)
    assert isinstance(session.next_step(), Open)
    session.opened(RUN, None)
    return session


def resumable(**options: Any) -> StreamSession:
    return opened(resumable=True, **options)


def read(session: StreamSession, *pieces: bytes) -> list[StreamPart]:
    """What comes out when these bytes come in."""
    parts = []
    for piece in pieces:
        session.receive(piece, 0)
        while (found := session.next_part()) is not None:
            parts.append(found)
    return parts


def reopened(session: StreamSession) -> str:
    """Open the stream again, as the session says. Returns after which event."""
    step = session.next_step()
    assert isinstance(step, Open)
    session.opened({}, None)
    return step.call.headers["last-event-id"]


def asked(session: StreamSession, status: str) -> None:
    """Answer the question for the run's status."""
    step = session.next_step()
    assert isinstance(step, Ask)
    assert (step.call.method, step.call.path) == ("GET", "/threads/t/runs/r")
    session.answered({"status": status})


def test_a_stream_that_goes_well() -> None:
    """Open, read until the event that ends it, done."""
    session = opened()
    assert session.next_step() == Read(None)
    assert read(session, values(1, id=False), event("end", None))[0].data == 1
    assert session.next_step() == Done()


def test_what_was_read_is_handed_out_one_by_one() -> None:
    """The last event's id is that of the event that was handed out, not of one still to come."""
    session = resumable()
    session.receive(values(1) + values(2), 0)
    assert session.next_part() == part(1)
    assert session.last_event_id == "1-0"


def test_a_replay_that_was_closed_as_well_is_asked_for_again() -> None:
    """A replay without even the event that is known cannot have been whole."""
    session = resumable()
    read(session, values(1), b"")
    asked(session, "success")
    for replay, new in (([], []), ([values(1), values(2)], [part(2)]), ([values(2)], [])):
        reopened(session)
        assert read(session, *replay, b"") == new
    assert session.next_step() == Done()


def test_a_server_that_keeps_nothing_of_what_is_over_is_believed() -> None:
    """It is asked twice, and not for ever."""
    session = resumable()
    read(session, values(1), b"")
    asked(session, "success")
    for _ in range(2):
        reopened(session)
        assert read(session, b"") == []
    assert session.next_step() == Done()


def test_a_run_that_is_gone_is_over() -> None:
    """Where nobody knows the run any more, nothing is left to follow."""
    session = resumable()
    read(session, values(1), b"")
    session.failed(refusal(404))
    assert session.next_step() == Done()


def test_a_status_that_cannot_be_had_is_an_outage() -> None:
    """The stream is continued in place of it."""
    session = resumable()
    read(session, values(1), b"")
    session.failed(REFUSED)
    assert reopened(session) == "0"


def test_events_without_ids_cannot_be_resumed() -> None:
    """Asking for a resumable stream is one thing, getting it another."""
    session = resumable()
    read(session, event("metadata", {"run_id": "r"}))
    with pytest.raises(StreamIncomplete, match="start the run with stream_resumable=True"):
        session.failed(REFUSED)


def test_who_knows_an_event_s_id_can_go_on_before_the_first() -> None:
    """A stream joined after an event has lost nothing when it breaks at once."""
    session = opened(JOIN, run_id="r", last_event_id="1-0")
    session.failed(REFUSED)
    assert reopened(session) == "1-0"
    unknown = opened(JOIN, run_id="r")
    with pytest.raises(StreamIncomplete):
        unknown.failed(REFUSED)


def test_a_run_that_goes_on_for_long_goes_on_without_its_stream() -> None:
    """The status is given one second to follow; what ends later was not seen to its end."""
    session = opened(policy=None)
    read(session, values(1, id=False), b"")
    pauses = []
    for _ in range(3):
        asked(session, "running")
        step = session.next_step()
        assert isinstance(step, Sleep)
        pauses.append(step.seconds)
        session.slept()
    assert pauses == [0.25, 0.5, 0.25]
    with pytest.raises(StreamIncomplete, match="while the run is running"):
        asked(session, "running")


def test_a_failed_run_that_no_event_told_of() -> None:
    """Its error is asked for, and comes as the event that the server did not replay."""
    session = opened()
    read(session, values(1, id=False), b"")
    asked(session, "error")
    step = session.next_step()
    assert isinstance(step, Ask)
    assert (step.call.path, step.waits) == ("/threads/t/runs/r/join", True)
    session.answered({"__error__": {"error": "ValueError", "message": "no"}})
    assert session.next_part() == ("error", {"error": "ValueError", "message": "no"}, None)
    assert session.next_step() == Done()


def test_a_failure_that_nobody_explains() -> None:
    """The error names the run, and why its own error is missing."""
    session = opened()
    read(session, values(1, id=False), b"")
    asked(session, "error")
    with pytest.raises(StreamIncomplete, match="reading its error failed too: refused") as caught:
        session.failed(REFUSED)
    assert (caught.value.run_id, caught.value.thread_id) == ("r", "t")


def test_an_event_that_was_sent_twice_at_the_seam_is_handed_on_once() -> None:
    """Like events are believed when a second replay has them both."""
    for twins in (1, 2):
        session = resumable()
        read(session, values(1))
        session.failed(REFUSED)
        assert reopened(session) == "0"
        assert read(session, values(1), values(2) + values(2) + values(3)) == [part(2)]
        assert reopened(session) == "1-0"
        again = read(session, *[values(2)] * twins, values(3))
        assert again == [*[part(2)] * (twins - 1), part(3)]
        assert isinstance(session.next_step(), Read)


def test_an_event_without_an_id_has_that_of_the_one_before() -> None:
    """As SSE says. A replay that begins before it does not hand it on again."""
    first = [values(1), event("updates", "a"), values(2), event("updates", "b")]
    for count in range(1, 5):
        session = resumable()
        assert len(read(session, *first[:count])) == count
        session.failed(REFUSED)
        after = reopened(session)
        assert after == ("0" if count < 3 else "1-0")
        replay = first if after == "0" else first[2:]
        parts = read(session, *replay, event("end", None))
        assert [part.data for part in parts] == [1, "a", 2, "b", None][count:]


def test_a_joined_stream_goes_on_behind_an_event_that_is_not_replayed() -> None:
    """The place where the stream was joined is found by the first event with the last id."""
    session = opened(JOIN, run_id="r")
    assert len(read(session, values(3), event("custom", "not kept"))) == 2
    session.failed(REFUSED)
    assert reopened(session) == "0"
    assert read(session, values(1), values(3), values(4)) == [part(4)]


def test_like_events_of_an_unbroken_stream_are_not_doubted() -> None:
    """Where nothing was replayed there is no seam."""
    assert read(resumable(), values(1) * 3) == [part(1)] * 3


def test_doubts_have_an_end() -> None:
    """A stream of many like events is not asked for again and again."""
    session = opened(JOIN, run_id="r", last_event_id="0-0")
    doubts = 0
    for number in range(1, 30):
        read(session, values(number))
        session.failed(REFUSED)
        reopened(session)
        read(session, values(number), values(number + 1) * 2)
        if isinstance(session.next_step(), Open):
            doubts += 1
            reopened(session)
    assert doubts == 8


def test_a_refusal_is_not_an_outage() -> None:
    """A server that will not continue the stream is not asked again; one that is away is."""
    session = resumable()
    read(session, values(1))
    session.failed(refusal(503))
    reopened(session)
    with pytest.raises(StreamIncomplete, match="refused"):
        session.failed(refusal(500))


@pytest.mark.parametrize("body", [b"", b"upstream is away\n\n", b'data: {"error": "no"}\n\n'])
def test_a_stream_without_an_event_of_the_protocol_is_an_error(body: bytes) -> None:
    """The server's own words are in it: nothing would look like a run without output."""
    words = "away|no" if body else "empty"
    for headers, kind in ((RUN, StreamIncomplete), ({}, APIResponseValidationError)):
        session = StreamSession(START, thread_id="t")
        session.opened(headers, None)
        if body:
            read(session, body)
        with pytest.raises(kind, match=words) as caught:
            session.receive(b"", 0)
        assert getattr(caught.value, "run_id", None) == ("r" if headers else None)
    other = StreamSession(START, any_events=True)
    other.opened({}, None)
    read(other, b"data: 1\n\n", b"")
    assert other.next_step() == Done()
    joined = opened(JOIN, run_id="r")
    joined.receive(b"", 0)
    asked(joined, "success")


def test_where_any_events_come_only_the_close_is_the_end() -> None:
    """The names of the protocol's last events may mean anything there."""
    names = ["progress", "error", "end", "progress"]
    bodies = [event(name, number) for number, name in enumerate(names)]
    for headers in ({}, RUN):
        session = StreamSession(START, any_events=True)
        session.opened(headers, None)
        assert [part.event for part in read(session, *bodies)] == names
        assert session.next_step() == Read(None)
        session.receive(b"", 0)
        assert session.next_step() == Done()  # Nor is a run asked that has said its end.


def test_who_closes_it_ends_it() -> None:
    """After `finish` nothing comes any more, whatever was read or still happens."""
    session = resumable()
    session.receive(values(1), 0)
    session.finish()
    assert session.next_part() is None
    session.receive(b"", 0)
    session.failed(REFUSED)
    assert session.next_step() == Done()


def test_only_a_run_that_ends_with_its_connection_is_stopped_by_leaving() -> None:
    """The request that stops it has the caller's own headers and parameters."""
    body = {"on_disconnect": "cancel"}
    first = Call("POST", START.path, ANY, params=[("a", "b")], body=body, headers={"x": "y"})
    call = opened(first).stop_call()
    assert call is not None
    assert (call.method, call.path) == ("POST", "/threads/t/runs/r/cancel")
    assert ("a", "b") in call.query
    assert call.headers == {"x": "y"}
    assert opened().stop_call() is None
