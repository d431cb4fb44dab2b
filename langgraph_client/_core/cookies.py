"""The cookies of one origin. Load balancers use them to route a client to the same server."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

# As browsers do it: every request carries the cookies, and servers refuse long headers.
_MAX_COOKIES = 180
_MAX_BYTES = 4096  # Of the name and value of one.
_MAX_AGE = 10**10  # Seconds. A larger `Max-Age` is read as this one: it may not fit a float.


class Cookies:
    """Keeps the cookies that a server sets, until they expire, for the lifetime of the client.

    Args:
        now: The time, in seconds since 1970.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._kept: dict[tuple[str, str], tuple[str, float]] = {}  # By path and name.

    def __bool__(self) -> bool:
        return bool(self._kept)

    def take(self, header: str) -> None:
        """Keep the cookie of a `Set-Cookie` header; delete it if it has already expired.

        Without limits, a server could make every request longer and slower.
        """
        # As RFC 6265 says, not by `http.cookies`: that drops a cookie with an attribute which it
        # does not know, such as `Partitioned`, and a value with quotes, such as JSON.
        pair, *attributes = header.split(";")
        name, value = _pair(pair)
        if not name or "=" not in pair or not (pair.isascii() and pair.isprintable()):
            return  # Like browsers, ignore a header that cannot be read.
        given = {key.lower(): text for key, text in map(_pair, attributes)}
        path = given.get("path", "")
        # Without a path browsers take that of the request. One client calls many paths of one
        # server, and a load balancer means all of them.
        place = (path if path.startswith("/") else "/", name)
        expires = _expires(given, self._now())
        # First: a dict keeps the place of a key that is set again, and the first are dropped.
        self._kept.pop(place, None)
        if expires > self._now() and len(name) + len(value) <= _MAX_BYTES:
            self._kept[place] = (value, expires)
        for place in list(self._kept)[:-_MAX_COOKIES]:  # The oldest ones.
            self._kept.pop(place, None)

    def header(self, target: str) -> str:
        """Return the `Cookie` header for a request's target; empty if no cookie is for it."""
        path, now = target.partition("?")[0], self._now()
        return "; ".join(
            f"{name}={value}"
            # A copy: another thread may take a cookie meanwhile.
            for (place, name), (value, expires) in list(self._kept.items())
            if expires > now and _is_below(path, place)
        )


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip(), value.strip()


def _expires(attributes: Mapping[str, str], now: float) -> float:
    """Return when a cookie expires; infinity for never. `Max-Age` counts before `Expires`."""
    try:
        return now + min(max(int(attributes["max-age"]), 0), _MAX_AGE)
    except (KeyError, ValueError):
        pass  # There is none, or it cannot be read, which counts as none.
    try:
        return parsedate_to_datetime(attributes["expires"]).timestamp()
    except (KeyError, ValueError, OverflowError):
        return math.inf


def _is_below(path: str, place: str) -> bool:
    """Return whether a cookie for `place` is sent to `path`: `/api` is not for `/apis`."""
    return path == place or path.startswith(place if place.endswith("/") else f"{place}/")
