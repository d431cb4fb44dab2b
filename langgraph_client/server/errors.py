"""What can be wrong with a request, as domain functions say it; `http/app.py` maps it to statuses.

ServerError
├── Invalid       a value is malformed (422)
├── Refused       well-formed, and not possible (400)
├── NotFound      there is no such thing (404)
├── Conflict      not in the present state of things (409)
├── TooLarge      more than the server accepts (413)
├── Denied        the application's `Auth` refuses it (the status that it says)
└── Unavailable   not now; the same request may succeed later (503)
"""

from __future__ import annotations

from collections.abc import Mapping


class ServerError(Exception):
    """A request cannot be carried out, and `detail` tells the caller why."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Invalid(ServerError):
    """A value of the request is malformed."""


class Refused(ServerError):
    """The request is well-formed, and asks for what is not possible."""


class NotFound(ServerError):
    """What the request names does not exist."""


class Conflict(ServerError):
    """The request does not fit the present state of what it names."""


class TooLarge(ServerError):
    """The request has more than the server accepts."""


class Unavailable(ServerError):
    """The server cannot carry out the request at present."""


class StartError(RuntimeError):
    """Something that the server was given could not be started."""


class Denied(ServerError):
    """The application's `Auth` refuses the request.

    Args:
        status: The status of the answer, mostly 401 or 403.
        detail: What the answer says.
        headers: Further headers of the answer.
    """

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.headers = status, headers


class Hidden(NotFound):
    """It is there, and not for this user, who learns as little as if it were not."""
