"""Streams over a broken wire: what is continued, what ends, what is given up."""

from __future__ import annotations

from contextlib import suppress

import httpx
import pytest

from langgraph_client import LangGraphClient, get_client
from langgraph_client._core.failure import RetryPolicy
from langgraph_client._core.outage import ReconnectPolicy
from langgraph_client.errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    NotFoundError,
    StreamIncomplete,
)
from tests.support.eventually import aeventually
from tests.support.garbage import collect
from tests.support.wire import URL, Answer, Wire, event, reply, stream

RUN = "/threads/t/runs/r"
ONCE = RetryPolicy(max_attempts=1)
AT_ONCE = ReconnectPolicy(initial=0)
CUT = httpx.RemoteProtocolError("peer closed connection without sending complete message body")
META = event("metadata", {"run_id": "r", "attempt": 1}, "1-0")


def client_of(wire: Wire) -> LangGraphClient:
    return get_client(url=URL, transport=wire, api_key=None, retry=ONCE, reconnect=AT_ONCE)


async def test_a_closed_stream_has_ended_when_its_run_is_over() -> None:
    """There is no end event: after a proper close the run's status says whether that was all."""
    wire = Wire(stream(event("values", {"n": 1}), run=RUN), reply({"status": "success"}))
    async with client_of(wire) as client:
        parts = [part async for part in client.runs.stream("t", "agent", input={})]
    assert parts == [("values", {"n": 1}, None)]
    assert wire.lines == ["POST /threads/t/runs/stream", "GET /threads/t/runs/r"]


async def test_a_close_in_front_of_the_status_is_waited_out() -> None:
    """A run may be called running for a moment after its stream has closed."""
    wire = Wire(
        stream(event("values", 1), run=RUN),
        reply({"status": "running"}),
        reply({"status": "success"}),
    )
    async with client_of(wire) as client:
        parts = [part async for part in client.runs.stream("t", "agent")]
    assert len(parts) == 1


async def test_a_stream_that_was_rolled_back_ends() -> None:
    """A run that does not exist any more has no more events."""
    wire = Wire(stream(event("values", 1), run=RUN), reply({"detail": "Not Found"}, 404))
    async with client_of(wire) as client:
        assert len([part async for part in client.runs.stream("t", "agent")]) == 1


@pytest.mark.parametrize("last", ["end", "error"])
async def test_an_end_needs_no_question(last: str) -> None:
    """An event that says that nothing follows is believed, and is a part like any other."""
    wire = Wire(stream(event(last, {"error": "ValueError", "message": "no"}), run=RUN))
    async with client_of(wire) as client:
        parts = [part async for part in client.runs.stream("t", "agent")]
    assert [part.event for part in parts] == [last]


async def test_a_stateless_stream_ends_with_its_connection() -> None:
    """Nobody can be asked about a stateless run."""
    wire = Wire(stream(event("values", 1), run="/runs/r"))
    async with client_of(wire) as client:
        opened = client.runs.stream(None, "agent")
        assert [part.data async for part in opened] == [1]
        assert opened.run_id == "r"


async def test_a_resumable_stream_goes_on_after_its_last_event() -> None:
    """A cut stream is asked for again from the last older id; what was seen is not repeated."""
    wire = Wire(
        stream(META, event("values", 1, "2-0"), event("values", 2, "2-0"), CUT, run=RUN),
        stream(
            event("values", 1, "2-0"),
            event("values", 2, "2-0"),
            event("values", 3, "2-0"),
            event("values", 4, "3-0"),
        ),
        reply({"status": "success"}),
        stream(event("values", 4, "3-0")),
    )
    async with client_of(wire) as client:
        parts = [p async for p in client.runs.stream("t", "agent", stream_resumable=True)]
    assert [part.data for part in parts[1:]] == [1, 2, 3, 4]
    assert wire.requests[1].headers["last-event-id"] == "1-0"
    assert wire.lines[1] == "GET /threads/t/runs/r/stream"
    assert wire.requests[3].headers["last-event-id"] == "2-0"


async def test_what_came_while_we_were_away_is_fetched() -> None:
    """A proper close in the middle of a resumable stream, of a run that is over by now."""
    wire = Wire(
        stream(META, run=RUN),
        reply({"status": "success"}),
        stream(META, event("values", 1, "2-0")),
        stream(event("values", 1, "2-0")),
    )
    async with client_of(wire) as client:
        parts = [p async for p in client.runs.stream("t", "agent", stream_resumable=True)]
    assert [part.event for part in parts] == ["metadata", "values"]


