"""One HTTP exchange as values: the request, and why there is no answer."""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple
from urllib.parse import quote

import httpx

from langgraph_client.errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APITimeoutError,
    made_alike,
)

SILENT = "the server fell silent"  # What a timeout says where the time was shorter than usual.
_TARGET = re.compile(r"[!-~]*")


class Request(NamedTuple):
    """What is sent to the server's origin.

    Attributes:
        method: The HTTP method.
        target: Path and query, quoted.
        headers: Names in lower case.
        content: The body; None for none.
    """

    method: str
    target: str
    headers: dict[str, str]
    content: bytes | None = None


def quoted_target(target: str) -> str:
    """Return a path and query with nothing in it that a request's first line cannot have."""
    if _TARGET.fullmatch(target):
        return target
    return quote(target, safe="".join(map(chr, range(0x21, 0x7F))))


class Kind(Enum):
    """What kept an exchange from being finished."""

    NEVER_SENT = "connection failed"  # Not a byte reached the server.
    TIMED_OUT_BEFORE = "timed out"  # Likewise.
    TIMED_OUT = "timed out "
    BROKEN = "connection failed "
    CLOSED = "the client is closed"
    UNREADABLE = "the answer's encoding is broken"
    NO_URL = "not a URL that a request can be sent to"


class NoAnswer(Exception):
    """An exchange was not finished. Its cause is the HTTP library's own error.

    Args:
        kind: Why.
        detail: The library's words; the step, of a timeout.
        alike: The class of httpx that says the same: programs catch it.
    """

    def __init__(self, kind: Kind, detail: str = "", alike: type = httpx.TransportError) -> None:
        super().__init__(kind, detail)
        self.kind = kind
        self.detail = detail
        self.alike = alike

    @property
    def never_sent(self) -> bool:
        """Whether it is certain that the server got nothing."""
        return self.kind in (Kind.NEVER_SENT, Kind.TIMED_OUT_BEFORE)

    def as_error(self, method: str, url: str) -> APIError:
        """Return the error that callers see."""
        said = self.kind.value.strip()
        if self.kind in (Kind.TIMED_OUT, Kind.TIMED_OUT_BEFORE):
            said = self.detail if self.detail == SILENT else f"{said} ({self.detail})"
            late = made_alike(APITimeoutError, self.alike)
            return late(message=said, method=method, url=url)
        said = f"{said}: {self.detail}" if self.detail else said
        if self.kind is Kind.UNREADABLE:
            return APIResponseValidationError(said, method=method, url=url)
        return made_alike(APIConnectionError, self.alike)(said, method=method, url=url)
