"""What a process does that only answers, and what one does that only carries out runs."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from langgraph_client.server.server import Server
from tests.cluster.conftest import http_of
from tests.support.hosted import Gate, hosted

ROW: dict[str, Any] = {"assistant_id": "row", "input": {"name": "a"}}


def test_a_worker_answers_only_who_watches_it(database: str, gate: Gate) -> None:
    """On its port there are /ok and /metrics; all else is a 503, as if it were away."""
    with (
        Server(hosted(gate), path=database, role="worker") as worker,
        httpx.Client(base_url=worker.listen(), timeout=60) as http,
    ):
        assert http.get("/ok", params={"check_db": 1}).json()["ok"] is True
        assert "langgraph_runs" in http.get("/metrics").text
        for method, path in (
            ("POST", "/threads"),
            ("POST", "/runs/wait"),
            ("GET", "/info"),
            ("GET", "/openapi.json"),
            ("GET", "/ui"),
            ("GET", "/nothing"),
            ("GET", "/ok/more"),
        ):
            answer = http.request(method, path, json=ROW if method == "POST" else None)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1"), path
            assert "--role worker" in answer.json()["detail"]
        assert http.get("/metrics").text.count('langgraph_requests_total{method="POST"') == 0
        socket = str(http.base_url).replace("http", "ws") + "/threads/x/stream/events"
        with pytest.raises(InvalidStatus, match="503"), connect(socket):
            pass


def test_a_worker_answers_its_own_graphs(database: str, gate: Gate) -> None:
    """The rule is the port's: what runs inside reaches the whole server, without a network."""
    with Server(hosted(gate), path=database, role="worker") as worker, http_of(worker) as http:
        assert http.post("/runs/wait", json=ROW).json()["log"] == ["one:a", "two"]


def test_an_api_process_carries_no_runs(database: str, gate: Gate) -> None:
    """A run waits, however much room the process has, until a worker comes."""
    with Server(hosted(gate), path=database, role="api") as api, http_of(api) as http:
        thread_id = http.post("/threads", json={}).json()["thread_id"]
        path = f"/threads/{thread_id}/runs"
        run_id = http.post(path, json={**ROW, "stream_mode": "values"}).json()["run_id"]
        # What would take up the run has happened twice: being asked, and looking for work.
        api.loop.call_soon_threadsafe(api.services.engine.cluster.wake)
        assert http.get("/metrics", params={"format": "json"}).json()["workers"]["active"] == 0
        assert http.get(f"{path}/{run_id}").json()["status"] == "pending"
        with Server(hosted(gate), path=database, role="worker"):
            assert http.get(f"{path}/{run_id}/join").json()["log"] == ["one:a", "two"]


@pytest.mark.parametrize("role", ["api", "worker"])
def test_a_role_needs_a_shared_database(role: Any) -> None:
    """With one process on a file nobody else could do the rest."""
    with pytest.raises(ValueError, match="postgresql://"):
        Server({}, path="some.db", role=role)
