# Generated from langgraph_client/_async/direct.py by .ci/unasync.py; do not edit.
"""Send requests over httpcore's connections, without its pool.

The pool of httpcore looks at all its connections for each request and each close. With many calls
at the same time, this takes most of the time. Here, the connection that was used last is taken from
the end of a list and put back there.
"""

from __future__ import annotations

import ssl
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from time import monotonic
from urllib.parse import SplitResult, urlsplit

import httpcore

from langgraph_client._core.connection import Limits, Steps
from langgraph_client._core.cookies import Cookies
from langgraph_client._core.deadline import until
from langgraph_client._core.encodings import ACCEPTED, Decompressor
from langgraph_client._core.exchange import SILENT, FailureKind, NoAnswer, Request, left
from langgraph_client._io.blocking_network import Backend, Stream
from langgraph_client._io.threads import Slots, close_all
from langgraph_client._sync._httpx import (
    MAX_RECEIVED,
    HttpxAnswer,
    HttpxSender,
    class_named,
    is_replaced,
    make_client,
)

_PORTS = {"http": 80, "https": 443}
# Seconds to wait for a body's end after its last event, so that the connection can be kept.
_END_WAIT = 0.01
_BEFORE = (httpcore.ConnectError, httpcore.UnsupportedProtocol)


class _Connection:
    """One HTTP connection, and the backend with the network stream below it."""

    __slots__ = ("backend", "http")

    def __init__(self, http: httpcore.HTTPConnection, backend: Backend) -> None:
        self.http = http
        self.backend = backend

    def limit(self, due: float | None) -> None:
        """Set when connecting, sending and the response's head must be over; None for no limit."""
        self.backend.due = due
        if self.backend.stream is not None:
            self.backend.stream.due = due

    def abort(self) -> None:
        """Close the connection at once, in any state, without waiting."""
        self.backend.abort()

    @property
    def is_reusable(self) -> bool:
        """Whether the connection is open, and nothing was received behind the last response."""
        inner = self.http._connection  # noqa: SLF001 - httpcore has no public way.
        return (
            self.http.is_idle()
            and isinstance(inner, httpcore.HTTP11Connection)
            # Otherwise, the next request would get these bytes as its response.
            and not inner._h11_state.trailing_data[0]  # noqa: SLF001
            and (self.backend.stream is None or not self.backend.stream.holds_bytes)
        )


