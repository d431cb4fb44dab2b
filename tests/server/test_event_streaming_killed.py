"""The event protocol on a server that is killed in the middle of a run."""

from __future__ import annotations

import json
import random
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.test_server_killed import STEPS, host


def read_some(http: httpx.Client, thread_id: str, since: int, count: int) -> list[Any]:
    """Read so many events after a number, or to the end of the run."""
    found: list[Any] = []
    body = {"channels": ["lifecycle", "values", "updates", "tasks"], "since": since}
    with http.stream("POST", f"/threads/{thread_id}/stream/events", json=body) as reply:
        for line in reply.iter_lines():
            if line.startswith("data: "):
                found.append(json.loads(line.removeprefix("data: ")))
                if len(found) == count or found[-1]["event_id"].endswith("lc||completed"):
                    break
    return found


@pytest.mark.parametrize("seed", range(2))
def test_nothing_is_lost_or_numbered_twice(tmp_path: Path, seed: int) -> None:
    """After kills in the middle of a run a reader goes on behind the last number it saw."""
    chance = random.Random(seed)
    thread_id = str(uuid.uuid4())
    seen: list[Any] = []
    for kill in range(4):
        with host(tmp_path / "state.db") as (process, http):
            if kill == 0:
                given = {"upto": STEPS, "log": []}
                params = {"assistant_id": "counter", "input": given}
                command = {"id": 1, "method": "run.start", "params": params}
                http.post(f"/threads/{thread_id}/commands", json=command).raise_for_status()
            since = seen[-1]["seq"] if seen else 0
            count = chance.randint(1, 12) if kill < 3 else 10_000
            seen += read_some(http, thread_id, since, count)
            if kill < 3:
                process.kill()
                continue
            assert read_some(http, thread_id, 0, 10_000) == seen
            state = http.get(f"/threads/{thread_id}/state").json()
    assert state["values"]["log"] == list(range(STEPS))
    numbers = [event["seq"] for event in seen]
    assert numbers == sorted(set(numbers))
    updates = [
        event["params"]["data"]["step"]["log"][0] for event in seen if event["method"] == "updates"
    ]
    assert updates[-1] == STEPS - 1
    assert sorted(set(updates)) == list(range(STEPS))
    assert [event["event_id"].rpartition("|")[2] for event in seen].count("running") == 1
