"""Forward the requests of the local page to a server, with that server's key."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from langgraph_client._core.connection import has_proxy, ssl_context
from langgraph_client._core.settings import Settings

_REQUEST = (
    "accept",
    "accept-encoding",
    "content-type",
    "idempotency-key",
    "last-event-id",
    "prefer",
)
_RESPONSE = (
    "content-encoding",
    "content-location",
    "content-type",
    "retry-after",
    "x-pagination-next",
    "x-pagination-total",
)
_TIMEOUT = httpx.Timeout(300, connect=5)


@asynccontextmanager
async def http_client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Open the HTTP client for the requests, with the certificates and proxies of our clients."""
    async with httpx.AsyncClient(
        timeout=_TIMEOUT,
        limits=httpx.Limits(max_connections=200, max_keepalive_connections=20),
        verify=ssl_context(True, encrypted=settings.encrypted),
        trust_env=has_proxy(settings.url),
    ) as client:
        yield client


class Forward:
    """An ASGI app that forwards each request to a server, and streams the response back.

    The server's key stays here. The page sends a token of this process instead, as `x-api-key`,
    which other users of the machine and other pages do not know.

    Args:
        client: Sends the requests.
        settings: The server's URL, and the headers with its key.
        token: The token that requests must have.
    """

    def __init__(self, client: httpx.AsyncClient, settings: Settings, token: str) -> None:
        self._client = client
        self._settings = settings
        self._token = token.encode()
        self._streams: set[httpx.Response] = set()  # The open event streams of the server.

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "websocket":  # which the page does not use
            await send({"type": "websocket.close", "code": 1008})
            return
        request = Request(scope, receive)
        if scope["path"] == "/" and "text/html" in request.headers.get("accept", ""):
            await RedirectResponse("/ui/")(scope, receive, send)
            return
        refusal = self._refusal(request)
        answer = JSONResponse({"detail": refusal}, 401) if refusal else await self._forward(request)
        await answer(scope, receive, send)

    def _refusal(self, request: Request) -> str | None:
        # Pages on other ports of this machine have another origin, but are of the same site.
        if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return "Pages of other origins may not call this server"
        token = request.headers.get("x-api-key", "").encode()
        if not hmac.compare_digest(token, self._token):
            return "Open the address that the command printed: it carries the token of this page"
        return None

    async def _forward(self, request: Request) -> Response:
        path = request.scope.get("raw_path") or request.scope["path"].encode()
        # `@host/path` behind the server's URL would be the path of another host, which would get
        # the server's key.
        if not path.startswith(b"/"):
            return JSONResponse({"detail": "The target of a request must begin with /"}, 400)
        query = request.scope["query_string"]
        url = f"{self._settings.url}{path.decode('ascii')}{'?' if query else ''}{query.decode()}"
        kept = {name: request.headers[name] for name in _REQUEST if name in request.headers}
        try:
            body = await request.body()
            outgoing = self._client.build_request(
                request.method, url, content=body, headers={**kept, **self._settings.headers}
            )
            answer = await self._client.send(outgoing, stream=True)
        except ClientDisconnect:
            return Response(status_code=499)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            text = str(error) or type(error).__name__
            return JSONResponse({"detail": f"{self._settings.url} does not answer: {text}"}, 502)
        headers = {name: answer.headers[name] for name in _RESPONSE if name in answer.headers}
        return StreamingResponse(self._body(answer), answer.status_code, headers)

    async def _body(self, answer: httpx.Response) -> AsyncIterator[bytes]:
        is_stream = answer.headers.get("content-type", "").startswith("text/event-stream")
        if is_stream:
            self._streams.add(answer)
        try:
            async for chunk in answer.aiter_raw():
                yield chunk
        except httpx.TransportError:
            if not is_stream:  # If a stream ends early, the page requests the rest.
                raise
        finally:
            self._streams.discard(answer)
            await answer.aclose()

    async def end_streams(self) -> None:
        """End the open event streams, which would otherwise hold up the end of the command."""
        for answer in list(self._streams):
            await answer.aclose()
