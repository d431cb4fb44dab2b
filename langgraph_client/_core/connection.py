"""How connections are made: certificates, limits, timeouts."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx

from langgraph_client._core.settings import certificate_sources
from langgraph_client.errors import InvalidArgumentError

_CONNECT = 5.0
_READ = 300.0


def ssl_context(verify: Any, *, encrypted: bool) -> ssl.SSLContext:
    """The context for TLS: one per process and settings, for loading certificates is slow.

    A plain `http://` server needs none: it gets one without any certificate, which trusts nobody.
    """
    if isinstance(verify, ssl.SSLContext):
        return verify
    if not encrypted:
        return _trusting_nobody()
    if isinstance(verify, bool | str):
        return _trusting(verify, certificate_sources())
    raise InvalidArgumentError("verify", "must be True, False or an ssl.SSLContext")


@cache
def _trusting_nobody() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@cache
def _trusting(verify: bool | str, _sources: tuple[str | None, str | None]) -> ssl.SSLContext:
    if isinstance(verify, str):
        return ssl.create_default_context(cafile=verify)
    return httpx.create_ssl_context(verify=verify)


def default_limits() -> httpx.Limits:
    """As many connections as there are calls at the same time, a hundred of them kept."""
    return httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=30)


@dataclass(frozen=True)
class Waits:
    """How long is waited for what, in seconds.

    Attributes:
        steps: Connecting, sending, each wait for more of an answer, a free connection; None for
            those of the HTTP client that was given.
        whole: A call from its beginning to its end, repetitions and pauses included; for an event
            stream until it is open. None for no limit.
        silence: In an event stream between two pieces, at most; None for what `steps` says.
    """

    steps: httpx.Timeout | None
    whole: float | None = None
    silence: float | None = None


def waits(given: Any) -> Waits:
    """What a caller's `timeout` means: a number is for the whole call, anything else for steps."""
    if isinstance(given, httpx.Timeout):
        return Waits(given)
    if given is None:
        return Waits(httpx.Timeout(connect=_CONNECT, read=_READ, write=_READ, pool=None))
    values = given if isinstance(given, tuple) else (given, given, given, given)
    if len(values) != 4:
        raise InvalidArgumentError("timeout", "a tuple must have connect, read, write and pool")
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            problem = f"must be a number of seconds above 0, not {value!r}"
            raise InvalidArgumentError("timeout", problem)
    connect, read, write, pool = values
    steps = httpx.Timeout(connect=connect, read=read, write=write, pool=pool)
    return Waits(steps) if isinstance(given, tuple) else Waits(steps, given, _READ)
