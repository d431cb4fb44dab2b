# Generated from tests/_async/test_outages.py by .ci/unasync.py; do not edit.
"""Deadlines, silence, reconnects: what the client does when the server is slow or away."""

from __future__ import annotations

from time import monotonic, sleep
from typing import Any

import httpx
import pytest

from langgraph_client import Reconnect, SyncLangGraphClient, get_sync_client
from langgraph_client._core.failure import RetryPolicy
from langgraph_client._core.outage import ReconnectPolicy
from langgraph_client.errors import (
    APIConnectionError,
    APIResponseValidationError,
    APITimeoutError,
    InternalServerError,
    InvalidArgumentError,
    StreamIncomplete,
)
from langgraph_client.testing import FaultProxy, Faults, TestServer
from tests.support.quiet_server import quiet_server
from tests.support.wire import URL, Answer, Wire, event, reply, stream

CUT = httpx.ReadError("cut")
RUN = "/threads/t/runs/r"


@pytest.fixture
def faults() -> Faults:
    """Faults between a client and `server`."""
    return Faults()


def client_of(server: TestServer, faults: Faults, **options: Any) -> SyncLangGraphClient:
    transport = faults.transport(server.transport())
    return get_sync_client(url="http://server", transport=transport, **options)


def test_a_deadline_bounds_the_whole_call(server: TestServer, faults: Faults) -> None:
    """Repetitions are within the time, too: there is no second attempt when it is up."""
    with client_of(server, faults, deadline=1.5) as client:
        with faults.stall() as stall, pytest.raises(APITimeoutError):
            client.threads.search()
        assert stall.fired == 1
        with faults.drip(bytes=1, seconds=0.05), pytest.raises(APITimeoutError):
            client.info()


@pytest.mark.parametrize("starts", ["key", "find"])
def test_a_deadline_bounds_what_a_start_asks_besides(
    server: TestServer, faults: Faults, starts: Any
) -> None:
    """Whether the run was started is not asked when the time is up."""
    with client_of(server, faults, deadline=1.5, retry=RetryPolicy(starts=starts)) as client:
        thread = "00000000-0000-0000-0000-000000000001"
        with faults.stall() as stall, pytest.raises(APITimeoutError):
            client.runs.create(thread, "counter")
        assert stall.fired == 1


def test_one_call_may_have_its_own_deadline(server: TestServer, faults: Faults) -> None:
    """`with_options` bounds single calls, over the same connections; the client's own stay."""
    with client_of(server, faults, timeout=5) as client:
        quick = client.with_options(deadline=0.1)
        with faults.stall(), pytest.raises(APITimeoutError):
            quick.threads.search()
        with faults.delay(0.2):
            client.threads.search()
        with pytest.raises(InvalidArgumentError, match="deadline"):
            client.with_options(deadline=-1)


def test_no_pause_that_nothing_can_follow(server: TestServer, faults: Faults) -> None:
    """A server that asks for more patience than there is time left is not waited for."""
    faults.refuse(retry_after=30)
    with client_of(server, faults, deadline=10) as client:
        with pytest.raises(InternalServerError, match="503"):
            client.threads.search()
    assert faults.fired == {"refuse": 1}


def test_a_wait_has_one_deadline(server: TestServer, faults: Faults) -> None:
    """A wait that is cut and asked for again is one call."""
    with client_of(server, faults, deadline=0.5) as client:
        with faults.cut_after(bytes=0), pytest.raises(APITimeoutError):
            client.http.request_reconnect(
                "/runs/wait", "POST", json={"assistant_id": "counter"}, reconnect_limit=100
            )


def test_a_stream_may_last_longer_than_its_opening(server: TestServer, faults: Faults) -> None:
    """`deadline` bounds how long a stream takes to open, not how long it lives."""
    with client_of(server, faults, deadline=3) as client:
        thread = client.threads.create()
        parts = client.runs.stream(thread.thread_id, "row", input={"topic": "t"})
        begun = monotonic()
        with faults.drip(bytes=10, seconds=0.15, path="*/stream"):
            assert [part.event for part in parts][:2] == ["metadata", "values"]
        assert monotonic() - begun > 3


