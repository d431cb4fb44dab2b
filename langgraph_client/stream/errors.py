"""What fails on a thread stream, for code that reads its events itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from langgraph_client.errors import ProtocolError

__all__ = ["is_non_retryable_stream_error", "protocol_error", "stream_error_frame"]

_TIMEOUT, _TOO_MANY = 408, 429


def protocol_error(response: Mapping[str, Any]) -> ProtocolError:
    """Return the error of an answer `{"type": "error"}`, which is a `RuntimeError`.

    Args:
        response: The answer to a command.
    """
    return ProtocolError(str(response.get("error", "unknown")), str(response.get("message", "")))


def stream_error_frame(event: object) -> ProtocolError | None:
    """Return what a server says of its stream before it closes it; None for any other event.

    Args:
        event: What came on the stream.
    """
    if not isinstance(event, Mapping) or event.get("type") != "error":
        return None
    return protocol_error(event) if event.get("id") is None else None


def is_non_retryable_stream_error(error: BaseException | None) -> bool:
    """Return whether a stream that is opened again would be refused again.

    Args:
        error: What ended the stream, or refused it.
    """
    if not isinstance(error, httpx.HTTPStatusError):
        return False
    status = error.response.status_code
    return 400 <= status < 500 and status not in (_TIMEOUT, _TOO_MANY)
