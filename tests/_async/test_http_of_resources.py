"""`http` of each resource, and resources that are made over an httpx client, as in public tests."""

from __future__ import annotations

import httpx
import pytest

from langgraph_client import LangGraphClient
from langgraph_client._async.assistants import AssistantsClient
from langgraph_client._async.crons import CronClient
from langgraph_client._async.http import HttpClient
from langgraph_client._async.runs import RunsClient
from langgraph_client._async.store import StoreClient
from langgraph_client._async.threads import ThreadsClient
from langgraph_client.errors import InvalidArgumentError

RESOURCES = [AssistantsClient, CronClient, RunsClient, StoreClient, ThreadsClient]
EVENTS = (
    b'event: metadata\ndata: {"run_id": "r"}\n\nevent: values\ndata: {"a": 1}\n\nevent: end\n\n'
)


def answer(request: httpx.Request) -> httpx.Response:
    """Answer as a server; a stream has the events of a run."""
    if request.url.path.endswith("/stream"):
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=EVENTS)
    return httpx.Response(200, json={"path": request.url.path, "key": request.headers.get("x-own")})


@pytest.mark.parametrize("name", ["assistants", "crons", "runs", "store", "threads"])
async def test_each_resource_has_the_requests_of_its_client(name: str) -> None:
    """They have its URL and its headers."""
    below = httpx.AsyncClient(
        transport=httpx.MockTransport(answer), base_url="http://test", headers={"x-own": "1"}
    )
    async with below:
        resource = getattr(LangGraphClient(below), name)
        assert await resource.http.get("/any/path") == {"path": "/any/path", "key": "1"}


@pytest.mark.parametrize("kind", RESOURCES, ids=lambda kind: kind.__name__)
async def test_a_resource_over_an_httpx_client(kind: type) -> None:
    """Tests make one resource over a mock, without a client around it."""
    below = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://test")
    async with below:
        resource = kind(HttpClient(below))
        assert await resource.http.post("/x", json={}) == {"path": "/x", "key": None}


async def test_a_stream_over_an_httpx_client() -> None:
    """Streams too: the parts are those of the mock's events."""
    below = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://test")
    async with below:
        runs = RunsClient(HttpClient(below))
        parts = [part async for part in runs.stream(None, "agent", input={})]
        assert [part.event for part in parts] == ["metadata", "values", "end"]
        raw = HttpClient(below).stream("/runs/stream", "POST", json={})
        assert [part.event async for part in raw][:2] == ["metadata", "values"]


def test_an_httpx_client_without_a_url() -> None:
    """It could send to nowhere."""
    with pytest.raises(InvalidArgumentError, match="url"):
        HttpClient(httpx.AsyncClient())
