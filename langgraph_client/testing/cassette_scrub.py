"""Remove secrets from a cassette's file: by name, by shape, and by the request's own keys.

A name is sensitive if one of its words is: `openai_api_key`, `apiKey`, `client-secret`. The name
`key` alone is not, as it names items of the store. Under a sensitive name every text is replaced;
a number only under a name for a password or secret, as `max_tokens` is no secret.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterable, Mapping

import httpx

from langgraph_client.models.fields import JSON

SCRUBBED = "<scrubbed>"

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_PASSWORD = re.compile(
    r"^(passw(or)?ds?|passwd|passphrases?|pwd|secrets?|credentials?|pin|passcodes?|otp|jwt)$"
)
#: What a sensitive name contains, also without a separator: `APITOKEN`, `clientsecret`.
_CONTAINED = re.compile(
    r"token|secret|passw|authorization|credential|cookie"
    r"|(?:api|access|private|signing|encryption|master|account|subscription)key",
    re.IGNORECASE,
)
_PARAMETERS = frozenset({"sig", "signature", "auth"})
"""Further last words of the names of query parameters, which occur in signed URLs."""

_SHAPES = re.compile(
    r"""(?x)
    \b(?:sk|pk|rk|xai|tvly|gsk|pplx|whsec|glpat|lsv2_(?:pt|sk))[-_]
        (?=[a-z_-]*[A-Z0-9])[A-Za-z0-9_-]{6,}
    | \bgh[opsru]_[A-Za-z0-9]{20,} | \bgithub_pat_\w{20,} | \bhf_[A-Za-z0-9]{20,}
    | \bxox[abeoprs]-[A-Za-z0-9-]{10,} | \b(?:AKIA|ASIA)[0-9A-Z]{16}\b | \bAIza[0-9A-Za-z_-]{30,}
    | \beyJ[\w-]{5,}\.eyJ[\w-]{5,}\.[\w-]*
    | -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----[\s\S]*?(?:-----END\ [A-Z ]*PRIVATE\ KEY-----|\Z)
    """
)
_SCHEME = re.compile(
    r"\b((?i:bearer)(?=\s+[a-z-]*[A-Z0-9=._~+/])|(?i:basic)(?=\s+[A-Za-z+/]*[0-9=]))"
    r"(\s+)[A-Za-z0-9+/=._~-]{6,}"
)
_URL_CREDENTIALS = re.compile(r"\b([a-z][a-z0-9+.-]*://)([^\s/?#\"'<>]+)@", re.IGNORECASE)
_PARAMETER = re.compile(r"(?<![\w-])([\w.%-]+)=([^&#\s\"'<>]+)")
_JSON_FIELD = re.compile(r"""(["'])([\w.-]+)\1(\s*:\s*)(["'])((?:\\.|(?!\4).)*)\4""")
_SHORTEST = 8
"""The least characters of a request's key for a search in texts."""
_SECRET_HEADERS = re.compile(r"key|token|secret|passw|authorization|cookie|credential")


def is_secret_header(name: str) -> bool:
    """Return whether a header holds a secret, by its name."""
    return _SECRET_HEADERS.search(name.lower()) is not None


class Scrubber:
    """Replaces secrets by `<scrubbed>`, and counts what it replaced.

    Args:
        names: Further names whose values are replaced, of any type.
        keep: Names whose values are written unchanged.

    Attributes:
        counts: How often something was replaced, by name or by kind.
    """

    def __init__(self, names: Iterable[str] = (), keep: Iterable[str] = ()) -> None:
        self._names = {name.lower() for name in names}
        self._keep = {name.lower() for name in keep}
        self._known: set[str] = set()
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()

    def learn(self, headers: httpx.Headers) -> None:
        """Replace the keys of a request wherever they occur from now on.

        Args:
            headers: The request's headers.
        """
        for name, value in headers.items():
            if is_secret_header(name):
                if name.lower() == "cookie":
                    secrets = [pair.partition("=")[2].strip() for pair in value.split(";")]
                else:
                    secrets = value.split()[-1:]
                with self._lock:
                    # A new set: another thread may be searching for the known ones.
                    self._known = self._known | {one for one in secrets if len(one) >= _SHORTEST}

    def value(self, value: object, name: str = "") -> JSON:
        """Return a JSON value without secrets.

        Args:
            value: The value.
            name: The name under which it stands.
        """
        if name.lower() in self._keep:
            return value
        if name.lower() in self._names and value is not None:
            return self._replaced(name)
        if isinstance(value, str):
            if value and value != SCRUBBED and self._is_sensitive(name):
                return self._replaced(name)
            return self.text(value)
        if isinstance(value, Mapping):
            # Everything below a sensitive name is secret, even under a harmless name.
            above = name if self._is_sensitive(name) else None
            return {
                key: item if key.lower() in self._keep else self.value(item, above or key)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.value(item, name) for item in value]
        if isinstance(value, int | float) and not isinstance(value, bool) and _is_password(name):
            return self._replaced(name)
        return value

    def text(self, text: str) -> str:
        """Return a text without the parts that look like secrets.

        Args:
            text: The text; may hold URLs, headers, JSON.
        """
        for secret in self._known:
            if secret in text:
                text = text.replace(secret, self._replaced("a key of the request"))
        if "://" in text:
            text = _URL_CREDENTIALS.sub(self._url_credentials, text)
        if "=" in text:
            text = _PARAMETER.sub(self._parameter, text)
        if ":" in text:
            text = _JSON_FIELD.sub(self._json_field, text)
        text = _SCHEME.sub(self._scheme, text)
        return _SHAPES.sub(lambda _: self._replaced("a value like a key"), text)

    def _is_sensitive(self, name: str) -> bool:
        if not name or name.lower() in self._keep:
            return False
        words = [word.lower() for word in _WORDS.findall(name)]
        return (
            name.lower() in self._names
            or _is_password(name)
            or (len(words) > 1 and ("key" in words or "keys" in words))
            or _CONTAINED.search(name) is not None
        )

    def _replaced(self, name: str) -> str:
        with self._lock:
            self.counts[name] += 1
        return SCRUBBED

    def _url_credentials(self, match: re.Match[str]) -> str:
        if match[2] == SCRUBBED:
            return match[0]
        return f"{match[1]}{self._replaced('credentials in a URL')}@"

    def _parameter(self, match: re.Match[str]) -> str:
        name = match[1]
        words = _WORDS.findall(name) or [name]
        if words[-1].lower() in _PARAMETERS or self._is_sensitive(name):
            return f"{name}={self._replaced(name)}"
        return match[0]

    def _json_field(self, match: re.Match[str]) -> str:
        if match[5] in ("", SCRUBBED) or not self._is_sensitive(match[2]):
            return match[0]
        quoted = f"{match[1]}{match[2]}{match[1]}{match[3]}{match[4]}"
        return f"{quoted}{self._replaced(match[2])}{match[4]}"

    def _scheme(self, match: re.Match[str]) -> str:
        return f"{match[1]}{match[2]}{self._replaced(match[1].lower())}"


def _is_password(name: str) -> bool:
    return any(_PASSWORD.match(word.lower()) for word in _WORDS.findall(name))
