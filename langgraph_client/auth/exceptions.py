"""The exception that a handler raises to refuse a request."""

from __future__ import annotations

import http
from collections.abc import Mapping


class HTTPException(Exception):
    """A response with an error status, instead of the normal response.

    Args:
        status_code: The status; by default 401, "Unauthorized".
        detail: The text in the response; by default the phrase of the status.
        headers: Further headers of the response.
    """

    def __init__(
        self,
        status_code: int = 401,
        detail: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status_code = status_code
        self.detail = http.HTTPStatus(status_code).phrase if detail is None else detail
        self.headers = headers
        super().__init__(status_code, self.detail)

    def __str__(self) -> str:
        return f"{self.status_code}: {self.detail}"

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"{name}(status_code={self.status_code!r}, detail={self.detail!r})"


__all__ = ["HTTPException"]
