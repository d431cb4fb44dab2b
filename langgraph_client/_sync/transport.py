# Generated from langgraph_client/_async/transport.py by .ci/unasync.py; do not edit.
"""The one place that sends."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Any, TypeVar
from urllib.parse import urlencode, urljoin, urlsplit

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception

from langgraph_client._core.call import ANY, Call
from langgraph_client._core.codec import encode
from langgraph_client._core.connection import Waits
from langgraph_client._core.deadline import Deadline
from langgraph_client._core.failure import (
    RetryPolicy,
    connection_error,
    status_error,
    worth_repeating,
)
from langgraph_client._core.resumption import ReconnectPolicy
from langgraph_client._core.settings import Settings, origin_of
from langgraph_client._core.silence import Cadence
from langgraph_client._core.unset import Unset
from langgraph_client._sync.body import WatchedBody
from langgraph_client._sync.pools import Pools
from langgraph_client.errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
)

T = TypeVar("T")

_MAX_REDIRECTS = 5


class Transport:
    """Sends calls, repeats those that may be repeated, and turns failures into our errors."""

    def __init__(
        self,
        pools: Pools,
        settings: Settings,
        *,
        retry: RetryPolicy,
        reconnect: ReconnectPolicy,
        waits: Waits,
        sleep: Callable[[float], Any] = sleep,
    ) -> None:
        self._pools = pools
        self.settings = settings
        self.reconnect = reconnect
        self.cadence = Cadence(reconnect.silence)  # Of the server's event streams.
        self._cadence_of_waits = Cadence(reconnect.silence)
        self._retry = retry
        self._waits = waits
        self.sleep = sleep
        self._auth = httpx.BasicAuth(*settings.credentials) if settings.credentials else None

    def close(self) -> None:
        """Close the connections, unless the HTTP client was given from outside."""
        self._pools.close()

    def send(self, call: Call[T]) -> T:
        """Send a call and read its answer."""
        response = self._repeat(call, self._deadline(), stream=False)
        self._tell(call, response)
        return self._read(call, response)

    def wait(self, call: Call[T], *, reconnects: int = 5) -> T:
        """Send a call whose answer may take long, and ask again where it is cut.

        The server names in `Location` where the answer can be asked for again.
        """
        request: Call[Any] = call
        deadline = self._deadline()
        told = False
        location = None
        for attempt in range(reconnects + 1):
            response = self._repeat(request, deadline, stream=True)
            body = self._watch(response, deadline)
            self.listen(response, self._cadence_of_waits.patience)
            try:
                if not told:
                    self._tell(call, response)
                    told = True
                location = self.location(response) or location
                response.read()
                if response.content.strip() or location is None or attempt == reconnects:
                    return self._read(call, response)
            except APIError:  # Errors of httpx as well.
                raise
            except httpx.HTTPError as error:
                if location is None or attempt == reconnects or deadline.over(monotonic()):
                    raise self.failure(request, error, silent=body.silent) from error
            finally:
                response.close()
            pause = min(0.1 * 2**attempt, 4.0) if attempt else 0.0
            if not deadline.allows(pause, monotonic()):
                raise self._late(request, deadline)
            self.sleep(pause)
            headers = {k: v for k, v in call.headers.items() if k != "prefer"}
            request = Call("GET", location, ANY, call.params, headers=headers, safe=True)
        raise AssertionError("unreachable")

    def open(self, call: Call[Any]) -> httpx.Response:
        """Open an event stream. The caller closes the response."""
        response = self._repeat(call, self._deadline(), stream=True)
        try:
            kind = response.headers.get("content-type", "")
            if not kind.startswith("text/event-stream"):
                raise APIResponseValidationError(
                    f"the answer is not an event stream: {kind or 'no content type'}",
                    method=call.method,
                    url=self._url(call),
                )
            self._tell(call, response)
        except BaseException:
            response.close()
            raise
        return response

    def listen(self, response: httpx.Response, patience: float | None) -> None:
        """Take so many seconds of silence in an answer's body for a lost connection.

        None, or more than the timeout for reading: that timeout. On a port it has an effect before
        the body is begun to be read, for the HTTP layer looks at it then.
        """
        limits = response.request.extensions.get("timeout")
        if limits is not None:
            usual = limits.get("read") if self._waits.silence is None else self._waits.silence
            given = [limit for limit in (usual, patience) if limit is not None]
            limits["read"] = min(given, default=None)

    def location(self, response: httpx.Response) -> str | None:
        """The path of `Location`, where the stream or result can be asked for again.

        Raises:
            APIResponseValidationError: if it leads to another origin, which must not get our key.
        """
        given = response.headers.get("location")
        if not given:
            return None
        target = self._same_origin(given, response)
        base = urlsplit(self.settings.url).path
        parts = urlsplit(target)
        below = parts.path.removeprefix(base) if urlsplit(given).netloc else urlsplit(given).path
        return below if not parts.query else f"{below}?{parts.query}"

    def failure(
        self, call: Call[Any], error: httpx.HTTPError | httpx.StreamError, *, silent: bool = False
    ) -> APIError:
        """Our error for one of httpx's; `silent` if we hung up ourselves, as nothing came."""
        url = self._url(call)
        if silent:
            return APITimeoutError("the server fell silent", method=call.method, url=url)
        return connection_error(error, method=call.method, url=url)

    # --- one request ---

    def _deadline(self) -> Deadline:
        return Deadline(self._waits.whole, monotonic())

    def _repeat(self, call: Call[Any], deadline: Deadline, *, stream: bool) -> httpx.Response:
        request = self._request(call)
        if self._retry.max_attempts == 1:
            return self._exchange(call, request, deadline, stream=stream)

        def repeated(error: BaseException) -> bool:
            return worth_repeating(error, safe=call.safe) and self._retry.patient(error)

        def enough(state: RetryCallState) -> bool:
            if state.attempt_number >= self._retry.max_attempts:
                return True
            # No pause that nothing can follow: then the failure is told at once.
            error = state.outcome.exception() if state.outcome is not None else None
            longest = self._retry.pause(state.attempt_number, error, 1.0)
            return not deadline.allows(longest, monotonic())

        for attempt in Retrying(
            sleep=self.sleep,
            stop=enough,
            retry=retry_if_exception(repeated),
            wait=self._pause,
            reraise=True,
        ):
            with attempt:
                return self._exchange(call, request, deadline, stream=stream)
        raise AssertionError("unreachable")

    def _pause(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome is not None else None
        return self._retry.pause(state.attempt_number, error, random.random())

    def _url(self, call: Call[Any]) -> str:
        url = self.settings.url + call.path
        if not call.query:
            return url
        # A path that a server named in `Location` may have a query already.
        return f"{url}{'&' if '?' in call.path else '?'}{urlencode(call.query)}"

    def _request(self, call: Call[Any]) -> httpx.Request:
        headers = {"accept": "application/json", **self.settings.headers, **call.headers}
        content = None
        if not isinstance(call.body, Unset):
            content = encode(call.body)
            headers.setdefault("content-type", "application/json")
        return self._build(call.method, self._url(call), headers, content)

    def _build(
        self, method: str, url: str, headers: dict[str, str], content: bytes | None
    ) -> httpx.Request:
        steps = self._waits.steps
        return self._pools.current().build_request(
            method,
            url,
            headers=headers,
            content=content,
            timeout=httpx.USE_CLIENT_DEFAULT if steps is None else steps,
        )

    def _exchange(
        self, call: Call[Any], request: httpx.Request, deadline: Deadline, *, stream: bool
    ) -> httpx.Response:
        """One request and its answer, redirects within our origin followed."""
        if self._pools.is_closed:
            raise APIConnectionError(
                "the client is closed", method=call.method, url=self._url(call)
            )
        auth = self._auth or httpx.USE_CLIENT_DEFAULT
        try:
            for _ in range(_MAX_REDIRECTS + 1):
                if deadline.over(monotonic()):
                    raise self._late(call, deadline)
                steps = request.extensions.get("timeout", {})
                request.extensions["timeout"] = deadline.clip(steps, monotonic())
                response = self._pools.current().send(
                    request, stream=True, follow_redirects=False, auth=auth
                )
                if response.is_success and stream:
                    return response
                self._watch(response, deadline)
                try:
                    response.read()
                finally:
                    response.close()
                if response.is_success:
                    return response
                if not response.has_redirect_location:
                    raise self._refusal(call, response)
                request = self._redirected(request, response)
        except httpx.InvalidURL as error:
            raise APIConnectionError(str(error), method=call.method, url=self._url(call)) from error
        except APIError:  # One of these; they are errors of httpx as well.
            raise
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise self.failure(call, error) from error
        raise APIConnectionError(
            f"more than {_MAX_REDIRECTS} redirects", method=call.method, url=self._url(call)
        )

    def _watch(self, response: httpx.Response, deadline: Deadline) -> WatchedBody:
        """Let an answer's body be over in time."""
        body = response.stream = WatchedBody(response, deadline, self._cadence_of_waits)
        return body

    def _late(self, call: Call[Any], deadline: Deadline) -> APITimeoutError:
        message = f"not done within {deadline.seconds:g} s"
        return APITimeoutError(message, method=call.method, url=self._url(call))

    def _redirected(self, request: httpx.Request, response: httpx.Response) -> httpx.Request:
        target = self._same_origin(response.headers["location"], response)
        headers = dict(request.headers)
        if response.status_code in (307, 308) or request.method in ("GET", "HEAD"):
            return self._build(request.method, target, headers, request.content or None)
        # A POST that was answered 301, 302 or 303 would silently become a GET.
        raise self._answer_error(
            response, f"the answer redirects a {request.method} to {response.headers['location']}"
        )

    def _same_origin(self, location: str, response: httpx.Response) -> str:
        target = urljoin(str(response.request.url), location)
        if origin_of(target) != self.settings.origin:
            where = "://".join(map(str, origin_of(target)[:2]))
            raise self._answer_error(
                response,
                f"the answer points to another origin, {where}, which must not get this client's "
                "key: not followed",
            )
        return target

    def _answer_error(self, response: httpx.Response, message: str) -> APIError:
        request = response.request
        return APIResponseValidationError(
            message, method=request.method, url=str(request.url.copy_with(userinfo=None))
        )

    # --- its answer ---

    def _refusal(self, call: Call[Any], response: httpx.Response) -> APIStatusError:
        return status_error(
            method=call.method,
            url=self._url(call),
            status=response.status_code,
            headers=response.headers,
            content=response.content,
            now=datetime.now(UTC),
        )

    def _tell(self, call: Call[Any], response: httpx.Response) -> None:
        if call.on_headers is not None:
            call.on_headers(response.headers)
        if call.on_response is not None:
            call.on_response(response)

    def _read(self, call: Call[T], response: httpx.Response) -> T:
        return call.read(
            response.content,
            url=self._url(call),
            content_type=response.headers.get("content-type", ""),
        )
