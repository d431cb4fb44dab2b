"""Two streaming httpx transports, blocking and async, for an ASGI app on another event loop.

The transports of httpx and Starlette collect the whole body first, so an event stream would never
arrive. Here a request is an `Exchange`. The app runs as a task on the server's loop and puts chunks
into a bounded buffer; the caller takes them out, from any thread or event loop. All chunks of one
turn of the loop are handed over together, for speed. Closing a response tells the app that the
client has disconnected, and so does a response that is not read for too long.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Protocol, TypeAlias

import httpx
from starlette.types import ASGIApp, Message

from langgraph_client.current_server import HostingServer, current_server

_BUFFER = 256 * 1024
"""How many bytes the app may send before the caller takes them."""
_STOPPED = "the server is not running"
_PORTS = {"http": 80, "https": 443}
SCOPE = "langgraph.scope"
"""The extension of a request with additional items for its scope; see `ScopedTransport`."""
PARENT_RUN = "langgraph.parent_run"
"""The key of a scope for the run of this server that sends the request."""
STARTED_JOBS = "langgraph.started_jobs"
"""The key of a scope for a list, to which the run is added that the request starts."""
_Readiness: TypeAlias = Callable[[Callable[[], None]], bool]
"""`Exchange.has_head` or `Exchange.has_body`."""


class OpenExchanges:
    """The open exchanges, so that none waits for ever for a server that has stopped.

    Attributes:
        is_refusing: Whether none may begin any more, because the server ends its tasks.
    """

    def __init__(self) -> None:
        # Used from any thread without a lock, because single operations on a set are atomic.
        self._open: set[Exchange] = set()
        self.is_refusing = False  # Used on the app's loop only.

    def add(self, exchange: Exchange) -> None:
        """Add an exchange before it begins."""
        self._open.add(exchange)

    def discard(self, exchange: Exchange) -> None:
        """Remove an exchange that is over."""
        self._open.discard(exchange)

    def fail_all(self) -> None:
        """End all open exchanges. Call it after the loop is closed, so that none can begin."""
        for exchange in list(self._open):
            exchange.fail("the server stopped before the response was complete")
        self._open.clear()


class HostedApp(Protocol):
    """The server that runs the app."""

    @property
    def exchanges(self) -> OpenExchanges:
        """The exchanges with the app that are not over."""
        ...

    @property
    def send_timeout(self) -> float | None:
        """How many seconds the app waits for a caller that does not read; None for no limit."""
        ...

    @property
    def app(self) -> ASGIApp:
        """The app."""
        ...

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop of the app. Raises RuntimeError if the server is not running."""
        ...


