"""Middleware: API keys, health of a worker, counts, headers for runs, the log."""

from __future__ import annotations

import hmac
import logging
import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from langgraph_client.server.http.endpoint import Endpoint
from langgraph_client.server.http.prefix import logged_path, route_path
from langgraph_client.server.http.replies import refuse
from langgraph_client.server.http.tracing_headers import tracing_headers
from langgraph_client.server.options import HeaderRules
from langgraph_client.server.request_context import request_headers
from langgraph_client.server.runs.metrics import Metrics

logger = logging.getLogger("langgraph_client.server")


class ApiKey:
    """Refuses requests without the key with 401, on every path except `/ok`."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app = app
        self._key = key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        # A preflight request (OPTIONS) has none of the page's headers, so never a key.
        is_socket = scope["type"] == "websocket"
        if is_socket or (
            scope["type"] == "http" and route_path(scope) != "/ok" and scope["method"] != "OPTIONS"
        ):
            key = dict(scope["headers"]).get(b"x-api-key", b"")
            if not hmac.compare_digest(key, self._key):
                await refuse(scope, receive, send, 401, "Missing or wrong x-api-key")
                return
        await self._app(scope, receive, send)


class HealthOnly:
    """Serves only `/ok` and `/metrics`, for a worker process. All other requests get 503.

    With 503, a proxy or a client that was sent here by mistake tries another process.
    """

    _PATHS = ("/ok", "/metrics")

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] in ("http", "websocket") and route_path(scope) not in self._PATHS:
            detail = "This process only executes runs and serves no requests (--role worker)"
            await refuse(scope, receive, send, 503, detail, {"retry-after": "1"})
            return
        await self._app(scope, receive, send)


_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


class CountRequests:
    """Counts responses by route and status.

    Args:
        app: The application behind it.
        metrics: Counts them.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def counting_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                # The router has set the endpoint. Its pattern is the label, not the path with ids.
                owner = getattr(scope.get("endpoint"), "__self__", None)
                route = owner.path if isinstance(owner, Endpoint) else "other"
                # Clients may send any method. Each would stay in memory, and be a time series.
                method = scope["method"] if scope["method"] in _METHODS else "other"
                self._metrics.count_response(method, route, message["status"])
            await send(message)

        await self._app(scope, receive, counting_send)


class ConfigurableHeaders:
    """Makes headers of a request readable for its runs and graphs, always those of a trace."""

    def __init__(self, app: ASGIApp, rules: HeaderRules) -> None:
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] in ("http", "websocket"):
            headers = Headers(scope=scope)
            picked = self._rules.pick(headers) if self._rules.includes else {}
            request_headers.set({**picked, **tracing_headers(headers)})
        await self._app(scope, receive, send)


class RequestLines:
    """Logs one line for each request, at level debug.

    Args:
        app: The application behind it.
        headers: The headers that the line shows.
    """

    def __init__(self, app: ASGIApp, headers: HeaderRules) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http" or not logger.isEnabledFor(logging.DEBUG):
            await self._app(scope, receive, send)
            return
        status, began = 0, time.monotonic()

        async def logging_send(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, logging_send)
        finally:
            seconds = time.monotonic() - began
            shown = self._headers.pick(Headers(scope=scope)) or ""
            line = "%s %s %d %.3f s %s" if shown else "%s %s %d %.3f s%s"
            logger.debug(line, scope["method"], logged_path(scope), status, seconds, shown)
