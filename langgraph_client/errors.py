"""Every exception of the package.

    LangGraphError
    ├── APIError                        a call went wrong; has `method`, `url` (httpx.HTTPError)
    │   ├── APIConnectionError          no answer: DNS, refused, reset (httpx.TransportError)
    │   │   └── APITimeoutError         no answer in time (httpx.TimeoutException)
    │   ├── APIStatusError              an answer that says no (httpx.HTTPStatusError)
    │   │   ├── BadRequestError             400
    │   │   ├── AuthenticationError         401
    │   │   ├── PermissionDeniedError       403
    │   │   ├── NotFoundError               404
    │   │   ├── ConflictError               409
    │   │   ├── UnprocessableEntityError    422
    │   │   ├── RateLimitError              429
    │   │   └── InternalServerError         5xx
    │   ├── APIResponseValidationError  an answer that is not in the documented shape
    │   └── StreamIncomplete            a stream that was cut and cannot be continued
    ├── RemoteException                 a run failed on the server
    ├── InvalidArgumentError            refused before anything was sent (ValueError, TypeError)
    └── MissingExtraError               an optional dependency is not installed (ImportError)

The classes of httpx in brackets are bases as well, so that `except httpx.HTTPStatusError` and the
like catch what they catch with other clients. The exception that caused one of these, where there
is one, is its `__cause__`. All can be pickled. None carries an API key: neither in its message nor
in the request and response that it, or its cause, holds.
"""

from __future__ import annotations

from typing import Any

import httpx

__all__ = [
    "APIConnectionError",
    "APIError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "BadRequestError",
    "ConflictError",
    "InternalServerError",
    "InvalidArgumentError",
    "LangGraphError",
    "MissingExtraError",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitError",
    "RemoteException",
    "StreamIncomplete",
    "UnprocessableEntityError",
]


class LangGraphError(Exception):
    """The root of everything that this package raises on purpose."""

    # The class of httpx that an error was made alike, where it was (see `made_alike`).
    _alike: type | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        # The default calls the class with `args`, which are not what all classes take.
        kind: type = type(self)
        if self._alike is not None:
            kind = kind.__bases__[0]
        return _restore, (kind, self._alike, self.args, self.__dict__)


def _restore(
    kind: type[APIConnectionError], alike: type | None, args: tuple[Any, ...], state: dict[str, Any]
) -> LangGraphError:
    if alike is not None:
        kind = made_alike(kind, alike)
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class APIError(LangGraphError, httpx.HTTPError):
    """A call to the server went wrong. It is an `httpx.HTTPError` as well.

    Args:
        message: What went wrong.
        response_or_request: What it went wrong with. Where there is neither, `method` and `url`.
        body: The decoded body of the answer.
        method: The request's method.
        url: The request's URL.

    Attributes:
        message: What went wrong, in the server's words where it said something. `str()` of an
            `APIStatusError` is the message; a traceback shows the status, the method and the URL
            below it, as a note. `str()` of the other errors has the method and the URL behind it.
        method: The request's method, empty where it is not known.
        url: The request's URL, without credentials, empty where it is not known.
        request: The request. Errors that this package raises hold its method and URL alone.
        body: The answer's body: decoded JSON, or text where it is not JSON, None if empty.
        code: The text under that key of the body, if there is one.
        param: Likewise.
        type: Likewise.
    """

    body: object | None
    code: str | None
    param: str | None
    type: str | None

    def __init__(
        self,
        message: str,
        response_or_request: httpx.Response | httpx.Request | None = None,
        *,
        body: object | None = None,
        method: str = "",
        url: str = "",
    ) -> None:
        Exception.__init__(self, message)  # httpx's classes, further up, take other arguments.
        request = _request_of(response_or_request)
        if request is None and url:
            request = httpx.Request(method, url) if _is_url(url) else None
        self._request = request
        self.message = message
        self.method = request.method if request is not None else method
        self.url = str(request.url.copy_with(userinfo=None)) if request is not None else url
        self.body = body
        fields = body if isinstance(body, dict) else {}
        self.code, self.param, self.type = (
            value if isinstance(value := fields.get(name), str) else None
            for name in ("code", "param", "type")
        )

    def __str__(self) -> str:
        where = f"{self.method} {self.url}".strip()
        return f"{self.message} ({where})" if where else self.message


