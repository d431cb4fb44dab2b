"""What stands in front of the routes: the API key, and CORS."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from langgraph_client.server.http.replies import reply

EXPOSED = ["x-pagination-total", "x-pagination-next", "content-location"]


class ApiKey:
    """Answers 401 to requests without the key, on every path but `/ok`."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app = app
        self._key = key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or not."""
        if scope["type"] == "http" and scope["path"] != "/ok" and scope["method"] != "OPTIONS":
            given = dict(scope["headers"]).get(b"x-api-key", b"")
            if not hmac.compare_digest(given, self._key):
                answer = reply({"detail": "Missing or wrong x-api-key"}, 401)
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)


def guards(api_key: str | None, cors: Sequence[str]) -> list[Middleware]:
    """Return the middleware.

    Args:
        api_key: What requests must carry as `x-api-key`; None for nothing.
        cors: The origins whose pages may call; `*` for all, none to leave CORS out.
    """
    found: list[Middleware] = []
    if cors:
        found.append(
            Middleware(
                CORSMiddleware,
                allow_origins=list(cors),
                allow_methods=["*"],
                allow_headers=["*"],
                expose_headers=EXPOSED,
            )
        )
    if api_key is not None:
        found.append(Middleware(ApiKey, key=api_key))
    return found
