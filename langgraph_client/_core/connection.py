"""How connections are made: certificates, limits, timeouts."""

from __future__ import annotations

import os
import re
import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple, Protocol, runtime_checkable
from urllib.parse import urlsplit

import certifi

from langgraph_client.errors import InvalidArgumentError

_CONNECT = 5.0
_READ = 300.0
_POOL = 60.0  # A wait without a limit would hide that no connection becomes free any more.
_FOREVER = 1e9  # From this many seconds on, there is no limit.
LONGEST_WAIT = 2e6
"""Seconds of the longest wait at a socket, 23 days: systems count its milliseconds with 32 bits."""
_LOCAL = ("localhost", "127.0.0.1", "::1")
_LOOPBACK = re.compile(r"127(\.[0-9]+){3}")  # Not 127.example.com.


def ssl_context(verify: bool | str | ssl.SSLContext, *, encrypted: bool) -> ssl.SSLContext:
    """Return the TLS context. It is cached per process and settings: loading certificates is slow.

    A plain `http://` server needs no TLS. It gets a context without certificates, which is made
    faster and accepts no server.
    """
    if isinstance(verify, ssl.SSLContext):
        return verify
    if not encrypted:
        return _trusting_nobody()
    if isinstance(verify, bool | str):
        return _trusting(verify, os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    raise InvalidArgumentError("verify", "must be True, False or an ssl.SSLContext")


@cache
def _trusting_nobody() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@cache
def _trusting(verify: bool | str, file: str | None, folder: str | None) -> ssl.SSLContext:
    if isinstance(verify, str):
        return ssl.create_default_context(cafile=verify)
    if not verify:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if file:
        return ssl.create_default_context(cafile=file)
    if folder:
        return ssl.create_default_context(capath=folder)
    return ssl.create_default_context(cafile=certifi.where())


class Limits(NamedTuple):
    """How many connections a client opens and keeps.

    Attributes:
        max_open: The most connections at one time; None for no limit.
        max_idle: The most unused connections that are kept open; None for no limit.
        idle_seconds: How long an unused connection is kept open; None for no limit.
    """

    max_open: int | None = None
    max_idle: int | None = 100
    idle_seconds: float | None = 30.0


class Steps(NamedTuple):
    """Seconds that one step of an exchange may take; None for no limit."""

    connect: float | None = None
    read: float | None = None
    write: float | None = None
    pool: float | None = None


@runtime_checkable
class HasSteps(Protocol):
    """An object with a limit for each step as attributes, such as `httpx.Timeout`."""

    @property
    def connect(self) -> float | None: ...
    @property
    def read(self) -> float | None: ...
    @property
    def write(self) -> float | None: ...
    @property
    def pool(self) -> float | None: ...


Timeout = (
    float
    | tuple[float | None, float | None]
    | tuple[float | None, float | None, float | None, float | None]
    | HasSteps
)


@dataclass(frozen=True)
class TimeLimits:
    """Time limits in seconds.

    Attributes:
        steps: The limits of single steps: to connect, to wait for more of a response, to send, to
            wait for a free connection.
        whole: The limit of a whole call, including repeated attempts and pauses. For an event
            stream it ends when the stream is open. None for no limit.
    """

    steps: Steps
    whole: float | None = None


def time_limits(timeout: Timeout | None, deadline: float | None = None) -> TimeLimits:
    """Return the limits of steps and of the whole call, from a caller's arguments.

    Args:
        timeout: Seconds for each step; see `get_client`. None for the defaults.
        deadline: Seconds for a whole call; None for no limit.

    Raises:
        InvalidArgumentError: A limit is not a number of seconds above 0.
    """
    if deadline is not None:
        _check_seconds("deadline", deadline)
    return TimeLimits(for_sockets(_steps(timeout)), _unless_forever(deadline))


def for_sockets(steps: Steps) -> Steps:
    """Return limits of steps that sockets take."""
    return Steps(*(waitable(_unless_forever(seconds)) for seconds in steps))


def waitable(seconds: float | None) -> float | None:
    """Return how long one wait at a socket may take: not longer than sockets can wait."""
    return None if seconds is None else min(seconds, LONGEST_WAIT)


def _steps(timeout: Timeout | None) -> Steps:
    if timeout is None:
        return Steps(_CONNECT, _READ, _READ, _POOL)
    if isinstance(timeout, int | float):
        _check_seconds("timeout", timeout)
        return Steps(timeout, timeout, timeout, timeout)
    if isinstance(timeout, HasSteps):
        timeout = (timeout.connect, timeout.read, timeout.write, timeout.pool)
    if not isinstance(timeout, tuple):
        raise InvalidArgumentError("timeout", f"must be a number of seconds, not {timeout!r}")
    if len(timeout) not in (2, 4):
        problem = "a tuple must have connect and read, or connect, read, write and pool"
        raise InvalidArgumentError("timeout", problem)
    for seconds in timeout:
        if seconds is not None:
            _check_seconds("timeout", seconds)
    return Steps(*timeout)


def _unless_forever(seconds: float | None) -> float | None:
    return None if seconds is None or seconds >= _FOREVER else seconds


def _check_seconds(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise InvalidArgumentError(name, f"must be a number of seconds above 0, not {value!r}")


def is_local(host: str) -> bool:
    """Return whether a host's name or address is one of this machine's loopback interface."""
    return host in _LOCAL or host.endswith(".localhost") or _LOOPBACK.fullmatch(host) is not None


def has_proxy(url: str, environment: Mapping[str, str] | None = None) -> bool:
    """Return whether the environment may name a proxy for a URL; False for a local server."""
    parts = urlsplit(url)
    if is_local(parts.hostname or ""):
        return False
    proxies = _proxies() if environment is None else environment
    return bool(proxies.get(parts.scheme) or proxies.get("all"))


def _proxies() -> Mapping[str, str]:
    """Return the proxies by URL scheme; `all` is for any scheme."""
    if sys.platform in ("darwin", "win32"):  # They have system settings beside the environment.
        from urllib.request import getproxies

        return getproxies()
    found = {name.lower(): value for name, value in os.environ.items() if value}
    return {
        name.removesuffix("_proxy"): value
        for name, value in found.items()
        if name.endswith("_proxy")
    }
