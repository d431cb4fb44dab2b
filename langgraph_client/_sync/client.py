# Generated from langgraph_client/_async/client.py by .ci/unasync.py; do not edit.
"""The client, and the function that makes one."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any, Self

from langgraph_client._core.call import Reply, call
from langgraph_client._core.connection import (
    Limits,
    Timeout,
    Waits,
    has_proxy,
    ssl_context,
    waits,
)
from langgraph_client._core.failure import RetryPolicy
from langgraph_client._core.outage import ReconnectPolicy
from langgraph_client._core.settings import Settings, settings_from
from langgraph_client._core.unset import UNSET, Unset
from langgraph_client._io.threads import is_trio, sleep
from langgraph_client._sync._httpx import (
    HttpLimits,
    HttpProxy,
    HttpTransport,
    HttpUrl,
    HttpxClient,
    HttpxSender,
    base_url_of,
    limits_of,
    make_client,
    steps_of,
)
from langgraph_client._sync.assistants import SyncAssistantsClient
from langgraph_client._sync.crons import SyncCronClient
from langgraph_client._sync.http import SyncHttpClient
from langgraph_client._sync.pools import Pools, Sender
from langgraph_client._sync.runs import SyncRunsClient
from langgraph_client._sync.store import SyncStoreClient
from langgraph_client._sync.threads import SyncThreadsClient
from langgraph_client._sync.transport import Transport
from langgraph_client.errors import APIError, InvalidArgumentError
from langgraph_client.hosting import current_host
from langgraph_client.models.params import Headers
from langgraph_client.models.system import ServerInfo

_INFO = Reply(ServerInfo)
_HEALTH = Reply(dict[str, Any])


class SyncLangGraphClient:
    """A server's resources. Made by `get_sync_client`; a context manager that closes itself.

    Attributes:
        assistants: Graphs with a configuration.
        threads: What keeps its state from run to run.
        runs: Executions of assistants.
        crons: Runs that are started by the clock.
        store: Documents that all threads can read.
        http: Requests to anything else.
    """

    def __init__(self, client: HttpxClient | Transport) -> None:
        """Make a client around a client of httpx, with its base URL and headers.

        Args:
            client: It is never closed here. (`get_sync_client` gives a transport of its own.)

        Raises:
            InvalidArgumentError: it has no base URL.
        """
        if isinstance(client, Transport):
            transport = client
        else:
            own = {"user-agent": client.headers.get("user-agent", "")}
            transport = _transport(
                url=base_url_of(client), api_key=None, headers=own, http_client=client
            )
        self._transport = transport
        self.http = SyncHttpClient(transport)
        self.assistants = SyncAssistantsClient(transport)
        self.threads = SyncThreadsClient(transport)
        self.runs = SyncRunsClient(transport)
        self.crons = SyncCronClient(transport)
        self.store = SyncStoreClient(transport)

    def info(self) -> ServerInfo:
        """Ask the server what it is.

        GET /info
        """
        return self._transport.send(call("GET", "/info", _INFO))

    def ok(self) -> bool:
        """Ask whether the server is well. An answer that says no, or none at all, is False.

        GET /ok
        """
        try:
            answer = self._transport.send(call("GET", "/ok", _HEALTH))
        except APIError:
            return False
        return answer.get("ok") is True

    def with_options(
        self, *, timeout: Timeout | None = None, deadline: float | None = None
    ) -> Self:
        """Return a client with other limits of time, over the same connections: for single calls.

            client.with_options(deadline=30).runs.wait(thread_id, "agent", input=question)

        Args:
            timeout: As for `get_sync_client`; left out, this client's.
            deadline: Seconds that each call may take as a whole; left out, this client's.

        Raises:
            InvalidArgumentError: one of them is no number of seconds above 0.
        """
        return type(self)(self._transport.with_waits(timeout, deadline))

    def close(self) -> None:
        """Close all connections. An HTTP client that was given from outside stays open."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(url={self._transport.settings.url!r})"