async def test_a_failure_while_we_were_away_is_not_missed() -> None:
    """Servers do not replay the `error` event: the run's result tells of it."""
    wire = Wire(
        stream(META, CUT, run=RUN),
        stream(META),
        reply({"status": "error"}),
        stream(META),
        reply({"__error__": {"error": "ValueError", "message": "no"}}),
    )
    async with client_of(wire) as client:
        parts = [p async for p in client.runs.stream("t", "agent", stream_resumable=True)]
    assert parts[-1] == ("error", {"error": "ValueError", "message": "no"}, None)
    assert wire.lines[-1] == "GET /threads/t/runs/r/join"


@pytest.mark.parametrize(
    "broken",
    [
        stream(event("values", 1), CUT, run=RUN),
        stream(event("values", 1), b"event: values\r\ndata: {", run=RUN),
        stream(event("values", 1), CUT, run="/runs/r"),
    ],
    ids=["cut", "half an event", "stateless"],
)
async def test_a_stream_never_just_ends(broken: Answer) -> None:
    """A cut stream whose events have no ids cannot be continued, and says so."""
    wire = Wire(broken)
    async with client_of(wire) as client:
        opened = client.runs.stream("t", "agent")
        first = await anext(opened)
        with pytest.raises(StreamIncomplete, match="cannot be continued") as caught:
            await anext(opened)
    assert first.data == 1
    assert caught.value.run_id == "r"
    assert broken.closed


async def test_a_run_that_goes_on_without_its_stream_is_incomplete() -> None:
    """A proper close while the run is, and stays, running is a loss."""
    wire = Wire(stream(event("values", 1), run=RUN), *[reply({"status": "running"})] * 7)
    async with client_of(wire) as client:
        opened = client.runs.stream("t", "agent")
        assert (await anext(opened)).data == 1
        with pytest.raises(StreamIncomplete, match="while the run is running"):
            await anext(opened)


async def test_an_outage_is_given_up() -> None:
    """Continuing is tried a limited number of times."""
    refused = [httpx.ConnectError("refused")] * 6
    wire = Wire(stream(META, CUT, run=RUN), *refused)
    async with client_of(wire) as client:
        opened = client.runs.stream("t", "agent", stream_resumable=True)
        await anext(opened)
        with pytest.raises(StreamIncomplete, match="given up after 6 attempts") as caught:
            await anext(opened)
    assert isinstance(caught.value.__cause__, APIConnectionError)
    assert caught.value.last_event_id == "1-0"


async def test_a_stream_that_is_refused_raises_what_the_server_said() -> None:
    """The error status of an opening stream is an error like any other, and is not retried."""
    wire = Wire(reply({"detail": "Thread or assistant not found."}, 404))
    async with client_of(wire) as client:
        with pytest.raises(NotFoundError, match="Thread or assistant not found"):
            async with client.runs.stream("t", "agent"):
                pass


async def test_an_answer_that_is_no_stream_is_refused() -> None:
    """A JSON answer where events were asked for is an error, not an empty stream."""
    wire = Wire(reply({}))
    async with client_of(wire) as client:
        with pytest.raises(APIResponseValidationError, match="not an event stream"):
            await anext(client.runs.stream("t", "agent"))


async def test_leaving_closes_the_connection() -> None:
    """A stream that is left and forgotten, closed, or left through its context, is closed."""
    answers = [stream(event("values", n), event("values", n), run=RUN) for n in range(3)]
    wire = Wire(*answers)
    async with client_of(wire) as client:
        async for _ in client.runs.stream("t", "agent"):
            break
        async with client.runs.stream("t", "agent") as opened:
            assert opened.run_id == "r"
        closed = client.runs.stream("t", "agent")
        await anext(closed)
        await closed.aclose()
        with pytest.raises(StopAsyncIteration):
            await anext(closed)
        collect()
        # The forgotten one is closed by work in the background.
        await aeventually(lambda: all(answer.closed for answer in answers))


async def test_the_run_is_told_once() -> None:
    """`on_run_created` is called when the stream is open, before its first part."""
    told: list[object] = []
    wire = Wire(stream(event("values", 1), run=RUN), reply({"status": "success"}))
    async with client_of(wire) as client:
        opened = client.runs.stream("t", "agent", on_run_created=told.append)
        assert told == []
        async for _ in opened:
            assert told == [{"run_id": "r", "thread_id": "t"}]
    assert (opened.run_id, opened.thread_id) == ("r", "t")


async def test_typed_parts() -> None:
    """Version v2: the namespace and the interrupts stand apart, and `end` is no part."""
    asks = {"value": "sure?", "id": "i"}
    wire = Wire(
        stream(
            event("values|child:1", {"n": 1, "__interrupt__": [asks]}),
            event("end", None),
            run=RUN,
        )
    )
    async with client_of(wire) as client:
        parts = [p async for p in client.runs.stream("t", "agent", version="v2")]
    assert parts == [
        {"type": "values", "ns": ["child:1"], "data": {"n": 1}, "interrupts": [asks]},
    ]