class Exchange:
    """One request and its response, between the app's loop and a caller in another thread or loop.

    A server that is not running is, for its clients, a port on which nobody listens: they can try
    again. So creating one and `begin` raise `httpx.ConnectError`.

    `_lock` guards the state of both sides: the buffer, the waiters, the end. It is reentrant,
    because the garbage collector may close an abandoned response while its thread holds the lock.
    """

    def __init__(self, home: HostedApp, scope: dict[str, object], body: bytes) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self._home = home
        try:
            self._loop = home.loop
        except RuntimeError as error:
            raise httpx.ConnectError(str(error)) from None
        self._scope = scope
        self._body: bytes | None = body
        self._lock = threading.RLock()
        self._chunks: list[bytes] = []
        self._size = 0
        self._started = False
        self._ended = False
        self._error: BaseException | None = None
        self._wake: Callable[[], None] | None = None
        # Used on the app's loop only, so without the lock; but `take` swaps `_room_made` under it.
        self._disconnected: asyncio.Event | None = None
        self._room_made: asyncio.Event | None = None
        self._flush_due = False

    def begin(self) -> None:
        """Start the app on its loop.

        Raises:
            httpx.ConnectError: The server has stopped.
        """
        # Added first: if the server stops right after the call, `fail_all` must find it.
        self._home.exchanges.add(self)
        try:
            self._loop.call_soon_threadsafe(self._start)
        except RuntimeError:
            self._home.exchanges.discard(self)
            raise httpx.ConnectError(_STOPPED) from None

    def _start(self) -> None:
        if self._home.exchanges.is_refusing:
            self._home.exchanges.discard(self)
            self._end(httpx.ConnectError(_STOPPED))
            return
        self._disconnected = asyncio.Event()
        # An empty context: the caller's context variables must not reach the app, as with a server
        # in another process. One of them is the config, with callbacks, of the calling node.
        self._task = self._loop.create_task(self._run(), context=contextvars.Context())

    async def _run(self) -> None:
        try:
            await self._home.app(self._scope, self._receive, self._send)
            # Without effect if the response was complete. Otherwise, also if the client has left:
            # to whoever still reads it, a part must not look like the whole.
            part = "complete response" if self._started else "response"
            error: BaseException = httpx.RemoteProtocolError(f"the app ended without a {part}")
        except asyncio.CancelledError:
            error = httpx.RemoteProtocolError("the server stopped before the response was complete")
        except Exception as raised:  # On a port, the client would see a broken connection.
            error = httpx.RemoteProtocolError(f"the app failed: {raised!r}")
        finally:
            self._home.exchanges.discard(self)
        self._end(error)

    def fail(self, reason: str) -> None:
        """End an exchange whose app cannot do so any more."""
        self._end(httpx.RemoteProtocolError(reason))

    def _end(self, error: BaseException) -> None:
        with self._lock:
            if not self._ended:  # An error after a complete response does not concern the client.
                self._ended, self._error = True, error
        self._wake_caller()

    async def _receive(self) -> dict[str, object]:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        assert self._disconnected is not None
        await self._disconnected.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        assert self._disconnected is not None
        if self._disconnected.is_set():
            # As ASGI prescribes for a client that has disconnected.
            raise OSError("the client closed the response")
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message.get("headers", ()))
            self._started = True
            self._wake_caller_soon()
            return
        chunk = message.get("body", b"")
        if chunk:
            with self._lock:
                self._chunks.append(chunk)
                self._size += len(chunk)
                full = self._size > _BUFFER
            if full:
                await self._wait_for_room()
        if message.get("more_body", False):
            self._wake_caller_soon()
        else:
            with self._lock:
                self._ended = True
            self._wake_caller()

    async def _wait_for_room(self) -> None:
        with self._lock:
            # Again, in one step with the creation of the event: a `take` since the first look found
            # no event to set, and there may be no further one.
            if self._size <= _BUFFER:
                return
            # One event for all waiting tasks: a heartbeat may be sent while an event waits.
            room_made = self._room_made = self._room_made or asyncio.Event()
        self._wake_caller()
        limit = self._home.send_timeout
        try:
            async with asyncio.timeout(limit):
                await room_made.wait()
        except TimeoutError:
            # As on a port, a client that does not read counts as disconnected, so that the app
            # can go on.
            self.fail(f"the response was not read for {limit} s")
            self._disconnect()
        if self._disconnected is not None and self._disconnected.is_set():
            raise OSError("the client closed the response")

    def _wake_caller_soon(self) -> None:
        """Wake the caller at the end of this turn of the loop, when more may be ready."""
        if not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self._wake_caller)

    def _wake_caller(self) -> None:
        self._flush_due = False
        with self._lock:
            wake, self._wake = self._wake, None
        if wake is not None:
            wake()

    # The caller's side.

    def has_head(self, wake: Callable[[], None]) -> bool:
        """Return whether the status is known; if not, `wake` is called when that may have changed.

        Raises:
            httpx.RemoteProtocolError: The app failed or the server stopped.
            httpx.ConnectError: The server had stopped before the app was called.
        """
        with self._lock:
            if not self._started:
                if self._ended:
                    raise self._error or httpx.RemoteProtocolError("the app sent no response")
                self._wake = wake
            return self._started

    def has_body(self, wake: Callable[[], None]) -> bool:
        """Return whether `take` can be called; if not, `wake` is called when it can."""
        with self._lock:
            is_ready = bool(self._chunks) or self._ended
            if not is_ready:
                self._wake = wake
            return is_ready

    def take(self) -> bytes | None:
        """Return the received part of the body; None at its end.

        Raises:
            httpx.RemoteProtocolError: The app failed or the server stopped.
        """
        with self._lock:
            # Chunks before the error: what came before a failure belongs to the caller.
            if not self._chunks:
                if self._error is not None:
                    raise self._error
                return None
            data = b"".join(self._chunks)
            self._chunks.clear()
            self._size = 0
            room_made, self._room_made = self._room_made, None
        if room_made is not None:
            self._call_on_loop(room_made.set)
        return data

    def close(self) -> None:
        """Tell the app that the client has disconnected. It can be repeated."""
        with self._lock:
            if self._ended and not self._chunks:
                return
            self._chunks.clear()
            self._size = 0
        self._call_on_loop(self._disconnect)

    def _disconnect(self) -> None:
        if self._disconnected is not None:
            self._disconnected.set()
        room_made = self._room_made  # Read once: `take` may replace it by None, in another thread.
        if room_made is not None:
            room_made.set()

    def _call_on_loop(self, callback: Callable[[], object]) -> None:
        try:
            self._loop.call_soon_threadsafe(callback)
        except RuntimeError:  # The loop is closed, so the app has ended.
            return


