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
_KINDS: tuple[_Kind, ...] = ("this machine", "a private network")
_LOCAL_NAMES = ("localhost", "localhost.localdomain")
_WITH_IPV4 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))
"""IPv6 addresses that end with the IPv4 address they lead to: NAT64's, and the oldest form."""


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
        self._domains = tuple(map(_as_called, options.allowed_domains))

    def check(self, url: str) -> None:
        """Refuse a URL that must not be called.

        Raises:
            Invalid: The URL is invalid or not allowed.
        """
        try:
            target, port = httpx.URL(url), urlsplit(url).port  # Raises for a port above 65535.
        except (ValueError, httpx.InvalidURL) as error:
            raise Invalid(f"Webhook {url!r} is not a URL: {error}") from None
        if is_relative(url) and self._options.loopback and self._has_home:
            return
        if not target.scheme and not target.host:
            raise Invalid(f"Webhook {url!r} is relative: pass a URL with scheme and host")
        if target.scheme not in ("http", "https") or not target.host or port == 0:
            raise Invalid(f"Webhook {url!r} must be an http or https URL")
        host = host_of(target)
        if not _can_be_looked_up(host):
            raise Invalid(f"Webhook {url!r} has a host name that cannot exist")
        self._check_rules(url, target.scheme, host, target.port)
        if (kind := _kind_of(host)) and not self._may_reach(host, kind):
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
        if self._domains and not _is_named(host, self._domains):
            raise Invalid(f"Webhook domain {host!r} not allowed")

    def _may_reach(self, host: str, kind: _Kind) -> bool:
        if host in self._domains:
            return True
        return self._options.loopback if kind == "this machine" else self._options.private

    async def addresses(self, url: str) -> list[str]:
        """Resolve a URL's host, and check each of its addresses.

        Returns:
            The addresses, the best first. Empty if the host may have any address.

        Raises:
            Invalid: Webhooks must not call one of the addresses.
            OSError: The name cannot be resolved.
        """
        target = httpx.URL(url)
        host = host_of(target)
        if all(self._may_reach(host, kind) for kind in _KINDS):
            return []
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, target.port or 443, type=socket.SOCK_STREAM)
        addresses = [str(address[0]) for *_, address in found]
        for kind in map(_kind_of, addresses):
            if kind is not None and not self._may_reach(host, kind):
                raise Invalid(f"the name leads to {kind}")
        return addresses


def host_of(url: httpx.URL) -> str:
    """Return the host that httpx looks up: ASCII, in lower case.

    `urlsplit(url).hostname` may be another one: `getaddrinfo` encodes a name that is not ASCII by
    the rules of 2003, httpx by those of 2008. Then the checked name would not be the called one.
    """
    return url.raw_host.decode("ascii")


def is_relative(url: str) -> bool:
    """Return whether a URL has no host, and so means this server."""
    return url.startswith("/") and not url.startswith("//")


def _as_called(domain: str) -> str:
    """Return an allowed domain in the form that `host_of` returns."""
    if domain.isascii():
        return domain.lower()
    name = domain.removeprefix("*.")
    return domain[: -len(name)] + host_of(httpx.URL(scheme="https", host=name))


def _is_named(host: str, domains: Sequence[str]) -> bool:
    return any(
        host.endswith(domain[1:]) if domain.startswith("*.") else host == domain
        for domain in domains
    )


def _kind_of(host: str) -> _Kind | None:
    """Return the kind of a host that is not public; None for a public one."""
    if host.rstrip(".") in _LOCAL_NAMES or host.rstrip(".").endswith(".localhost"):
        return "this machine"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:  # A name. Its addresses are checked when it is called.
        return None
    return _kind_of_address(address)


def _kind_of_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> _Kind | None:
    if address.is_loopback or address.is_unspecified:
        return "this machine"
    if isinstance(address, ipaddress.IPv6Address) and (inner := _ipv4_within(address)):
        return _kind_of_address(inner)
    return None if address.is_global else "a private network"


def _ipv4_within(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that a gateway calls for an IPv6 address; None if there is none."""
    if any(address in network for network in _WITH_IPV4):
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour


def _can_be_looked_up(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        labels = host.rstrip(".").split(".")
        return len(host) <= 253 and all(0 < len(label) <= 63 for label in labels)
    return True
