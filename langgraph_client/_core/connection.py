"""How connections are made: certificates, limits, timeouts."""

from __future__ import annotations

import ssl
from functools import cache
from typing import Any

import httpx

from langgraph_client._core.settings import certificate_sources
from langgraph_client.errors import InvalidArgumentError


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


def timeouts(given: Any) -> httpx.Timeout:
    """Timeouts from what a caller may say."""
    if isinstance(given, httpx.Timeout):
        return given
    if given is None:
        return httpx.Timeout(connect=5, read=300, write=300, pool=None)
    values = given if isinstance(given, tuple) else (given, given, given, given)
    if len(values) != 4:
        raise InvalidArgumentError("timeout", "a tuple must have connect, read, write and pool")
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            problem = f"must be a number of seconds above 0, not {value!r}"
            raise InvalidArgumentError("timeout", problem)
    connect, read, write, pool = values
    return httpx.Timeout(connect=connect, read=read, write=write, pool=pool)