class DirectSender:
    """Sends requests to one origin over its own connections.

    Args:
        url: The server's URL.
        context: The TLS settings; ignored for `http://`.
        limits: How many connections may be open, how many idle ones are kept, and for how long.
    """

    def __init__(self, url: str, context: ssl.SSLContext, limits: Limits) -> None:
        parts = urlsplit(url)
        self.is_closed = False
        self._scheme = parts.scheme.encode()
        self._host = (parts.hostname or "").encode("ascii" if url.isascii() else "idna")
        self._port = parts.port or _PORTS[parts.scheme]
        self._origin = httpcore.Origin(self._scheme, self._host, self._port)
        self._headers = [
            (b"host", _authority(self._host, parts.port)),
            (b"accept-encoding", ACCEPTED.encode()),
        ]
        self._context = context if parts.scheme == "https" else None
        self._limits = limits
        self._idle: deque[_Connection] = deque()
        self._busy: set[_Connection] = set()
        # One slot for each connection in use. A new one is opened only if none is idle, so that
        # never more are open than there are slots.
        self._slots = None if limits.max_open is None else Slots(limits.max_open)
        self._cookies = Cookies()
        self._substitute: HttpxSender | None = None
        self._make_substitute = partial(_substitute, parts, context, limits)

    @property
    def busy(self) -> int:
        """How many connections are in use."""
        return len(self._busy)

    def send(
        self, request: Request, steps: Steps, due: float | None = None
    ) -> DirectAnswer | HttpxAnswer:
        """Send a request. Return the response when its head was received.

        Args:
            request: The request.
            steps: The limits of each step.
            due: When all this must be over, on the clock of `monotonic`; None for no limit.

        Raises:
            NoAnswer: There is no response.
        """
        if self.is_closed:
            raise NoAnswer(FailureKind.CLOSED)
        if is_replaced():  # A test has patched httpx and expects the request there.
            if self._substitute is None:
                self._substitute = self._make_substitute()
            return self._substitute.send(request, steps, due)
        if self._slots is not None:
            self._wait_for_slot(self._slots, until(due, steps.pool, monotonic()))
        connection = self._take()
        self._busy.add(connection)
        connection.limit(due)
        opening = request.opening
        try:
            if opening is not None:
                opening.began(connection.abort)
            response = connection.http.handle_request(self._core(request, steps))
            return DirectAnswer(self, connection, response, steps.read)
        except BaseException as error:  # Cancellation too: a half-used connection must not be kept.
            self.drop(connection)
            if isinstance(error, _ERRORS):
                is_left = opening is not None and opening.is_left
                raise left() if is_left else no_answer(error) from error
            raise
        finally:
            if opening is not None:
                opening.ended()

    def _wait_for_slot(self, slots: Slots, seconds: float | None) -> None:
        if not slots.take(seconds):
            raise NoAnswer(FailureKind.TIMED_OUT_BEFORE, "pool", class_named("PoolTimeout"))
        if self.is_closed:  # While it was waiting.
            slots.free()
            raise NoAnswer(FailureKind.CLOSED)

    def _core(self, request: Request, steps: Steps) -> httpcore.Request:
        headers = self._headers + [
            (name.encode("ascii"), value.encode()) for name, value in request.headers.items()
        ]
        if self._cookies and (cookies := self._cookies.header(request.target)):
            headers.append((b"cookie", cookies.encode("latin-1")))
        if request.content is not None:
            headers.append((b"content-length", b"%d" % len(request.content)))
        elif request.method not in ("GET", "HEAD", "OPTIONS"):
            headers.append((b"content-length", b"0"))
        url = httpcore.URL(
            scheme=self._scheme,
            host=self._host,
            port=self._port,
            target=request.target.encode("ascii"),
        )
        timeout = {"connect": steps.connect, "read": steps.read, "write": steps.write}
        return httpcore.Request(
            request.method,
            url,
            headers=headers,
            content=request.content,
            extensions={"timeout": timeout},
        )

    def _take(self) -> _Connection:
        """Return the connection that was used last, if it is still open; else a new one.

        No lock is needed: `pop` and `append` of a deque are atomic, so two threads never get the
        same connection.
        """
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # Another thread took the last one.
                break
            if not connection.http.has_expired():
                return connection
            connection.abort()
        backend = Backend()
        http = httpcore.HTTPConnection(
            self._origin,
            ssl_context=self._context,
            keepalive_expiry=self._limits.idle_seconds,
            network_backend=backend,
        )
        return _Connection(http, backend)

    def give_back(self, connection: _Connection) -> None:
        """Keep a connection for the next request, if it can be used again."""
        if self.is_closed or not connection.is_reusable:
            self.drop(connection)
            return
        # In this order: out of `_busy` first, so that no `drop` can give its slot back, too; the
        # slot last, so that whoever gets it finds this connection and opens no other one.
        was_busy = self._is_removed(connection)
        self._idle.append(connection)
        # Connections at the beginning have been idle for the longest time: they are closed first.
        most = self._limits.max_idle
        with suppress(IndexError):  # There are none, because another thread took the last one.
            while (most is not None and len(self._idle) > most) or self._idle[0].http.has_expired():
                self._idle.popleft().abort()
        if was_busy and self._slots is not None:
            self._slots.free()

    def drop(self, connection: _Connection) -> None:
        """Close a connection."""
        connection.abort()
        if self._is_removed(connection) and self._slots is not None:
            self._slots.free()

    def forget(self, connection: _Connection) -> None:
        """Close a connection from a finalizer, without waiting and without a lock."""
        if connection.backend.stream is not None:
            connection.backend.stream.abandon()
        if self._is_removed(connection) and self._slots is not None:
            self._slots.free_soon()

    def _is_removed(self, connection: _Connection) -> bool:
        """Remove a connection from those in use; return whether it was one, once and not again."""
        try:
            self._busy.remove(connection)
        except KeyError:  # The client was closed, or another thread was faster.
            return False
        return True

    def keep_cookie(self, header: str) -> None:
        """Keep the cookie of a `Set-Cookie` header."""
        self._cookies.take(header)

    def close(self) -> None:
        """Close all connections, including those in use."""
        self.is_closed = True
        for connection in [*self._idle, *self._busy]:
            connection.abort()
        self._idle.clear()
        self._busy.clear()
        if self._slots is not None:
            self._slots.close()
        if self._substitute is not None:
            close_all(self._substitute.close)


