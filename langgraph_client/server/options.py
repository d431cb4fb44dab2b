"""The settings of a `Server` besides its graphs, as plain values.

The command reads them from a `langgraph.json`; in Python they are passed to `Server`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from langgraph_client.errors import InvalidArgumentError

Group = Literal[
    "assistants", "threads", "runs", "store", "meta", "mcp", "a2a", "ui", "event_streaming"
]
"""A group of endpoints that can be disabled."""
Strategy = Literal["delete", "keep_latest"]


def _listed(literal: object) -> str:
    return ", ".join(map(repr, sorted(get_args(literal))))


def check_number(
    parameter: str, value: float | None, *, whole: bool = False, optional: bool = False
) -> None:
    """Check a setting that is a finite number above 0.

    Args:
        parameter: The name of the setting.
        value: Its value.
        whole: Whether it must be a whole number.
        optional: Whether it may be None.

    Raises:
        InvalidArgumentError: It is not such a number.
    """
    if value is None and optional:
        return
    is_number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if value is None or not is_number or not 0 < value < float("inf"):
        allowed = f"a {'whole ' if whole else ''}number above 0{', or None' if optional else ''}"
        raise InvalidArgumentError(parameter, f"must be {allowed}, not {value!r}")


_MOST_MINUTES = 100_000_000
"""The longest time to live that a request may ask for, too: 190 years."""


def check_minutes(parameter: str, value: float | None, *, optional: bool = False) -> None:
    """Check a time to live.

    Raises:
        InvalidArgumentError: It is not a number of minutes above 0, or too long.
    """
    if value is None and optional:
        return
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is None or not is_number or not 0 < value <= _MOST_MINUTES:
        problem = f"must be a number of minutes above 0, at most {_MOST_MINUTES:,}, not {value!r}"
        raise InvalidArgumentError(parameter, problem)


def _check_tuples(options: object, *names: str) -> None:
    """Refuse a text where a tuple of texts is meant: each of its letters would count as one."""
    for name in names:
        if isinstance(value := getattr(options, name), str):
            raise InvalidArgumentError(name, f"must be a tuple of texts, not {value!r}")


@dataclass(frozen=True)
class Cors:
    """Which web pages may use a port (CORS).

    Attributes:
        allow_origins: The allowed origins, besides those of this machine; `*` for all.
        allow_origin_regex: A regular expression; origins that match it as a whole are allowed too.
        allow_methods: The allowed methods.
        allow_headers: The allowed request headers.
        expose_headers: The response headers that pages may read, besides those that clients need.
        allow_credentials: Whether cookies and other credentials are allowed.
        max_age: For how many seconds a browser may cache the response to a preflight request.
    """

    allow_origins: tuple[str, ...] = ()
    allow_origin_regex: str | None = None
    allow_methods: tuple[str, ...] = ("*",)
    allow_headers: tuple[str, ...] = ("*",)
    expose_headers: tuple[str, ...] = ()
    allow_credentials: bool = False
    max_age: int = 600

    def __post_init__(self) -> None:
        _check_tuples(self, "allow_origins", "allow_methods", "allow_headers", "expose_headers")
        for origin in self.allow_origins:
            if not is_origin(origin):
                raise InvalidArgumentError(
                    "allow_origins",
                    f"{origin!r} is not an origin, such as 'https://app.example', nor '*' for all"
                    " of them; `allow_origin_regex` allows several",
                )
        try:
            re.compile(self.allow_origin_regex or "")
        except (re.error, TypeError) as error:
            problem = f"{self.allow_origin_regex!r} is not a regular expression: {error}"
            raise InvalidArgumentError("allow_origin_regex", problem) from None


def is_origin(text: object) -> bool:
    """Return whether a text is the origin of a page, or `*`."""
    if text in ("*", "null"):
        return True
    try:
        parts = urlsplit(text if isinstance(text, str) else "")
    except ValueError:
        return False
    is_bare = parts.path in ("", "/") and not parts.query and not parts.fragment
    return bool(parts.scheme and parts.netloc) and is_bare and "*" not in parts.netloc


_NEVER = {
    "authorization",
    "cookie",
    "proxy-authorization",
    "x-api-key",
    "x-service-key",
    "x-tenant-id",
}


@dataclass(frozen=True)
class HeaderRules:
    """Which headers of a request are passed on.

    Names may contain `*` for any text; case is ignored. Headers with keys (`Authorization`,
    `Proxy-Authorization`, `Cookie`, `x-api-key`, `x-service-key`, `x-tenant-id`) are never passed
    on, because they would be stored with a run.

    Attributes:
        includes: The names of headers to pass on.
        excludes: Names among them that are not passed on.
    """

    includes: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_tuples(self, "includes", "excludes")

    def pick(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the headers to pass on, by their names in lower case."""
        return {name.lower(): headers[name] for name in headers if self._has(name.lower())}

    def _has(self, name: str) -> bool:
        if name in _NEVER or _any_matches(self.excludes, name):
            return False
        return _any_matches(self.includes, name)


