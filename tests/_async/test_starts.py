"""Calls that start a run whose answer is lost: the run is neither lost nor started twice."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from langgraph_client import LangGraphClient, ReconnectPolicy, RetryPolicy, get_client
from langgraph_client.errors import APIConnectionError, APIError, StreamIncomplete
from tests.support.wire import URL, Answer, Wire, event, reply, stream

LOST = httpx.ReadError("reset")
RUN = "/threads/t/runs/r"
KNOWS_KEYS = reply({"flags": {"idempotency_key": True}})


def client_of(wire: Wire, **policy: Any) -> LangGraphClient:
    return get_client(
        url=URL,
        transport=wire,
        api_key="lsv2_secret",
        retry=RetryPolicy(initial=0, jitter=0, **policy),
        reconnect=ReconnectPolicy(initial=0),
        sleep=no_sleep,
    )


async def no_sleep(seconds: float) -> None:
    """Pass no time."""


def keys(wire: Wire) -> list[str | None]:
    return [r.headers.get("idempotency-key") for r in wire.requests if r.method == "POST"]


async def test_a_server_that_knows_keys_is_asked_again() -> None:
    """The same key goes along, the request is repeated, and `/info` is asked once."""
    wire = Wire(LOST, KNOWS_KEYS, LOST, reply({"run_id": "r"}), reply({}, 502), reply({"n": 1}))
    async with client_of(wire) as client:
        assert (await client.runs.create("t", "agent")).run_id == "r"
        assert await client.runs.wait("t", "agent") == {"n": 1}
    first, second, third, fourth, fifth = keys(wire)
    assert first == second == third
    assert fourth == fifth != first
    assert [line for line in wire.lines if line.startswith("GET")] == ["GET /info"]


async def test_a_stream_is_asked_for_again_as_well() -> None:
    """A stream whose answer is lost on the way is opened again, with its key."""
    wire = Wire(LOST, KNOWS_KEYS, stream(event("end", None), run=RUN))
    async with client_of(wire) as client:
        assert [part.event async for part in client.runs.stream("t", "agent")] == ["end"]
    assert len(set(keys(wire))) == 1


@pytest.mark.parametrize("info", [reply({"flags": {}}), reply({}, 404), reply([])])
async def test_another_server_is_not(info: Answer) -> None:
    """Where nobody promises to start one run for one key, the failure is raised."""
    wire = Wire(LOST, *[info] * 3)
    async with client_of(wire) as client:
        with pytest.raises(APIError):
            await client.runs.create("t", "agent")
    assert len(keys(wire)) == 1


async def test_a_refusal_is_final() -> None:
    """A server that has said no has started nothing: nothing is asked."""
    wire = Wire(reply({"detail": "busy"}, 409))
    async with client_of(wire) as client:
        with pytest.raises(APIError, match="busy"):
            await client.runs.create("t", "agent")
    assert len(wire.requests) == 1


async def test_the_caller_s_own_key_is_kept() -> None:
    """Who names a key knows why."""
    wire = Wire(reply({"run_id": "r"}), reply({"run_id": "r"}))
    async with client_of(wire) as client:
        await client.runs.create("t", "agent", headers={"Idempotency-Key": "mine"})
        await client.runs.cancel("t", "r")
    assert keys(wire) == ["mine", None]


def runs_of(wire: Wire) -> list[Any]:
    """What a foreign server lists: the run, with the metadata that was sent."""
    sent = json.loads(wire.requests[0].content)
    return [{"run_id": "other", "metadata": {}}, {"run_id": "r", "metadata": sent["metadata"]}]


class Listing(Wire):
    """A foreign server that loses its first answer, and lists the run when it is asked."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET" and request.url.path.endswith("/runs"):
            self.requests.append(request)
            return httpx.Response(200, json=runs_of(self))
        return super().handle_request(request)


NOT_OURS = reply({"flags": {}})