async def test_subgraphs_can_be_left_out_when_joining() -> None:
    """`stream_subgraphs=False` of a joined stream hands on the top graph's events alone."""
    wire = Wire(stream(event("values|child:1", 1), event("values", 2), event("end", None)))
    async with client_of(wire) as client:
        joined = client.runs.join_stream("t", "r", stream_subgraphs=False, stream_mode="values")
        assert [part.data async for part in joined] == [2, None]
    assert wire.lines == ["GET /threads/t/runs/r/stream?stream_mode=values"]


LOCATIONS = [
    "/api/threads/t/runs/r/stream",
    "/threads/t/runs/r/stream",
    "http://inner:8000/threads/t/runs/r/stream",
    "https://server.example/api/threads/t/runs/r/stream",
    "//evil.example/threads/t/runs/r/stream",
    "http://evil.example\\@server.example/api/threads/t/runs/r/stream",
]


@pytest.mark.parametrize("location", LOCATIONS)
async def test_a_location_counts_for_its_path(location: str) -> None:
    """Behind a prefix or a proxy a stream goes on at our origin, whatever host is named."""
    first = stream(event("values", 1, "1-0"), CUT)
    first.headers |= {"location": location, "content-location": "/threads/t/runs/r"}
    wire = Wire(first, stream(event("values", 1, "1-0"), event("end", None, "2-0")))
    async with get_client(url=f"{URL}/api", transport=wire, api_key="key") as client:
        parts = [p async for p in client.runs.stream("t", "agent", stream_resumable=True)]
    assert [part.event for part in parts] == ["values", "end"]
    assert [str(request.url) for request in wire.requests] == [
        f"{URL}/api/threads/t/runs/stream",
        f"{URL}/api/threads/t/runs/r/stream",
    ]


@pytest.mark.parametrize(
    "location",
    [
        "@evil.example/x",
        ":x@evil.example/x",
        "?x@evil.example",
        "#@evil.example",
        "\t@evil.example/",
    ],
)
async def test_no_location_leads_to_another_origin(location: str) -> None:
    """A location is resolved, never pasted behind our URL: the key stays with its server."""
    first = Answer(200, [], {"location": location, "content-type": "application/json"})
    wire = Wire(first, *[reply({"n": 1})] * 5)
    async with get_client(url=URL, transport=wire, api_key="key") as client:
        with suppress(APIError):
            await client.runs.wait(None, "agent")
    assert {request.url.host for request in wire.requests} == {"server.example"}


async def test_a_wait_that_is_cut_asks_again() -> None:
    """The result of a run is fetched from `Location` when the connection broke on the way."""
    headers = {"location": f"{RUN}/join", "content-location": RUN}
    wire = Wire(
        Answer(200, [b"\n", CUT], headers), Answer(200, [b"\n\n"], headers), reply({"n": 1})
    )
    async with client_of(wire) as client:
        result = await client.runs.wait("t", "agent", input={})
    assert result == {"n": 1}
    assert (result.run_id, result.thread_id) == ("r", "t")
    assert wire.lines[1:] == ["GET /threads/t/runs/r/join"] * 2


async def test_a_status_that_cannot_be_asked_is_an_interruption() -> None:
    """A stream with ids goes on; one without raises, naming its run."""
    wire = Wire(
        stream(META, run=RUN),
        reply({}, 503),
        stream(META, event("end", None, "2-0")),
        stream(event("values", 1), run=RUN),
        reply({}, 503),
    )
    async with client_of(wire) as client:
        parts = [p async for p in client.runs.stream("t", "agent", stream_resumable=True)]
        assert [part.event for part in parts] == ["metadata", "end"]
        with pytest.raises(StreamIncomplete, match="Service Unavailable") as caught:
            [part async for part in client.runs.stream("t", "agent")]
    assert caught.value.run_id == "r"


async def test_an_error_that_cannot_be_fetched() -> None:
    """A run that failed while we were away, and nobody who could say why."""
    wire = Wire(stream(META, run=RUN), reply({"status": "error"}), stream(META), reply({}, 500))
    async with client_of(wire) as client:
        with pytest.raises(StreamIncomplete, match="reading its error failed too"):
            [p async for p in client.runs.stream("t", "agent", stream_resumable=True)]


async def test_an_event_sent_twice_by_the_server_comes_once() -> None:
    """Where kept events meet new ones, a repetition is looked at again."""
    wire = Wire(
        stream(META, CUT, run=RUN),
        stream(
            META, event("values", 1, "2-0"), event("values", 1, "2-0"), event("values", 2, "3-0")
        ),
        stream(event("values", 1, "2-0"), event("values", 2, "3-0"), event("end", None, "4-0")),
    )
    async with client_of(wire) as client:
        parts = [p async for p in client.runs.stream("t", "agent", stream_resumable=True)]
    assert [part.data for part in parts[1:]] == [1, 2, None]
    assert [r.headers.get("last-event-id") for r in wire.requests] == [None, "0", "1-0"]
