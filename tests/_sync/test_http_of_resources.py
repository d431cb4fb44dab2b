# Generated from tests/_async/test_http_of_resources.py by .ci/unasync.py; do not edit.
"""`http` of each resource, and resources that are made over an httpx client, as in public tests."""

from __future__ import annotations

import httpx
import pytest

from langgraph_client import SyncLangGraphClient
from langgraph_client._sync.assistants import SyncAssistantsClient
from langgraph_client._sync.crons import SyncCronClient
from langgraph_client._sync.http import SyncHttpClient
from langgraph_client._sync.runs import SyncRunsClient
from langgraph_client._sync.store import SyncStoreClient
from langgraph_client._sync.threads import SyncThreadsClient
from langgraph_client.errors import InvalidArgumentError

RESOURCES = [
    SyncAssistantsClient,
    SyncCronClient,
    SyncRunsClient,
    SyncStoreClient,
    SyncThreadsClient,
]
EVENTS = (
    b'event: metadata\ndata: {"run_id": "r"}\n\nevent: values\ndata: {"a": 1}\n\nevent: end\n\n'
)


def answer(request: httpx.Request) -> httpx.Response:
    """Answer as a server; a stream has the events of a run."""
    if request.url.path.endswith("/stream"):
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=EVENTS)
    return httpx.Response(200, json={"path": request.url.path, "key": request.headers.get("x-own")})


@pytest.mark.parametrize("name", ["assistants", "crons", "runs", "store", "threads"])
def test_each_resource_has_the_requests_of_its_client(name: str) -> None:
    """They have its URL and its headers."""
    below = httpx.Client(
        transport=httpx.MockTransport(answer), base_url="http://test", headers={"x-own": "1"}
    )
    with below:
        resource = getattr(SyncLangGraphClient(below), name)
        assert resource.http.get("/any/path") == {"path": "/any/path", "key": "1"}


@pytest.mark.parametrize("kind", RESOURCES, ids=lambda kind: kind.__name__)
def test_a_resource_over_an_httpx_client(kind: type) -> None:
    """Tests make one resource over a mock, without a client around it."""
    below = httpx.Client(transport=httpx.MockTransport(answer), base_url="http://test")
    with below:
        resource = kind(SyncHttpClient(below))
        assert resource.http.post("/x", json={}) == {"path": "/x", "key": None}


def test_a_stream_over_an_httpx_client() -> None:
    """Streams too: the parts are those of the mock's events."""
    below = httpx.Client(transport=httpx.MockTransport(answer), base_url="http://test")
    with below:
        runs = SyncRunsClient(SyncHttpClient(below))
        parts = [part for part in runs.stream(None, "agent", input={})]
        assert [part.event for part in parts] == ["metadata", "values", "end"]
        raw = SyncHttpClient(below).stream("/runs/stream", "POST", json={})
        assert [part.event for part in raw][:2] == ["metadata", "values"]


def test_an_httpx_client_without_a_url() -> None:
    """It could send to nowhere."""
    with pytest.raises(InvalidArgumentError, match="url"):
        SyncHttpClient(httpx.Client())
