"""What stands in front of the routes: the API key, and a line in the log."""

from __future__ import annotations

import hmac
import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from langgraph_client.server.http.replies import refuse

logger = logging.getLogger("langgraph_client.server")


class ApiKey:
    """Answers 401 to requests without the key, on every path but `/ok`."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app = app
        self._key = key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or not."""
        is_socket = scope["type"] == "websocket"
        if is_socket or (
            scope["type"] == "http" and scope["path"] != "/ok" and scope["method"] != "OPTIONS"
        ):
            key = dict(scope["headers"]).get(b"x-api-key", b"")
            if not hmac.compare_digest(key, self._key):
                await refuse(scope, receive, send, 401, "Missing or wrong x-api-key")
                return
        await self._app(scope, receive, send)


class RequestLines:
    """Logs one line for each request, at debug."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http" or not logger.isEnabledFor(logging.DEBUG):
            await self._app(scope, receive, send)
            return
        status, began = 0, time.monotonic()

        async def noted(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            seconds = time.monotonic() - began
            logger.debug("%s %s %d %.3f s", scope["method"], scope["path"], status, seconds)
