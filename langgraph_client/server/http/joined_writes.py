"""A connection that joins several writes into one, for speed.

Each write to a socket is a system call and a packet on loopback, and wakes the client. uvicorn
writes the head of a response, its body, and every message of a WebSocket separately.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

_MAX_HELD_BYTES = 65_536
"""The most bytes that are held back, so that a client that does not read is noticed."""


def is_head(data: bytes) -> bool:
    """Return whether bytes are the head of a response.

    A body that looks like a head may be held back too, which only delays it to the end of the turn.
    """
    return data.startswith(b"HTTP/1.")


def always(data: bytes) -> bool:
    """Return True, so that all writes within one turn of the loop are joined."""
    return True


class JoinedWrites(asyncio.Transport):
    """A transport that holds back some writes until the end of the current turn of the loop.

    Args:
        inner: The connection.
        waits: Returns whether to hold back bytes. Others are sent at once, after held ones.
    """

    def __init__(self, inner: asyncio.Transport, waits: Callable[[bytes], bool]) -> None:
        super().__init__()
        self._inner = inner
        self._waits = waits
        self._parts: list[bytes] = []
        self._size = 0
        self._scheduled_send: asyncio.Handle | None = None

    def write(self, data: bytes | bytearray | memoryview[int]) -> None:
        """Send bytes, in the order of the calls."""
        piece = bytes(data)
        if not piece:
            return
        self._parts.append(piece)
        self._size += len(piece)
        # A head is usually followed by a part of the body in the same turn, which takes it along.
        if self._size >= _MAX_HELD_BYTES or not self._waits(piece):
            self._send()
        elif self._scheduled_send is None:
            self._scheduled_send = asyncio.get_running_loop().call_soon(self._send)

    def _send(self) -> None:
        if self._scheduled_send is not None:
            self._scheduled_send.cancel()
            self._scheduled_send = None
        if self._parts:
            parts, self._parts, self._size = self._parts, [], 0
            self._inner.write(b"".join(parts) if len(parts) > 1 else parts[0])

    def writelines(self, list_of_data: Any) -> None:
        """Send pieces of bytes."""
        self.write(b"".join(list_of_data))

    def write_eof(self) -> None:
        """End the sending side."""
        self._send()
        self._inner.write_eof()

    def can_write_eof(self) -> bool:
        """Return whether `write_eof` is supported."""
        return self._inner.can_write_eof()

    def close(self) -> None:
        """Close the connection after all writes."""
        self._send()
        self._inner.close()

    def abort(self) -> None:
        """Close the connection at once."""
        self._parts, self._size = [], 0
        self._inner.abort()

    def is_closing(self) -> bool:
        """Return whether it is closed or closing."""
        return self._inner.is_closing()

    def get_write_buffer_size(self) -> int:
        """Return how many bytes the client has not taken yet."""
        return self._size + self._inner.get_write_buffer_size()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """Return the low and high limits at which the protocol resumes and pauses."""
        return self._inner.get_write_buffer_limits()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set these limits."""
        self._inner.set_write_buffer_limits(high, low)

    def get_extra_info(self, name: str, default: object = None) -> object:
        """Return something about the connection, such as its addresses."""
        return self._inner.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Set the protocol that gets received bytes."""
        self._inner.set_protocol(protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the protocol that gets received bytes."""
        return self._inner.get_protocol()

    def is_reading(self) -> bool:
        """Whether bytes are read."""
        return self._inner.is_reading()

    def pause_reading(self) -> None:
        """Read no more for now."""
        self._inner.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        self._inner.resume_reading()

    def joining(self, waits: Callable[[bytes], bool]) -> JoinedWrites:
        """Return the same connection with another rule from now on."""
        # Bytes that are still held back must be sent before those of the new object.
        self._send()
        return JoinedWrites(self._inner, waits)
