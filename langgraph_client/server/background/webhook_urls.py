"""Decide which URLs webhooks may call."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from typing import Literal
from urllib.parse import urlsplit

import httpx

from langgraph_client.server.errors import Invalid
from langgraph_client.server.options import WebhookOptions

_Kind = Literal["this machine", "a private network"]
_LOCAL_NAMES = ("localhost", "localhost.localdomain")


class WebhookUrls:
    """Decides which URLs webhooks may call.

    Args:
        options: The rules. By default, this machine and private networks are not allowed.
            Otherwise a user who may start a run could make the server call internal services.
        has_home: Whether a URL without a host means this server.
    """

    def __init__(self, options: WebhookOptions, *, has_home: bool) -> None:
        self._options = options
        self._has_home = has_home

    def check(self, url: str) -> None:
        """Refuse a URL that must not be called.

        Raises:
            Invalid: The URL is invalid or not allowed.
        """
        try:
            parts, _ = urlsplit(url), httpx.URL(url)
            port = parts.port  # It raises for a number above 65535.
        except (ValueError, httpx.InvalidURL) as error:
            raise Invalid(f"Webhook {url!r} is not a URL: {error}") from None
        if is_relative(url) and self._options.loopback and self._has_home:
            return
        if not parts.scheme and not parts.netloc:
            raise Invalid(f"Webhook {url!r} is relative: pass a URL with scheme and host")
        if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
            raise Invalid(f"Webhook {url!r} must be an http or https URL")
        if not _can_be_looked_up(parts.hostname):
            raise Invalid(f"Webhook {url!r} has a host name that cannot exist")
        self._check_rules(url, parts.scheme, parts.hostname, port)
        if (kind := _kind_of(parts.hostname)) and not self._may_reach(parts.hostname, kind):
            raise Invalid(
                f"Webhook {url!r} leads to {kind}, which is not allowed unless the server says so"
                " (webhooks.url.disable_loopback: false in langgraph.json,"
                " Server(webhooks=WebhookOptions(loopback=True, private=True)))",
            )

    def _check_rules(self, url: str, scheme: str, host: str, port: int | None) -> None:
        rules = self._options
        if len(url) > rules.max_url_length:
            raise Invalid(f"Webhook URL too long: more than {rules.max_url_length} characters")
        if rules.require_https and scheme != "https":
            raise Invalid(f"Webhook {url!r} must use https")
        port = port or (443 if scheme == "https" else 80)
        if rules.allowed_ports and port not in rules.allowed_ports:
            raise Invalid(f"Webhook port {port} not allowed")
        if rules.allowed_domains and not _is_named(host, rules.allowed_domains):
            raise Invalid(f"Webhook domain {host!r} not allowed")

    def _may_reach(self, host: str, kind: _Kind) -> bool:
        if host.lower() in map(str.lower, self._options.allowed_domains):
            return True
        return self._options.loopback if kind == "this machine" else self._options.private

    async def forbidden(self, url: str) -> _Kind | None:
        """Resolve a URL's host. Return its kind if webhooks must not call it; else None.

        Raises:
            OSError: The name cannot be resolved.
        """
        parts = urlsplit(url)
        host = parts.hostname or ""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, parts.port or 443, type=socket.SOCK_STREAM)
        for *_, address in found:
            kind = _kind_of(str(address[0]))
            if kind is not None and not self._may_reach(host, kind):
                return kind
        return None


def is_relative(url: str) -> bool:
    """Return whether a URL has no host, and so means this server."""
    return url.startswith("/") and not url.startswith("//")


def _is_named(host: str, domains: Sequence[str]) -> bool:
    host = host.lower()
    return any(
        host.endswith(domain[1:]) if domain.startswith("*.") else host == domain
        for domain in map(str.lower, domains)
    )


def _kind_of(host: str) -> _Kind | None:
    """Return the kind of a host that is not public; None for a public one."""
    if host.lower().rstrip(".") in _LOCAL_NAMES or host.lower().endswith(".localhost"):
        return "this machine"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:  # A name. Its addresses are checked when it is called.
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    address = mapped or address
    if address.is_loopback or address.is_unspecified:
        return "this machine"
    return None if address.is_global else "a private network"


def _can_be_looked_up(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        try:
            labels = host.encode("idna").decode().rstrip(".").split(".")
        except UnicodeError:
            return False
        return len(host) <= 253 and all(0 < len(label) <= 63 for label in labels)
    return True