def get_sync_client(
    *,
    url: str | None = None,
    api_key: str | Unset | None = UNSET,
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
) -> SyncLangGraphClient:
    """Make a client of the server at `url`.

    Args:
        url: The server. Where it is left out: inside a graph that the bundled server hosts, that
            server; else `LANGGRAPH_URL`, else http://localhost:8123.
        api_key: Sent as `x-api-key`. Where it is left out, the first of `LANGGRAPH_API_KEY`,
            `LANGSMITH_API_KEY` and `LANGCHAIN_API_KEY` that is set; None sends none.
        headers: Sent with every request.
        timeout: Seconds that each step may take: connecting, sending, every wait for more of an
            answer. A number for all of them, a tuple of (connect, read) or (connect, read, write,
            pool), or an `httpx.Timeout`. By default 5 to connect and 300 for the others. A
            server's heartbeats keep a long wait and a quiet stream alive.
        deadline: Seconds that each call may take as a whole, with its repetitions and the pauses
            between them; of an event stream, each opening. By default there is no such limit.
        transport: A transport of httpx that carries the requests in place of the network.
        http_client: A client of httpx to use. It is never closed here, and brings its own
            limits, certificates, proxies, and, unless `timeout` is given, timeouts.
        limits: How many connections may be open, and kept open; an `httpx.Limits`. By default as
            many as there are calls at the same time, a hundred of them kept for 30 seconds.
        verify: As for httpx: True for the usual certificates, or an `ssl.SSLContext`.
        proxy: By default `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` say; this machine is reached
            without.
        retry: When requests are repeated; `RetryPolicy(max_attempts=1)` for never.
        reconnect: How long an interrupted stream is tried to be continued.
        sleep: Makes the pause, in seconds, before a request is repeated or a stream continued. A
            test that moves the time itself passes its own.

    Raises:
        InvalidArgumentError: the URL, the key or a header cannot be right, or the proxy is of a
            kind that needs a package which is not installed.
    """
    host = None
    if url is None and transport is None and http_client is None:
        host = current_host.get()
    if host is not None:
        url, transport = host.url, host.transport()
        api_key = host.api_key if api_key is UNSET else api_key
    return SyncLangGraphClient(
        _transport(
            url=url,
            api_key=api_key,
            headers=headers,
            timeout=timeout,
            deadline=deadline,
            transport=transport,
            http_client=http_client,
            limits=limits,
            verify=verify,
            proxy=proxy,
            retry=retry,
            reconnect=reconnect,
            sleep=sleep,
        )
    )


def _transport(
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
    settings = settings_from(url, api_key, headers)
    given = waits(timeout, deadline)
    brought = transport is not None or limits is not None or proxy is not None
    if http_client is not None:
        if brought or verify is not True:
            raise InvalidArgumentError(
                "http_client", "brings its own transport, limits, verify and proxy"
            )
        if timeout is None:
            given = Waits(steps_of(http_client.timeout), deadline)
    pools = Pools(
        partial(_sender, settings, transport, http_client, limits_of(limits), verify, proxy),
        is_shared=transport is not None or http_client is not None,
    )
    return Transport(
        pools,
        settings,
        retry=RetryPolicy() if retry is None else retry,
        reconnect=ReconnectPolicy() if reconnect is None else reconnect,
        waits=given,
        sleep=sleep,
    )


def _sender(
    settings: Settings,
    transport: HttpTransport | None,
    http_client: HttpxClient | None,
    limits: Limits,
    verify: bool | str | ssl.SSLContext,
    proxy: str | HttpUrl | HttpProxy | None,
) -> Sender:
    """Our own way to the server; httpx's where that does not lead there."""
    if http_client is not None:
        return HttpxSender(
            http_client,
            settings.authority,
            is_ours=False,
            has_credentials=settings.has_credentials,
        )
    context = ssl_context(verify, encrypted=settings.encrypted)
    needs_proxy = proxy is not None or has_proxy(settings.url)
    if transport is None and not needs_proxy and limits.most is None and not is_trio():
        # Imported where it is used: a client of a server in this process has no connections.
        from langgraph_client._sync.direct import DirectSender

        return DirectSender(settings.url, context, limits)
    client = make_client(transport, context, limits, proxy, trust_env=needs_proxy)
    return HttpxSender(client, settings.authority, is_ours=True)
