"""Call the URLs of webhooks, at the addresses that were checked."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from urllib.request import getproxies, proxy_bypass

import httpx

from langgraph_client.server.background.webhook_urls import WebhookUrls, host_of, is_relative

_OWN_URL = "http://langgraph.server"
"""The base URL of this server over its own transport."""
_MOST_READ = 65_536
"""How many bytes of the body of a response are read."""


class WebhookClient:
    """Sends requests to URLs of webhooks.

    Args:
        urls: Decides which addresses may be called.
        seconds: The most seconds of each step of a request.
        own_transport: The transport for URLs without a host, which mean this server; None for none.
    """

    def __init__(
        self, urls: WebhookUrls, seconds: float, own_transport: httpx.AsyncBaseTransport | None
    ) -> None:
        self._urls = urls
        certificates = httpx.create_ssl_context()  # Reading them takes a while: once for both.
        mounts = {} if own_transport is None else {_OWN_URL: own_transport}
        self._by_name = httpx.AsyncClient(timeout=seconds, mounts=mounts, verify=certificates)
        # A kept connection would be found by its address, and so reused for another name, whose
        # certificate nobody has checked. A given transport is used without a proxy. The time to
        # connect is shorter, so that there is time for another address.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._by_address = httpx.AsyncClient(
            timeout=httpx.Timeout(seconds, connect=seconds / 3),
            transport=httpx.AsyncHTTPTransport(limits=limits, verify=certificates),
        )

    async def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> int:
        """Send a request, and return the status of its response.

        Raises:
            Invalid: The host has an address that must not be called.
            OSError: The name of the host cannot be resolved.
            httpx.HTTPError: The host cannot be reached, or does not answer.
        """
        if is_relative(url):
            # Read to its end: to close the response before would cancel the application's handler.
            response = await self._by_name.post(_OWN_URL + url, content=content, headers=headers)
            return response.status_code
        addresses = await self._urls.addresses(url)
        target = httpx.URL(url)
        if not addresses or _is_proxied(target):  # A proxy looks the name up by itself.
            return await _status(self._by_name, target, content, headers)
        # The name is not looked up again: by then it could lead to an address that is forbidden.
        # The certificate stays that of the name.
        headers = httpx.Headers(headers)
        headers.setdefault("host", target.netloc.decode("ascii"))
        extensions = {"sni_hostname": host_of(target)}
        for number, address in enumerate(addresses, 1):
            try:
                return await _status(
                    self._by_address, target.copy_with(host=address), content, headers, extensions
                )
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if number == len(addresses):
                    raise
        raise AssertionError("unreachable")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._by_name.aclose()
        await self._by_address.aclose()


async def _status(
    client: httpx.AsyncClient,
    url: httpx.URL,
    content: bytes,
    headers: Mapping[str, str],
    extensions: Mapping[str, object] | None = None,
) -> int:
    """Send a request, and return the status of its response. Of the body, little is read.

    The receiver may be anybody's: a body may have no end, and a few kilobytes of it may unpack to
    more than the memory has room for.
    """
    async with client.stream(
        "POST", url, content=content, headers=headers, extensions=extensions
    ) as response:
        # A receiver may still work while it sends the body, and would be cancelled if the
        # connection closed at once. It is not unpacked.
        size = 0
        with suppress(httpx.HTTPError):  # The status counts.
            async for part in response.aiter_raw():
                size += len(part)
                if size > _MOST_READ:
                    break
        return response.status_code


def _is_proxied(url: httpx.URL) -> bool:
    proxies = getproxies()
    has_proxy = url.scheme in proxies or "all" in proxies
    return has_proxy and not proxy_bypass(host_of(url))
