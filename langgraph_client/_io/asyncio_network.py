"""Connections on asyncio's own protocols, as a network backend of httpcore.

httpcore's own backend uses anyio, which costs more than the reading itself. It also has one timeout
for a whole body; here each read may have its own.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import weakref
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, cast

import httpcore

from langgraph_client._core.chunks import ChunkJoiner
from langgraph_client._io.sockets import CONNECTION_DELAY, error_text, time_left

MAX_BUFFERED = 256 * 1024  # Bytes received and not read yet; with more, the sender has to wait.


class Wire(asyncio.Protocol):
    """The bytes of one connection, between the loop and one reader."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.is_over = False  # No more bytes will arrive.
        self.is_lost = False  # The transport has closed its socket.
        self.error: Exception | None = None
        self.pieces: list[bytes] = []
        self._held = 0
        self._is_paused = False
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._is_full = False  # The send buffer is full.
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    # --- called by the loop ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Those of other loops, such as uvloop's, have its methods, and are no instances of it.
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.pieces.append(data)
        self._held += len(data)
        if self._held > MAX_BUFFERED and not self._is_paused and self.transport is not None:
            self._is_paused = True
            self.transport.pause_reading()
        self._wake(self._reader)

    def eof_received(self) -> None:
        # The result None lets asyncio close its side: a connection that the server has half closed
        # is of no use for a further request. What was received before can still be read.
        self.is_over = True
        self._wake(self._reader)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_over = self.is_lost = True
        self.error = self.error or exc
        self._forget_timer()
        self._wake(self._reader)
        self._wake(self._writer)

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        self._wake(self._writer)

    @staticmethod
    def _wake(waiting: asyncio.Future[None] | None) -> None:
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    # --- called by the reader ---

    async def read(self, seconds: float | None) -> bytes:
        """Return the received bytes; `b""` at the end. Raises httpcore's ReadTimeout, ReadError."""
        # What arrived before an end or an error is handed out before it.
        if not self.pieces:
            if not self.is_over:
                await self._wait(seconds)
            if not self.pieces:
                if self.error is not None:
                    raise httpcore.ReadError(error_text(self.error)) from self.error
                return b""
        pieces = self.pieces
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self._held = 0
        if self._is_paused and self.transport is not None:
            self._is_paused = False
            if not self.transport.is_closing():
                self.transport.resume_reading()
        return data

    async def _wait(self, seconds: float | None) -> None:
        """Wait until bytes have arrived, or the connection has ended."""
        loop = asyncio.get_running_loop()
        self._reader = loop.create_future()
        if seconds is not None:
            self._expect(loop, loop.time() + seconds)
        try:
            await self._reader
        finally:
            self._reader = None

    def _expect(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        # One timer for many reads, because a timer for each would cost more than the read. Most
        # reads end long before it rings; `_ring` then sets it to the deadline of the current one.
        self._due = due
        timer = self._timer
        if timer is not None:
            if timer.when() <= due:
                return
            timer.cancel()
        self._timer = loop.call_at(due, self._ring, loop)

    def _ring(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        reader = self._reader
        if reader is None or reader.done():
            return
        if loop.time() < self._due:
            self._timer = loop.call_at(self._due, self._ring, loop)
        else:
            reader.set_exception(httpcore.ReadTimeout("nothing came in time"))

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # --- called by the writer ---

    async def write(self, data: bytes, seconds: float | None) -> None:
        """Send bytes. Raises httpcore's WriteTimeout, WriteError."""
        if self.transport is None or self.transport.is_closing():
            raise httpcore.WriteError("the connection is closed")
        self.transport.write(data)
        if not self._is_full:
            return
        self._writer = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds):
                await self._writer
        except TimeoutError:
            raise httpcore.WriteTimeout("not sent in time") from None
        finally:
            self._writer = None
        if self.error is not None:
            raise httpcore.WriteError(error_text(self.error)) from self.error

    def abort(self) -> None:
        """Close at once, and wake the reader, which gets an error.

        For a body without a length, the end of the connection would mean that the body is complete.
        """
        self._forget_timer()
        self.is_over = True
        # Set here, because `connection_lost` gets no error after an abort.
        self.error = self.error or ConnectionAbortedError("closed by this client")
        self.pieces.clear()
        # A transport that has closed itself after it sent the rest of its buffer cannot be aborted:
        # `abort` would use its event loop, which it has given up (seen with CPython 3.11).
        if self.transport is not None and not self.is_lost:
            self.transport.abort()
        self._wake(self._reader)


class Stream(httpcore.AsyncNetworkStream):
    """One connection, with httpcore's interface.

    Attributes:
        limit: The timeout of the next reads in seconds; None for the one that httpcore passes.
        due: When all reads and writes must be over, on the clock of `monotonic`; None for no limit.
    """

    def __init__(
        self, wire: Wire, loop: asyncio.AbstractEventLoop, due: float | None = None
    ) -> None:
        self.limit: float | None = None
        self.due = due
        self._loop = loop
        self._wire = wire
        self._joiner = ChunkJoiner()
        # The clients of a `RemoteGraph` are rarely closed, and asyncio would warn of a transport
        # that is not.
        weakref.finalize(self, _abandon, loop, wire).atexit = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        while True:
            seconds = timeout if self.limit is None else self.limit
            data = await self._wire.read(time_left(self.due, seconds, httpcore.ReadTimeout))
            if not data:
                return data
            joined = self._joiner.feed(data)
            if joined:  # An empty result would mean the end; the joiner only waits for more.
                return joined

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if buffer:
            self._joiner.begin()
            await self._wire.write(buffer, time_left(self.due, timeout, httpcore.WriteTimeout))

    async def aclose(self) -> None:
        self._wire.abort()

    def abort(self) -> None:
        """Close at once, from the loop's thread."""
        self._wire.abort()

    def abandon(self) -> None:
        """Close soon. May be called by a finalizer, in any thread."""
        _abandon(self._loop, self._wire)

    @property
    def holds_bytes(self) -> bool:
        """Whether bytes were received that were not returned yet."""
        return self._joiner.holds or bool(self._wire.pieces)

    def leave_http(self) -> None:
        """Return all further bytes unchanged, because they belong to another protocol."""
        self._joiner.leave()

    def interrupt(self) -> None:
        """End the current read with an error."""
        self._wire.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        wire = self._wire
        assert wire.transport is not None
        try:
            async with asyncio.timeout(time_left(self.due, timeout, httpcore.ConnectTimeout)):
                wire.transport = await asyncio.get_running_loop().start_tls(
                    wire.transport, wire, ssl_context, server_hostname=server_hostname
                )
        except TimeoutError as error:
            wire.abort()
            raise httpcore.ConnectTimeout("no TLS in time") from error
        except (OSError, EOFError) as error:
            wire.abort()
            raise httpcore.ConnectError(error_text(error)) from error
        except BaseException:
            wire.abort()
            raise
        # asyncio gives no transport if the connection ended during the handshake.
        if wire.transport is None:
            raise httpcore.ConnectError("the server closed the connection before TLS")
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return bool(self._wire.pieces) or self._wire.is_over
        transport = self._wire.transport
        return None if transport is None else transport.get_extra_info(_NAMES.get(info, info))


def _abandon(loop: asyncio.AbstractEventLoop, wire: Wire) -> None:
    if not wire.is_lost:
        with suppress(RuntimeError):  # The loop is closed, and the connection with it.
            loop.call_soon_threadsafe(wire.abort)


_NAMES = {"server_addr": "peername", "client_addr": "sockname"}


class Backend(httpcore.AsyncNetworkBackend):
    """Opens one connection, on the running loop.

    Attributes:
        stream: The connection, as soon as it is open.
        due: When the call that opens it must be over; see `Stream`.
    """

    def __init__(self) -> None:
        self.stream: Stream | None = None
        self.due: float | None = None
        self._is_aborted = False

    def abort(self) -> None:
        """Close the connection at once; one that is being opened, as soon as it is open."""
        self._is_aborted = True  # First: `connect_tcp` looks at it after it has set the stream.
        if self.stream is not None:
            self.stream.abort()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> Stream:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(time_left(self.due, timeout, httpcore.ConnectTimeout)):
                wire = await _connect(loop, host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("no connection in time") from error
        except OSError as error:
            raise httpcore.ConnectError(error_text(error)) from error
        assert wire.transport is not None
        connected = wire.transport.get_extra_info("socket")
        if connected is not None:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = Stream(wire, loop, self.due)
        if self._is_aborted:
            self.stream.abort()
            raise httpcore.ConnectError("closed by this client")
        return self.stream

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def _connect(loop: asyncio.AbstractEventLoop, host: str, port: int) -> Wire:
    """Connect to a host, at the first of its addresses that answers."""
    if _is_address(host):
        return (await loop.create_connection(Wire, host, port))[1]
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(_address(info[4]) for info in found))
    if len(addresses) == 1:
        return (await loop.create_connection(Wire, addresses[0], port))[1]
    return await _race(loop, addresses, port)


def _address(place: Sequence[object]) -> str:
    """Return a socket's address as text, with the interface that a link-local one belongs to."""
    host, *_, scope = place if len(place) == 4 else (*place, 0)
    return f"{host}%{scope}" if scope else str(host)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def _race(loop: asyncio.AbstractEventLoop, addresses: Sequence[str], port: int) -> Wire:
    """Try one address after the other, without waiting for one that does not answer.

    asyncio's own option for this, `happy_eyeballs_delay`, leaves sockets open if it is cancelled.
    """
    attempts: list[asyncio.Task[tuple[asyncio.Transport, Wire]]] = []
    winner: asyncio.Task[tuple[asyncio.Transport, Wire]] | None = None
    try:
        for address in addresses:
            attempts.append(loop.create_task(loop.create_connection(Wire, address, port)))
            is_last = len(attempts) == len(addresses)
            end = float("inf") if is_last else loop.time() + CONNECTION_DELAY
            # Until one is connected, all have failed, or the next address is due.
            while winner is None and (left := end - loop.time()) > 0:
                pending = [attempt for attempt in attempts if not attempt.done()]
                if not pending:
                    break
                await asyncio.wait(
                    pending,
                    timeout=None if is_last else left,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                winner = next((a for a in attempts if a.done() and not a.exception()), None)
            if winner is not None:
                return winner.result()[1]
        raise attempts[0].exception() or OSError("no connection")
    finally:
        for attempt in attempts:
            if attempt is not winner:
                attempt.cancel()
                attempt.add_done_callback(_close_loser)


def _close_loser(attempt: asyncio.Task[tuple[asyncio.Transport, Wire]]) -> None:
    # It may have connected at the same moment as the winner, too late to be cancelled.
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result()[1].abort()
