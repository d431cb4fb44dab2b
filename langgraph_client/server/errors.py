"""Errors of requests, raised by domain functions, with the HTTP statuses of their responses.

ServerError
├── Invalid       a value is malformed (422)
├── Refused       well-formed, and not possible (400)
├── NotFound      there is no such thing (404)
├── Conflict      not in the present state of things (409)
├── TooLarge      more than the server accepts (413)
├── Denied        the application's `Auth` refuses it (the status that it says)
├── Unavailable   not now; the same request may succeed later (503)
└── Unreadable    the stored document is damaged (500)
"""

from __future__ import annotations

from collections.abc import Mapping


class ServerError(Exception):
    """A request cannot be executed. `detail` is the reason for the caller."""

    status = 500
    """The HTTP status of the response."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Invalid(ServerError):
    """A value of the request is malformed."""

    status = 422


class Refused(ServerError):
    """The request is well-formed but not possible."""

    status = 400


class NotFound(ServerError):
    """An object that the request names does not exist."""

    status = 404


class Conflict(ServerError):
    """The request does not fit the current state of its object."""

    status = 409


class TooLarge(ServerError):
    """The request is larger than the server accepts."""

    status = 413


class Unavailable(ServerError):
    """The server cannot execute the request now; it may succeed later.

    Args:
        detail: The reason for the caller.
        cause: The text of an exception of user code or a database, for the log only: it may name
            hosts, users or passwords.
    """

    status = 503

    def __init__(self, detail: str, cause: str = "") -> None:
        super().__init__(f"{detail}: {cause}" if cause else detail)
        self.detail = detail
        self.cause = cause


class CheckpointerUnavailable(Unavailable):
    """A checkpointer that the application supplied has failed.

    A run does not wait for it, because it may fail for ever. Its exception is the `__cause__`.
    """


class LockTimeout(Unavailable):
    """Another request has held a lock for too long."""


class Deadlock(Unavailable):
    """The database has undone a transaction because it and another one waited for each other."""


class StartError(RuntimeError):
    """A part of the server, such as a store, could not be started."""


class Unreadable(ServerError, ValueError):
    """A stored document is damaged. It can be deleted."""


class Denied(ServerError):
    """The application's `Auth` refuses the request.

    Args:
        status: The status of the response, usually 401 or 403.
        detail: The text of the response.
        headers: Additional headers of the response.
    """

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.headers = status, headers


class Hidden(NotFound):
    """The object exists, but not for this user, who gets the same response as if it did not."""


def is_outage(error: BaseException) -> bool:
    """Return whether a run must wait: the server's database fails, not a graph's checkpointer."""
    return isinstance(error, Unavailable) and not isinstance(error, CheckpointerUnavailable)


def raised_by_checkpointer(error: BaseException) -> BaseException:
    """Return the exception that a checkpointer itself raised; any other as it is."""
    is_wrapped = isinstance(error, CheckpointerUnavailable)
    return error.__cause__ or error if is_wrapped else error
