"""Runs that end with their connection (`on_disconnect=cancel`), executed by another server."""

from __future__ import annotations

from typing import Any

import pytest

from langgraph_client.server.server import Server
from tests.cluster.conftest import Pair, http_of
from tests.cluster.test_two_servers import Background, events_of, thread_of
from tests.server.test_unreadable_rows import execute
from tests.support.eventually import eventually
from tests.support.hosted import Gate, hosted

DONE = {"log": ["one:a", "two"], "name": "a"}


def bound(graph: str) -> dict[str, Any]:
    """Return the body of a run that ends with its connection."""
    return {"assistant_id": graph, "input": {"name": "a"}, "on_disconnect": "cancel"}


@pytest.mark.parametrize("stateless", [True, False])
@pytest.mark.parametrize("way", ["wait", "stream"])
def test_a_connected_run_is_executed_by_another_server(
    pair: Pair, stateless: bool, way: str
) -> None:
    """Its client is connected to a server that only answers, and gets the whole result."""
    path = "/runs" if stateless else f"/threads/{thread_of(pair.api)}/runs"
    response = pair.api.post(f"{path}/{way}", json={**bound("row"), "stream_mode": "values"})
    result = response.json() if way == "wait" else events_of(response.text)[-1][1]
    assert result == DONE


def test_a_client_that_leaves_stops_a_run_of_another_server(pair: Pair, gate: Gate) -> None:
    """The server with the connection tells the one that executes the run."""
    runs = f"/threads/{thread_of(pair.api)}/runs"
    with pair.api.stream("POST", f"{runs}/stream", json=bound("gate")):
        gate.arrived()
    eventually(lambda: [run["status"] for run in pair.api.get(runs).json()] == ["interrupted"])


def test_a_connected_run_waits_for_a_free_slot(database: str, gate: Gate) -> None:
    """One server, which executes another run: when that is over, this one is executed."""
    with (
        Server(hosted(gate), path=database, max_runs=1) as server,
        http_of(server) as http,
    ):
        first = Background(lambda: http.post("/runs/wait", json=bound("gate")).json())
        gate.arrived()
        runs = f"/threads/{thread_of(http)}/runs"
        second = Background(lambda: http.post(f"{runs}/wait", json=bound("row")).json())
        eventually(lambda: len(http.get(runs).json()) == 1)
        gate.open()
        assert first.result()["log"] == ["one:a", "held:a", "two"]
        assert second.result() == DONE


@pytest.mark.parametrize("owner", ['"another"', "true"], ids=["dead", "unknown"])
def test_a_run_whose_connection_is_gone_is_not_executed(
    database: str, gate: Gate, owner: str
) -> None:
    """The process with the connection is dead, or is not known, as in rows of earlier versions."""
    graphs: dict[str, Any] = hosted(gate)
    with Server(graphs, path=database, role="api") as api, http_of(api) as http:
        runs = f"/threads/{thread_of(http)}/runs"
        waited = Background(lambda: http.post(f"{runs}/wait", json=bound("row")).json())
        eventually(lambda: len(http.get(runs).json()) == 1)
        process_id = api.services.engine.process_id
        execute(
            database, f"UPDATE run_controls SET doc = replace(doc, '\"{process_id}\"', '{owner}')"
        )
        with Server(graphs, path=database, role="worker"):
            assert waited.result() == {}
        assert http.get(runs).json()[0]["status"] == "interrupted"
