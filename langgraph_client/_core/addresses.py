"""Read from a response's headers which run it started, and where its stream can be requested again.

A location in a header is resolved as RFC 9110 says, and then only its path and query are used. So
requests, and the API key in them, always go to the client's own origin, whatever a server or a
proxy writes there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import quote, unquote, urljoin, urlsplit

from langgraph_client.models.runs import RunCreateMetadata

RunCreated = Callable[[RunCreateMetadata], None]

_RUN = re.compile(r"(?:/threads/([^/]+))?/runs/([^/?]+)")
# What follows `/runs/` in paths without a run's id.
_NOT_RUNS = ("wait", "stream", "batch", "crons", "cancel")
_KEPT = "/:@!$&'()*+,;=~%-._"  # Allowed in a path, and `%`, because locations are quoted already.
_PLAIN = re.compile(r"(?:/[\w-]+)+", re.ASCII)  # A path that stays as it is when it is resolved.


def run_of(headers: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Return the ids of thread and run in a response's headers; None for an id they lack."""
    for name in ("content-location", "location"):
        match = _RUN.search(_split(headers.get(name, ""))[0])
        if match is not None and match[2] not in _NOT_RUNS:
            return _id(match[1] or ""), _id(match[2])
    return None, None


def _id(quoted: str) -> str | None:
    """Return an id; None for one that no server gives, such as blanks or a line end."""
    text = unquote(quoted)
    return text if text.strip() and text.isprintable() else None


def path_below(base: str, request: str, location: str | None) -> str | None:
    """Return the path and query of a `Location`, relative to the path of the server's URL.

    Args:
        base: The path of the server's URL, such as `""` or `"/api"`.
        request: The full path of the request, against which a relative location is resolved.
        location: The header. Scheme and host in it are ignored: they may be a proxy's inner ones.

    Returns:
        None if the location has no path.
    """
    if not location:
        return None
    path, query = _split(location, request)
    if not path.startswith("/"):
        return None
    # A server behind a proxy may or may not know the prefix under which clients reach it.
    if base and (path == base or path.startswith(f"{base}/")):
        path = path[len(base) :]
    path = "/" + quote(path.lstrip("/"), safe=_KEPT)
    return f"{path}?{quote(query, safe=_KEPT + '?/')}" if query else path


def _split(location: str, request: str = "/") -> tuple[str, str]:
    """Return the path and query of a location, resolved; both empty if it is not a URL."""
    if _PLAIN.fullmatch(location):
        return location, ""
    try:
        parts = urlsplit(urljoin(f"http://server{request}", location.strip()))
    except ValueError:
        return "", ""
    return parts.path, parts.query


class Created:
    """Reads from a response's headers which run was started, and calls the caller's callback."""

    def __init__(self, tell: RunCreated | None, thread_id: str | None) -> None:
        self.run_id: str | None = None
        self.thread_id = thread_id
        self._tell = tell

    def opened(self, headers: Mapping[str, str]) -> None:
        """Read the headers of a successful response."""
        thread_id, self.run_id = run_of(headers)
        self.thread_id = thread_id or self.thread_id
        if self._tell is not None and self.run_id is not None:
            self._tell({"run_id": self.run_id, "thread_id": self.thread_id})
