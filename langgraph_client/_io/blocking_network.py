"""Connections on plain sockets, as a network backend of httpcore.

httpcore's own backend has one timeout for a whole body; here each read may have its own.
"""

from __future__ import annotations

import errno
import os
import select
import selectors
import socket
import ssl
import time
import weakref
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from threading import get_ident
from time import monotonic
from typing import Any

import httpcore

from langgraph_client._core.chunks import ChunkJoiner
from langgraph_client._io.sockets import CONNECTION_DELAY, error_text, time_left

_CLOSED = "closed by this client"
_MAX_READ = 256 * 1024  # Bytes of one read.
_BEGUN = (0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN)
_Address = tuple[Any, ...]  # What `getaddrinfo` returns for one address.


class Stream(httpcore.NetworkStream):
    """One connection, with httpcore's interface.

    A thread may close it while another one reads or writes. The socket itself is then closed by the
    last thread that uses it: the system could give the number of a closed one to a new connection,
    and the thread would wait for that one's bytes, or take them.

    Attributes:
        limit: The timeout of the next reads in seconds; None for the one that httpcore passes.
        due: When all reads and writes must be over, on the clock of `monotonic`; None for no limit.
    """

    def __init__(self, connected: socket.socket, due: float | None = None) -> None:
        self.limit: float | None = None
        self.due = due
        self._own(connected)
        self._is_interrupted = False
        self._is_aborted = False
        #: The threads that use the socket just now. No lock: a finalizer may run at any place here.
        self._users: set[int] = set()
        self._joiner = ChunkJoiner()
        self._buffer = bytearray(16 * 1024)
        self._view = memoryview(self._buffer)

    def _own(self, connected: socket.socket) -> None:
        """Take a socket, which is closed when nobody needs this object any more.

        The clients of a `RemoteGraph` are rarely closed. Python would warn of each socket, and in a
        `__del__` it would be too late: of objects that go together, the socket may be the first.
        """
        self._socket = connected
        # Not at the end of the program, where threads may be reading still.
        weakref.finalize(self, connected.close).atexit = False

    def _begin(self, failure: type[Exception]) -> None:
        """Keep the socket from being closed until `_end`; raise `failure` if `abort` came first."""
        self._users.add(get_ident())
        # After the line above: `abort` does both in the other order, so one of the two sees it.
        if self._is_aborted:
            raise failure(_CLOSED)

    def _end(self) -> None:
        self._users.discard(get_ident())
        if self._is_aborted and not self._users:
            self._socket.close()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        seconds = timeout if self.limit is None else self.limit
        while True:
            data = self._receive(time_left(self.due, seconds, httpcore.ReadTimeout))
            if not data:
                return data
            joined = self._joiner.feed(data)
            if joined:  # An empty result would mean the end; the joiner only waits for more.
                return joined

    def _receive(self, seconds: float | None) -> bytes:
        connected = self._socket
        try:
            self._begin(httpcore.ReadError)
            if connected.gettimeout() != seconds:
                connected.settimeout(seconds)
            size = connected.recv_into(self._buffer)
        except TimeoutError as error:
            raise httpcore.ReadTimeout("nothing came in time") from error
        except (OSError, ValueError) as error:  # ValueError: closed by another thread.
            raise httpcore.ReadError(error_text(error)) from error
        finally:
            self._end()
        if not size and self._is_interrupted:
            # For a body without a length, an end would mean that the body is complete.
            raise httpcore.ReadError(_CLOSED)
        data = bytes(self._view[:size])
        if size == len(self._buffer) < _MAX_READ:  # Full: more may be waiting, so grow it.
            self._view.release()
            self._buffer = bytearray(min(4 * size, _MAX_READ))
            self._view = memoryview(self._buffer)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not buffer:
            return
        self._joiner.begin()
        connected = self._socket
        rest = memoryview(buffer)
        try:
            self._begin(httpcore.WriteError)
            while rest:
                connected.settimeout(time_left(self.due, timeout, httpcore.WriteTimeout))
                rest = rest[connected.send(rest) :]
        except TimeoutError as error:
            raise httpcore.WriteTimeout("not sent in time") from error
        except (OSError, ValueError) as error:
            raise httpcore.WriteError(error_text(error)) from error
        finally:
            self._end()

    def close(self) -> None:
        self._socket.close()

    def abort(self) -> None:
        """Close at once. A thread that is reading gets an error."""
        self._is_aborted = True
        self.interrupt()
        if not self._users:
            self._socket.close()

    def abandon(self) -> None:
        """Close. May be called by a finalizer, in any thread."""
        self._socket.close()

    @property
    def holds_bytes(self) -> bool:
        """Whether bytes were received that were not returned yet."""
        return self._joiner.holds

    def leave_http(self) -> None:
        """Return all further bytes unchanged, because they belong to another protocol."""
        self._joiner.leave()

    def interrupt(self) -> None:
        """End another thread's read with an error. Closing the socket would not wake it."""
        self._is_interrupted = True
        with suppress(OSError):  # It is closed already.
            # Not the TLS socket's own `shutdown`, which drops the TLS state that the reader uses.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        try:
            self._begin(httpcore.ConnectError)
            self._socket.settimeout(time_left(self.due, timeout, httpcore.ConnectTimeout))
            # In two steps, so that `interrupt` finds the socket of the handshake.
            secured = ssl_context.wrap_socket(
                self._socket, server_hostname=server_hostname, do_handshake_on_connect=False
            )
            self._own(secured)
            if self._is_interrupted:  # Before it could be found there.
                raise httpcore.ConnectError(_CLOSED)
            secured.do_handshake()
        except TimeoutError as error:
            self._socket.close()
            raise httpcore.ConnectTimeout("no TLS in time") from error
        except (OSError, ValueError) as error:
            self._socket.close()
            raise httpcore.ConnectError(error_text(error)) from error
        except BaseException:
            self._socket.close()
            raise
        finally:
            self._end()
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return _is_readable(self._socket)
        if info == "ssl_object":
            return self._socket if isinstance(self._socket, ssl.SSLSocket) else None
        return {"socket": self._socket}.get(info)


