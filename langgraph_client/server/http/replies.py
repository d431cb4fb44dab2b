"""The common parts of all routes: read and write JSON, and the protocol's error responses."""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from langgraph_client.server.encoding import encode_blanked
from langgraph_client.server.errors import Denied, ServerError, Unavailable
from langgraph_client.server.http.client_json import decode_limited

logger = logging.getLogger("langgraph_client.server")

MAX_BODY = 64 * 1024 * 1024
"""The most bytes of a request's body, after decompression."""
REQUEST_BODY = "Request body"
BODY_SECONDS = 60.0
"""The most seconds between two pieces of a request's body."""
HEARTBEAT_SECONDS = 5.0
_INFLATED = ("gzip", "x-gzip", "deflate")


def reply(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a value as a JSON response."""
    return encoded_reply(encode_blanked(value), status, headers)


def encoded_reply(content: bytes, status: int, headers: Mapping[str, str] | None) -> Response:
    """Return JSON that is encoded already as a response."""
    return Response(content, status, headers, media_type="application/json")


def empty(status: int = 204) -> Response:
    """Return a response without a body."""
    return Response(status_code=status)


async def refuse(
    scope: Scope,
    receive: Receive,
    send: Send,
    status: int,
    detail: str,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Respond to a request, or to the handshake of a WebSocket, with an error."""
    response = reply({"detail": detail}, status, headers)
    if scope["type"] == "websocket":
        await WebSocket(scope, receive, send).send_denial_response(response)
    else:
        await response(scope, receive, send)


def error_reply(error: ServerError, request: str) -> Response:
    """Return the response to a request that a domain function has refused.

    Args:
        error: The refusal.
        request: The method and path, for the log.
    """
    if isinstance(error, Unavailable) and error.cause:
        logger.warning("%s is answered with 503: %s", request, error)
    if isinstance(error, Denied):
        headers = error.headers
    else:
        headers = {"retry-after": "1"} if error.status == 503 else None
    return reply({"detail": error.detail}, error.status, headers)


def http_error(
    status: int, detail: str | None = None, headers: Mapping[str, str] | None = None
) -> HTTPException:
    """Return the exception for an error response with the body `{"detail": ...}`."""
    return HTTPException(status, detail, headers)


NOT_JSON = (422, "Invalid JSON in request body")
"""The default status and detail of the response to a body that is not JSON."""


async def read_json(request: Request, not_json: tuple[int, str] = NOT_JSON) -> object:
    """Return a request's JSON body.

    Args:
        request: The request.
        not_json: Status and detail of the response if the body is empty or not JSON.

    Raises:
        HTTPException: With the status of `not_json`; 413 if the body is too long, 415 if its
            compression is not supported, 400 if it is not compressed as its header says, 408 if
            the client stops sending.
        Invalid: It is nested too deep, or has too many arrays and objects.
    """
    _, body = await read_body(request)
    try:
        return decode_limited(body, REQUEST_BODY)
    except ValueError:
        raise http_error(*not_json) from None


async def read_body(request: Request) -> tuple[bytes, bytes]:
    """Return a request's body, as it was sent and decompressed.

    Raises:
        HTTPException: As `read_json`, except that the body need not be JSON.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "", *_INFLATED):
        detail = f"Content-Encoding {encoding!r} is not read; use gzip, or none"
        raise http_error(415, detail, {"accept-encoding": "gzip, deflate"})
    # 32 + 15: detect gzip's and zlib's headers, and take the window's size from them.
    inflater = zlib.decompressobj(wbits=47) if encoding in _INFLATED else None
    body = bytearray()
    sent = body if inflater is None else bytearray()
    now = asyncio.get_running_loop().time
    try:
        async with asyncio.timeout(BODY_SECONDS) as limit:
            async for chunk in request.stream():
                # Against a small body that inflates to gigabytes: at most one byte over the limit.
                room = MAX_BODY + 1 - len(body)
                body += chunk if inflater is None else inflater.decompress(chunk, room)
                if inflater is not None:
                    sent += chunk
                    if inflater.unused_data:
                        detail = f"Request body goes on after the end of its {encoding} data"
                        raise http_error(400, detail)
                if max(len(body), len(sent)) > MAX_BODY:
                    raise http_error(413, f"Request body is longer than {MAX_BODY} bytes")
                limit.reschedule(now() + BODY_SECONDS)
    except TimeoutError:
        raise http_error(
            408, f"Nothing of the request body came for {BODY_SECONDS:.0f} s"
        ) from None
    except zlib.error:
        raise http_error(400, f"Request body is not {encoding}, as Content-Encoding says") from None
    if inflater is not None and sent and not inflater.eof:
        raise http_error(400, f"Request body is {encoding} that is not complete")
    whole = bytes(body)
    return (whole if inflater is None else bytes(sent)), whole


def page(offset: int, limit: int, shown: int, more: bool) -> dict[str, str]:
    """Return the headers of one page of a search.

    As on the real server, the total is exact only on the last page. Before that, it means that
    there is one more at least.
    """
    if not more:
        return {"x-pagination-total": str(offset + shown)}
    following = offset + limit
    return {"x-pagination-next": str(following), "x-pagination-total": str(following + 1)}
