"""Stands in for `langgraph_sdk` in its own tests: the public clients of the package under test.

The tests build clients inside the SDK, as in `ThreadsClient(HttpClient(httpx.AsyncClient(...)))`.
Here these names give the resource of a client that `get_client(url=...)` made. If the httpx client
has a transport of its own, it is served on a port, and the URL is that of the port. So any package
is tested over a real wire, with no assumption about what is inside.

Environment:
    UPSTREAM_CLIENT: The package under test. With `langgraph_sdk`, a test that fails does so
        because of this detour, and does not count.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable
from typing import Any

import httpx
from upstream.standins import private
from upstream.standins.loopback import url_of, without_hop_by_hop

_PACKAGE = os.environ["UPSTREAM_CLIENT"]
_MODULES = (
    "",
    ".client",
    ".schema",
    ".errors",
    ".stream",
    ".stream.errors",
    "._async.stream",
    "._sync.stream",
)
#: Classes that the tests compare with, and that only the package itself makes.
_HANDLES = {
    "AsyncThreadStream",
    "SyncThreadStream",
    "ScopedStreamHandle",
    "SyncScopedStreamHandle",
    "ToolCallHandle",
    "SyncToolCallHandle",
}
#: Headers that httpx sets by itself.
_USUAL = {"accept", "accept-encoding", "connection", "user-agent"}

reached = 0
"""How often the running test has made a client."""

_package = importlib.import_module(_PACKAGE)
#: Clients that nobody else holds: their resources would close with them.
_clients: list[Any] = []


def get_client(*args: Any, **kwargs: Any) -> Any:
    """Make an async client of the package under test."""
    global reached
    reached += 1
    return _package.get_client(*args, **kwargs)


def get_sync_client(*args: Any, **kwargs: Any) -> Any:
    """Make a blocking client of the package under test."""
    global reached
    reached += 1
    return _package.get_sync_client(*args, **kwargs)


class HttpClient:
    """What the SDK wraps an httpx client in; here, a URL that is known when it is needed."""

    def __init__(self, client: httpx.Client | httpx.AsyncClient) -> None:
        self.client = client
        self._url: str | None = None

    @property
    def url(self) -> str:
        """Where the client can be reached."""
        if self._url is None:
            self._url = url_of(self.client)
        return self._url

    @property
    def own_headers(self) -> dict[str, str]:
        """The headers that the test has set."""
        headers = self.client.headers.items()
        return {name: value for name, value in headers if name.lower() not in _USUAL}


SyncHttpClient = HttpClient


def _resource(name: str, make_client: Callable[..., Any]) -> Callable[[HttpClient], Any]:
    def make(http: HttpClient) -> Any:
        client = make_client(url=http.url, api_key=None, headers=http.own_headers or None)
        _clients.append(client)
        return getattr(client, name)

    return make


AssistantsClient = _resource("assistants", get_client)
CronClient = _resource("crons", get_client)
RunsClient = _resource("runs", get_client)
StoreClient = _resource("store", get_client)
ThreadsClient = _resource("threads", get_client)
SyncAssistantsClient = _resource("assistants", get_sync_client)
SyncCronClient = _resource("crons", get_sync_client)
SyncRunsClient = _resource("runs", get_sync_client)
SyncStoreClient = _resource("store", get_sync_client)
SyncThreadsClient = _resource("threads", get_sync_client)


# Two private helpers whose effect can be seen on the wire.


def _raise_for_status_typed(response: httpx.Response) -> None:
    """Raise what the client raises when a server answers with `response`."""
    answer = httpx.Response(
        response.status_code,
        headers=without_hop_by_hop(response.headers.raw),
        content=response.content,
    )
    transport = httpx.MockTransport(lambda _: answer)
    http = HttpClient(httpx.Client(transport=transport, base_url="http://server"))
    SyncAssistantsClient(http).get("any")


async def _aencode_json(value: Any) -> tuple[dict[str, str], bytes]:
    """The JSON that the client sends for `value`."""
    bodies: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        return httpx.Response(204)

    transport = httpx.MockTransport(answer)
    http = HttpClient(httpx.AsyncClient(transport=transport, base_url="http://server"))
    await StoreClient(http).put_item(["namespace"], "key", value=value)
    return {}, json.dumps(json.loads(bodies[-1])["value"]).encode()


class _Handle(type):
    """The type of a class that can be compared with, but not made."""

    def __instancecheck__(cls, value: object) -> bool:
        try:
            return isinstance(value, _find(cls.__name__))
        except AttributeError:
            return True  # The package has no such name: what a handle is is its own business.

    def __call__(cls, *_: Any, **__: Any) -> Any:
        raise private.PrivateNameError(cls.__name__)


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    if name.startswith("_"):
        return private.placeholder(name)
    if name in _HANDLES:
        return _Handle(name, (), {})
    try:
        return _find(name)
    except AttributeError:
        return private.placeholder(name)


def _find(name: str) -> Any:
    for module in _MODULES:
        try:
            found = importlib.import_module(_PACKAGE + module)
        except ImportError:
            continue
        if hasattr(found, name):
            return getattr(found, name)
    raise AttributeError(name)
