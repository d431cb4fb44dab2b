"""Tells a URL that a run is over."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Sequence
from typing import Literal
from urllib.parse import urlsplit

import httpx

from langgraph_client.server.clock import Clock
from langgraph_client.server.encoding import encode
from langgraph_client.server.errors import Invalid
from langgraph_client.server.options import WebhookOptions
from langgraph_client.server.runs.run_states import Ended

logger = logging.getLogger("langgraph_client.server")

ATTEMPTS = 3
_PAUSES = (0.5, 2.0)
_SECONDS = 10.0
_AT_CLOSE = 2.0
_Kind = Literal["this machine", "a private network"]
_HOME = "http://langgraph.server"
"""What this server is called in URLs over its own transport."""
_LOCAL_NAMES = ("localhost", "localhost.localdomain")


class Webhooks:
    """Sends what runs with a `webhook` became, when they are over.

    A request that finds nobody, or is answered 5xx, is repeated twice; then a warning is logged.

    Args:
        clock: Time.
        options: Where they may go. Not to this machine and to private networks by default: whoever
            may start a run could make the server call what only it can reach.
        home: What URLs without a host are sent over, which mean this server; None for nothing.
    """

    def __init__(
        self,
        clock: Clock,
        options: WebhookOptions | None = None,
        home: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._clock = clock
        self._options = options or WebhookOptions()
        self._home = home
        self._client: httpx.AsyncClient | None = None
        self._sending: set[asyncio.Task[None]] = set()

    def check(self, url: str) -> None:
        """Refuse a URL that must not be called.

        Raises:
            Invalid: It is no such URL, or leads where webhooks must not go.
        """
        try:
            parts, _ = urlsplit(url), httpx.URL(url)
            port = parts.port  # Raises what is beyond 65535.
        except (ValueError, httpx.InvalidURL) as error:
            raise Invalid(f"Webhook {url!r} is no URL: {error}") from None
        if _is_relative(url) and self._options.loopback and self._home is not None:
            return
        if not parts.scheme and not parts.netloc:
            raise Invalid(f"Webhook {url!r} is relative: give a URL with scheme and host")
        if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
            raise Invalid(f"Webhook {url!r} has to be an http or https URL")
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

    def run_ended(self, ended: Ended) -> None:
        """Send what became of a run, if it has a webhook; does not wait for it."""
        url = ended.run["kwargs"].get("webhook")
        if url and not self._options.enabled:
            logger.info("webhooks are disabled: that of run %s is not sent", ended.run["run_id"])
        elif url:
            task = asyncio.ensure_future(self._send(url, ended))
            self._sending.add(task)
            task.add_done_callback(self._sent)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a webhook was not delivered", exc_info=error)

    async def close(self) -> None:
        """Give what is being sent a few seconds, then close the connections."""
        if self._sending:
            _, late = await asyncio.wait(self._sending, timeout=_AT_CLOSE)
            for task in late:
                task.cancel()
            if late:
                logger.warning("%d webhooks were not delivered before the server closed", len(late))
        if self._client is not None:
            await self._client.aclose()

    async def _send(self, url: str, ended: Ended) -> None:
        document = {
            **ended.run,
            "status": ended.status,
            "run_started_at": ended.started_at,
            "run_ended_at": ended.ended_at,
            "webhook_sent_at": self._clock.stamp(),
            "values": ended.values,
            **({} if ended.error is None else {"error": ended.error}),
        }
        if fields := self._options.fields:
            document = {name: document[name] for name in document if name in fields}
        body = encode(document)
        problem: str | None = None
        for attempt in range(ATTEMPTS):
            problem = await self._post(url, body)
            if problem is None:
                return
            if attempt < len(_PAUSES):
                await self._clock.sleep(_PAUSES[attempt])
        logger.warning("webhook of run %s not delivered: %s", ended.run["run_id"], problem)

    async def _forbidden(self, url: str) -> _Kind | None:
        """Return where a URL leads, if webhooks must not go there."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, parts.port or 443, type=socket.SOCK_STREAM)
        for *_, address in found:
            kind = _kind_of(str(address[0]))
            if kind is not None and not self._may_reach(host, kind):
                return kind
        return None

    async def _post(self, url: str, body: bytes) -> str | None:
        """Return what went wrong, if it is worth another attempt or a word."""
        if self._client is None:
            mounts = {} if self._home is None else {_HOME: self._home}
            self._client = httpx.AsyncClient(timeout=_SECONDS, mounts=mounts)
        try:
            if _is_relative(url):
                url = _HOME + url
            elif where := await self._forbidden(url):
                return f"the name leads to {where}"
            headers = {"content-type": "application/json", **self._options.headers}
            response = await self._client.post(url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            return f"{type(error).__name__}: {error}"
        return f"answered {response.status_code}" if response.status_code >= 500 else None


def _is_relative(url: str) -> bool:
    return url.startswith("/") and not url.startswith("//")


def _is_named(host: str, domains: Sequence[str]) -> bool:
    host = host.lower()
    return any(
        host.endswith(domain[1:]) if domain.startswith("*.") else host == domain
        for domain in map(str.lower, domains)
    )


def _kind_of(host: str) -> _Kind | None:
    """Return what a host is that is not for everybody; None for any other."""
    if host.lower().rstrip(".") in _LOCAL_NAMES or host.lower().endswith(".localhost"):
        return "this machine"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:  # A name; where it leads is looked at when it is called.
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
