"""The cookies of one origin. Load balancers use them to route a client to the same server."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie


class Cookies:
    """Keeps the cookies that a server sets, for the lifetime of the client."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], str] = {}  # By path and name.

    def __bool__(self) -> bool:
        return bool(self._values)

    def take(self, header: str) -> None:
        """Keep the cookie of a `Set-Cookie` header; delete it if its `Max-Age` is 0 or less."""
        try:
            parsed = SimpleCookie(header)
        except CookieError:  # Like browsers, ignore a header that cannot be read.
            return
        for name, morsel in parsed.items():
            place = (morsel["path"] or "/", name)
            if morsel["max-age"].strip().startswith(("0", "-")):
                self._values.pop(place, None)
            else:
                self._values[place] = morsel.coded_value

    def header(self, target: str) -> str:
        """Return the `Cookie` header for a request's path; empty if there are no cookies."""
        pairs = [
            f"{name}={value}"
            for (path, name), value in list(self._values.items())
            if target.startswith(path)
        ]
        return "; ".join(pairs)
