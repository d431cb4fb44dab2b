# Generated from langgraph_client/_async/transport.py by .ci/unasync.py; do not edit.
"""Send the calls of all methods: repeated attempts, time limits, redirects and errors."""

from __future__ import annotations

import copy
import logging
import random
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode, urljoin, urlsplit

from langgraph_client._core.addresses import path_below
from langgraph_client._core.call import ANY, Call
from langgraph_client._core.codec import encode
from langgraph_client._core.connection import Steps, TimeLimits, Timeout, time_limits
from langgraph_client._core.deadline import Deadline
from langgraph_client._core.exchange import FailureKind, NoAnswer, Request, left, quoted_target
from langgraph_client._core.failure import (
    RetryPolicy,
    is_missing_run,
    may_wait,
    retry_pause,
    status_error,
    worth_repeating,
)
from langgraph_client._core.heartbeat import Cadence, Pulse
from langgraph_client._core.outage import ReconnectPolicy, is_passing
from langgraph_client._core.settings import Settings
from langgraph_client._core.starts import (
    content_location,
    findable,
    followed_by,
    found_in,
    search,
    without_key,
)
from langgraph_client._core.unset import Unset
from langgraph_client._core.whole_import import whole_import
from langgraph_client._io.threads import close_all, sleep
from langgraph_client._sync._httpx import as_response
from langgraph_client._sync.httpx_client import HttpxClientHolder
from langgraph_client._sync.pools import Answer, Pools
from langgraph_client.errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    NotFoundError,
)

if TYPE_CHECKING:
    from tenacity import RetryCallState, Retrying

T = TypeVar("T")

logger = logging.getLogger("langgraph_client")

_MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_SWITCHED = 101  # The HTTP status "Switching Protocols".
_QUOTED = 300  # How many bytes of a response an error message quotes.
_SEARCHES = (0.0, 0.25, 1.0)  # Seconds before each search: the server may not list the run yet.
# Not the global generator of `random`: a program that seeds it expects the same numbers each time.
_JITTER = random.SystemRandom()
_LONG = 5.0  # Seconds. A longer pause is logged as a warning.


