"""Decide which web pages may call a port."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from langgraph_client.server.http.listener import is_loopback
from langgraph_client.server.http.prefix import Prefix, logged_path
from langgraph_client.server.http.replies import refuse
from langgraph_client.server.options import Cors

logger = logging.getLogger("langgraph_client.server")

EXPOSED = ["x-pagination-total", "x-pagination-next", "content-location"]
_PRIVATE = "access-control-request-private-network"


class Origins:
    """Decides which web pages may call a port, and handles their preflight requests.

    A browser sends requests of any page to any address, and only hides the response from the page.
    So a server on loopback without a key refuses requests of other pages (`Origin`). It also
    refuses requests for another host name (`Host`), because the owner of a page can let a name
    point to 127.0.0.1 (DNS rebinding). The content type does not help to tell pages apart:
    LangGraph Studio sends text/plain.

    Args:
        app: The application.
        cors: The allowed origins besides those on this machine, and other CORS settings.
        check_origin: Whether to refuse requests of other pages. If not, browsers only hide the
            responses from them.
        check_host: Whether to refuse requests whose host is not this machine.
        allow_own: Whether pages of the host that a request is for may call: pages of this server.
    """

    def __init__(
        self,
        app: ASGIApp,
        cors: Cors,
        *,
        check_origin: bool,
        check_host: bool,
        allow_own: bool = False,
    ) -> None:
        everyone = "*" in cors.allow_origins
        self._check_origin = check_origin and not everyone
        self._check_host = check_host and not everyone
        self._allow_own = allow_own
        self._app = app
        self._cors = _LocalCors(
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
        """Pass a request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if refusal := self._refusal(headers.get("host", ""), origin):
            method = scope.get("method", "WebSocket")
            logger.warning("refused %s %s: %s", method, logged_path(scope), refusal)
            await refuse(scope, receive, send, 403, refusal)
            return
        if scope["type"] == "websocket":  # It has no preflight request, and no CORS headers.
            await self._app(scope, receive, send)
            return
        if headers.get(_PRIVATE) and origin is not None and self._cors.is_allowed_origin(origin):
            # Chrome's preflight asks for private network access. Starlette refuses that before
            # version 0.51, and has an option for it from then on, so it is handled here.
            headers_kept = [header for header in scope["headers"] if header[0] != _PRIVATE.encode()]
            scope = {**scope, "headers": headers_kept}
            send = _with_header(send, "access-control-allow-private-network", "true")
        await self._cors(scope, receive, send)

    def _refusal(self, host: str, origin: str | None) -> str | None:
        if self._check_host and not is_loopback(_name_of(f"//{host}")):
            return (
                f"Host {host!r} is not this machine. Call http://127.0.0.1, or serve with an API"
                " key (--api-key) or for every page (--cors '*')"
            )
        if self._allow_own and origin in (f"http://{host}", f"https://{host}"):
            return None
        if self._check_origin and origin is not None and not self._cors.is_allowed_origin(origin):
            return (
                f"Pages of {origin!r} may not call this server. Name the origin (--cors {origin}),"
                " or serve with an API key (--api-key)"
            )
        return None


def with_origin_checks(
    app: ASGIApp, cors: Cors, prefix: str, *, has_key: bool, has_auth: bool, local: bool
) -> Origins:
    """Return an application with the checks for a port.

    Args:
        app: The application.
        cors: The CORS settings.
        prefix: The path under which it is served; empty for none.
        has_key: Whether requests need an API key, which other pages do not have.
        has_auth: Whether an `Auth` authenticates requests.
        local: Whether the port can be reached from this machine only.
    """
    return Origins(
        Prefix(app, prefix) if prefix else app,
        cors,
        check_origin=not has_key,
        check_host=not has_key and local,
        # Without an `Auth`, a page could let its name point to this server (DNS rebinding).
        allow_own=has_auth and not local,
    )


class _LocalCors(CORSMiddleware):
    """Starlette's CORS middleware, which also allows pages from this machine, on any port."""

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