def _is_readable(connected: socket.socket) -> bool:
    """Return whether bytes have arrived, or the connection has ended."""
    try:
        watch = select.poll()
        watch.register(connected, select.POLLIN)
        return bool(watch.poll(0))
    except AttributeError:  # No poll on this platform.
        return bool(select.select([connected], [], [], 0)[0])
    except (OSError, ValueError):
        return True


class Backend(httpcore.NetworkBackend):
    """Opens one connection.

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

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> Stream:
        try:
            seconds = time_left(self.due, timeout, httpcore.ConnectTimeout)
            connected = _connect(host, port, seconds)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("no connection in time") from error
        except OSError as error:
            raise httpcore.ConnectError(error_text(error)) from error
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = Stream(connected, self.due)
        if self._is_aborted:
            self.stream.abort()
            raise httpcore.ConnectError(_CLOSED)
        return self.stream

    def sleep(self, seconds: float) -> None:
        # Part of httpcore's backend interface: the thread of a blocking call may sleep.
        time.sleep(seconds)


def _connect(host: str, port: int, seconds: float | None) -> socket.socket:
    """Connect to a host, at the first of its addresses that answers.

    Raises:
        TimeoutError: None has answered within these seconds.
        OSError: All have failed; it is the error of the first one.
    """
    end = None if seconds is None else monotonic() + seconds
    found: Sequence[_Address] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    with selectors.DefaultSelector() as watch:
        try:
            connected = _race(watch, deque(dict.fromkeys(found)), end)
            watch.unregister(connected)
        finally:
            for key in list(watch.get_map().values()):
                key.data.close()
    connected.setblocking(True)
    return connected


def _race(
    watch: selectors.BaseSelector, waiting: deque[_Address], end: float | None
) -> socket.socket:
    """Try one address after the other, without waiting for one that does not answer.

    `socket.create_connection` waits for each of them, so that the timeout would be one of each.

    Args:
        watch: The attempts, which the caller closes.
        waiting: The addresses.
        end: When to give up, on the clock of `monotonic`; None for never.
    """
    first: OSError | None = None
    due = monotonic()  # When the next address is tried.
    while waiting or watch.get_map():
        now = monotonic()
        if waiting and (now >= due or not watch.get_map()):
            due = now + CONNECTION_DELAY
            try:
                _begin(watch, waiting.popleft())
            except OSError as error:
                first = first or error
            continue
        soonest = due if waiting and (end is None or due < end) else end
        ready = watch.select(None if soonest is None else max(soonest - now, 0))
        if not ready and soonest == end:  # No look at the clock: a test may have stopped it.
            raise TimeoutError
        if not ready:
            due = now
        for key, _ in ready:
            attempt: socket.socket = key.data
            code = attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if not code:
                return attempt
            watch.unregister(attempt)
            attempt.close()
            first = first or OSError(code, os.strerror(code))
            due = now  # The next one need not wait for this one any more.
    raise first or OSError("the host has no address")


def _begin(watch: selectors.BaseSelector, address: _Address) -> None:
    """Begin to connect to an address."""
    family, kind, protocol, _, where = address
    attempt = socket.socket(family, kind, protocol)
    try:
        attempt.setblocking(False)
        code = attempt.connect_ex(where)
        if code not in _BEGUN:
            raise OSError(code, os.strerror(code))
        watch.register(attempt, selectors.EVENT_WRITE, attempt)
    except BaseException:
        attempt.close()
        raise
