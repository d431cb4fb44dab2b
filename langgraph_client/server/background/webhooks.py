"""Tells a URL that a run is over."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from urllib.parse import urlsplit

import httpx

from langgraph_client.server.clock import Clock
from langgraph_client.server.encoding import encode
from langgraph_client.server.errors import Invalid
from langgraph_client.server.runs.run_states import Ended

logger = logging.getLogger("langgraph_client.server")

ATTEMPTS = 3
_PAUSES = (0.5, 2.0)
_SECONDS = 10.0
_AT_CLOSE = 2.0
_LOCAL_NAMES = ("localhost", "localhost.localdomain")


class Webhooks:
    """Sends what runs with a `webhook` became, when they are over.

    A request that finds nobody, or is answered 5xx, is repeated twice; then a warning is logged.

    Args:
        clock: Time.
        local: Whether addresses of this machine and of private networks may be called. Not by
            default: whoever may start a run could make the server call what only it can reach.
    """

    def __init__(self, clock: Clock, *, local: bool = False) -> None:
        self._clock = clock
        self._local = local
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
        if not parts.scheme and not parts.netloc:
            raise Invalid(f"Webhook {url!r} is relative: give a URL with scheme and host")
        if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
            raise Invalid(f"Webhook {url!r} has to be an http or https URL")
        if not _can_be_looked_up(parts.hostname):
            raise Invalid(f"Webhook {url!r} has a host name that cannot exist")
        if not self._local and _is_local(parts.hostname):
            raise Invalid(
                f"Webhook {url!r} leads to this machine or a private network, which is not"
                " allowed unless the server says so (webhooks.url.disable_loopback: false in"
                " langgraph.json, Server(local_webhooks=True))",
            )

    def run_ended(self, ended: Ended) -> None:
        """Send what became of a run, if it has a webhook; does not wait for it."""
        url = ended.run["kwargs"].get("webhook")
        if url:
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
        body = encode(
            {
                **ended.run,
                "status": ended.status,
                "run_started_at": ended.started_at,
                "run_ended_at": ended.ended_at,
                "webhook_sent_at": self._clock.stamp(),
                "values": ended.values,
                **({} if ended.error is None else {"error": ended.error}),
            }
        )
        problem: str | None = None
        for attempt in range(ATTEMPTS):
            problem = await self._post(url, body)
            if problem is None:
                return
            if attempt < len(_PAUSES):
                await self._clock.sleep(_PAUSES[attempt])
        logger.warning("webhook of run %s not delivered: %s", ended.run["run_id"], problem)

    async def _post(self, url: str, body: bytes) -> str | None:
        """Return what went wrong, if it is worth another attempt or a word."""
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=_SECONDS, follow_redirects=False)
        try:
            if not self._local and await _leads_home(url):
                return "the name leads to this machine or a private network"
            response = await self._client.post(
                url, content=body, headers={"content-type": "application/json"}
            )
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            return f"{type(error).__name__}: {error}"
        return f"answered {response.status_code}" if response.status_code >= 500 else None


def _is_local(host: str) -> bool:
    if host.lower().rstrip(".") in _LOCAL_NAMES or host.lower().endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return not (mapped or address).is_global
    except ValueError:  # A name; where it leads is looked at when it is called.
        return False


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


async def _leads_home(url: str) -> bool:
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    return any(_is_local(str(address[0])) for *_, address in found)
