"""The `end` event: only for clients that read more than the protocol, and only at a true end."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import httpx
import pytest

from langgraph_client.server.server import Server
from langgraph_client.values import HEADER, VERSION
from tests.server.conftest import parse
from tests.support.hosted import Gate, hosted

READS_MORE = {HEADER: VERSION}


def names(response: httpx.Response) -> list[str]:
    return [event.name for event in parse(response.text)]


@pytest.mark.parametrize("resumable", [True, False])
def test_a_run_that_succeeds_ends_its_stream_with_it(
    http: httpx.Client, thread: str, resumable: bool
) -> None:
    """On a thread and without one; it has no id, so that nothing is continued behind it."""
    body = {"assistant_id": "row", "input": {}, "stream_resumable": resumable}
    for path in ("/runs/stream", f"/threads/{thread}/runs/stream"):
        response = http.post(path, json=body, headers=READS_MORE)
        last = parse(response.text)[-1]
        assert (last.name, last.data, last.id) == ("end", None, None)
        assert "end" not in names(http.post(path, json=body))


def test_an_interrupted_run_ends_its_stream_with_it(http: httpx.Client, thread: str) -> None:
    """It is over until somebody resumes it."""
    body = {"assistant_id": "ask", "input": {}}
    response = http.post(f"/threads/{thread}/runs/stream", json=body, headers=READS_MORE)
    assert names(response)[-1] == "end"


def test_a_failed_run_ends_its_stream_with_its_error(http: httpx.Client, thread: str) -> None:
    """Nothing says behind it that all is well."""
    body = {"assistant_id": "fail", "input": {}}
    for path in ("/runs/stream", f"/threads/{thread}/runs/stream"):
        assert names(http.post(path, json=body, headers=READS_MORE))[-1] == "error"


def test_a_stream_that_may_lack_events_has_none(http: httpx.Client, thread: str) -> None:
    """Joined later, or asked for again with the same key: the events may not have been kept."""
    body = {"assistant_id": "row", "input": {}}
    headers = {**READS_MORE, "idempotency-key": "k"}
    first = http.post(f"/threads/{thread}/runs/stream", json=body, headers=headers)
    assert names(first)[-1] == "end"
    again = http.post(f"/threads/{thread}/runs/stream", json=body, headers=headers)
    joined = http.get(first.headers["location"], headers=READS_MORE)
    for response in (again, joined):
        assert response.is_success
        assert "end" not in names(response)


async def test_a_server_that_stops_does_not_send_it(gate: Gate) -> None:
    """The run is not over: it goes on when the server starts again."""
    with Server(hosted(gate)) as server:
        transport: Any = server.async_transport()
        async with httpx.AsyncClient(
            transport=transport, base_url="http://test", timeout=60
        ) as http:
            thread = (await http.post("/threads", json={})).json()["thread_id"]
            body = {"assistant_id": "gate", "input": {}}
            path = f"/threads/{thread}/runs/stream"
            text = ""
            async with http.stream("POST", path, json=body, headers=READS_MORE) as response:
                await asyncio.to_thread(gate.arrived)
                closing = asyncio.create_task(asyncio.to_thread(server.close))
                with suppress(httpx.HTTPError):
                    async for piece in response.aiter_text():
                        text += piece
                await closing
    assert [event.name for event in parse(text)] == ["metadata", "values"]
