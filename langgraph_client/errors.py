"""The exceptions of the client.

    LangGraphError
    ├── APIError                        a call failed; has `method`, `url` (httpx.HTTPError)
    │   ├── APIConnectionError          no response: DNS, refused, reset (httpx.TransportError)
    │   │   └── APITimeoutError         no response in time (httpx.TimeoutException)
    │   ├── APIStatusError              a response with an error status (httpx.HTTPStatusError)
    │   │   ├── BadRequestError             400
    │   │   ├── AuthenticationError         401
    │   │   ├── PermissionDeniedError       403
    │   │   ├── NotFoundError               404
    │   │   ├── ConflictError               409
    │   │   ├── UnprocessableEntityError    422
    │   │   ├── RateLimitError              429
    │   │   └── InternalServerError         5xx
    │   ├── APIResponseValidationError  a response not in the documented shape (ValueError)
    │   └── StreamIncomplete            a stream that was cut and cannot be continued
    ├── RemoteException                 a run failed on the server
    ├── RunFailedError                  a run of a thread stream (v3) failed (RuntimeError)
    ├── ProtocolError                   a refused command of a thread stream (RuntimeError)
    ├── InvalidArgumentError            refused before anything was sent (ValueError, TypeError)
    └── MissingExtraError               an optional dependency is not installed (ImportError)

The classes in brackets are base classes too, so that `except httpx.HTTPStatusError` and the like
work as with other clients. If another exception is the cause, it is `__cause__`. All
errors can be pickled. No error contains an API key, neither in its message nor in its request and
response, nor in its cause.
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
    "ProtocolError",
    "RateLimitError",
    "RemoteException",
    "RunFailedError",
    "StreamIncomplete",
    "UnprocessableEntityError",
]


class LangGraphError(Exception):
    """The base class of all errors of this package."""

    # The httpx class that an error is an instance of too; see `made_alike`.
    _alike: type | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        # The default calls the class with `args`, but some classes have other parameters.
        kind: type = type(self)
        # The classes of `made_alike` are made at run time: pickle cannot find them by name.
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
    """A call to the server failed. It is an `httpx.HTTPError` too.

    Args:
        message: The reason.
        response_or_request: The response or the request; None to use `method` and `url`.
        body: The decoded body of the response.
        method: The request's method.
        url: The request's URL.

    Attributes:
        message: The reason, in the server's words if it sent any. `str()` of an `APIStatusError` is
            this message alone; a traceback shows status, method and URL below it as a note. `str()`
            of other errors has method and URL after the message.
        method: The request's method; empty if it is not known.
        url: The request's URL without credentials; empty if it is not known.
        request: The request. In errors of this package, it has only method and URL.
        body: The response's body: decoded JSON, or text if it is not JSON; None if it is empty.
        code: The text at the key `code` of the body; None if there is none.
        param: The text at the key `param` of the body; None if there is none.
        type: The text at the key `type` of the body; None if there is none.
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
        Exception.__init__(self, message)  # Not super(): httpx's classes take other arguments.
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
    except RuntimeError:  # A response that a user has created without a request.
        return None


def _is_url(url: str) -> bool:
    try:
        httpx.URL(url)
    except httpx.InvalidURL:
        return False
    return True


class APIConnectionError(APIError, httpx.TransportError):
    """The server could not be reached, or the connection broke before the response was complete.

    It is an `httpx.TransportError` too, and an instance of httpx's class for the failure, such as
    `httpx.ConnectError`.

    Attributes:
        is_final: Whether no further attempt can succeed, because this client is closed or the URL
            is none.
    """

    is_final: bool = False

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
    """The server did not respond in time. It is an `httpx.TimeoutException` too."""

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
    """Return a subclass of `kind` and of httpx's class for the same failure.

    So programs that catch `httpx.ConnectError` or `httpx.ReadTimeout` work unchanged.
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
    """The server responded with an error status. It is an `httpx.HTTPStatusError` too.

    Args:
        message: The server's message.
        response: The response.
        body: The decoded body of the response.
        retry_after: Seconds to wait before a new attempt, from the server's `Retry-After`.

    Attributes:
        status_code: The HTTP status.
        response: The response; its body was read.
        headers: The response's headers.
        request_id: The response's `x-request-id`; None if it has none.
        retry_after: Seconds to wait before a new attempt; None if the server did not say.
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
        # As in langgraph_sdk, it is the message alone: programs compare and search it.
        return self.message


class BadRequestError(APIStatusError):
    """400: refused by the graph or by the server's code."""


class AuthenticationError(APIStatusError):
    """401: the API key is missing or wrong."""


class PermissionDeniedError(APIStatusError):
    """403: the API key does not allow this."""


class NotFoundError(APIStatusError):
    """404: the object does not exist."""


class ConflictError(APIStatusError):
    """409: the object exists already, or the thread is busy."""


class UnprocessableEntityError(APIStatusError):
    """422: the request does not fit the server's schema."""


class RateLimitError(APIStatusError):
    """429: too many requests; see `retry_after`."""


class InternalServerError(APIStatusError):
    """5xx: the server failed."""


class APIResponseValidationError(APIError, ValueError):
    """The server's response is not in the documented shape. It is a `ValueError` too.

    Args:
        response: The response; or the reason, if there is no response object.
        body: The body, as far as it could be read.
        message: The reason.
        method: The request's method.
        url: The request's URL.

    Attributes:
        response: The response, or None.
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
            message or "the response is not in the documented shape",
            self.response,
            body=body,
            method=method,
            url=url,
        )


class StreamIncomplete(APIError):
    """A stream was cut before its end and could not be continued.

    The run itself may go on: get it with `runs.get`, or wait for it with `runs.join`.

    Attributes:
        run_id: The run; None if it is not known.
        thread_id: Its thread; None if it is not known.
        last_event_id: The id of the last event that was received; None if it had none.
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
    """A run failed on the server, because a node or the graph raised an exception.

    Attributes:
        error: The name of the exception's class on the server, such as `"ValueError"`.
        message: The exception's text, if the server sends it.
        run_id: The run; None if it is not known.
        thread_id: The thread; None if it is not known.
        node: The node that raised the exception; None if it is not known.
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


class RunFailedError(LangGraphError, RuntimeError):
    """A run of a thread stream (v3), or a call in it, failed; the text has the server's error."""


class ProtocolError(LangGraphError, RuntimeError):
    """The server refused a command of event streaming (v3).

    Attributes:
        code: The server's code, such as `"no_such_interrupt"`.
        message: The server's message.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"Protocol error [{self.code}]: {self.message}"


class InvalidArgumentError(LangGraphError, ValueError, TypeError):
    """An argument is invalid, so no request was sent.

    Attributes:
        parameter: The parameter's name, with the path to the invalid value inside it, such as
            `"input.items[3].when"`.
        problem: What is wrong with it.
    """

    def __init__(self, parameter: str, problem: str) -> None:
        super().__init__(f"{parameter}: {problem}")
        self.parameter = parameter
        self.problem = problem


class MissingExtraError(LangGraphError, ImportError):
    """A feature needs optional packages that are not installed.

    Attributes:
        extra: The name of the extra that installs them.
    """

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f'{what} needs packages that are not installed: pip install "langgraph-client[{extra}]"'
        )
        self.extra = extra
