"""The server on a port: uvicorn, on the server's own loop."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast
from typing import Protocol as TypingProtocol

import uvicorn
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from langgraph_client.server.http.joined_writes import JoinedWrites, always, is_head

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent

HEAD_SECONDS = 60.0
"""How many seconds the head of a request may take, from its first byte or the connection on."""
_HEAD_BYTES = 128 * 1024
"""The most bytes of a head. h11 has a limit of its own; httptools, which uvicorn prefers, none."""
_NO_HANDSHAKE = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"connection: close\r\n\r\nFailed to open a WebSocket connection: %s.\n"
)
_CLOSE_SECONDS = 0.3
"""How many seconds open responses have to end when the port is closed."""
_ABORTS = 20
"""How many times connections that are still open are closed after that, every 0.1 s."""


class _UvicornServer(uvicorn.Server):
    """A uvicorn server that signals when it is ready."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start accepting connections."""
        await super().startup(sockets)
        self.ready.set()


class _WriteWatch:
    """Aborts a connection whose client does not read although the send buffer is full.

    The app then sees a disconnect.

    Args:
        seconds: How long a client may not read; None for no limit.
    """

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, transport: asyncio.Transport) -> None:
        """Start, because the buffer is full."""
        if self._seconds is not None and self._timer is None:
            self._wait(transport, transport.get_write_buffer_size(), self._seconds)

    def _wait(self, transport: asyncio.Transport, unsent: int, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(seconds, self._look, transport, unsent, seconds)

    def _look(self, transport: asyncio.Transport, unsent: int, seconds: float) -> None:
        left = transport.get_write_buffer_size()
        if left < unsent:  # The client reads, even if slowly.
            self._wait(transport, left, seconds)
        else:
            transport.abort()

    def end(self) -> None:
        """Stop, because there is room in the buffer, or the connection is closed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _Cycle(TypingProtocol):
    """A request and its response, as uvicorn's protocols hold it."""

    response_complete: bool
    more_body: bool


class _WriteWatched(asyncio.Protocol):
    """The common part of both of uvicorn's protocols: watch a client that does not read."""

    transport: asyncio.Transport
    _watch: _WriteWatch

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch.begin(self.transport)

    def resume_writing(self) -> None:
        self._watch.end()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._watch.end()
        super().connection_lost(exc)


def http_protocol(
    send_timeout: float | None, head_timeout: float = HEAD_SECONDS
) -> type[asyncio.Protocol]:
    """Return uvicorn's HTTP protocol, with limits on how long a client may not read or write.

    Args:
        send_timeout: After how many seconds a client that does not read is disconnected; None for
            no limit.
        head_timeout: After how many seconds without a complete head of a request a connection is
            closed. uvicorn itself closes those that are idle after a response.
    """

    class Protocol(_WriteWatched, AutoHTTPProtocol):  # type: ignore[misc, valid-type]
        cycle: _Cycle | None

        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, **kwargs)
            self._watch = _WriteWatch(send_timeout)
            self._head_timer: asyncio.TimerHandle | None = None
            self._head_size = 0

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            # Those of uvloop have its methods, and are no instances of it.
            super().connection_made(JoinedWrites(cast("asyncio.Transport", transport), is_head))
            self._await_head()

        def data_received(self, data: bytes) -> None:
            # First: uvicorn sets `cycle` while it reads the head.
            super().data_received(data)
            # A body that still comes after an early response, such as a 401, is not a head.
            if self.cycle is None or (self.cycle.response_complete and not self.cycle.more_body):
                self._await_head()
                self._head_size += len(data)
                if self._head_size > _HEAD_BYTES:
                    self._close()
            else:
                self._end_wait()

        def connection_lost(self, exc: Exception | None) -> None:
            self._end_wait()
            super().connection_lost(exc)

        def _await_head(self) -> None:
            if self._head_timer is None:
                loop = asyncio.get_running_loop()
                self._head_timer = loop.call_later(head_timeout, self._close)

        def _end_wait(self) -> None:
            self._head_size = 0
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None

        def _close(self) -> None:
            if self.transport.get_protocol() is self:  # Otherwise it became a WebSocket.
                self.transport.close()

    return Protocol