def _request_of(given: httpx.Response | httpx.Request | None) -> httpx.Request | None:
    if not isinstance(given, httpx.Response):
        return given
    try:
        return given.request
    except RuntimeError:  # A response that was made by hand, without its request.
        return None


def _is_url(url: str) -> bool:
    try:
        httpx.URL(url)
    except httpx.InvalidURL:
        return False
    return True


class APIConnectionError(APIError, httpx.TransportError):
    """The server could not be reached, or the connection broke before the answer was there.

    It is an `httpx.TransportError` as well, and of the narrower class of httpx that says what
    happened, such as `httpx.ConnectError`.
    """

    def __init__(
        self,
        message: str = "Connection error.",
        *,
        request: httpx.Request | None = None,
        method: str = "",
        url: str = "",
    ) -> None:
        super().__init__(message, request, method=method, url=url)


class APITimeoutError(APIConnectionError, httpx.TimeoutException):
    """The server did not answer in time. It is an `httpx.TimeoutException` as well."""

    def __init__(
        self,
        request: httpx.Request | str | None = None,
        *,
        message: str = "Request timed out.",
        method: str = "",
        url: str = "",
    ) -> None:
        if isinstance(request, str):
            super().__init__(request, method=method, url=url)
        else:
            super().__init__(message, request=request, method=method, url=url)


def made_alike(kind: type[APIConnectionError], cause: type) -> type[APIConnectionError]:
    """Return a class that is `kind` and also httpx's class for the same failure.

    Programs catch `httpx.ConnectError` or `httpx.ReadTimeout`, and go on doing so.
    """
    alike = next((c for c in cause.__mro__ if c.__module__ == "httpx"), httpx.TransportError)
    if issubclass(kind, alike) or not issubclass(alike, httpx.TransportError):
        return kind
    if (kind, alike) not in _ALIKE:
        about = {"__module__": kind.__module__, "__doc__": kind.__doc__, "_alike": alike}
        _ALIKE[kind, alike] = type(kind.__name__, (kind, alike), about)
    return _ALIKE[kind, alike]


_ALIKE: dict[tuple[type, type], type[APIConnectionError]] = {}


class APIStatusError(APIError, httpx.HTTPStatusError):
    """The server answered with an error status. It is an `httpx.HTTPStatusError` as well.

    Args:
        message: The server's own words.
        response: The answer.
        body: Its body, decoded.
        retry_after: Seconds after which the server wants to be asked again.

    Attributes:
        status_code: The HTTP status.
        response: The answer, read to its end.
        headers: The answer's headers.
        request_id: The answer's `x-request-id`, if it has one.
        retry_after: Seconds after which the server wants to be asked again, where it says so.
    """

    def __init__(
        self,
        message: str,
        *,
        response: httpx.Response,
        body: object | None = None,
        retry_after: float | None = None,
    ) -> None:
        APIError.__init__(self, message, response, body=body)
        self.response = response
        self.status_code = response.status_code
        self.headers = response.headers
        self.request_id: str | None = response.headers.get("x-request-id")
        self.retry_after = retry_after
        self.add_note(f"{self.status_code}, {self.method} {self.url}".strip(", "))

    def __str__(self) -> str:
        # The SDK's errors are their message: programs compare it, and look for words in it.
        return self.message


class BadRequestError(APIStatusError):
    """400: refused by the graph or by the server's code."""


class AuthenticationError(APIStatusError):
    """401: the API key is missing or wrong."""


