"""Event streams: order, framing, joining, resuming, going away."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.server.conftest import parse
from tests.support.hosted import Gate


def test_framing_is_as_recorded(http: httpx.Client) -> None:
    """Lines end in CRLF, events without an id have none, and nothing marks the end."""
    response = http.post("/runs/stream", json={"assistant_id": "builder", "input": {"name": "a"}})
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    run = response.headers["content-location"].removeprefix("/runs/")
    assert response.text == (
        f'event: metadata\r\ndata: {{"run_id":"{run}","attempt":1}}\r\n\r\n'
        'event: values\r\ndata: {"log":[],"name":"a"}\r\n\r\n'
        'event: values\r\ndata: {"log":["one:a"],"name":"a"}\r\n\r\n'
    )


def test_error_is_the_last_event(http: httpx.Client) -> None:
    """A run that fails ends its stream with an `error` event."""
    response = http.post("/runs/stream", json={"assistant_id": "fail", "input": {}})
    last = parse(response.text)[-1]
    assert (last.name, last.data) == ("error", {"error": "Odd", "message": "the secret"})


def test_joining_at_every_event_gives_the_rest(http: httpx.Client, thread: str) -> None:
    """`Last-Event-ID` of any event gives exactly the events behind it, as often as asked."""
    body = {
        "assistant_id": "many",
        "input": {"count": 30},
        "stream_mode": ["custom", "updates"],
        "stream_resumable": True,
    }
    response = http.post(f"/threads/{thread}/runs/stream", json=body)
    events = parse(response.text)
    path = response.headers["location"]
    ids = [tuple(map(int, event.id.split("-"))) for event in events if event.id]
    assert len(ids) == len(events) == 32
    assert ids == sorted(set(ids))
    for place, event in enumerate(events):
        rest = parse(http.get(path, headers={"last-event-id": event.id or ""}).text)
        assert rest == events[place + 1 :]
    for beginning in ("0", "-", "-1"):
        assert parse(http.get(path, headers={"last-event-id": beginning}).text) == events
    assert http.get(path).text == ""


def test_join_filters_by_mode(http: httpx.Client, thread: str) -> None:
    """`stream_mode` of a join lets only events of these modes through, and no metadata."""
    body = {
        "assistant_id": "row",
        "input": {},
        "stream_mode": ["values", "updates"],
        "stream_resumable": True,
    }
    path = http.post(f"/threads/{thread}/runs/stream", json=body).headers["location"]
    for mode in ("updates", '["updates"]'):
        found = http.get(path, params={"stream_mode": mode}, headers={"last-event-id": "-"}).text
        assert [event.name for event in parse(found)] == ["updates", "updates"]


@pytest.mark.parametrize("on_disconnect", ["cancel", "continue"])
async def test_a_reader_that_disconnects(
    ahttp: httpx.AsyncClient, gate: Gate, on_disconnect: str
) -> None:
    """A client that closes its stream cancels the run if it said so, and not otherwise."""
    thread = (await ahttp.post("/threads", json={})).json()["thread_id"]
    body = {"assistant_id": "gate", "input": {}, "on_disconnect": on_disconnect}
    async with ahttp.stream("POST", f"/threads/{thread}/runs/stream", json=body) as response:
        path = response.headers["content-location"]
        await asyncio.to_thread(gate.arrived)
    if on_disconnect == "continue":
        gate.open()
    await ahttp.get(f"{path}/join")
    run = (await ahttp.get(path)).json()
    assert run["status"] == ("interrupted" if on_disconnect == "cancel" else "success")


async def test_events_come_as_they_happen(ahttp: httpx.AsyncClient, gate: Gate) -> None:
    """An event is sent when it happens, also while the next one is long in coming."""
    body = {"assistant_id": "gate", "input": {}, "stream_mode": "custom"}
    async with ahttp.stream("POST", "/runs/stream", json=body) as response:
        text = ""
        async for chunk in response.aiter_text():
            text += chunk
            if "held" in text:
                gate.open()
    assert [event.name for event in parse(text)] == ["metadata", "custom"]


async def test_thread_stream_tells_of_all_runs(ahttp: httpx.AsyncClient) -> None:
    """A thread's stream has the events of each of its runs, and says when each is over."""
    thread = (await ahttp.post("/threads", json={})).json()["thread_id"]
    text, body = "", {"assistant_id": "row", "input": {}, "stream_mode": "updates"}
    async with ahttp.stream("GET", f"/threads/{thread}/stream") as response:
        assert response.status_code == 200
        runs = [
            (await ahttp.post(f"/threads/{thread}/runs", json=body)).json()["run_id"]
            for _ in range(2)
        ]
        async for chunk in response.aiter_text():
            text += chunk
            if text.count("run_done") == 2:
                break
    events = parse(text)
    assert [event.name for event in events] == ["metadata", "updates", "updates", "metadata"] * 2
    assert [e.data["run_id"] for e in events if e.data.get("status") == "run_done"] == runs
    assert all(event.id for event in events)


async def test_slow_reader_holds_the_run_back(ahttp: httpx.AsyncClient) -> None:
    """What a reader has not taken is bounded; nothing of it is lost."""
    body: dict[str, Any] = {
        "assistant_id": "many",
        "input": {"count": 20_000},
        "stream_mode": "custom",
    }
    numbers = []
    async with ahttp.stream("POST", "/runs/stream", json=body) as response:
        text = ""
        async for chunk in response.aiter_text():
            await asyncio.sleep(0)
            text += chunk
        numbers = [event.data for event in parse(text) if event.name == "custom"]
    assert numbers == list(range(20_000))


@pytest.mark.parametrize("path", ["stream", "runs/{run}/stream?cancel_on_disconnect=1"])
async def test_the_head_of_a_stream(ahttp: httpx.AsyncClient, gate: Gate, path: str) -> None:
    """HEAD is answered with the head of the stream alone, and does nothing to the run."""
    thread = (await ahttp.post("/threads", json={})).json()["thread_id"]
    body = {"assistant_id": "gate", "input": {}}
    run = (await ahttp.post(f"/threads/{thread}/runs", json=body)).json()
    await asyncio.to_thread(gate.arrived)
    async with asyncio.timeout(60):
        head = await ahttp.head(f"/threads/{thread}/{path.format(run=run['run_id'])}")
    assert head.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert (head.status_code, head.content) == (200, b"")
    gate.open()
    place = f"/threads/{thread}/runs/{run['run_id']}"
    await ahttp.get(f"{place}/join")
    assert (await ahttp.get(place)).json()["status"] == "success"


def test_unknown_run_is_an_event(http: httpx.Client, thread: str) -> None:
    """Joining a run that is not there is 200 with an `error` event."""
    unknown = "00000000-0000-4000-8000-00000000dead"
    response = http.get(f"/threads/{thread}/runs/{unknown}/stream")
    assert [event.name for event in parse(response.text)] == ["error"]