@pytest.mark.parametrize("on_a_port", [False, True])
def test_a_silent_connection_is_left(server: TestServer, on_a_port: bool) -> None:
    """A half-open connection is noticed by its silence; nothing is lost, and the hook is told."""
    told: list[Reconnect] = []
    policy = ReconnectPolicy(initial=0, heartbeat_timeout=2, on_reconnect=told.append)
    with FaultProxy(server.listen()) as proxy:
        faults = proxy.faults
        transport = None if on_a_port else faults.transport(server.transport())
        faults.stall(events=3, times=1, path="*/stream")
        with get_sync_client(url=proxy.url, transport=transport, reconnect=policy) as client:
            thread = client.threads.create()
            opened = client.runs.stream(
                thread.thread_id, "row", input={"topic": "t"}, stream_resumable=True
            )
            parts = [part for part in opened]
            kept = client.runs.join_stream(thread.thread_id, opened.run_id or "", last_event_id="0")
            assert parts == [part for part in kept]
        faults.clear()
    (attempt,) = told
    assert isinstance(attempt.error, APITimeoutError)
    assert (attempt.attempt, attempt.pause) == (1, 0)
    assert (attempt.run_id, attempt.thread_id) == (opened.run_id, thread.thread_id)
    assert attempt.last_event_id == parts[2].id


def test_heartbeats_keep_a_quiet_stream() -> None:
    """A long quiet node is not cut as long as the server says that it is alive."""
    policy = ReconnectPolicy(initial=0, heartbeat_timeout=5)
    with quiet_server(beats=4, gap=1.7) as quiet:  # Seven seconds; three beats are five.
        with get_sync_client(url=quiet.url, reconnect=policy) as client:
            opened = client.runs.stream("t", "agent", stream_resumable=True)
            assert [part.event for part in opened] == ["metadata", "end"]
    assert quiet.asked == 1


def test_a_server_that_falls_silent_is_noticed_in_its_first_stream() -> None:
    """Three missing heartbeats are enough where the stream cannot be continued, too."""
    impatient = ReconnectPolicy(heartbeat_timeout=2)
    with quiet_server(beats=4, gap=1.2, ids=False, waits=True) as quiet:
        with get_sync_client(url=quiet.url, reconnect=impatient) as client:
            opened = client.runs.stream("t", "agent")
            assert [(next(opened)).event for _ in range(2)] == ["metadata", "values"]
            begun = monotonic()
            with pytest.raises(StreamIncomplete, match="no event or heartbeat in time") as caught:
                next(opened)
            assert 0.9 < monotonic() - begun < 60
            assert isinstance(caught.value.__cause__, APITimeoutError)


def test_a_wait_whose_server_falls_silent_is_asked_for_again() -> None:
    """The blanks before a result are heartbeats, too."""
    impatient = ReconnectPolicy(heartbeat_timeout=2)
    with quiet_server(beats=4, gap=0.8) as quiet:
        with get_sync_client(url=quiet.url, reconnect=impatient) as client:
            assert client.runs.wait("t", "agent") == {"n": 1}
    assert quiet.asked == 2


def test_a_slow_reader_is_not_taken_for_a_silent_server() -> None:
    """Only the time counts in which somebody waits."""
    impatient = ReconnectPolicy(heartbeat_timeout=2)
    with quiet_server(beats=4, gap=1.2, ids=False, waits=True) as quiet:
        with get_sync_client(url=quiet.url, reconnect=impatient) as client:
            opened = client.runs.stream("t", "agent")
            assert [(next(opened)).event for _ in range(2)] == ["metadata", "values"]
            sleep(5)  # Time itself is what the test is about: the reader is busy.
            quiet.go_on.set()
            assert (next(opened)).event == "end"


def test_the_hook_can_end_it(server: TestServer, faults: Faults) -> None:
    """What `on_reconnect` raises is raised, and the connection is closed."""

    def stop(attempt: Reconnect) -> None:
        raise LookupError(attempt.run_id)

    faults.cut_after(events=2, path="*/stream")
    with client_of(server, faults, reconnect=ReconnectPolicy(on_reconnect=stop)) as client:
        thread = client.threads.create()
        opened = client.runs.stream(thread.thread_id, "row", input={}, stream_resumable=True)
        with pytest.raises(LookupError) as caught:
            [part for part in opened]
    assert caught.value.args == (opened.run_id,)


def wire_client(wire: Wire) -> SyncLangGraphClient:
    return get_sync_client(
        url=URL,
        transport=wire,
        api_key=None,
        retry=RetryPolicy(max_attempts=1),
        reconnect=ReconnectPolicy(initial=0),
    )


def values(number: int) -> bytes:
    return event("values", number, f"{number}-0")


def test_a_stream_joined_in_the_middle_goes_on_there() -> None:
    """What was before one joined is not shown after a cut, either."""
    wire = Wire(
        stream(values(3), CUT),
        stream(values(1), values(2), values(3), values(4)),
        reply({"status": "success"}),
        stream(values(4)),
    )
    with wire_client(wire) as client:
        parts = [part.data for part in client.runs.join_stream("t", "r")]
    assert parts == [3, 4]
    assert [r.headers.get("last-event-id") for r in wire.requests] == [None, "0", None, "3-0"]


