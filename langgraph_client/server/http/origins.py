"""Which web pages may call a port."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from langgraph_client.server.http.listener import is_loopback
from langgraph_client.server.http.prefix import Prefix
from langgraph_client.server.http.replies import refuse
from langgraph_client.server.options import Cors

logger = logging.getLogger("langgraph_client.server")

EXPOSED = ["x-pagination-total", "x-pagination-next", "content-location"]
_PRIVATE = "access-control-request-private-network"


class Origins:
    """Decides which web pages may call a port, and answers their preflights.

    A browser sends requests of any page to any address, and only keeps the answer from the page. A
    server on loopback without a key therefore refuses what comes from other pages (`Origin`), and
    what was looked up under a name that is not its own (`Host`), as a page can have its own name
    point to 127.0.0.1. The content type tells nothing: LangGraph Studio sends text/plain.

    Args:
        app: The app behind it.
        cors: The origins whose pages may call, besides those on this machine, and how.
        check_origin: Refuse requests of other pages; without, only their answers are withheld.
        check_host: Refuse requests that do not name this machine as their host.
    """

    def __init__(self, app: ASGIApp, cors: Cors, *, check_origin: bool, check_host: bool) -> None:
        everyone = "*" in cors.allow_origins
        self._check_origin = check_origin and not everyone
        self._check_host = check_host and not everyone
        self._app = app
        self._cors = _Cors(
            app,
            allow_origins=[origin.rstrip("/") for origin in cors.allow_origins],
            allow_origin_regex=cors.allow_origin_regex,
            allow_methods=cors.allow_methods,
            allow_headers=cors.allow_headers,
            allow_credentials=cors.allow_credentials,
            expose_headers=[*EXPOSED, *cors.expose_headers],
            max_age=cors.max_age,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or not."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if wrong := self._wrong(headers.get("host", ""), origin):
            method = scope.get("method", "WebSocket")
            logger.warning("refused %s %s: %s", method, scope["path"], wrong)
            await refuse(scope, receive, send, 403, wrong)
            return
        if scope["type"] == "websocket":  # which has no preflight, nor headers of an answer
            await self._app(scope, receive, send)
            return
        if headers.get(_PRIVATE) and origin is not None and self._cors.is_allowed_origin(origin):
            # Chrome asks whether a page may call this machine. Starlette refuses that before
            # release 0.51, and has an option for it from there on.
            kept = [header for header in scope["headers"] if header[0] != _PRIVATE.encode()]
            scope = {**scope, "headers": kept}
            send = _with_header(send, "access-control-allow-private-network", "true")
        await self._cors(scope, receive, send)

    def _wrong(self, host: str, origin: str | None) -> str | None:
        if self._check_host and not is_loopback(_name_of(f"//{host}")):
            return (
                f"Host {host!r} is not this machine. Call http://127.0.0.1, or serve with an API"
                " key (--api-key) or for every page (--cors '*')"
            )
        if self._check_origin and origin is not None and not self._cors.is_allowed_origin(origin):
            return (
                f"Pages of {origin!r} may not call this server. Name the origin (--cors {origin}),"
                " or serve with an API key (--api-key)"
            )
        return None


def guarded(app: ASGIApp, cors: Cors, prefix: str, has_key: bool, local: bool) -> Origins:
    """Return an application as it stands on a port.

    Args:
        app: The application.
        cors: Which web pages may call.
        prefix: The path that it is below, empty for none.
        has_key: Whether requests must carry a key, which no other page has.
        local: Whether the port can be reached from this machine only.
    """
    return Origins(
        Prefix(app, prefix) if prefix else app,
        cors,
        check_origin=not has_key,
        check_host=not has_key and local,
    )


class _Cors(CORSMiddleware):
    """Starlette's, which also allows the pages that this machine serves, on any port."""

    def is_allowed_origin(self, origin: str) -> bool:
        """Return whether the pages of an origin may call."""
        on_this_machine = origin.startswith(("http://", "https://")) and is_loopback(
            _name_of(origin)
        )
        return on_this_machine or super().is_allowed_origin(origin)


def _name_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # such as half an IPv6 address
        return ""


def _with_header(send: Send, name: str, value: str) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)[name] = value
        await send(message)

    return sent
