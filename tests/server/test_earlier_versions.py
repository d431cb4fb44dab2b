"""Runs that an earlier version stored, and RemoteGraphs and servers of an earlier version."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any, TypedDict

import httpx
from langgraph.graph import START, StateGraph

from langgraph_client import RemoteGraph, Server, get_sync_client
from langgraph_client.server.typed_values import enclosed
from langgraph_client.values import CLASSES_EVENT, EXTRA_EVENTS_HEADER, HEADER, PLAIN, VERSION
from tests.support.hosted import Gate

EARLIER = "1"
EARLIER_KEYS = {"typed_values": "rich_values", "extra_events": "asides"}
URL = "http://server.example"


class State(TypedDict):
    when: datetime
    kind: str
    due: datetime


def dated(gate: Gate | None = None) -> Any:
    async def name_kind(state: State) -> dict[str, Any]:
        if gate is not None:
            await gate.hold()
        return {"kind": type(state["when"]).__name__, "due": datetime(2020, 1, 3)}

    return StateGraph(State).add_node(name_kind).add_edge(START, "name_kind").compile()


def test_a_waiting_run_of_an_earlier_version_keeps_its_types_and_events(
    tmp_path: Path, gate: Gate
) -> None:
    """Its input is read from its envelope, and it sends the events that its caller requested."""
    file, headers = tmp_path / "s.db", {HEADER: VERSION, EXTRA_EVENTS_HEADER: '["classes"]'}
    with (
        Server({"dated": dated(gate)}, path=file) as server,
        httpx.Client(
            transport=server.transport(), base_url=URL, headers=headers, timeout=60
        ) as http,
    ):
        runs = f"/threads/{http.post('/threads', json={}).json()['thread_id']}/runs"
        for day in (1, 2):
            given = enclosed({"when": datetime(2020, 1, day)})
            body = {"assistant_id": "dated", "input": given, "stream_resumable": True}
            run_id = http.post(runs, json=body).json()["run_id"]
        gate.arrived()

        async def rename() -> None:
            stored = server.services.storage.runs
            run = await stored.get(run_id)
            assert run is not None
            kwargs = {EARLIER_KEYS.get(key, key): run["kwargs"][key] for key in run["kwargs"]}
            assert kwargs.keys() >= set(EARLIER_KEYS.values())
            await stored.put({**run, "kwargs": kwargs})

        asyncio.run_coroutine_threadsafe(rename(), server.loop).result(60)
    with (
        Server({"dated": dated()}, path=file) as server,
        httpx.Client(
            transport=server.transport(), base_url=URL, headers=headers, timeout=60
        ) as http,
    ):
        events = http.get(f"{runs}/{run_id}/stream", headers={"last-event-id": "0"}).text
        assert f"event: {CLASSES_EVENT}" in events
        values = http.get(runs.removesuffix("/runs")).json()["values"]
        assert (values["when"], values["kind"]) == ("2020-01-02T00:00:00", "datetime")


class _EarlierServer(httpx.BaseTransport):
    """Says that the server is of an earlier version, and keeps the requests."""

    def __init__(self, server: Server) -> None:
        self._transport = server.transport()
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        response = self._transport.handle_request(request)
        if HEADER in response.headers:
            response.headers[HEADER] = EARLIER
        return response


def test_a_server_of_an_earlier_version_is_like_any_other() -> None:
    """A RemoteGraph sends it no headers beyond the protocol."""
    with Server({"dated": dated()}) as server:
        transport = _EarlierServer(server)
        client = get_sync_client(url=URL, transport=transport)
        with RemoteGraph("dated", sync_client=client) as graph:
            result = graph.invoke({"when": datetime(2020, 1, 1)}, version="v2")
    assert result.value["kind"] == "str"
    paths = [request.url.path for request in transport.requests]
    assert paths[0] == "/info"
    assert len(paths) > 1
    assert not [
        name
        for request in transport.requests
        for name in request.headers
        if name.startswith("x-langgraph-client-")
    ]


def test_a_client_of_an_earlier_version_is_like_any_other() -> None:
    """The server sends it neither envelopes nor the header that announces them."""
    with (
        Server({"dated": dated()}) as server,
        httpx.Client(
            transport=server.transport(), base_url=URL, headers={HEADER: EARLIER}, timeout=60
        ) as http,
    ):
        body = {"assistant_id": "dated", "input": {"when": "2020-01-01"}}
        response = http.post("/runs/stream", json=body)
        assert '"due":"2020-01-03T00:00:00"' in response.text
        assert PLAIN not in response.text
        assert HEADER not in response.headers
