"""What a `Server` can be told beyond its graphs, as plain values.

The command makes them out of a `langgraph.json`; in Python they are given to `Server`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Group = Literal[
    "assistants", "threads", "runs", "store", "meta", "mcp", "a2a", "ui", "event_streaming"
]
"""A part of the endpoints that can be taken away."""
Strategy = Literal["delete", "keep_latest"]


@dataclass(frozen=True)
class Cors:
    """Which web pages may call a port, and how.

    Attributes:
        allow_origins: The origins whose pages may call, besides those of this machine; `*` for all.
        allow_origin_regex: A pattern; origins that match it as a whole may call, too.
        allow_methods: The methods that they may use.
        allow_headers: The headers that they may send.
        expose_headers: The headers of answers that they may read, besides those that clients need.
        allow_credentials: Whether they may send cookies and the like.
        max_age: Seconds for which a browser may keep what a preflight was answered.
    """

    allow_origins: tuple[str, ...] = ()
    allow_origin_regex: str | None = None
    allow_methods: tuple[str, ...] = ("*",)
    allow_headers: tuple[str, ...] = ("*",)
    expose_headers: tuple[str, ...] = ()
    allow_credentials: bool = False
    max_age: int = 600


_NEVER = {"authorization", "x-api-key", "x-service-key", "x-tenant-id"}


@dataclass(frozen=True)
class HeaderRules:
    """Which headers of a request are passed on.

    Names may contain `*`, which stands for any text; case does not matter. Headers that carry keys
    (`Authorization`, `x-api-key`, `x-service-key`, `x-tenant-id`) are never passed on.

    Attributes:
        includes: The names that are passed on.
        excludes: Those of them that are not.
    """

    includes: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()

    def pick(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the headers that are passed on, by their names in lower case."""
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
    """What a server's HTTP side is made of.

    Attributes:
        app: A Starlette or FastAPI application whose routes, middleware and lifespan are served
            together with the server's own; its routes win, but for `/ok`, `/metrics`, `/docs` and
            `/openapi.json`.
        disabled: The parts of the endpoints that are taken away.
        mount_prefix: Where the endpoints are on a port, such as `/api`; `/ok` and `/metrics` are
            at the root as well.
        configurable_headers: The headers that runs and graph factories find in
            `config["configurable"]`.
        logging_headers: The headers that the line of a request shows at debug.
        auth_first: Authenticate before the middleware of `app`, not behind it.
        custom_route_auth: Authenticate requests to the routes of `app`, too.
        security: What the OpenAPI document says about authentication: `securitySchemes`,
            `security`, and `paths` with methods that have a `security` of their own.
    """

    app: object = None
    disabled: frozenset[Group] = frozenset()
    mount_prefix: str = ""
    configurable_headers: HeaderRules = field(default_factory=HeaderRules)
    logging_headers: HeaderRules = field(default_factory=HeaderRules)
    auth_first: bool = False
    custom_route_auth: bool = False
    security: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class WebhookOptions:
    """Where webhooks may go, and what they carry.

    Attributes:
        enabled: Whether they are sent; without, runs still take them.
        loopback: Whether they may go to this machine.
        private: Whether they may go to private networks.
        require_https: Whether `http` URLs are refused.
        allowed_domains: The hosts they may go to, `*.example.com` for those below one; none for
            all. A host that is named here in full may be on a private network.
        allowed_ports: The ports they may go to; none for all.
        max_url_length: The length of a URL, at most.
        headers: What they carry besides their own headers.
        fields: What of a run they tell, by name; none for all.
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


@dataclass(frozen=True)
class ThreadTTL:
    """How long threads live that are not given a time of their own.

    Attributes:
        minutes: How long.
        strategy: What happens then: `delete`, or `keep_latest` to lose all but the latest state.
    """

    minutes: float
    strategy: Strategy = "delete"


@dataclass(frozen=True)
class StoreIndex:
    """By what items of the store are found by their meaning.

    Attributes:
        dims: How many numbers an embedding has.
        embed: A function from texts to embeddings, which may be async, langchain `Embeddings`, or
            the name of a model such as `openai:text-embedding-3-small`.
        fields: The fields that are embedded; `$` for the whole value.
    """

    dims: int
    embed: Any
    fields: tuple[str, ...] = ("$",)


@dataclass(frozen=True)
class StoreOptions:
    """How the server's own store works.

    Attributes:
        index: By what items are found by their meaning; None for not at all.
        default_ttl: Minutes that an item lives that is not given a time; None for ever.
        refresh_on_read: Whether reading an item begins its time again, unless the reader says.
    """

    index: StoreIndex | None = None
    default_ttl: float | None = None
    refresh_on_read: bool = True