class DirectAnswer:
    """A response whose body is read piece by piece.

    Attributes:
        status: The HTTP status.
        headers: The headers, with names in lower case; repeated headers are joined by commas.
    """

    def __init__(
        self,
        sender: DirectSender,
        connection: _Connection,
        response: httpcore.Response,
        usual: float | None,
    ) -> None:
        self.status = response.status
        self.headers: dict[str, str] = {}
        self._sender = sender
        self._connection = connection
        self._response = response
        assert isinstance(response.stream, Iterable)
        self._pieces = iter(response.stream)
        self._usual = usual  # The read timeout in seconds.
        self._is_closed = False
        assert connection.backend.stream is not None
        self._network: Stream = connection.backend.stream
        for raw_name, raw_value in response.headers:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            if name == "set-cookie":
                sender.keep_cookie(value)
            if name in self.headers:
                value = f"{self.headers[name]}, {value}"
            self.headers[name] = value
        encoding = self.headers.get("content-encoding", "identity").lower()
        self._plain: Decompressor | None = None
        if encoding not in ("identity", ""):
            try:
                self._plain = Decompressor(encoding)
            except ValueError as error:
                raise NoAnswer(FailureKind.UNREADABLE, str(error)) from error

    def read(self, seconds: float | None = None, due: float | None = None) -> bytes:
        """Return the next bytes of the body; `b""` at its end.

        Args:
            seconds: How long to wait; None, or more than the read timeout, for the read timeout.
            due: When waiting must be over, however many bytes come that yield none of the body; on
                the clock of `monotonic`. None for no limit.

        Raises:
            NoAnswer: No bytes were received.
        """
        usual = self._usual
        is_short = seconds is not None and (usual is None or seconds < usual)
        # Set for each read: the network stream serves one request after the other.
        self._network.limit = seconds if is_short else usual
        self._network.due = due
        try:
            if self._plain is None:
                piece = self._next_piece()
            else:
                piece = self._decompressed(self._plain)
        except _ERRORS as error:
            self._drop()
            raise no_answer(error, is_short=is_short) from error
        except ValueError as error:
            self._drop()
            raise NoAnswer(FailureKind.UNREADABLE, str(error)) from error
        if not piece:
            self._end()
        return piece

    def _next_piece(self) -> bytes:
        """Return the next piece as it was received; `b""` at the end."""
        # No `anext` with a default: CPython 3.11.7 crashed in it while a loop closed.
        for piece in self._pieces:
            return piece
        return b""

    def receive(self, seconds: float | None) -> bytes:
        """Return the next bytes of a connection that has switched protocols; `b""` at its end.

        Args:
            seconds: How long to wait; None for the read timeout.

        Raises:
            NoAnswer: The connection broke, or nothing was received in time. After a timeout, the
                connection can be read again.
        """
        try:
            piece: bytes = self._upgraded().read(MAX_RECEIVED, seconds or self._usual)
        except _ERRORS as error:
            raise no_answer(error, is_short=seconds is not None) from error
        return piece

    def transmit(self, data: bytes) -> None:
        """Send bytes over a connection that has switched protocols.

        Raises:
            NoAnswer: The connection broke.
        """
        try:
            self._upgraded().write(data, self._usual)
        except _ERRORS as error:
            raise no_answer(error) from error

    def _upgraded(self) -> httpcore.NetworkStream:
        self._network.leave_http()
        self._network.limit = self._network.due = None  # They were those of the request.
        stream: httpcore.NetworkStream = self._response.extensions["network_stream"]
        return stream

    def _decompressed(self, plain: Decompressor) -> bytes:
        """Read pieces until there is output; `b""` at the end."""
        while True:
            if plain.has_more and (made := plain.feed(b"")):
                return made
            piece = self._next_piece()
            if not piece:
                break
            if made := plain.feed(piece):
                return made
        if not plain.is_complete:
            raise httpcore.RemoteProtocolError("the compressed body is not complete")
        return b""

    def _end(self) -> None:
        """Note that the whole body was read, so that the connection can be used again."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            # Only this makes httpcore's connection idle; until then it cannot be used again.
            self._response.close()
        except BaseException:
            self._sender.drop(self._connection)
            raise
        # The next request on this connection must not inherit these limits.
        self._network.limit = self._network.due = None
        self._sender.give_back(self._connection)

    def _drop(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._sender.drop(self._connection)

    def finish(self) -> None:
        """Leave the response after its last event was read.

        The body usually ends right after that event. A short wait for the end lets the connection
        be used again.
        """
        if not self._is_closed:
            with suppress(NoAnswer):
                # The protocol has no bytes after the last event: the connection is not trusted.
                if self.read(_END_WAIT, monotonic() + _END_WAIT):
                    self._drop()

    def close(self) -> None:
        """Leave the response. Its connection is closed unless the whole body was read."""
        self._drop()

    def interrupt(self) -> None:
        """Make a `read` in another task or thread end with an error now."""
        self._network.interrupt()

    def abandon(self) -> None:
        """Leave the response without waiting; for finalizers."""
        if not self._is_closed:
            self._is_closed = True
            self._sender.forget(self._connection)


def _substitute(url: SplitResult, context: ssl.SSLContext, limits: Limits) -> HttpxSender:
    client = make_client(None, context, limits, None, trust_env=False)
    place = url.netloc.rpartition("@")[2]
    return HttpxSender(client, f"{url.scheme}://{place}", is_ours=True)


def _authority(host: bytes, port: int | None) -> bytes:
    name = b"[%b]" % host if b":" in host else host
    return name if port is None else b"%b:%d" % (name, port)


_ERRORS = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
    httpcore.ConnectionNotAvailable,
)


def no_answer(error: Exception, *, is_short: bool = False) -> NoAnswer:
    """Translate an error of httpcore; `is_short` if the limit was below the read timeout."""
    detail, alike = str(error) or type(error).__name__, class_named(type(error).__name__)
    if isinstance(error, httpcore.TimeoutException):
        step = type(error).__name__.removesuffix("Timeout").lower()
        if step in ("connect", "pool"):
            return NoAnswer(FailureKind.TIMED_OUT_BEFORE, step, alike)
        return NoAnswer(FailureKind.TIMED_OUT, SILENT if is_short else step, alike)
    return NoAnswer(
        FailureKind.NEVER_SENT if isinstance(error, _BEFORE) else FailureKind.BROKEN, detail, alike
    )