def _any_matches(patterns: tuple[str, ...], name: str) -> bool:
    return any(
        re.fullmatch(".*".join(map(re.escape, pattern.lower().split("*"))), name, re.DOTALL)
        for pattern in patterns
    )


@dataclass(frozen=True)
class HttpOptions:
    """HTTP settings of a server.

    Attributes:
        app: A Starlette or FastAPI application whose routes, middleware and lifespan are served
            together with the server's endpoints. Its routes have priority, except for `/ok`,
            `/metrics`, `/docs` and `/openapi.json`. One server at a time can serve it.
        disabled: The groups of endpoints that are not served.
        mount_prefix: The path of the endpoints on a port, such as `/api`. `/ok` and `/metrics` are
            at the root too.
        configurable_headers: The headers that runs and graph factories can read in
            `config["configurable"]`. They can always read those of a LangSmith trace.
        logging_headers: The headers in the log line of a request, at level debug.
        auth_first: Whether to authenticate before the middleware of `app`, not after it.
        custom_route_auth: Whether to authenticate requests to the routes of `app` too.
        security: The authentication in the OpenAPI document: `securitySchemes`, `security`, and
            `paths` with methods that have their own `security`.
    """

    app: object = None
    disabled: frozenset[Group] = frozenset()
    mount_prefix: str = ""
    configurable_headers: HeaderRules = field(default_factory=HeaderRules)
    logging_headers: HeaderRules = field(default_factory=HeaderRules)
    auth_first: bool = False
    custom_route_auth: bool = False
    security: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # A restriction that is misspelt would leave open what its author believes closed.
        disabled = {self.disabled} if isinstance(self.disabled, str) else set(self.disabled)
        if unknown := disabled - {*get_args(Group)}:
            raise InvalidArgumentError(
                "disabled",
                f"{', '.join(sorted(map(repr, unknown)))}: there is no such group of endpoints;"
                f" there are {_listed(Group)}",
            )
        if isinstance(self.disabled, str):
            raise InvalidArgumentError("disabled", f"must be a set, such as {disabled!r}")


@dataclass(frozen=True)
class WebhookOptions:
    """Which URLs webhooks may call, and what they send.

    Attributes:
        enabled: Whether webhooks are sent. If not, runs with a webhook are still accepted.
        loopback: Whether they may call this machine.
        private: Whether they may call private networks.
        require_https: Whether `http` URLs are refused.
        allowed_domains: The allowed hosts, `*.example.com` for all below a domain; empty for all. A
            host that is named in full may be on a private network.
        allowed_ports: The allowed ports; empty for all.
        max_url_length: The maximum length of a URL.
        headers: Additional headers.
        fields: The fields of a run that are sent; empty for all.
    """

    enabled: bool = True
    loopback: bool = False
    private: bool = False
    require_https: bool = False
    allowed_domains: tuple[str, ...] = ()
    allowed_ports: tuple[int, ...] = ()
    max_url_length: int = 4096
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    fields: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_tuples(self, "allowed_domains", "fields")


@dataclass(frozen=True)
class ThreadTTL:
    """The default time to live of threads.

    Attributes:
        minutes: The time in minutes.
        strategy: What happens then: `delete`, or `keep_latest` to delete all but the latest state.
    """

    minutes: float
    strategy: Strategy = "delete"

    def __post_init__(self) -> None:
        check_minutes("minutes", self.minutes)
        if self.strategy not in get_args(Strategy):
            problem = f"must be one of {_listed(Strategy)}, not {self.strategy!r}"
            raise InvalidArgumentError("strategy", problem)


@dataclass(frozen=True)
class StoreIndex:
    """The index for searching items of the store by their meaning.

    Attributes:
        dims: The number of dimensions of an embedding.
        embed: A function from texts to embeddings, which may be async, langchain `Embeddings`, or
            the name of a model such as `openai:text-embedding-3-small`.
        fields: The fields that are embedded; `$` for the whole value.
    """

    dims: int
    embed: Any
    fields: tuple[str, ...] = ("$",)

    def __post_init__(self) -> None:
        check_number("dims", self.dims, whole=True)
        _check_tuples(self, "fields")


@dataclass(frozen=True)
class StoreOptions:
    """The settings of the server's own store.

    Attributes:
        index: The index for searching by meaning; None for no index.
        default_ttl: The default time to live of items in minutes; None for no limit.
        refresh_on_read: Whether reading an item restarts its time to live by default.
    """

    index: StoreIndex | None = None
    default_ttl: float | None = None
    refresh_on_read: bool = True

    def __post_init__(self) -> None:
        check_minutes("default_ttl", self.default_ttl, optional=True)
