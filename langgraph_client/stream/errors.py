"""Errors of a thread stream, for code that reads its events itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from langgraph_client.errors import ProtocolError

__all__ = ["is_non_retryable_stream_error", "protocol_error", "stream_error_frame"]

_TIMEOUT, _TOO_MANY = 408, 429


def protocol_error(response: Mapping[str, Any]) -> ProtocolError:
    """Return the error for a reply `{"type": "error"}`; it is a `RuntimeError` too.

    Args:
        response: The reply to a command.
    """
    return ProtocolError(str(response.get("error", "unknown")), str(response.get("message", "")))


def stream_error_frame(event: object) -> ProtocolError | None:
    """Return the error that a server sends before it closes the stream; None for other events.

    Args:
        event: An event of the stream.
    """
    if not isinstance(event, Mapping) or event.get("type") != "error":
        return None
    return protocol_error(event) if event.get("id") is None else None


def is_non_retryable_stream_error(error: BaseException | None) -> bool:
    """Return whether a new attempt to open the stream would be refused too.

    Args:
        error: The error that ended the stream or refused it.
    """
    if not isinstance(error, httpx.HTTPStatusError):
        return False
    status = error.response.status_code
    return 400 <= status < 500 and status not in (_TIMEOUT, _TOO_MANY)