async def test_a_run_is_found_by_its_key() -> None:
    """With `starts="find"` the run is looked for in its thread, and the call goes on with it."""
    told: list[Any] = []
    wire = Listing(LOST, NOT_OURS, reply({"run_id": "r", "status": "running"}))
    async with client_of(wire, starts="find") as client:
        run = await client.runs.create("t", "agent", metadata={"a": 1}, on_run_created=told.append)
    assert run.run_id == "r"
    assert told == [{"run_id": "r", "thread_id": "t"}]
    sent = json.loads(wire.requests[0].content)["metadata"]
    assert sent == {"a": 1, "idempotency_key": keys(wire)[0]}
    assert wire.lines[2:] == ["GET /threads/t/runs?limit=10", f"GET {RUN}"]
    wire = Listing(LOST, NOT_OURS, reply({"n": 1}))
    async with client_of(wire, starts="find") as client:
        assert await client.runs.wait("t", "agent") == {"n": 1}
    assert wire.lines[-1] == f"GET {RUN}/join"


@dataclass
class User:
    user: str


async def test_a_run_with_an_object_as_its_metadata_is_found() -> None:
    """The key is added to the object's fields."""
    metadata: Any = User("ann")
    wire = Listing(LOST, NOT_OURS, reply({"run_id": "r", "status": "running"}))
    async with client_of(wire, starts="find") as client:
        await client.runs.create("t", "agent", metadata=metadata)
    sent = json.loads(wire.requests[0].content)["metadata"]
    assert sent == {"user": "ann", "idempotency_key": keys(wire)[0]}


async def test_a_stream_goes_on_with_the_run_that_was_found() -> None:
    """From its beginning where events are kept; elsewhere the error names the run."""
    wire = Listing(LOST, NOT_OURS, stream(event("values", 1, "1-0"), event("end", None, "2-0")))
    async with client_of(wire, starts="find") as client:
        parts = [p async for p in client.runs.stream("t", "agent", stream_resumable=True)]
    assert [part.event for part in parts] == ["values", "end"]
    assert (wire.lines[-1], wire.requests[-1].headers["last-event-id"]) == (
        f"GET {RUN}/stream",
        "0",
    )
    wire = Listing(LOST, NOT_OURS)
    async with client_of(wire, starts="find") as client:
        with pytest.raises(StreamIncomplete) as caught:
            [part async for part in client.runs.stream("t", "agent")]
    assert (caught.value.run_id, caught.value.thread_id) == ("r", "t")


async def test_a_run_that_was_never_started_is_not_found() -> None:
    """After a few looks the failure is raised; nothing is started a second time."""
    wire = Wire(LOST, NOT_OURS, *[reply([])] * 3)
    async with client_of(wire, starts="find") as client:
        with pytest.raises(APIConnectionError, match="reset"):
            await client.runs.create("t", "agent")
    assert len(keys(wire)) == 1


async def test_what_goes_wrong_is_logged_without_secrets(caplog: pytest.LogCaptureFixture) -> None:
    """Each repetition and each reconnect, by the name of the package; no key, no body."""
    caplog.set_level(logging.DEBUG, logger="langgraph_client")
    wire = Wire(
        reply({}, 503, retry_after="7"),
        reply([]),
        stream(event("values", {"secret": "body"}, "1-0"), LOST, run=RUN),
        stream(event("values", {"secret": "body"}, "1-0"), event("end", None, "2-0")),
    )
    async with client_of(wire) as client:
        await client.threads.search(metadata={"secret": "body"})
        opened = client.runs.stream("t", "agent", input={"secret": "body"}, stream_resumable=True)
        assert len([part async for part in opened]) == 2
    ours = [r for r in caplog.records if r.name == "langgraph_client"]
    assert [(r.levelname, r.getMessage()) for r in ours] == [
        ("WARNING", "POST /threads/search failed (503); trying again in 7 s"),
        (
            "INFO",
            "stream of run r was cut (APIConnectionError); continuing after event 1-0 in 0 s, "
            "attempt 1",
        ),
    ]
    assert not any(word in caplog.text for word in ("lsv2_secret", "body"))
