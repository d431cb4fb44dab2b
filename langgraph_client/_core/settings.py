"""The server's URL, API key and headers, from arguments or from environment variables."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit, urlunsplit

from langgraph_client._core.unset import UNSET, Unset
from langgraph_client.errors import InvalidArgumentError

DEFAULT_URL = "http://localhost:8123"
API_KEY_HEADER = "x-api-key"
KEY_VARIABLES = ("LANGGRAPH_API_KEY", "LANGSMITH_API_KEY", "LANGCHAIN_API_KEY")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # A header's name, by RFC 9110.
RESERVED_HEADERS = frozenset({API_KEY_HEADER, "host", "content-length", "transfer-encoding"})
USER_AGENT = "langgraph-client"


@dataclass(frozen=True)
class Settings:
    """The settings with which a client sends requests.

    Attributes:
        url: The server's URL, without credentials and without a slash at its end.
        headers: Sent with every request, names in lower case. They contain the API key, so the repr
            leaves them out.
        has_credentials: Whether the URL contained a user name.
    """

    url: str
    headers: Mapping[str, str] = field(repr=False)
    has_credentials: bool = False

    @property
    def origin(self) -> tuple[str, str, int | None]:
        """Scheme, host and port. The API key is sent to this origin only."""
        return origin_of(self.url)

    @property
    def authority(self) -> str:
        """Scheme, host and port, as written in the URL, to be followed by a path."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def encrypted(self) -> bool:
        return self.url.startswith("https:")


def settings_from(
    url: str | None,
    api_key: str | Unset | None,
    headers: Mapping[str, str] | None,
    *,
    set_below: Collection[str] = (),
) -> Settings:
    """Return settings from a caller's arguments, else from the environment.

    Args:
        url: The server's URL; None for `LANGGRAPH_URL`, or else `http://localhost:8123`.
        api_key: The key; None for no key, UNSET for the first variable in `KEY_VARIABLES`.
        headers: More headers for every request.
        set_below: Names, in lower case, of the headers that the caller's HTTP client sends with
            every request. Only an argument replaces them, not the environment or a default.

    Raises:
        InvalidArgumentError: The URL, the key or a header is invalid.
    """
    is_default_url = url is None
    if url is None:
        url = os.environ.get("LANGGRAPH_URL", "").strip() or DEFAULT_URL
    address, credentials = parse_url(url)
    if is_default_url and "authorization" in set_below:
        credentials = None
    given = {name.lower(): value for name, value in check_headers(headers, "headers").items()}
    own = given if "user-agent" in set_below else {"user-agent": USER_AGENT, **given}
    key = api_key
    if key is UNSET:
        key = None if API_KEY_HEADER in set_below else _key_from_environment()
    if key is not None:
        if not isinstance(key, str):
            raise InvalidArgumentError("api_key", f"must be text or None, not {_kind(key)}")
        key = _unquoted(key)
        check_header_value("api_key", key)
        if key:
            own[API_KEY_HEADER] = key
    if credentials is not None:
        pair = ":".join(credentials).encode()
        # A header that the caller passed wins over the credentials in the URL.
        own.setdefault("authorization", f"Basic {base64.b64encode(pair).decode('ascii')}")
    return Settings(address, own, has_credentials=credentials is not None)


def _key_from_environment() -> str | None:
    for name in KEY_VARIABLES:
        if value := _unquoted(os.environ.get(name, "")):
            return value
    return None


def _unquoted(key: str) -> str:
    # Keys copied from `.env` files and shells may have quotes around them; no key has any.
    return key.strip().strip("'\"")


def parse_url(url: object) -> tuple[str, tuple[str, str] | None]:
    """Return a server's URL without credentials, and its user and password or None."""
    if not isinstance(url, str):
        raise InvalidArgumentError("url", f"must be text, not {_kind(url)}")
    if not url.strip():
        raise InvalidArgumentError("url", "is empty; give the server's URL, http://host:port")
    try:
        parts = urlsplit(url.strip())
        port = parts.port
        (parts.hostname or "").encode("idna")  # A UnicodeError is a ValueError.
    except ValueError as error:
        raise InvalidArgumentError("url", f"is not a URL: {error}") from error
    if parts.scheme not in ("http", "https"):
        raise InvalidArgumentError(
            "url", "must begin with http:// or https://, as in http://localhost:8123"
        )
    if not parts.hostname:
        raise InvalidArgumentError("url", "has no host; it must look like http://host:port")
    if parts.query or parts.fragment:
        raise InvalidArgumentError("url", "must not have a query or a fragment")
    credentials = None
    if parts.username is not None:
        credentials = (unquote(parts.username), unquote(parts.password or ""))
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    netloc = host if port is None else f"{host}:{port}"
    return urlunsplit((parts.scheme, netloc, parts.path.rstrip("/"), "", "")), credentials


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port of a URL, with the scheme's default port if it has none."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), port


def check_headers(
    headers: Mapping[str, str] | None, name: str = "headers", *, may_have_key: bool = False
) -> dict[str, str]:
    """Return a copy of a caller's headers, checked.

    Args:
        headers: Any mapping of text to text; None for no headers.
        name: The parameter's name, for error messages.
        may_have_key: Whether `x-api-key` is allowed, as for the headers of a single call.

    Raises:
        InvalidArgumentError: A header is reserved or cannot be sent.
    """
    checked: dict[str, str] = {}
    if headers is not None and not isinstance(headers, Mapping):
        raise InvalidArgumentError(name, f"must be a mapping, not {_kind(headers)}")
    for key, value in (headers or {}).items():
        if not isinstance(key, str) or not _TOKEN.fullmatch(key):
            raise InvalidArgumentError(name, f"{key!r} is not a valid header name")
        is_key = key.lower() == API_KEY_HEADER
        if key.lower() in RESERVED_HEADERS and not (is_key and may_have_key):
            hint = "pass api_key= to the client instead" if is_key else "the client sets it"
            raise InvalidArgumentError(f"{name}[{key!r}]", f"this header is reserved; {hint}")
        check_header_value(f"{name}[{key!r}]", value)
        checked[key] = value
    return checked


def check_header_value(name: str, value: object) -> None:
    # The value may be a secret, so no message contains it.
    if not isinstance(value, str):
        raise InvalidArgumentError(name, f"must be text, not {_kind(value)}")
    if not value.isascii() or any((ord(c) < 32 and c != "\t") or c == "\x7f" for c in value):
        raise InvalidArgumentError(
            name, "must be ASCII without control characters, as every header's value"
        )
    if value != value.strip(" \t"):
        raise InvalidArgumentError(name, "must not begin or end with a space or tab")


def _kind(value: object) -> str:
    return "None" if value is None else type(value).__name__