class PermissionDeniedError(APIStatusError):
    """403: the API key does not allow this."""


class NotFoundError(APIStatusError):
    """404: what was asked for does not exist."""


class ConflictError(APIStatusError):
    """409: it exists already, or the thread is busy."""


class UnprocessableEntityError(APIStatusError):
    """422: the request does not fit the server's schema."""


class RateLimitError(APIStatusError):
    """429: too many requests; see `retry_after`."""


class InternalServerError(APIStatusError):
    """5xx: the server failed."""


class APIResponseValidationError(APIError):
    """The server's answer is not in the documented shape.

    Args:
        response: The answer, or what is wrong with it, where the answer itself is not at hand.
        body: What was answered, as far as it could be read.
        message: What is wrong with it.

    Attributes:
        response: The answer, or None.
        status_code: Its status, or None.
    """

    def __init__(
        self,
        response: httpx.Response | str,
        body: object | None = None,
        *,
        message: str | None = None,
        method: str = "",
        url: str = "",
    ) -> None:
        self.response = response if isinstance(response, httpx.Response) else None
        self.status_code = None if self.response is None else self.response.status_code
        if isinstance(response, str):
            message = response
        super().__init__(
            message or "the answer is not in the documented shape",
            self.response,
            body=body,
            method=method,
            url=url,
        )


class StreamIncomplete(APIError):
    """A stream was cut before its end and could not be continued.

    The run itself may go on: look at it with `runs.get`, or wait for it with `runs.join`.

    Attributes:
        run_id: The run, where it is known.
        thread_id: Its thread, where it is known.
        last_event_id: The id of the last event that was received, where it had one.
    """

    def __init__(
        self,
        message: str,
        *,
        method: str = "",
        url: str = "",
        run_id: str | None = None,
        thread_id: str | None = None,
        last_event_id: str | None = None,
    ) -> None:
        self.run_id = run_id
        self.thread_id = thread_id
        self.last_event_id = last_event_id
        details = ", ".join(
            f"{name} {value}"
            for name, value in (
                ("run", run_id),
                ("thread", thread_id),
                ("last event", last_event_id),
            )
            if value is not None
        )
        super().__init__(f"{message} ({details})" if details else message, method=method, url=url)


class RemoteException(LangGraphError):
    """A run failed on the server: a node, or the graph, raised there.

    Attributes:
        error: The name of the exception's class on the server, such as `"ValueError"`.
        message: The exception's text, as far as the server tells it.
        run_id: The run, where it is known.
        thread_id: The thread, where it is known.
        node: The node that raised, where it is known.
    """

    def __init__(
        self,
        error: str,
        message: str = "",
        *,
        run_id: str | None = None,
        thread_id: str | None = None,
        node: str | None = None,
    ) -> None:
        super().__init__(error, message)
        self.error = error
        self.message = message
        self.run_id = run_id
        self.thread_id = thread_id
        self.node = node

    def __str__(self) -> str:
        return f"{self.error}: {self.message}" if self.message else self.error


class ProtocolError(LangGraphError, RuntimeError):
    """A command of event streaming was refused by the server.

    Attributes:
        code: The server's code, such as `"no_such_interrupt"`.
        message: The server's words.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"Protocol error [{self.code}]: {self.message}"


class InvalidArgumentError(LangGraphError, ValueError, TypeError):
    """An argument was refused; nothing was sent.

    Attributes:
        parameter: The parameter's name, with the path of the offending value inside it where
            there is one: `"input.items[3].when"`.
    """

    def __init__(self, parameter: str, problem: str) -> None:
        super().__init__(f"{parameter}: {problem}")
        self.parameter = parameter
        self.problem = problem


class MissingExtraError(LangGraphError, ImportError):
    """Something was used whose optional dependencies are not installed.

    Attributes:
        extra: The extra that brings them.
    """

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f'{what} needs packages that are not installed: pip install "langgraph-client[{extra}]"'
        )
        self.extra = extra
