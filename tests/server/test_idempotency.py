"""`Idempotency-Key`: one run for one key, however often the request comes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from langgraph_client.server.server import Server
from langgraph_client.testing import TestClock
from tests.server.conftest import parse
from tests.support.hosted import Gate, hosted

KEY = {"idempotency-key": "4ab1"}
ROW = {"assistant_id": "row", "input": {"name": "a"}}


@pytest.fixture
def clock() -> TestClock:
    """A clock that the test moves."""
    return TestClock()


@pytest.fixture
def server(gate: Gate, clock: TestClock) -> Iterator[Server]:
    with Server(hosted(gate), clock=clock) as running:
        yield running


def runs(http: httpx.Client, thread: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = http.get(f"/threads/{thread}/runs").json()
    return found


def test_one_run_for_one_key(http: httpx.Client, thread: str) -> None:
    """A repeated request answers the same run; another key, path or kind of request is another."""
    path = f"/threads/{thread}/runs"
    first, second = (http.post(path, json=ROW, headers=KEY) for _ in range(2))
    assert first.json()["run_id"] == second.json()["run_id"]
    assert first.headers["content-location"] == second.headers["content-location"]
    assert len(runs(http, thread)) == 1
    http.post(path, json=ROW, headers={"idempotency-key": "other"})
    http.post(f"{path}/wait", json=ROW, headers=KEY)
    http.post(path, json=ROW)
    assert len(runs(http, thread)) == 4


def test_a_repeated_wait_gets_the_answer(http: httpx.Client, thread: str) -> None:
    """`wait` with the key of a run that is over answers what the run left, also if it was stateless
    and is gone."""
    for path in (f"/threads/{thread}/runs/wait", "/runs/wait"):
        first, second = (http.post(path, json=ROW, headers=KEY) for _ in range(2))
        assert first.json() == second.json() == {"log": ["one:a", "two"], "name": "a"}
        assert first.headers["location"] == second.headers["location"]
    assert len(runs(http, thread)) == 1


async def test_both_at_once(ahttp: httpx.AsyncClient, gate: Gate) -> None:
    """Requests with one key that come while the run is going wait for the same run."""
    body = {"assistant_id": "gate", "input": {}}
    calls = [
        asyncio.ensure_future(ahttp.post("/runs/wait", json=body, headers=KEY)) for _ in range(3)
    ]
    await asyncio.to_thread(gate.arrived)
    gate.open()
    answers = [await call for call in calls]
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert len({answer.text.strip() for answer in answers}) == 1


def test_a_repeated_stream_tells_all_again(http: httpx.Client, thread: str) -> None:
    """A stream whose events are kept begins with the first one, under the same ids."""
    body = {**ROW, "stream_mode": "updates", "stream_resumable": True}
    path = f"/threads/{thread}/runs/stream"
    first, second = (http.post(path, json=body, headers=KEY) for _ in range(2))
    assert [event.name for event in parse(first.text)] == ["metadata", "updates", "updates"]
    assert first.text == second.text
    assert first.headers["content-location"] == second.headers["content-location"]


def test_a_refused_request_keeps_nothing(http: httpx.Client, thread: str, gate: Gate) -> None:
    """A key whose request was refused may be used again."""
    path = f"/threads/{thread}/runs"
    http.post(path, json={"assistant_id": "gate", "input": {}})
    gate.arrived()
    rejecting = {**ROW, "multitask_strategy": "reject"}
    assert http.post(path, json=rejecting, headers=KEY).status_code == 409
    assert http.post(path, json=ROW, headers=KEY).status_code == 200
    gate.open()


def test_a_key_is_good_for_a_day(http: httpx.Client, thread: str, clock: TestClock) -> None:
    """After a day the same key creates another run, and what was noted is gone."""
    path = f"/threads/{thread}/runs"
    first = http.post(path, json=ROW, headers=KEY).json()
    clock.advance(hours=23)
    assert http.post(path, json=ROW, headers=KEY).json()["run_id"] == first["run_id"]
    clock.advance(hours=2)
    assert http.post(path, json=ROW, headers=KEY).json()["run_id"] != first["run_id"]


def test_a_deleted_run_is_not_created_again(http: httpx.Client, thread: str) -> None:
    """The key of a run that was deleted answers 404."""
    path = f"/threads/{thread}/runs"
    run = http.post(path, json=ROW, headers=KEY).json()
    http.get(f"{path}/{run['run_id']}/join")
    http.delete(f"{path}/{run['run_id']}")
    assert http.post(path, json=ROW, headers=KEY).status_code == 404


def test_keys_outlive_the_process(tmp_path: Path, gate: Gate) -> None:
    """A request that is repeated after a restart answers the same run."""
    answers = []
    for _ in range(2):
        with Server(hosted(gate), path=tmp_path / "s.db") as server:
            transport = server.transport()
            with httpx.Client(transport=transport, base_url="http://server", timeout=60) as http:
                answers.append(http.post("/runs/wait", json=ROW, headers=KEY))
    assert answers[0].json() == answers[1].json()
    assert answers[0].headers["location"] == answers[1].headers["location"]


def test_announced_and_checked(http: httpx.Client) -> None:
    """`/info` says that keys are understood; one that is too long is refused."""
    assert http.get("/info").json()["flags"]["idempotency_key"] is True
    headers = {"idempotency-key": "x" * 256}
    assert http.post("/runs", json=ROW, headers=headers).status_code == 422


def test_answers_of_stateless_runs_do_not_pile_up(http: httpx.Client, clock: TestClock) -> None:
    """What a stateless run left is kept for minutes; its key still starts no second run."""
    body = {"assistant_id": "row", "input": {"name": "a"}}
    first = http.post("/runs/wait", json=body, headers={"idempotency-key": "k1"})
    again = http.post("/runs/wait", json=body, headers={"idempotency-key": "k1"})
    assert again.json() == first.json()
    clock.advance(minutes=11)
    http.post("/runs/wait", json=body, headers={"idempotency-key": "k2"})
    late = http.post("/runs/wait", json=body, headers={"idempotency-key": "k1"})
    assert late.status_code == 404
    assert "was deleted" in late.json()["detail"]
