# Generated from langgraph_client/_async/client.py by .ci/unasync.py; do not edit.
"""The client, and the function that makes one."""

from __future__ import annotations

from collections.abc import Callable
from time import sleep
from types import TracebackType
from typing import Any, Self

import httpx

from langgraph_client._core.call import Reply, call
from langgraph_client._core.connection import Waits, default_limits, ssl_context
from langgraph_client._core.connection import waits as waits_from
from langgraph_client._core.failure import RetryPolicy
from langgraph_client._core.resumption import ReconnectPolicy
from langgraph_client._core.settings import settings_from
from langgraph_client._core.unset import UNSET, Unset
from langgraph_client._sync.assistants import SyncAssistantsClient
from langgraph_client._sync.crons import SyncCronClient
from langgraph_client._sync.http import SyncHttpClient
from langgraph_client._sync.pools import Pools
from langgraph_client._sync.runs import SyncRunsClient
from langgraph_client._sync.store import SyncStoreClient
from langgraph_client._sync.threads import SyncThreadsClient
from langgraph_client._sync.transport import Transport
from langgraph_client.errors import APIError, InvalidArgumentError
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

    def __init__(self, transport: Transport) -> None:
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
    timeout: float | tuple[float, float, float, float] | httpx.Timeout | None = None,
    transport: httpx.BaseTransport | None = None,
    http_client: httpx.Client | None = None,
    limits: httpx.Limits | None = None,
    verify: Any = True,
    proxy: str | httpx.URL | httpx.Proxy | None = None,
    retry: RetryPolicy | None = None,
    reconnect: ReconnectPolicy | None = None,
    sleep: Callable[[float], Any] = sleep,
) -> SyncLangGraphClient:
    """Make a client of the server at `url`.

    Args:
        url: The server; `LANGGRAPH_URL` where it is left out, else http://localhost:8123.
        api_key: Sent as `x-api-key`. Where it is left out, the first of `LANGGRAPH_API_KEY`,
            `LANGSMITH_API_KEY` and `LANGCHAIN_API_KEY` that is set; None sends none.
        headers: Sent with every request.
        timeout: A number bounds each call as a whole, in seconds, with its repetitions and the
            pauses between them; of an event stream, each opening. A tuple of (connect, read, write,
            pool) or an `httpx.Timeout` bounds the steps: connecting, sending, every wait for more
            of an answer. By default 5 seconds to connect and 300 for each wait, calls as a whole
            unbounded. A server that answers bit by bit is noticed with its next bit.
        transport: What carries the requests in place of the network.
        http_client: A client of httpx to use. It is never closed here, and brings its own
            limits, certificates, proxies, and, unless `timeout` is given, timeouts.
        limits: How many connections may be open, and kept open.
        verify: As for httpx: True for the usual certificates, or an `ssl.SSLContext`.
        proxy: By default `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` say.
        retry: When requests are repeated; `RetryPolicy(max_attempts=1)` for never.
        reconnect: How long an interrupted stream is tried to be continued.
        sleep: Makes the pause, in seconds, before a request is repeated or a stream continued. A
            test that moves the time itself passes its own.

    Raises:
        InvalidArgumentError: the URL, the key or a header cannot be right.
    """
    settings = settings_from(url, api_key, headers)
    waits = waits_from(timeout)
    retries = RetryPolicy() if retry is None else retry
    reconnects = ReconnectPolicy() if reconnect is None else reconnect
    if http_client is not None:
        if transport is not None or limits is not None or proxy is not None or verify is not True:
            raise InvalidArgumentError(
                "http_client", "brings its own transport, limits, verify and proxy"
            )
        given = Waits(None) if timeout is None else waits
        pools = Pools(httpx.Client, http_client)
        return SyncLangGraphClient(
            Transport(
                pools, settings, retry=retries, reconnect=reconnects, waits=given, sleep=sleep
            )
        )

    def make() -> httpx.Client:
        return httpx.Client(
            transport=transport,
            timeout=waits.steps,
            limits=default_limits() if limits is None else limits,
            verify=ssl_context(verify, encrypted=settings.encrypted),
            proxy=proxy,
        )

    return SyncLangGraphClient(
        Transport(
            Pools(make, owns_transport=transport is None),
            settings,
            retry=retries,
            reconnect=reconnects,
            waits=waits,
            sleep=sleep,
        )
    )
