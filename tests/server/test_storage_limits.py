"""What is kept goes when its time is over, and a disk that is full for a while is survived."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from langgraph_client.server.server import Server
from langgraph_client.testing import TestClock
from tests.server.conftest import parse
from tests.support.hosted import Gate, hosted


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def server(gate: Gate, clock: TestClock, tmp_path: Path) -> Iterator[Server]:
    with Server(hosted(gate), clock=clock, path=tmp_path / "state.db", event_ttl=60) as running:
        yield running


def on_loop(server: Server, work: Any) -> Any:
    async def done() -> Any:
        return work()

    return asyncio.run_coroutine_threadsafe(done(), server.loop).result(60)


def test_events_of_a_run_that_is_over_go(http: httpx.Client, thread: str, clock: TestClock) -> None:
    """A resumable run's events can be read again for a while after its end, and then not."""
    body = {"assistant_id": "many", "input": {"count": 3}, "stream_resumable": True}
    response = http.post(f"/threads/{thread}/runs/stream", json=body)
    path = response.headers["location"]
    again = {"last-event-id": "0"}
    assert parse(http.get(path, headers=again).text) == parse(response.text)
    clock.advance(minutes=0.5)
    assert parse(http.get(path, headers=again).text) == parse(response.text)
    deadline = time.monotonic() + 60
    while http.get(path, headers=again).text:
        assert time.monotonic() < deadline
        clock.advance(minutes=1)


@pytest.mark.sqlite
def test_a_full_disk_is_a_503_and_then_it_is_over(
    http: httpx.Client, thread: str, server: Server
) -> None:
    """While nothing can be written requests get a 503; reading works; later all does."""
    storage: Any = server.services.storage
    database = storage._database
    (pages,) = on_loop(server, lambda: database.row("PRAGMA page_count"))
    on_loop(server, lambda: database.row(f"PRAGMA max_page_count = {pages}"))
    big = {"metadata": {"text": "x" * 200_000}}
    for _ in range(2):
        answer = http.post("/threads", json=big)
        assert answer.status_code == 503
        assert "full" in answer.json()["detail"]
    assert http.get(f"/threads/{thread}").status_code == 200
    on_loop(server, lambda: database.row("PRAGMA max_page_count = 1000000"))
    assert http.post("/threads", json=big).status_code == 200
    run = {"assistant_id": "row", "input": {"name": "a"}}
    assert http.post(f"/threads/{thread}/runs/wait", json=run).json()["log"]
    assert http.post("/threads/count", json={}).json() == 2


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/threads/{thread}/runs?limit=99999999999999999999", None),
        ("GET", "/threads/{thread}/history?limit=99999999999999999999", None),
        ("POST", "/threads/search", {"offset": 99999999999999999999}),
        ("POST", "/threads/search", {"limit": 99999999999999999999}),
        ("POST", "/threads/search", {"metadata": {"n": 99999999999999999999}}),
        ("POST", "/threads/search", {"metadata": {"n": -(2**63) - 1, "f": 1e308}}),
        ("POST", "/assistants/{assistant}/latest", {"version": 99999999999999999999}),
    ],
)
def test_no_number_is_too_large(
    http: httpx.Client, thread: str, method: str, path: str, body: Any
) -> None:
    """Integers that the database cannot hold are answered, never with a 5xx."""
    assistant = http.post("/assistants/search", json={"limit": 1}).json()[0]["assistant_id"]
    answer = http.request(method, path.format(thread=thread, assistant=assistant), json=body)
    assert answer.status_code < 500


def test_deep_and_wide_filters_are_answered(http: httpx.Client) -> None:
    """A filter with more terms than SQL takes finds what contains it."""
    wide = {f"key {number}": number for number in range(3000)}
    deep: Any = 1
    for _ in range(60):
        deep = [{"a": deep}]
    made = http.post("/threads", json={"metadata": {**wide, "deep": deep}}).json()
    for wanted in (wide, {"deep": deep}):
        found = http.post("/threads/search", json={"metadata": wanted}).json()
        assert [thread["thread_id"] for thread in found] == [made["thread_id"]]
    assert http.post("/threads/search", json={"metadata": {**wide, "no": 1}}).json() == []


def test_what_has_a_time_to_live_leaves_nothing(
    http: httpx.Client, server: Server, clock: TestClock
) -> None:
    """After a thread's time no table has a row of it, nor of runs without a thread."""

    def tables() -> set[str]:
        found = asyncio.run_coroutine_threadsafe(server.services.storage.export(), server.loop)
        return set(found.result(60))

    before = tables()
    run = {"assistant_id": "row", "input": {"name": "a"}, "stream_resumable": True}
    for _ in range(5):
        thread = http.post("/threads", json={"ttl": {"ttl": 1}}).json()["thread_id"]
        http.post(f"/threads/{thread}/runs/stream", json=run)
        http.post("/runs/wait", json=run)
    assert tables() > before
    deadline = time.monotonic() + 60
    while tables() != before:
        assert time.monotonic() < deadline, tables() - before
        clock.advance(minutes=1)
