"""Turn error responses into exceptions, and decide which failures are worth another attempt."""

from __future__ import annotations

import email.utils
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import httpx

from langgraph_client._core.codec import decode
from langgraph_client._core.exchange import FailureKind, NoAnswer, raw_headers
from langgraph_client.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InternalServerError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RemoteException,
    UnprocessableEntityError,
)

_BY_STATUS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableEntityError,
    429: RateLimitError,
}
_TRANSIENT = frozenset({429, 502, 503, 504})
_MAX_MESSAGE_CHARS = 2000
_PASSING = (FailureKind.BROKEN, FailureKind.TIMED_OUT)

_MAX_URL = 60_000  # Characters.


@dataclass(frozen=True)
class RetryPolicy:
    """When and how often a request is sent again.

    A request that never reached the server (connection refused, DNS) is always repeated. A request
    that may have reached the server, or was answered with 429, 502, 503 or 504, is repeated only if
    a second execution does no harm (reading, searching, counting, `store.put_item` and
    `delete_item`, `assistants.set_latest`, `create` with an id and `if_exists="do_nothing"`), or if
    it starts a run and the server supports idempotency keys (see `starts`). A server's
    `Retry-After` replaces the computed pause.

    Attributes:
        max_attempts: The most times that a request is sent; 1 turns repeating off.
        initial: Seconds before the second attempt; doubled for each further one.
        maximum: The longest pause between attempts in seconds, unless the server asks for more.
        jitter: Up to this many seconds are added to a pause at random, so that many clients do not
            retry at the same moment.
        max_retry_after: If a server asks for a longer pause than this, in seconds, its error is
            raised at once.
        starts: What happens if the response to a call that starts a run is lost, so that the run
            is neither lost nor started twice. Each such call has its own key, which is sent as
            `Idempotency-Key`. `"key"`: the call is sent again if the server says, in `GET /info`,
            that it starts one run per key; otherwise the failure is raised. `"find"`: the key is
            also put into the run's metadata as `idempotency_key` if the server does not support the
            header, and the run is searched for in its thread's list.
    """

    max_attempts: int = 3
    initial: float = 0.5
    maximum: float = 8.0
    jitter: float = 0.25
    max_retry_after: float = 60.0
    starts: Literal["key", "find"] = "key"

    def __post_init__(self) -> None:
        attempts: object = self.max_attempts
        if isinstance(attempts, bool) or not isinstance(attempts, int) or attempts < 1:
            raise InvalidArgumentError("max_attempts", f"must be 1 or more, not {attempts!r}")
        for name in ("initial", "maximum", "jitter", "max_retry_after"):
            seconds = getattr(self, name)
            if not isinstance(seconds, int | float) or not 0 <= seconds < float("inf"):
                raise InvalidArgumentError(name, "must be a number of seconds, 0 or more")
        if self.starts not in ("key", "find"):
            raise InvalidArgumentError("starts", f"must be 'key' or 'find', not {self.starts!r}")


def may_wait(policy: RetryPolicy, error: BaseException) -> bool:
    """Return whether the server asks for no pause, or for one within `max_retry_after`."""
    server_pause = error.retry_after if isinstance(error, APIStatusError) else None
    return server_pause is None or server_pause <= policy.max_retry_after


def retry_pause(
    policy: RetryPolicy, attempt: int, error: BaseException | None, random: float
) -> float:
    """Return the seconds to wait after an attempt.

    Args:
        policy: The policy of the client.
        attempt: The number of the attempt that failed, from 1.
        error: Its error; a `Retry-After` in it replaces the computed pause.
        random: A random number between 0 and 1, for the jitter.
    """
    server_pause = error.retry_after if isinstance(error, APIStatusError) else None
    if server_pause is not None:
        return server_pause
    # Bounded: a float has no room for 2 ** 1024.
    doubled: float = policy.initial * 2 ** min(attempt - 1, 64)
    return min(doubled, policy.maximum) + policy.jitter * random


def worth_repeating(error: BaseException, *, safe: bool) -> bool:
    """Return whether a request may succeed and does no harm when it is sent again."""
    if isinstance(error, APIStatusError):
        return safe and error.status_code in _TRANSIENT
    if isinstance(error, NoAnswer):
        return error.kind.never_sent or (safe and error.kind in _PASSING)
    return False


def status_error(
    *,
    method: str,
    url: str,
    status: int,
    headers: Mapping[str, str],
    content: bytes,
    now: datetime,
) -> APIStatusError:
    """Return the exception for a response with an error status. `content` is its body."""
    body = _body(content)
    kind = _BY_STATUS.get(status)
    if kind is None:
        kind = InternalServerError if status >= 500 else APIStatusError
    # `content` is decompressed already. With these headers, httpx would decompress it again.
    dropped = ("content-encoding", "content-length", "transfer-encoding")
    response = httpx.Response(
        status,
        headers=raw_headers({k: v for k, v in headers.items() if k.lower() not in dropped}),
        content=content,
        # Without the headers, which hold the key. httpx refuses longer URLs, with an error that
        # would hide this one.
        request=httpx.Request(method, url[:_MAX_URL]),
    )
    return kind(
        _server_message(body) or f"{status} {httpx.codes.get_reason_phrase(status)}".strip(),
        response=response,
        body=body,
        retry_after=retry_after(headers.get("retry-after"), now),
    )


def _body(content: bytes) -> object:
    if not content.strip():
        return None
    try:
        return decode(content)
    except ValueError:
        return content.decode("utf-8", "replace")


def _server_message(body: object) -> str:
    """Return the message in an error's body; the whole body if it has none of the known fields.

    A page of a proxy has no message: its markup says less than the status.
    """
    details = body
    if isinstance(details, dict) and isinstance(details.get("error"), dict):
        details = {**details["error"], **{k: v for k, v in details.items() if k != "error"}}
    if isinstance(details, dict):
        details = next((details[k] for k in ("message", "detail", "error") if details.get(k)), body)
    text = details if isinstance(details, str) else str(details) if details else ""
    text = text.strip()
    if isinstance(body, str) and text.startswith("<"):
        return ""
    return text if len(text) <= _MAX_MESSAGE_CHARS else text[:_MAX_MESSAGE_CHARS] + " ..."


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Return the seconds that a `Retry-After` header asks for, as a number or a date.

    None if there is no header, if it cannot be read, or if it is a date and `now` is None.
    """
    if not value:
        return None
    value = value.strip()
    if value.isascii() and value.replace(".", "", 1).isdigit():
        return float(value)
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if now is None:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def run_failure(
    output: object, run_id: str | None, thread_id: str | None
) -> RemoteException | None:
    """Return the error that a run's result reports; None if the run succeeded."""
    if not isinstance(output, dict) or not (error := output.get("__error__")):
        return None
    if not isinstance(error, dict):
        return RemoteException("Error", str(error), run_id=run_id, thread_id=thread_id)
    return RemoteException(
        str(error.get("error") or "Error"),
        str(error.get("message") or ""),
        run_id=run_id,
        thread_id=thread_id,
        node=error["node"] if isinstance(error.get("node"), str) else None,
    )


def is_missing_run(output: object) -> bool:
    """Return whether a run's result says that there is no such run."""
    failure = run_failure(output, None, None)
    return failure is not None and failure.message == "404: Run not found"