def _scope(request: httpx.Request, home: object) -> dict[str, object]:
    raw_path, _, query = request.url.raw_path.partition(b"?")
    scope = dict(request.extensions.get(SCOPE, ()))
    hosting = current_server.get()
    if hosting is not None and hosting.server is home and hosting.run_id:
        scope[PARENT_RUN] = hosting.run_id
    return {
        **scope,
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": raw_path,
        "query_string": query,
        "server": (request.url.host, request.url.port or _PORTS.get(request.url.scheme, 80)),
        "client": ("127.0.0.1", 0),
        "root_path": "",
        "state": {},
    }


def _limit(request: httpx.Request) -> float | None:
    timeout = request.extensions.get("timeout", {}).get("read")
    return None if timeout is None else float(timeout)


class _SyncBody(httpx.SyncByteStream):
    closes_at_once = True  # As in `_AsyncBody`.

    def __init__(self, exchange: Exchange, request: httpx.Request) -> None:
        self._exchange, self._request = exchange, request

    def __iter__(self) -> Iterator[bytes]:
        while True:
            _wait(self._exchange, self._request, self._exchange.has_body)
            if (data := self._exchange.take()) is None:
                return
            yield data

    def close(self) -> None:
        self._exchange.close()


def _wait(exchange: Exchange, request: httpx.Request, is_ready: _Readiness) -> None:
    """Wait until an exchange has its head, or a part of its body."""
    limit = _limit(request)
    # A bare lock as the signal: an Event would create a lock and a condition for each wait.
    ready = threading.Lock()
    ready.acquire()
    while not is_ready(ready.release):
        if not ready.acquire(timeout=-1 if limit is None else limit):
            exchange.close()
            raise httpx.ReadTimeout(f"no response within {limit} s", request=request)


