"""Every exception of the package.

    LangGraphError
    ├── APIError                        a call to the server went wrong; has `method` and `url`
    │   ├── APIConnectionError          no answer: DNS, refused, reset, TLS
    │   │   └── APITimeoutError         no answer in time
    │   ├── APIStatusError              an answer that says no; has `status_code`, `body`, ...
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

The exception that caused one of these, where there is one, is its `__cause__`. All can be pickled.
None carries an API key: neither in its message nor in the request and response it holds.
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

    def __reduce__(self) -> tuple[Any, ...]:
        # The default calls the class with `args`, which is the finished message alone.
        return _restore, (type(self), self.args, self.__dict__)


def _restore(kind: type[LangGraphError], args: tuple[Any, ...], state: dict[str, Any]) -> Any:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class APIError(LangGraphError):
    """A call to the server went wrong.

    Attributes:
        method: The request's method.
        url: The request's URL, without credentials.
        message: What went wrong, without method and URL.
    """

    def __init__(self, message: str, *, method: str = "", url: str = "") -> None:
        self.message = message
        self.method = method
        self.url = url
        where = f"{method} {url}".strip()
        super().__init__(f"{where}: {message}" if where else message)


class APIConnectionError(APIError):
    """The server could not be reached, or the connection broke before the answer was there."""


class APITimeoutError(APIConnectionError):
    """The server did not answer in time."""


class APIStatusError(APIError):
    """The server answered with an error status.

    Attributes:
        status_code: The HTTP status.
        detail: The server's own words, or the status phrase where it said nothing.
        body: The answer's body: decoded JSON, or text where it is not JSON, None if empty.
        headers: The answer's headers.
        retry_after: Seconds after which the server wants to be asked again, where it says so.
    """

    def __init__(
        self,
        *,
        method: str,
        url: str,
        status_code: int,
        detail: str,
        body: Any = None,
        content: bytes = b"",
        headers: httpx.Headers | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{status_code} {detail}", method=method, url=url)
        self.status_code = status_code
        self.detail = detail
        self.body = body
        self.content = content
        self.headers = httpx.Headers() if headers is None else headers
        self.retry_after = retry_after

    @property
    def request(self) -> httpx.Request:
        """The request's method and URL; its headers are left out, for they hold the key."""
        return httpx.Request(self.method, self.url)

    @property
    def response(self) -> httpx.Response:
        """The answer, read to its end."""
        # The body was decoded on the way in, and is not compressed any more.
        dropped = ("content-encoding", "content-length", "transfer-encoding")
        kept = [(k, v) for k, v in self.headers.multi_items() if k.lower() not in dropped]
        return httpx.Response(
            self.status_code, headers=kept, content=self.content, request=self.request
        )


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

    Attributes:
        body: What was answered, as far as it could be read.
    """

    def __init__(self, message: str, *, method: str = "", url: str = "", body: Any = None) -> None:
        super().__init__(message, method=method, url=url)
        self.body = body


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
        said = f"{self.error}: {self.message}" if self.message else self.error
        places = [
            f"{name} {value}"
            for name, value in (
                ("node", self.node),
                ("run", self.run_id),
                ("thread", self.thread_id),
            )
            if value is not None
        ]
        return f"{said} ({', '.join(places)})" if places else said


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
