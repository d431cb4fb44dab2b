"""The cookies of one origin: load balancers know by them which server a client talks to."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie


class Cookies:
    """Keeps what a server sets, for as long as the client lives. Most set nothing."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], str] = {}  # By path and name.

    def __bool__(self) -> bool:
        return bool(self._values)

    def take(self, header: str) -> None:
        """Keep the cookie of a `Set-Cookie` header, or drop it where the header says so."""
        try:
            parsed = SimpleCookie(header)
        except CookieError:
            return
        for name, morsel in parsed.items():
            place = (morsel["path"] or "/", name)
            if morsel["max-age"].strip().startswith(("0", "-")):
                self._values.pop(place, None)
            else:
                self._values[place] = morsel.coded_value

    def header(self, target: str) -> str:
        """Return the `Cookie` header of a request; empty for none."""
        pairs = [
            f"{name}={value}"
            for (path, name), value in list(self._values.items())
            if target.startswith(path)
        ]
        return "; ".join(pairs)
