# Generated from langgraph_client/_async/make_transport.py by .ci/unasync.py; do not edit.
"""Create the transport of a client, and what it sends with."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from functools import partial
from typing import Any

from langgraph_client._core.connection import (
    Limits,
    TimeLimits,
    Timeout,
    has_proxy,
    ssl_context,
    time_limits,
)
from langgraph_client._core.failure import RetryPolicy
from langgraph_client._core.outage import ReconnectPolicy
from langgraph_client._core.settings import Settings, settings_from
from langgraph_client._core.unset import Unset
from langgraph_client._io.threads import is_trio, sleep
from langgraph_client._sync._httpx import (
    HttpLimits,
    HttpProxy,
    HttpTransport,
    HttpUrl,
    HttpxClient,
    HttpxSender,
    TransportSender,
    base_url_of,
    check_arguments,
    headers_set_on,
    limits_of,
    make_client,
    steps_of,
)
from langgraph_client._sync.httpx_client import HttpxClientHolder
from langgraph_client._sync.pools import Pools, Sender
from langgraph_client._sync.transport import Transport
from langgraph_client.errors import InvalidArgumentError
from langgraph_client.models.params import Headers


def transport_over(client: HttpxClient) -> Transport:
    """Return a transport that uses an httpx client, its base URL and its headers.

    Raises:
        InvalidArgumentError: It is not an httpx client, or has no base URL.
    """
    check_arguments(http_client=client)
    own = {"user-agent": client.headers.get("user-agent", "")}
    return make_transport(url=base_url_of(client), api_key=None, headers=own, http_client=client)


def make_transport(
    *,
    url: str | None,
    api_key: str | Unset | None,
    headers: Headers | None = None,
    timeout: Timeout | None = None,
    deadline: float | None = None,
    transport: HttpTransport | None = None,
    http_client: HttpxClient | None = None,
    limits: HttpLimits | None = None,
    verify: bool | str | ssl.SSLContext = True,
    proxy: str | HttpUrl | HttpProxy | None = None,
    retry: RetryPolicy | None = None,
    reconnect: ReconnectPolicy | None = None,
    sleep: Callable[[float], Any] = sleep,
) -> Transport:
    """Return the transport of a client; its parameters are those of `get_sync_client`."""
    for name, policy, kind in (
        ("retry", retry, RetryPolicy),
        ("reconnect", reconnect, ReconnectPolicy),
    ):
        if policy is not None and not isinstance(policy, kind):
            raise InvalidArgumentError(name, f"must be a {kind.__name__}, not {policy!r}")
    check_arguments(transport, http_client, limits, proxy)
    set_below: set[str] = set()
    if http_client is not None:
        url = base_url_of(http_client) or None if url is None else url
        set_below = headers_set_on(http_client)
    settings = settings_from(url, api_key, headers, set_below=set_below)
    given = time_limits(timeout, deadline)
    brought = transport is not None or limits is not None or proxy is not None
    if http_client is not None:
        if brought or verify is not True:
            raise InvalidArgumentError(
                "http_client",
                "has its own transport, limits, verify and proxy: set them there, or leave it out",
            )
        if timeout is None:
            given = TimeLimits(steps_of(http_client.timeout), given.whole)
    pools = Pools(
        partial(_sender, settings, transport, http_client, limits_of(limits), verify, proxy),
        is_shared=transport is not None or http_client is not None,
    )
    return Transport(
        pools,
        settings,
        retry=RetryPolicy() if retry is None else retry,
        reconnect=ReconnectPolicy() if reconnect is None else reconnect,
        time_limits=given,
        httpx_client=HttpxClientHolder(
            settings,
            partial(_client_below, settings, transport, limits_of(limits), verify, proxy),
            given=http_client,
            is_shared=transport is not None,
            reads_timeout=timeout is None,
        ),
        sleep=sleep,
    )


def _client_below(
    settings: Settings,
    transport: HttpTransport | None,
    limits: Limits,
    verify: bool | str | ssl.SSLContext,
    proxy: str | HttpUrl | HttpProxy | None,
) -> HttpxClient:
    """Return an httpx client that reaches the server as the senders do."""
    context = ssl_context(verify, encrypted=settings.encrypted)
    needs_proxy = proxy is not None or has_proxy(settings.url)
    return make_client(transport, context, limits, proxy, trust_env=needs_proxy)


def _sender(
    settings: Settings,
    transport: HttpTransport | None,
    http_client: HttpxClient | None,
    limits: Limits,
    verify: bool | str | ssl.SSLContext,
    proxy: str | HttpUrl | HttpProxy | None,
) -> Sender:
    """Return a direct sender; httpx's for a caller's client or transport, a proxy, or trio."""
    if http_client is not None:
        return HttpxSender(
            http_client,
            settings.authority,
            is_ours=False,
            has_credentials=settings.has_credentials,
        )
    context = ssl_context(verify, encrypted=settings.encrypted)
    needs_proxy = proxy is not None or has_proxy(settings.url)
    # The direct sender knows no proxies, and its network is asyncio's.
    if transport is None and not needs_proxy and not is_trio():
        # Not at the top: a client of a server in this process does not need this import.
        from langgraph_client._sync.direct import DirectSender

        return DirectSender(settings.url, context, limits)
    client = make_client(transport, context, limits, proxy, trust_env=needs_proxy)
    if transport is not None and proxy is None:
        return TransportSender(transport, client, settings.authority)
    return HttpxSender(client, settings.authority, is_ours=True)