def socket_protocol(send_timeout: float | None) -> type[asyncio.Protocol]:
    """Return uvicorn's WebSocket protocol, with a limit on how long a client may not read."""

    class Protocol(_WriteWatched, WebSocketsSansIOProtocol):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._watch = _WriteWatch(send_timeout)

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, JoinedWrites)  # It was an HTTP connection.
            super().connection_made(transport.joining(always))

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            # Such as: a request with a body, or a header of more than 8 KB. uvicorn would leave the
            # client without a response, on a connection that stays open.
            error = self.conn.handshake_exc
            if error is not None and not self.handshake_initiated:
                self.transport.write(_NO_HANDSHAKE % str(error.__cause__ or error).encode())
                self.transport.close()

        async def send(self, message: ASGISendEvent) -> None:
            await super().send(message)
            if message["type"] == "websocket.http.response.body" and self.close_sent:
                # After a refusal, uvicorn would log an incomplete handshake as an error.
                self.handshake_complete = True

    return Protocol


def without_tracebacks(app: ASGIApp) -> ASGIApp:
    """Return an app without a traceback in the log when a client disconnects."""

    async def quiet(scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(ClientDisconnect):  # The client disconnected while its request was read.
            await app(scope, receive, send)

    return quiet


class Port:
    """One listening socket, which uvicorn serves after `serve`.

    The socket listens from the beginning, so that a port in use is reported before anything else
    is started. Connections wait until `serve`.

    Args:
        host: The address to listen on.
        port: The port; 0 for any free one.
        tls: The files of a certificate and of its key, for HTTPS; None for HTTP.

    Raises:
        OSError: The address cannot be used, or a file cannot be read.
        ValueError: The port is out of range.
    """

    def __init__(self, host: str, port: int, tls: tuple[str, str] | None = None) -> None:
        if not 0 <= port <= 65535:
            raise ValueError(f"port {port} is not within 0-65535")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._tls = tls
        if tls is not None:
            _check_tls(*tls)
        # With the protocol set, asyncio turns on TCP_NODELAY: small packets are sent at once.
        self._socket = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            # So that a restart finds the port free. On Windows, where it is free anyway, a second
            # server could then have the port as well.
            if sys.platform != "win32":
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((host, port))
            # `listen` now: SO_REUSEADDR lets two sockets bind to a port, but only one can listen.
            self._socket.listen(2048)
        except OSError as error:
            self._socket.close()
            raise OSError(
                error.errno, f"cannot listen on {host}:{port}: {error.strerror}"
            ) from None
        self.is_loopback = is_loopback(host)
        shown = f"[{host}]" if ":" in host else host
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://{shown}:{self._socket.getsockname()[1]}"
        self._uvicorn: _UvicornServer | None = None
        self._task: asyncio.Task[None] | None = None

    async def serve(self, app: ASGIApp, send_timeout: float | None) -> None:
        """Serve an app from now on.

        Args:
            app: The ASGI app.
            send_timeout: After how many seconds a client that does not read is disconnected; None
                for no limit.
        """
        config = uvicorn.Config(
            without_tracebacks(app),
            http=http_protocol(send_timeout),
            interface="asgi3",
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
            ws=socket_protocol(send_timeout),
            ssl_certfile=self._tls and self._tls[0],
            ssl_keyfile=self._tls and self._tls[1],
        )
        self._uvicorn = _UvicornServer(config)
        self._task = asyncio.create_task(self._uvicorn.serve([self._socket]))
        ready = asyncio.ensure_future(self._uvicorn.ready.wait())
        try:
            await asyncio.wait([ready, self._task], return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        # It ends before it is ready only by an error, which is raised here.
        if self._task.done():
            self._task.result()

    async def stop(self) -> None:
        """Accept no more connections, wait shortly for open responses, and close the socket."""
        if self._uvicorn is not None and self._task is not None:
            self._uvicorn.should_exit = True
            await asyncio.wait([self._task], timeout=_CLOSE_SECONDS)
            # Event streams do not end by themselves, and uvicorn would wait for them. Not only
            # once: one may have been accepted in the turn of the loop in which uvicorn stopped.
            for _ in range(_ABORTS):
                for connection in list(self._uvicorn.server_state.connections):
                    connection.transport.abort()
                await asyncio.wait([self._task], timeout=0.1)
                if self._task.done():
                    break
        self.close()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


def _check_tls(certfile: str, keyfile: str) -> None:
    """Check the files of a certificate now, because uvicorn reads them only later.

    Raises:
        OSError: They cannot be read, or do not belong together.
    """
    for name in (certfile, keyfile):
        with open(name, "rb"):
            pass
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certfile, keyfile)
    except ssl.SSLError as error:
        why = error.reason or "they are not a certificate and a key"
        raise OSError(f"cannot serve with {certfile} and {keyfile}: {why}") from None


def is_loopback(host: str) -> bool:
    """Return whether a name or an address is of this machine's loopback interface."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
