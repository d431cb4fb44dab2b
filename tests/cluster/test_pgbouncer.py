"""Servers behind PgBouncer in transaction mode: each transaction meets another connection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from langgraph_client.server.server import Server
from tests.cluster.conftest import Pair, http_of
from tests.cluster.test_two_servers import Background, events_of
from tests.support.hosted import Gate, hosted
from tests.support.postgres import Bouncer, cluster, has_pgbouncer

SIZE = 14
"""More than the locks of both servers, and less than all connections that they open."""


@pytest.fixture
def bouncer(database: str) -> Iterator[Bouncer]:
    """A PgBouncer in front of the tests' PostgreSQL."""
    if not has_pgbouncer():
        pytest.skip("PgBouncer is not installed")
    made = Bouncer(cluster(), SIZE)
    yield made
    made.close()


@pytest.fixture
def pooled(database: str, bouncer: Bouncer, gate: Gate) -> Iterator[Pair]:
    """A server that only answers, and one that carries out runs; both listen at PostgreSQL."""
    options: dict[str, Any] = {"path": bouncer.url(database), "listen_url": database}
    with (
        Server(hosted(gate), role="api", **options) as api,
        Server(hosted(gate), role="worker", **options) as worker,
        http_of(api) as first,
        http_of(worker) as second,
    ):
        yield Pair(first, second, (api, worker))


def test_many_runs_at_a_time(pooled: Pair, bouncer: Bouncer, database: str) -> None:
    """Runs, events and results are complete, over no more connections than the pooler has."""
    body = {
        "assistant_id": "many",
        "input": {"count": 50},
        "stream_mode": ["custom", "values"],
        "stream_resumable": True,
    }
    streams = [
        Background(lambda: events_of(pooled.api.post("/runs/stream", json=body).text))
        for _ in range(12)
    ]
    waits = [
        Background(
            lambda: pooled.api.post(
                "/runs/wait", json={"assistant_id": "row", "input": {"name": "a"}}
            ).json()
        )
        for _ in range(12)
    ]
    for stream in streams:
        found = stream.result()
        assert [data for name, data in found if name == "custom"] == list(range(50))
    for wait in waits:
        assert wait.result() == {"log": ["one:a", "two"], "name": "a"}
    assert 0 < bouncer.server_connections(database) <= SIZE


def test_messages_arrive_by_the_direct_connection(pooled: Pair, gate: Gate) -> None:
    """A run is cancelled through the other server, and its reader told, without a poll."""
    thread_id = pooled.api.post("/threads", json={}).json()["thread_id"]
    body = {"assistant_id": "gate", "input": {"name": "a"}}
    run_id = pooled.api.post(f"/threads/{thread_id}/runs", json=body).json()["run_id"]
    gate.arrived()
    for server in pooled.servers:
        assert server.services.storage.shared.listening.is_set()
    path = f"/threads/{thread_id}/runs/{run_id}"
    joined = Background(lambda: pooled.api.get(f"{path}/join").json())
    assert pooled.api.post(f"{path}/cancel", params={"wait": True}).status_code == 200
    joined.result()
    assert pooled.worker.get(path).json()["status"] == "interrupted"


def test_a_stopped_server_hands_its_runs_on(
    database: str, bouncer: Bouncer, pooled: Pair, gate: Gate
) -> None:
    """Leases and their epochs are rows: they do not depend on a session."""
    body = {"assistant_id": "gate", "input": {"name": "a"}, "stream_mode": "values"}
    streamed = Background(lambda: events_of(pooled.api.post("/runs/stream", json=body).text))
    gate.arrived()
    pooled.servers[1].close()
    options: dict[str, Any] = {"path": bouncer.url(database), "listen_url": database}
    with Server(hosted(gate), role="worker", **options):
        gate.arrived()
        gate.open()
        assert streamed.result()[-1] == (
            "values",
            {"log": ["one:a", "held:a", "two"], "name": "a"},
        )


def test_the_tables_are_made_through_the_pooler(bouncer: Bouncer) -> None:
    """The first start of all may go through the pooler, locks for changes included."""
    url = cluster().empty()
    try:
        with (
            Server(hosted(Gate()), path=bouncer.url(url), listen_url=url) as server,
            http_of(server) as http,
        ):
            body = {"assistant_id": "row", "input": {"name": "a"}}
            assert http.post("/runs/wait", json=body).json()["log"] == ["one:a", "two"]
    finally:
        cluster().drop(url)
