"""Where a run is, and where its stream or result can be asked for again: from an answer's headers.

What a server names is never pasted behind our own URL, nor followed to where it leads: it is
resolved, as RFC 9110 has it, and only its path and query are taken. So a request, and the key in
it, goes to the client's own origin whatever a server, or a proxy before it, writes there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import quote, unquote, urljoin, urlsplit

from langgraph_client.models.runs import RunCreateMetadata

RunCreated = Callable[[RunCreateMetadata], None]

_RUN = re.compile(r"(?:/threads/([^/]+))?/runs/([^/?]+)")
_NOT_RUNS = ("wait", "stream", "batch", "crons", "cancel")
_KEPT = "/:@!$&'()*+,;=~%-._"  # What a path may have unquoted, and what is quoted already.


def run_of(headers: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Return thread and run that an answer's headers name; None for what they do not."""
    for name in ("content-location", "location"):
        match = _RUN.search(_split(headers.get(name, ""))[0])
        if match is not None and match[2] not in _NOT_RUNS:
            return (unquote(match[1]) if match[1] else None), unquote(match[2])
    return None, None


def path_below(base: str, request: str, location: str | None) -> str | None:
    """Return the path and query of a `Location`, below the path of the server's URL.

    Args:
        base: The path of the server's URL: `""`, or `"/api"`.
        request: The path of the request that was answered, with that of the server's URL.
        location: The header. One with the host of a proxy's inner server counts for its path.

    Returns:
        None where it names no path.
    """
    if not location:
        return None
    path, query = _split(location, request)
    if not path.startswith("/"):
        return None
    # A server behind a proxy may or may not know of the prefix under which it is reached.
    if base and (path == base or path.startswith(f"{base}/")):
        path = path[len(base) :]
    path = "/" + quote(path.lstrip("/"), safe=_KEPT)
    return f"{path}?{quote(query, safe=_KEPT + '?/')}" if query else path


def _split(location: str, request: str = "/") -> tuple[str, str]:
    """The path and query of a location, resolved; both empty where it is no URL."""
    try:
        parts = urlsplit(urljoin(f"http://server{request}", location.strip()))
    except ValueError:
        return "", ""
    return parts.path, parts.query


class Created:
    """Learns from the headers of an answer which run was started, and tells who wants to know."""

    def __init__(self, tell: RunCreated | None, thread_id: str | None) -> None:
        self.run_id: str | None = None
        self.thread_id = thread_id
        self._tell = tell

    def opened(self, headers: Mapping[str, str]) -> None:
        """Read the headers of a good answer."""
        thread_id, self.run_id = run_of(headers)
        self.thread_id = thread_id or self.thread_id
        if self._tell is not None and self.run_id is not None:
            self._tell({"run_id": self.run_id, "thread_id": self.thread_id})
