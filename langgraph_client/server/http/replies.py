"""What all routes share: JSON in and out, errors as the protocol words them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from langgraph_client.server.encoding import decode, encode

MAX_BODY = 64 * 1024 * 1024
"""How many bytes a request may have."""
MAX_DEPTH = 150
"""How deep JSON in a request may be nested; what answers add around it can still be written."""
HEARTBEAT_SECONDS = 5.0


def reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a value as a JSON response."""
    return Response(encode(value), status, headers, media_type="application/json")


def nothing(status: int = 204) -> Response:
    """Return a response without a body."""
    return Response(status_code=status)


def fail(
    status: int, detail: str | None = None, headers: Mapping[str, str] | None = None
) -> HTTPException:
    """Return the exception that answers a request with `{"detail": ...}`."""
    return HTTPException(status, detail, headers)


async def read_json(request: Request) -> Any:
    """Return a request's JSON body.

    Raises:
        HTTPException: 422 if it is not JSON (an empty one is not), 413 if it is too long.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise fail(413, f"Request body is longer than {MAX_BODY} bytes")
    try:
        value = decode(bytes(body))
    except ValueError:
        raise fail(422, "Invalid JSON in request body") from None
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _is_deep(value):
        raise fail(422, f"Request body is nested deeper than {MAX_DEPTH} levels")
    return value


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            item
            for inner in level
            if isinstance(inner, (dict, list))
            for item in (inner.values() if isinstance(inner, dict) else inner)
        ]
        if not level:
            return False
    return True


def uuid_text(text: str, detail: str, status: int = 422) -> str:
    """Return an id in its canonical form, lower case with dashes.

    Raises:
        HTTPException: With this status and detail, if it is not a UUID.
    """
    try:
        return str(uuid.UUID(text))
    except (ValueError, AttributeError):
        raise fail(status, detail) from None


def page(offset: int, limit: int, shown: int, more: bool) -> dict[str, str]:
    """Return the headers of one page of a search.

    The total is no total: while there are more it says "one more, at least".
    """
    if not more:
        return {"x-pagination-total": str(offset + shown)}
    following = offset + limit
    return {"x-pagination-next": str(following), "x-pagination-total": str(following + 1)}


def truth(text: str | None) -> bool:
    """Return what a query parameter such as `wait=yes` says."""
    return (text or "").lower() in ("true", "yes", "1")