class ServerTransport(httpx.BaseTransport):
    """Blocking transport to a server in this process, for any thread except the server's."""

    def __init__(self, home: HostedApp) -> None:
        self._home = home

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; return as soon as the status is known."""
        exchange = Exchange(self._home, _scope(request, self._home), request.read())
        try:
            on_own_loop = asyncio.get_running_loop() is self._home.loop
        except RuntimeError:
            on_own_loop = False
        if on_own_loop:
            raise RuntimeError(
                "a blocking call from the server's own event loop would wait for itself; "
                "make the node a plain function, or use the async client"
            )
        exchange.begin()
        try:
            _wait(exchange, request, exchange.has_head)
        except BaseException:  # Also KeyboardInterrupt: the caller gets no response to close.
            exchange.close()
            raise
        return httpx.Response(
            exchange.status,
            headers=exchange.headers,
            stream=_SyncBody(exchange, request),
            request=request,
        )


class _AsyncBody(httpx.AsyncByteStream):
    closes_at_once = True  # For clients: `aclose` never waits, so it needs no task of its own.

    def __init__(self, exchange: Exchange, request: httpx.Request) -> None:
        self._exchange, self._request = exchange, request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await _await(self._exchange, self._request, self._exchange.has_body)
            if (data := self._exchange.take()) is None:
                return
            yield data

    async def aclose(self) -> None:
        self._exchange.close()


async def _await(exchange: Exchange, request: httpx.Request, is_ready: _Readiness) -> None:
    """Async twin of `_wait`."""
    limit = _limit(request)
    loop = asyncio.get_running_loop()
    while True:
        ready: asyncio.Future[None] = loop.create_future()
        if is_ready(partial(_wake, loop, ready)):
            return
        try:
            async with asyncio.timeout(limit):
                await ready
        except TimeoutError:
            exchange.close()
            raise httpx.ReadTimeout(f"no response within {limit} s", request=request) from None
        except asyncio.CancelledError:
            exchange.close()
            raise


def _wake(loop: asyncio.AbstractEventLoop, ready: asyncio.Future[None]) -> None:
    """Set a future of the caller's loop, from the app's loop."""
    # If the caller's loop is closed, nothing waits any more.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(_set, ready)


def _set(ready: asyncio.Future[None]) -> None:
    if not ready.done():  # It may be cancelled.
        ready.set_result(None)


class AsyncServerTransport(httpx.AsyncBaseTransport):
    """Async transport to a server in this process, for any event loop."""

    def __init__(self, home: HostedApp) -> None:
        self._home = home

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; return as soon as the status is known."""
        exchange = Exchange(self._home, _scope(request, self._home), await request.aread())
        exchange.begin()
        try:
            await _await(exchange, request, exchange.has_head)
        except BaseException:  # Also a cancellation: the caller gets no response to close.
            exchange.close()
            raise
        return httpx.Response(
            exchange.status,
            headers=exchange.headers,
            stream=_AsyncBody(exchange, request),
            request=request,
        )


def as_caller(hosting: HostingServer, scope: Mapping[str, object]) -> HostingServer:
    """Return a server with `scope` added to the scope of its requests."""
    return replace(
        hosting,
        transport=lambda: ScopedTransport(hosting.transport(), scope),
        async_transport=lambda: AsyncScopedTransport(hosting.async_transport(), scope),
    )


class ScopedTransport(httpx.BaseTransport):
    """A blocking transport that adds items to the ASGI scope of its requests.

    Args:
        transport: Sends the requests.
        scope: The items to add. Clients of a port cannot set them.
    """

    def __init__(self, transport: httpx.BaseTransport, scope: Mapping[str, object]) -> None:
        self._transport, self._scope = transport, scope

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        items = {**self._scope, **request.extensions.get(SCOPE, {})}
        request.extensions = {**request.extensions, SCOPE: items}
        return self._transport.handle_request(request)


class AsyncScopedTransport(httpx.AsyncBaseTransport):
    """Async twin of `ScopedTransport`."""

    def __init__(self, transport: httpx.AsyncBaseTransport, scope: Mapping[str, object]) -> None:
        self._transport, self._scope = transport, scope

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        items = {**self._scope, **request.extensions.get(SCOPE, {})}
        request.extensions = {**request.extensions, SCOPE: items}
        return await self._transport.handle_async_request(request)
