"""Connect langgraph_sdk's clients without a URL to the server that runs the graph.

langgraph_sdk looks for `langgraph_api` when it creates such a client. It has a hook
(`configure_loopback_transports`) for clients that were created before the server, but none for
clients that are created while a graph runs, nor for the blocking client. So its modules get
transports that look for the running server at each request. Without a running server, requests are
sent to the usual address. Seen with langgraph_sdk 0.4.6 to 0.4.14.

Likewise, `langgraph_sdk.cache` looks for `langgraph_api`, and gets this package's cache.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

import httpx

from langgraph_client.cache import SWRResult, cache_get, cache_set, swr
from langgraph_client.current_server import (
    IN_PROCESS_URL,
    AsyncCurrentServerTransport,
    CurrentServerTransport,
    current_server,
)

_IN_PROCESS_HOST = httpx.URL(IN_PROCESS_URL).host
_MODULE = "langgraph_sdk.client"
_CACHE = "langgraph_sdk.cache"
_FORMER = {"host": "localhost", "port": 8123}
"""The address of langgraph_sdk's blocking client without a URL."""


class _Loopback(httpx.AsyncBaseTransport):
    """Replaces the ASGI transport of an async client without a URL.

    Args:
        app: The application of another server; None if there is none. langgraph_sdk's hook may set
            it later.
        options: The other arguments of the ASGI transport.
    """

    original: Any = None

    def __init__(self, app: object = None, **options: object) -> None:
        self.app = app
        self._options = options

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the server that runs the code, or to the application."""
        transport: httpx.AsyncBaseTransport = AsyncCurrentServerTransport()
        if current_server.get() is None and self.app is not None:
            transport = self.original(self.app, **self._options)
        return await transport.handle_async_request(request)


class _BlockingTransport(httpx.HTTPTransport):
    """Replaces the network transport of the blocking client."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the server that runs the code, if it has no URL of its own."""
        if request.url.host == _IN_PROCESS_HOST:
            if current_server.get() is not None:
                return CurrentServerTransport().handle_request(request)
            request.url = request.url.copy_with(**_FORMER)
            request.headers["host"] = request.url.netloc.decode()
        return super().handle_request(request)


class _AtImport(MetaPathFinder):
    """Gives langgraph_sdk the transports when a program imports it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find one of `_PATCHES`."""
        if fullname not in _PATCHES:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, _PATCHES[fullname])
        return spec


class _Loader(Loader):
    def __init__(self, loader: Loader, give: Callable[[], None]) -> None:
        self._loader = loader
        self._give = give

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        self._give()


def install() -> None:
    """Give langgraph_sdk the transports and the cache, once: now, or when it is imported.

    Importing it takes longer than all else that a server of scripted graphs needs.
    """
    for name, give in _PATCHES.items():
        if name in sys.modules:
            give()
    if not any(isinstance(finder, _AtImport) for finder in sys.meta_path):
        sys.meta_path.insert(0, _AtImport())


def _give_transports() -> None:
    try:
        asynchronous: Any = importlib.import_module("langgraph_sdk._async.client")
        blocking: Any = importlib.import_module("langgraph_sdk._sync.client")
    except ImportError:  # It is older than all that this could work with.
        return
    if not (hasattr(asynchronous, "get_asgi_transport") and hasattr(blocking, "get_sync_client")):
        return
    if _Loopback.original is not None:
        return
    _Loopback.original = asynchronous.get_asgi_transport()
    # For clients that were created before. Their responses arrive in one piece.
    importlib.import_module(_MODULE).configure_loopback_transports(_app)
    asynchronous.get_asgi_transport = lambda: _Loopback
    # Otherwise langgraph_sdk would import another server into this process, if it is installed.
    sys.modules.setdefault("langgraph_api.server", None)  # type: ignore[arg-type]
    defaults = blocking.get_sync_client.__kwdefaults__
    if defaults.get("url", "") is None:
        defaults["url"] = IN_PROCESS_URL
        blocking.httpx = _overlay(httpx, HTTPTransport=_BlockingTransport)


def _give_cache() -> None:
    module: Any = sys.modules[_CACHE]
    if getattr(module, "_cache_get", cache_get) is None:  # Not on another server.
        module._cache_get = cache_get
        module._cache_set = lambda key, value, ttl=None: cache_set(key, value, ttl=ttl)
        module._api_swr, module.SWRResult = swr, SWRResult


_PATCHES: Mapping[str, Callable[[], None]] = {_MODULE: _give_transports, _CACHE: _give_cache}
"""The function that patches each module of langgraph_sdk."""


async def _app(scope: Any, receive: Any, send: Any) -> None:
    """Pass a request on to the server that runs the code, as an ASGI application."""
    body = b""
    while (message := await receive())["type"] == "http.request":
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    url = httpx.URL(IN_PROCESS_URL, raw_path=scope["raw_path"] + b"?" + scope["query_string"])
    request = httpx.Request(scope["method"], url, headers=scope["headers"], content=body)
    answer = await AsyncCurrentServerTransport().handle_async_request(request)
    try:
        head = {"status": answer.status_code, "headers": answer.headers.raw}
        await send({"type": "http.response.start", **head})
        async for part in answer.aiter_raw():
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        await answer.aclose()


def _overlay(module: ModuleType, **names: Any) -> ModuleType:
    """Return a module with some names replaced."""
    copy = ModuleType(module.__name__, module.__doc__)
    copy.__dict__.update(module.__dict__, **names)
    return copy
