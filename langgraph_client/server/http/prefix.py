"""A path in front of all endpoints."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from langgraph_client.server.http.replies import refuse

_AT_THE_ROOT = ("/", "/ok", "/metrics")
"""Paths that load balancers look at, which are there without the prefix as well."""


class Prefix:
    """Serves an application below a path.

    Args:
        app: The application.
        prefix: The path, such as `/api`.
    """

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if path == self._prefix or path.startswith(f"{self._prefix}/"):
            # As servers behind a proxy have it: the path is whole, and its beginning is named.
            scope = {**scope, "root_path": scope.get("root_path", "") + self._prefix}
        elif path not in _AT_THE_ROOT:
            await refuse(scope, receive, send, 404, "Not Found")
            return
        await self._app(scope, receive, send)


def route_path(scope: Scope) -> str:
    """Return the path of a request without what stands in front of all endpoints."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(root) else path


def logged_path(scope: Scope) -> str:
    """Return a request's path for the log, on one line: it may have line ends, decoded."""
    return repr(scope["path"])[1:-1]
