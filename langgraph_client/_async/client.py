"""The client, and the function that creates one."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from langgraph_client._async._httpx import (
    HttpLimits,
    HttpProxy,
    HttpTransport,
    HttpUrl,
    HttpxClient,
)
from langgraph_client._async.assistants import AssistantsClient
from langgraph_client._async.crons import CronClient
from langgraph_client._async.http import HttpClient
from langgraph_client._async.make_transport import make_transport, transport_over
from langgraph_client._async.runs import RunsClient
from langgraph_client._async.store import StoreClient
from langgraph_client._async.threads import ThreadsClient
from langgraph_client._async.transport import AsyncTransport
from langgraph_client._core.call import ReplyReader, call
from langgraph_client._core.connection import (
    Timeout,
)
from langgraph_client._core.failure import RetryPolicy
from langgraph_client._core.outage import ReconnectPolicy
from langgraph_client._core.unset import UNSET, Unset
from langgraph_client._io.tasks import sleep
from langgraph_client.current_server import current_server
from langgraph_client.errors import APIError
from langgraph_client.models.params import Headers
from langgraph_client.models.system import ServerInfo

_INFO = ReplyReader(ServerInfo)
_HEALTH = ReplyReader(dict[str, Any])


class LangGraphClient:
    """A client of one server, made by `get_client`. As a context manager, it closes itself.

    Attributes:
        assistants: Graphs with a configuration.
        threads: Threads, which keep a graph's state from run to run.
        runs: Executions of assistants.
        crons: Runs that the server starts on a schedule.
        store: Items that all threads share.
        http: Requests to any other path.
    """

    def __init__(self, client: HttpxClient | AsyncTransport) -> None:
        """Create a client that uses an httpx client, its base URL and its headers.

        Args:
            client: An httpx client; it is never closed here. `get_client` passes a transport.

        Raises:
            InvalidArgumentError: It is not an `httpx.AsyncClient`, or has no base URL.
        """
        transport = client if isinstance(client, AsyncTransport) else transport_over(client)
        self._transport = transport
        self.http = HttpClient(transport)
        self.assistants = AssistantsClient(transport)
        self.threads = ThreadsClient(transport)
        self.runs = RunsClient(transport)
        self.crons = CronClient(transport)
        self.store = StoreClient(transport)

    async def info(self) -> ServerInfo:
        """Get the server's version and flags.

        Raises:
            APIError: The server cannot be reached or refuses the request.

        Example:
            info = await client.info()

        GET /info
        """
        return await self._transport.send(call("GET", "/info", _INFO))

    async def ok(self) -> bool:
        """Check the server's health.

        Returns:
            True if the server says that it is healthy. False if it does not, if it cannot be
            reached, or if it refuses the request. No `APIError` is raised.

        Example:
            if not await client.ok():
                print("the server is not available")

        GET /ok
        """
        try:
            answer = await self._transport.send(call("GET", "/ok", _HEALTH))
        except APIError:
            return False
        return answer.get("ok") is True

    def with_options(
        self, *, timeout: Timeout | None = None, deadline: float | None = None
    ) -> Self:
        """Return a client with other time limits that shares this client's connections.

        It is meant for single calls.

        Args:
            timeout: Seconds for each step; see `get_client`. None keeps this client's.
            deadline: Seconds for each whole call. None keeps this client's.

        Raises:
            InvalidArgumentError: A limit is not a number of seconds above 0.

        Example:
            question = {"messages": [{"role": "user", "content": "Hello!"}]}
            hurried = client.with_options(deadline=30)
            state = await hurried.runs.wait(thread_id, "agent", input=question)
        """
        return type(self)(self._transport.with_waits(timeout, deadline))

    async def aclose(self) -> None:
        """Close all connections. An HTTP client that the caller passed stays open."""
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(url={self._transport.settings.url!r})"


def get_client(
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
) -> LangGraphClient:
    """Create a client of the server at `url`.

    Args:
        url: The server's URL. Default: the base URL of `http_client`, if it has one; inside a graph
            that the bundled server hosts, that server; otherwise the environment variable
            `LANGGRAPH_URL`, otherwise http://localhost:8123.
        api_key: The API key, sent as `x-api-key`. None sends no key. Default: the first of the
            environment variables `LANGGRAPH_API_KEY`, `LANGSMITH_API_KEY` and `LANGCHAIN_API_KEY`
            that is set, unless `http_client` sends an `x-api-key` of its own.
        headers: Headers of every request. Default: none.
        timeout: Seconds that each step may take: to connect, to send, to wait for more of a
            response, to wait for a free connection. A number for all steps, a tuple of (connect,
            read) or (connect, read, write, pool), or an `httpx.Timeout`. Default: 5 to connect,
            300 to read and to send, 60 for a free connection. A server's heartbeats count as
            part of a response, so long waits and quiet streams do not time out.
        deadline: Seconds that each whole call may take, including repeated attempts and the pauses
            between them. For an event stream, it limits each opening. Default: no limit.
        transport: An httpx transport that sends the requests. Default: the network.
        http_client: An httpx client that sends the requests. It is never closed here. Its own
            limits, certificates and proxies are used, its headers unless `api_key` or `headers`
            replace them, and its timeouts, as they are at each request, unless `timeout` is passed.
        limits: How many connections may be open and how many are kept, as an `httpx.Limits`.
            Default: any number may be open, and a hundred unused ones are kept for 30 seconds.
        verify: Which certificates are trusted: True (the default) for the usual authorities, False
            for any certificate, the path of a file with certificates, or an `ssl.SSLContext`.
            `SSL_CERT_FILE` and `SSL_CERT_DIR` of the environment replace the usual authorities.
        proxy: The URL of a proxy, or an `httpx.Proxy`. Default: the environment variables
            `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`; a local server is reached
            without a proxy.
        retry: When and how often a request is repeated. Default: `RetryPolicy()`. For no
            repetition: `RetryPolicy(max_attempts=1)`.
        reconnect: When and how often an interrupted stream is continued. Default:
            `ReconnectPolicy()`.
        sleep: Waits for the given number of seconds before a request is repeated or a stream is
            continued. A test with its own clock can replace it.

    Returns:
        The client. It connects when the first request is sent.

    Raises:
        InvalidArgumentError: The URL, the key, a header or another argument is invalid, or the
            proxy needs a package that is not installed.

    Example:
        async with get_client(url="http://localhost:2024") as client:
            thread = await client.threads.create()
    """
    server = None
    if url is None and transport is None and http_client is None:
        server = current_server.get()
    if server is not None:
        url, transport = server.url, server.async_transport()
        # A key of the environment is for another server and must not be sent here.
        api_key = server.api_key if api_key is UNSET else api_key
    return LangGraphClient(
        make_transport(
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
