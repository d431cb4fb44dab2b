"""The short version of `chaos.py`: real processes, killed and stopped, their database restarted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from langgraph_client.server.server import Server
from tests.cluster.conftest import http_of
from tests.cluster.host import GRAPHS
from tests.cluster.processes import Process
from tests.support.postgres import binaries

COUNT: Any = {"assistant_id": "counter", "input": {"upto": 3, "log": []}}
CHAOS = Path(__file__).with_name("chaos.py")


@pytest.mark.skipif(binaries() is None, reason="PostgreSQL is not installed")
def test_three_servers_under_faults_lose_nothing() -> None:
    """Each result is the local graph's, and each stream told what was kept, once."""
    options = [
        "--seed",
        "11",
        "--seconds",
        "0",
        "--runs",
        "24",
        "--at-once",
        "4",
        "--faults",
        "pause,kill,restart,database",
    ]
    done = subprocess.run(
        [sys.executable, str(CHAOS), *options],
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "lost 0, repeated 0" in done.stdout


def test_a_host_carries_out_what_waits_when_it_starts(database: str, tmp_path: Path) -> None:
    """Also the first steps, while it is still starting, note what they do."""
    effects = tmp_path / "effects"
    host = Process(database, effects)
    with Server(GRAPHS, path=database, role="api") as api, http_of(api) as http:
        runs = []
        for _ in range(8):
            thread_id = http.post("/threads", json={}).json()["thread_id"]
            run = http.post(f"/threads/{thread_id}/runs", json=COUNT).json()
            runs.append(f"/threads/{thread_id}/runs/{run['run_id']}")
        host.start()
        try:
            results = [http.get(f"{path}/join").json() for path in runs]
        finally:
            host.kill()
        assert results == [{"upto": 3, "log": [0, 1, 2]}] * 8
        assert len(effects.read_text().splitlines()) == 24