def test_a_stream_joined_in_the_middle_whose_beginning_is_gone() -> None:
    """Without the last event in the replay nobody knows where to go on."""
    wire = Wire(stream(values(3), CUT), stream(values(1)))
    with wire_client(wire) as client:
        opened = client.runs.join_stream("t", "r")
        assert (next(opened)).data == 3
        with pytest.raises(StreamIncomplete, match="no longer has the last received event"):
            next(opened)


def test_the_caller_s_parameters_go_along() -> None:
    """Whatever is asked to go on carries the `params=` of the call."""
    wire = Wire(
        stream(event("metadata", {"run_id": "r"}, "1-0"), CUT, run=RUN),
        stream(event("metadata", {"run_id": "r"}, "1-0")),
        reply({"status": "error"}),
        stream(event("metadata", {"run_id": "r"}, "1-0")),
        reply({"__error__": {"error": "ValueError", "message": "no"}}),
    )
    with wire_client(wire) as client:
        opened = client.runs.stream("t", "agent", stream_resumable=True, params={"tenant": "a"})
        assert [part.event for part in opened] == ["metadata", "error"]
    assert [request.url.query for request in wire.requests] == [b"tenant=a"] * 5
    headers = {"location": f"{RUN}/join?wait=1", "content-location": RUN}
    wire = Wire(Answer(200, [b"\n", CUT], headers), reply({"n": 1}))
    with wire_client(wire) as client:
        assert client.runs.wait("t", "agent", params={"tenant": "a"}) == {"n": 1}
    assert wire.lines[1] == f"GET {RUN}/join?wait=1&tenant=a"


GONE = {"__error__": {"error": "HTTPException", "message": "404: Run not found"}}


@pytest.mark.parametrize("gone", [reply(GONE), reply({}, 404)], ids=["result", "status"])
@pytest.mark.parametrize("cut", [[b"\n", CUT], [b"\n"]], ids=["cut", "empty"])
def test_a_result_that_is_lost_with_its_run_is_an_error_of_the_connection(
    cut: Any, gone: Any
) -> None:
    """The run has not failed: the server has deleted it, as it does with stateless ones."""
    headers = {"location": f"{RUN}/join", "content-location": RUN}
    wire = Wire(Answer(200, cut, headers), reply({}), gone)
    with wire_client(wire) as client:
        with pytest.raises(APIConnectionError, match="connection failed"):
            client.runs.wait(None, "agent")
    assert wire.lines == ["POST /runs/wait", "GET /info", f"GET {RUN}/join"]


def test_a_server_that_cuts_behind_each_heartbeat_is_not_asked_without_pause() -> None:
    """Heartbeats renew the attempts, so that a quiet run is followed for ever, but not at once."""
    pauses: list[float] = []
    quiet = [stream(b": heartbeat\r\n\r\n", CUT) for _ in range(4)]
    wire = Wire(
        stream(event("metadata", {"run_id": "r"}, "1-0"), CUT, run=RUN),
        *quiet,
        stream(values(2), CUT),
        stream(values(2), event("end", None)),
    )
    policy = ReconnectPolicy(
        max_reconnects=2,
        initial=0.001,
        maximum=0.003,
        on_reconnect=lambda attempt: pauses.append(attempt.pause),
    )
    with get_sync_client(
        url=URL, transport=wire, api_key=None, retry=RetryPolicy(max_attempts=1), reconnect=policy
    ) as client:
        opened = client.runs.stream("t", "agent", stream_resumable=True)
        assert [part.event for part in opened] == ["metadata", "values", "end"]
    assert pauses == [0.0, 0.001, 0.002, 0.003, 0.003, 0.0]


@pytest.mark.parametrize("result", [{}, {"n": 1}, [], None, {"__error__": "no"}])
def test_a_failed_run_whose_error_is_not_known_is_no_success(result: Any) -> None:
    """Its events are all there, but something must say that it failed."""
    first = stream(event("metadata", {"run_id": "r"}, "1-0"), values(2), run=RUN)
    wire = Wire(first, reply({"status": "error"}), stream(values(2)), reply(result))
    with wire_client(wire) as client:
        opened = client.runs.stream("t", "agent", stream_resumable=True)
        with pytest.raises(StreamIncomplete, match="failed, and its result does not say why"):
            [part for part in opened]
    assert wire.lines[-1] == f"GET {RUN}/join"


