"""One HTTP exchange as values: the request, and the reason why there is no response."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from enum import Enum
from typing import NamedTuple
from urllib.parse import quote

import httpx

from langgraph_client._core.connection import TimeLimits
from langgraph_client.errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APITimeoutError,
    made_alike,
)

# The message of a timeout that is due to missing heartbeats, not to the read timeout.
SILENT = "the server sent no event or heartbeat in time"
_TARGET = re.compile(r"[!-~]*")


class Opening:
    """Ends the wait for a response's head from another task or thread: nothing else wakes a thread.

    An HTTP client or transport that the caller brought cannot be woken. There, only the next
    attempt is not made.
    """

    def __init__(self) -> None:
        self.is_left = False
        self._abort: Callable[[], None] | None = None
        # While `leave` aborts, the connection must not go on to another request.
        self._lock = threading.Lock()

    def began(self, abort: Callable[[], None]) -> None:
        """Note that a connection begins to wait; `abort` closes it.

        Raises:
            NoAnswer: The response is not wanted any more.
        """
        with self._lock:
            if self.is_left:
                raise left()
            self._abort = abort

    def ended(self) -> None:
        """Note that the wait is over."""
        with self._lock:
            self._abort = None

    def leave(self) -> None:
        """End the wait, and all further ones, with `NoAnswer`."""
        with self._lock:
            self.is_left = True
            if self._abort is not None:
                self._abort()


class Request(NamedTuple):
    """A request to the server's origin.

    Attributes:
        method: The HTTP method.
        target: Path and query, quoted.
        headers: The headers, with names in lower case.
        content: The body; None for no body.
        opening: With what another task or thread can end the wait for the response; None if none.
    """

    method: str
    target: str
    headers: dict[str, str]
    content: bytes | None = None
    opening: Opening | None = None


def left() -> NoAnswer:
    """Return the reason if an `Opening` has ended the wait."""
    return NoAnswer(FailureKind.CLOSED, "nobody waits for the response any more")


def quoted_target(target: str) -> str:
    """Return a path and query in which every character is allowed in a request line."""
    if _TARGET.fullmatch(target):
        return target
    return quote(target, safe="".join(map(chr, range(0x21, 0x7F))))


def raw_headers(headers: Mapping[str, str]) -> dict[bytes, bytes]:
    """Return a response's headers as bytes. HTTP allows any byte in a value, not only ASCII."""
    raw = {}
    for name, value in headers.items():
        try:
            content = value.encode("latin-1")
        except UnicodeEncodeError:  # httpx has decoded it as UTF-8.
            content = value.encode()
        raw[name.encode("latin-1")] = content
    return raw


# asyncio, sockets and anyio say in different words that nobody listens.
_REFUSED = re.compile("refused|Connect call failed|All connection attempts failed")


def _allowed(step: str, limits: TimeLimits | None) -> str:
    """Return what to add to the message of a timeout: how long the step and the call might take."""
    seconds = None if limits is None else getattr(limits.steps, step, None)
    parts = [] if seconds is None else [f"timeout= allows {seconds:g} s for this step"]
    if limits is not None and limits.whole is not None:
        parts.append(f"deadline= allows {limits.whole:g} s for the call")
    return f"; {', '.join(parts)}" if parts else ""


class FailureKind(Enum):
    """Why an exchange was not completed.

    Attributes:
        text: The beginning of the error's message.
        never_sent: Whether the request can be sent again because the server received nothing of it.
    """

    NEVER_SENT = ("connection failed", True)
    BROKEN = ("connection failed", False)
    TIMED_OUT_BEFORE = ("timed out", True)
    TIMED_OUT = ("timed out", False)
    # Nothing was sent, but a further attempt would end the same way. So it is with `NO_URL`.
    CLOSED = ("the client is closed", False)
    UNREADABLE = ("the response's body cannot be decompressed", False)
    TOO_LARGE = ("the response is too large", False)
    NO_URL = ("not a URL that a request can be sent to", False)

    def __init__(self, text: str, never_sent: bool) -> None:
        self.text = text
        self.never_sent = never_sent


class NoAnswer(Exception):
    """An exchange was not completed. `__cause__` is the HTTP library's own error.

    Args:
        kind: The reason.
        detail: The library's message; for a timeout, the step that took too long.
        alike: The httpx class of the same error. The error that callers see is a subclass of it.
    """

    def __init__(
        self, kind: FailureKind, detail: str = "", alike: type = httpx.TransportError
    ) -> None:
        super().__init__(kind, detail)
        self.kind = kind
        self.detail = detail
        self.alike = alike

    def as_error(self, method: str, url: str, limits: TimeLimits | None = None) -> APIError:
        """Return the public exception for this failure.

        Args:
            method: The request's method.
            url: Its URL.
            limits: The time limits, for the message of a timeout.
        """
        message = self.kind.text
        if self.kind in (FailureKind.TIMED_OUT, FailureKind.TIMED_OUT_BEFORE):
            is_step = self.detail != SILENT
            message = (
                f"{message} ({self.detail}){_allowed(self.detail, limits)}" if is_step else SILENT
            )
            late = made_alike(APITimeoutError, self.alike)
            return late(message=message, method=method, url=url)
        message = f"{message}: {self.detail}" if self.detail else message
        if self.kind is FailureKind.NEVER_SENT and _REFUSED.search(self.detail):
            message += ". Is the server running at this address?"
        if self.kind in (FailureKind.UNREADABLE, FailureKind.TOO_LARGE):
            return APIResponseValidationError(message, method=method, url=url)
        error = made_alike(APIConnectionError, self.alike)(message, method=method, url=url)
        error.is_final = self.kind in (FailureKind.CLOSED, FailureKind.NO_URL)
        return error