class Transport:
    """Sends calls, repeats those that may be repeated, and raises this package's errors.

    Args:
        pools: Gives the sender for the current event loop.
        settings: The server's URL, and the headers for every request.
        retry: When a request is repeated.
        reconnect: When a stream is continued.
        time_limits: The limits of each step and of the whole request.
        httpx_client: The client of `client.http.client`, and the headers of every request.
        sleep: Waits for the given number of seconds; tests replace it.

    Attributes:
        time_limits: As passed.
        has_own_steps: Whether `with_waits` has set the limits of steps, so that no timeout that is
            set on an httpx client counts.
        max_reply_bytes: A longer reply is refused, so that a faulty server cannot fill the memory.
    """

    max_reply_bytes = 1024**3

    def __init__(
        self,
        pools: Pools,
        settings: Settings,
        *,
        retry: RetryPolicy,
        reconnect: ReconnectPolicy,
        time_limits: TimeLimits,
        httpx_client: HttpxClientHolder,
        sleep: Callable[[float], Any] = sleep,
    ) -> None:
        self._pools = pools
        self.settings = settings
        self.httpx_client = httpx_client
        self.reconnect = reconnect
        self.cadence = Cadence(reconnect.heartbeat_timeout)  # Of the server's event streams.
        self._cadence_of_waits = Cadence(reconnect.heartbeat_timeout)
        self.retry = retry
        self.time_limits = time_limits
        self.has_own_steps = False
        self._base = urlsplit(settings.url).path
        self.sleep = sleep
        self._reads_keys: bool | None = None  # Whether the server knows Idempotency-Key, if known.

    def with_waits(self, timeout: Timeout | None, deadline: float | None) -> Transport:
        """Return a transport with the same connections and other time limits; None keeps one."""
        given = time_limits(timeout, deadline)
        # Shallow: both share the connections, the learned heartbeats and the settings.
        other = copy.copy(self)
        other.has_own_steps = self.has_own_steps or timeout is not None
        other.time_limits = TimeLimits(
            self.time_limits.steps if timeout is None else given.steps,
            self.time_limits.whole if deadline is None else given.whole,
        )
        return other

    def _steps(self) -> Steps:
        """Return the limits of each step, as they are now."""
        steps = self.time_limits.steps
        return steps if self.has_own_steps else self.httpx_client.steps(steps)

    def close(self) -> None:
        """Close the connections, unless the caller passed its own HTTP client."""
        close_all(self._pools.close, self.httpx_client.close)

    def send(self, call: Call[T]) -> T:
        """Send a call and return the value of its response.

        Raises:
            APIError: The server cannot be reached or refuses the call, or its response is invalid.
        """
        return self._send(call, self._deadline())

    def _send(self, call: Call[T], deadline: Deadline) -> T:
        """Send a call, and what it needs besides, within one deadline."""
        try:
            answer, content = self._repeat(call, deadline, whole=True)
        except APIError as error:
            run_id = self.find_run(call, error, deadline)
            if run_id is None:
                raise
            # Not the call again: it could start a second run. The run that was found is asked.
            return self._send(self._followed_by(call, run_id), deadline)
        self._tell(call, answer, content)
        try:
            return self._read(call, answer, content)
        except APIResponseValidationError:
            # The run was started, but the response with its id was damaged on the way.
            if not call.starts or not self._starts_once(deadline):
                raise
        # Once: the same key gets the same run. Damage that comes back is the server's own.
        answer, content = self._repeat(call, deadline, whole=True)
        return self._read(call, answer, content)

    def wait(self, call: Call[T], *, reconnects: int = 5) -> T:
        """Send a call whose response may take long; request it again if it is cut or damaged.

        The server names in `Location` where the response can be requested again. Without one, the
        call itself is sent again if the server starts one run per key.

        Args:
            call: The call.
            reconnects: The most further requests.
        """
        return self._wait(call, self._deadline(), reconnects)

    def _wait(self, call: Call[T], deadline: Deadline, reconnects: int) -> T:
        request: Call[Any] = call
        is_told = False
        location = None
        # Why the result of a run that this call started was not received. If the run is then gone,
        # as stateless ones are at their end, this is the error, and not that it cannot be found.
        lost: APIError | None = None
        for attempt in range(reconnects + 1):
            try:
                answer, _ = self._repeat(request, deadline, whole=False)
            except APIError as error:
                if lost is not None and isinstance(error, NotFoundError):
                    raise lost from lost.__cause__
                run_id = self.find_run(request, error, deadline)
                if run_id is None:
                    raise
                return self._wait(self._followed_by(call, run_id), deadline, reconnects)
            content, problem = b"", None
            try:
                # A later response may name no location: the first one stays valid.
                location = self.location(request, answer) or location
                if not is_told:
                    self._tell(call, answer)
                    is_told = True
                content = self._content(answer, deadline, self._cadence_of_waits)
                if content.strip():
                    result = self._read(call, answer, content)
                    if lost is None or not is_missing_run(result):
                        return result
                    reconnects, problem = 0, lost
            except NoAnswer as error:
                problem = self._failure(request, error)
                problem.__cause__ = error.__cause__
            except APIResponseValidationError as error:
                problem = error
            finally:
                answer.close()
            if call.starts:
                lost = lost or problem or self._failure(request, NoAnswer(FailureKind.BROKEN))
            if isinstance(problem, APIResponseValidationError):
                # One more attempt only: an invalid result, unlike a damaged one, stays invalid.
                reconnects = min(reconnects, attempt + 1)
            is_last = attempt >= reconnects or deadline.is_over(monotonic())
            again = None if is_last else self._asked_again(call, location, deadline)
            if again is None:
                if problem is not None:
                    raise problem
                return self._read(call, answer, content)
            request = again
            pause = min(0.1 * 2**attempt, 4.0) if attempt else 0.0
            if not deadline.allows(pause, monotonic()):
                raise self._late(request, deadline)
            logger.info("the result of %s %s was cut; asking for it again", call.method, call.path)
            self.sleep(pause)
        raise AssertionError("unreachable")

    def _asked_again(
        self, call: Call[Any], location: str | None, deadline: Deadline
    ) -> Call[Any] | None:
        """Return the request for a result that was not received; None if there is none."""
        # Servers may delete a stateless run when it ends: its location is no use then.
        is_kept = location is not None and call.path.startswith("/threads/")
        if call.starts and not is_kept and self._starts_once(deadline):
            return call
        if location is None:
            return None
        headers = without_key(call.headers)
        return Call("GET", location, ANY, call.params, headers=headers, safe=True)

    def open(self, call: Call[Any]) -> Answer:
        """Open an event stream. The caller must close the response.

        Raises:
            APIError: The server cannot be reached or refuses the call, or does not send a stream.
        """
        deadline = self._deadline()
        answer, _ = self._repeat(call, deadline, whole=False)
        try:
            kind = answer.headers.get("content-type", "")
            if not kind.lower().startswith("text/event-stream"):
                body = answer.read(due=deadline.end)
                text = body[:_QUOTED].decode("utf-8", "replace").strip()
                raise APIResponseValidationError(
                    f"the response is not an event stream: {kind or 'no content type'}: {text!r}",
                    method=call.method,
                    url=self._url(call),
                    body=text,
                )
            self._tell(call, answer)
        except NoAnswer as error:
            answer.close()
            raise self._failure(call, error) from error.__cause__
        except BaseException:
            answer.close()
            raise
        return answer

    def upgrade(self, call: Call[Any]) -> Answer:
        """Ask the server to switch protocols. The caller must close the response.

        Raises:
            APIError: The server cannot be reached, refuses the call, or does not switch.
        """
        answer, _ = self._repeat(call, self._deadline(), whole=False)
        if answer.status != _SWITCHED:
            answer.close()
            raise APIResponseValidationError(
                f"the server does not switch protocols: it answered with status {answer.status}",
                method=call.method,
                url=self._url(call),
            )
        return answer

    def read(self, call: Call[Any], answer: Answer, seconds: float | None) -> bytes:
        """Read more of an event stream; `b""` at its end.

        Args:
            call: The call that opened the stream, for errors.
            answer: The response.
            seconds: How long to wait; None for the read timeout.

        Raises:
            APIError: The connection broke, or nothing was received in time.
        """
        try:
            return answer.read(seconds)
        except NoAnswer as error:
            raise self._failure(call, error) from error.__cause__

    def location(self, call: Call[Any], answer: Answer) -> str | None:
        """Return the path of `Location`, where the stream or result can be requested again."""
        return path_below(self._base, self._base + call.path, answer.headers.get("location"))

    # --- repeating ---

    def _deadline(self) -> Deadline:
        return Deadline(self.time_limits.whole, monotonic())

    def _repeat(self, call: Call[Any], deadline: Deadline, *, whole: bool) -> tuple[Answer, bytes]:
        """Return the response to a call; with its content if it is read as a `whole`."""
        request = self._request(call)
        try:
            return self._exchange(call, request, deadline, whole=whole)
        except (NoAnswer, APIStatusError) as error:
            # The first attempt is made without tenacity, which costs more than the request's own
            # work and is rarely needed.
            first: NoAnswer | APIStatusError | None = error
        try:
            for attempt in self._attempts(call, deadline):
                with attempt:
                    if first is not None:  # Tenacity's first attempt is the one that failed above.
                        failed, first = first, None
                        raise failed
                    return self._exchange(call, request, deadline, whole=whole)
        except NoAnswer as error:
            raise self._failure(call, error) from error.__cause__
        raise AssertionError("unreachable")

    def _attempts(self, call: Call[Any], deadline: Deadline) -> Retrying:
        """Return the attempts of a call."""
        # Not at the top: it is slow to import, and most programs never need it.
        with whole_import("tenacity"):
            from tenacity import Retrying
        pause: float | None = None

        def is_repeated(state: RetryCallState) -> bool:
            nonlocal pause
            error = state.outcome.exception() if state.outcome is not None else None
            pause = None
            if isinstance(error, NoAnswer | APIStatusError):
                pause = self._pause(call, deadline, state.attempt_number, error)
            return pause is not None

        return Retrying(
            sleep=self.sleep, retry=is_repeated, wait=lambda _: pause or 0.0, reraise=True
        )

    def _pause(
        self, call: Call[Any], deadline: Deadline, attempt: int, error: NoAnswer | APIStatusError
    ) -> float | None:
        """Return the seconds to wait after a failed attempt; None if it was the last one."""
        if attempt >= self.retry.max_attempts or not may_wait(self.retry, error):
            return None
        if not self._may_repeat(call, deadline, error):
            return None
        # If the deadline would end the pause, the error is raised at once instead.
        if not deadline.allows(retry_pause(self.retry, attempt, error, 1.0), monotonic()):
            return None
        pause = retry_pause(self.retry, attempt, error, _JITTER.random())
        logger.log(
            logging.WARNING if pause >= _LONG else logging.INFO,
            "%s %s failed (%s); trying again in %.2g s",
            call.method,
            call.path,
            _reason(error),
            pause,
        )
        return pause

    def _may_repeat(
        self, call: Call[Any], deadline: Deadline, error: NoAnswer | APIStatusError
    ) -> bool:
        if worth_repeating(error, safe=call.safe):
            return True
        # The server is asked only if the failure is one that depends on it.
        depends = call.starts and worth_repeating(error, safe=True)
        return depends and self._starts_once(deadline)

    # --- starting a run once ---

    def _starts_once(self, deadline: Deadline) -> bool:
        """Return whether the server starts one run per key. Its reply is kept."""
        if self._reads_keys is None:
            try:
                info = self._send(Call("GET", "/info", ANY, safe=True), deadline)
            except APIError:
                return False  # Not kept: the server may only be unreachable now.
            flags = info.get("flags") if isinstance(info, dict) else None
            self._reads_keys = isinstance(flags, dict) and flags.get("idempotency_key") is True
        return self._reads_keys

    def find_run(
        self, call: Call[Any], error: APIError, deadline: Deadline | None = None
    ) -> str | None:
        """Return the id of the run that a failed call has started; None if there is none.

        Only `RetryPolicy(starts="find")` turns the search on.

        Args:
            call: The call.
            error: How it failed.
            deadline: When the search must be over; None for the limit of a call of its own.
        """
        may_have_started = is_passing(error)
        if not call.starts or self.retry.starts != "find" or not may_have_started:
            return None
        question = search(call)
        if question is None:
            return None
        limit = self._deadline() if deadline is None else deadline
        for pause in _SEARCHES:
            if not limit.allows(pause, monotonic()):
                return None
            self.sleep(pause)
            try:
                run_id = found_in(call, self._send(question, limit))
            except APIError:
                continue
            if run_id is not None:
                logger.info(
                    "the response to POST %s was lost, but its run %s was found and is followed",
                    call.path,
                    run_id,
                )
                return run_id
        return None

    def _followed_by(self, call: Call[T], run_id: str) -> Call[T]:
        """Return the call that follows a run, in place of the one that has started it."""
        if call.on_headers is not None:
            call.on_headers(content_location(call, run_id))
        return followed_by(call, run_id)

    # --- one request ---

    def _url(self, call: Call[Any]) -> str:
        return self.settings.authority + self._target(call)

    def _target(self, call: Call[Any]) -> str:
        target = self._base + call.path
        if call.query:
            # A path from a `Location` header may have a query already.
            target = f"{target}{'&' if '?' in call.path else '?'}{urlencode(call.query)}"
        return quoted_target(target)

    def _request(self, call: Call[Any]) -> Request:
        if call.starts and self.retry.starts == "find":
            call = findable(call)
        headers = {"accept": "application/json", **self.httpx_client.headers, **call.headers}
        content = None
        if not isinstance(call.body, Unset):
            content = encode(call.body)
            headers.setdefault("content-type", "application/json")
        return Request(call.method, self._target(call), headers, content, call.opening)

    def _exchange(
        self, call: Call[Any], request: Request, deadline: Deadline, *, whole: bool
    ) -> tuple[Answer, bytes]:
        """Send one request and return its response. Redirects within the host are followed."""
        location = ""
        for _ in range(_MAX_REDIRECTS + 1):
            now = monotonic()
            if deadline.is_over(now):
                raise self._late(call, deadline)
            # Asked here, because `current` would make a new sender after `close`.
            if self._pools.is_closed:
                raise NoAnswer(FailureKind.CLOSED)
            if request.opening is not None and request.opening.is_left:
                raise left()
            steps = deadline.clip(self._steps(), now)
            sender = self.httpx_client.sender() or self._pools.current()
            answer = sender.send(request, steps, deadline.end)
            is_good = 200 <= answer.status < 300 or answer.status == _SWITCHED
            if is_good and not whole:
                # The caller reads the body, and closes the response.
                return answer, b""
            try:
                content = self._content(answer, deadline)
            finally:
                answer.close()
            if is_good:
                return answer, content
            if answer.status not in _REDIRECTS or "location" not in answer.headers:
                self._tell_response(call, answer, content)
                raise self._refusal(call, answer, content)
            location = answer.headers["location"]
            request = self._redirected(request, answer)
        raise APIConnectionError(
            # A client for http:// is often sent to https:// here, which it does not follow.
            f"the server redirects more than {_MAX_REDIRECTS} times, now to {location:.200}",
            method=call.method,
            url=self._url(call),
        )

    def _content(self, answer: Answer, deadline: Deadline, cadence: Cadence | None = None) -> bytes:
        """Return a whole body. With a `cadence`, blank pieces are measured as heartbeats."""
        pieces: list[bytes] = []
        size = 0
        pulse = None if cadence is None else Pulse(cadence)
        seconds = None if cadence is None else cadence.patience
        while True:
            piece = answer.read(seconds, deadline.end)
            if not piece:
                return pieces[0] if len(pieces) == 1 else b"".join(pieces)
            size += len(piece)
            if size > self.max_reply_bytes:
                raise NoAnswer(FailureKind.TOO_LARGE, f"more than {self.max_reply_bytes} bytes")
            if pieces or not piece.isspace():  # Heartbeats may come without end.
                pieces.append(piece)
            if cadence is None or pulse is None:
                continue
            if piece.isspace():
                pulse.beat(monotonic())
                seconds = cadence.patience
            else:
                pulse.other()

    def _late(self, call: Call[Any], deadline: Deadline) -> APITimeoutError:
        message = f"the call was not complete within its deadline of {deadline.seconds:g} s"
        return APITimeoutError(message, method=call.method, url=self._url(call))

    def _redirected(self, request: Request, answer: Answer) -> Request:
        url = self.settings.authority + request.target
        location = answer.headers["location"]
        try:
            parts = urlsplit(urljoin(url, location))
        except ValueError as error:
            raise APIResponseValidationError(
                f"the server redirects to {location!r}, which is not a URL",
                method=request.method,
                url=url,
            ) from error
        # Only the host is compared: behind a proxy that terminates TLS, a server may name its own
        # scheme and port. The request goes to the client's own origin in any case.
        if (parts.hostname or "").lower() != self.settings.origin[1]:
            raise APIResponseValidationError(
                f"the server redirects to another host, {parts.scheme}://{parts.hostname}; this is "
                "not followed, because that host must not get the client's API key",
                method=request.method,
                url=url,
            )
        if answer.status in (307, 308) or request.method in ("GET", "HEAD"):
            target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
            return request._replace(target=quoted_target(target))
        # For 301, 302 and 303, HTTP clients change a POST to a GET, which would not do the call.
        raise APIResponseValidationError(
            f"the server redirects a {request.method} to {location} with status {answer.status}; "
            "only 307 and 308 are followed; use that URL for the client",
            method=request.method,
            url=url,
        )

    # --- its answer ---

    def _failure(self, call: Call[Any], error: NoAnswer) -> APIError:
        limits = TimeLimits(self._steps(), self.time_limits.whole)
        return error.as_error(call.method, self._url(call), limits)

    def _refusal(self, call: Call[Any], answer: Answer, content: bytes) -> APIStatusError:
        return status_error(
            method=call.method,
            url=self._url(call),
            status=answer.status,
            headers=answer.headers,
            content=content,
            now=datetime.now(UTC),
        )

    def _tell(self, call: Call[Any], answer: Answer, content: bytes = b"") -> None:
        if call.on_headers is not None:
            call.on_headers(answer.headers)
        self._tell_response(call, answer, content)

    def _tell_response(self, call: Call[Any], answer: Answer, content: bytes) -> None:
        if call.on_response is not None:
            call.on_response(
                as_response(call.method, self._url(call), answer.status, answer.headers, content)
            )

    def _read(self, call: Call[T], answer: Answer, content: bytes) -> T:
        return call.read(
            content,
            url=self._url(call),
            content_type=answer.headers.get("content-type", ""),
        )


def _reason(error: NoAnswer | APIStatusError) -> str:
    return str(error.status_code) if isinstance(error, APIStatusError) else error.kind.text
