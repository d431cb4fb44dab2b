"""A real process, a real kill, the same file."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.conftest import Sent, parse

HOST = Path(__file__).parents[1] / "support" / "kill_host.py"
STEPS = 20


@contextmanager
def host(file: Path) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """Run the server in a process of its own, and give a client of it."""
    process = subprocess.Popen(
        [sys.executable, str(HOST), str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    try:
        url = process.stdout.readline().strip()
        assert url.startswith("http://"), "the server did not start"
        with httpx.Client(base_url=url, timeout=60) as client:
            yield process, client
    finally:
        process.stdin.close()
        process.wait(120)
        process.stdout.close()


def read_some(http: httpx.Client, path: str, after: str | None, events: int) -> list[Sent]:
    """Read a stream until so many events have come."""
    headers = {"last-event-id": after or "-"}
    text = ""
    with http.stream("GET", path, headers=headers) as response:
        for chunk in response.iter_text():
            text += chunk
            if text.count("\r\n\r\n") >= events:
                break
    return parse(text[: text.rindex("\r\n\r\n") + 4] if "\r\n\r\n" in text else "")


@pytest.mark.parametrize("seed", range(2))
def test_nothing_acknowledged_is_lost(tmp_path: Path, seed: int) -> None:
    """After kills in the middle of runs every run ends, with each step done once, and a client
    that was streaming gets the rest after the last event it saw."""
    chance = random.Random(seed)
    file = tmp_path / "state.db"
    runs: list[dict[str, Any]] = []
    seen: list[Sent] = []
    for kill in range(4):
        with host(file) as (process, http):
            if kill == 0:
                runs = start_runs(http)
            path = f"/threads/{runs[0]['thread_id']}/runs/{runs[0]['run_id']}/stream"
            last = seen[-1].id if seen else None
            if kill < 3:
                seen += read_some(http, path, last, chance.randint(1, 6))
                process.kill()
                continue
            for run in runs:
                own = f"/threads/{run['thread_id']}/runs/{run['run_id']}"
                assert http.get(f"{own}/join").json()["log"] == list(range(STEPS))
                assert http.get(own).json()["status"] == "success"
                assert http.get(f"/threads/{run['thread_id']}").json()["status"] == "idle"
            seen += parse(http.get(path, headers={"last-event-id": last or "-"}).text)
    ids = [tuple(map(int, (event.id or "").split("-"))) for event in seen]
    assert ids == sorted(set(ids))
    attempts = [event.data["attempt"] for event in seen if event.name == "metadata"]
    assert attempts == list(range(1, len(attempts) + 1))
    done = [event.data["step"]["log"][0] for event in seen if event.name == "updates"]
    assert sorted(set(done)) == list(range(STEPS))


def start_runs(http: httpx.Client) -> list[dict[str, Any]]:
    """Start a resumable run on each of three threads, and one more behind the first."""
    threads = [http.post("/threads", json={}).json()["thread_id"] for _ in range(3)]
    body = {
        "assistant_id": "counter",
        "input": {"upto": STEPS, "log": []},
        "stream_mode": "updates",
        "stream_resumable": True,
        "durability": "sync",
    }
    made = []
    for thread in threads:
        response = http.post(f"/threads/{thread}/runs", json=body)
        assert response.status_code == 200
        made.append(response.json())
    return made


def test_orderly_stop_keeps_what_was_running(tmp_path: Path) -> None:
    """A server that is stopped while runs are going takes them up again at its next start."""
    file = tmp_path / "state.db"
    with host(file) as (_, http):
        runs = start_runs(http)
        path = f"/threads/{runs[0]['thread_id']}/runs/{runs[0]['run_id']}/stream"
        read_some(http, path, None, 3)
    with host(file) as (_, http):
        for run in runs:
            own = f"/threads/{run['thread_id']}/runs/{run['run_id']}"
            assert http.get(f"{own}/join").json()["log"] == list(range(STEPS))


def test_file_holds_no_pickle(tmp_path: Path) -> None:
    """Nothing in the file is pickled."""
    import sqlite3

    file = tmp_path / "state.db"
    with host(file) as (_, http):
        for run in start_runs(http):
            http.get(f"/threads/{run['thread_id']}/runs/{run['run_id']}/join")
    connection = sqlite3.connect(file)
    tables = ("checkpoints", "checkpoint_channels", "checkpoint_writes", "checkpoint_parts")
    query = " UNION ".join(f"SELECT type FROM {table}" for table in tables)
    types = {row[0] for row in connection.execute(query)}
    connection.close()
    assert "msgpack" in types
    assert "pickle" not in types