def test_a_server_may_send_an_id_only_when_it_changes() -> None:
    """Each event is handed on once, with the last id, also where the clean end is checked."""
    metadata = event("metadata", {"run_id": "r"}, "1-0")
    first = stream(metadata, event("values", 1), values(2), event("updates", 3), run=RUN)
    wire = Wire(first, reply({"status": "success"}), stream(values(2), event("updates", 3)))
    with wire_client(wire) as client:
        parts = [part for part in client.runs.stream("t", "agent", stream_resumable=True)]
    assert [part.id for part in parts] == ["1-0", "1-0", "2-0", "2-0"]
    assert [part.data for part in parts[1:]] == [1, 2, 3]
    assert wire.requests[-1].headers["last-event-id"] == "1-0"


def test_an_event_without_an_id_is_no_progress() -> None:
    """It comes again with each replay: neither a clean end nor an outage may last for ever."""
    odd = event("custom", "hello")
    first = stream(event("metadata", {"run_id": "r"}, "1-0"), values(2), run=RUN)
    wire = Wire(first, reply({"status": "success"}), *[stream(odd, values(2)) for _ in range(20)])
    with wire_client(wire) as client:
        opened = client.runs.stream("t", "agent", stream_resumable=True)
        assert [part.event for part in opened] == ["metadata", "values", "custom"]
    assert len(wire.requests) == 3
    cut = stream(event("metadata", {"run_id": "r"}, "1-0"), CUT, run=RUN)
    wire = Wire(cut, *[stream(odd, CUT) for _ in range(20)])
    with wire_client(wire) as client:
        with pytest.raises(StreamIncomplete, match="given up after 6 attempts"):
            [part for part in client.runs.stream("t", "agent", stream_resumable=True)]


def test_a_stream_without_events_is_no_cut() -> None:
    """The error says what is wrong with it, not how a cut stream could be continued."""
    for body, words in (
        (b"", "the stream was empty"),
        (b"data: {}\n\n", "the stream contained no"),
    ):
        for run, kind in ((RUN, StreamIncomplete), (None, APIResponseValidationError)):
            wire = Wire(stream(body, run=run))
            with wire_client(wire) as client:
                with pytest.raises(kind, match=rf"^{words}"):
                    [part for part in client.runs.stream("t", "agent")]


def test_what_a_session_decides_is_said_once() -> None:
    """An error about the whole stream is not reported as the cut of a connection."""
    started = stream(event("metadata", {"run_id": "r"}), run=RUN)
    wire = Wire(started, *[reply({"status": "running"})] * 4)

    def no_pause(_: float) -> None:
        """The client's `sleep`."""

    with get_sync_client(url=URL, transport=wire, api_key=None, sleep=no_pause) as client:
        with pytest.raises(StreamIncomplete, match=r"^the stream was closed while the run is"):
            [part for part in client.runs.stream("t", "agent")]
    wire = Wire(started, reply({"status": "error"}), reply({}))
    with wire_client(wire) as client:
        with pytest.raises(StreamIncomplete, match=r"^the run failed, and its result does not"):
            [part for part in client.runs.stream("t", "agent")]


def test_an_error_of_the_caller_s_callback_is_the_caller_s() -> None:
    """Also one of this package, from another server, and the run that was started is stopped."""

    def fail(_: object) -> None:
        raise APIConnectionError("another server is away", method="GET", url="http://other")

    wire = Wire(stream(event("metadata", {"run_id": "r"}, "1-0"), run=RUN), reply({}))
    with wire_client(wire) as client:
        opened = client.runs.stream(
            "t", "agent", stream_resumable=True, on_run_created=fail, on_disconnect="cancel"
        )
        with pytest.raises(APIConnectionError, match=r"^another server is away"):
            next(opened)
    assert wire.lines[1:] == [f"POST {RUN}/cancel?wait=0&action=interrupt"]


def test_a_closed_client_is_not_asked_again() -> None:
    """The stream ends at once: no pause could help."""
    attempts: list[Reconnect] = []
    wire = Wire(stream(values(1), values(2), CUT, run=RUN))
    policy = ReconnectPolicy(initial=0, on_reconnect=attempts.append)
    client = get_sync_client(url=URL, transport=wire, api_key=None, reconnect=policy)
    opened = client.runs.stream("t", "agent", stream_resumable=True)
    assert (next(opened)).data == 1
    client.close()
    with pytest.raises(StreamIncomplete, match=r"the client is closed"):
        [part for part in opened]
    assert len(attempts) <= 1
