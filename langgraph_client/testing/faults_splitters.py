"""Split the body of a response into events: those of an event stream, or of a WebSocket."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

Headers = list[tuple[bytes, bytes]]

_BLOCK_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")


def splitter_of(headers: Headers) -> MakeSplitter | None:
    """Return the splitter for the body of a response with these headers; None without events."""
    for name, value in headers:
        if name.lower() == b"content-type" and value.startswith(b"text/event-stream"):
            return _Blocks
        if name.lower() == b"upgrade" and value.lower() == b"websocket":
            return _Frames
    return None


class Splitter(Protocol):
    """Cuts a body into blocks, some of which are events."""

    rest: bytearray
    """The bytes of a block that is not complete yet."""

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the blocks that end within a piece."""
        ...

    def is_event(self, block: bytes) -> bool:
        """Return whether a block is an event."""
        ...


MakeSplitter = Callable[[], Splitter]


@dataclass
class _Blocks:
    """Splits an event stream after its blank lines."""

    rest: bytearray = field(default_factory=bytearray)
    # No blank line up to here. Without it, long events in small pieces would need quadratic time.
    seen: int = 0

    def feed(self, piece: bytes) -> list[bytes]:
        self.rest += piece
        blocks = []
        # A blank line has at most four bytes; three of them may have come with earlier pieces.
        while match := _BLOCK_END.search(self.rest, max(self.seen - 3, 0)):
            blocks.append(bytes(self.rest[: match.end()]))
            del self.rest[: match.end()]
            self.seen = 0
        self.seen = len(self.rest)
        return blocks

    def is_event(self, block: bytes) -> bool:
        """Return whether a block is an event; a heartbeat is only a comment."""
        return any(line and not line.startswith(b":") for line in block.splitlines())


@dataclass
class _Frames:
    """Splits what a server sends on a WebSocket into frames."""

    rest: bytearray = field(default_factory=bytearray)

    def feed(self, piece: bytes) -> list[bytes]:
        self.rest += piece
        frames = []
        while (size := self._size()) is not None and len(self.rest) >= size:
            frames.append(bytes(self.rest[:size]))
            del self.rest[:size]
        return frames

    def _size(self) -> int | None:
        """Return the size of the first frame, which is not masked; None while it is not known."""
        if len(self.rest) < 2:
            return None
        length = self.rest[1] & 0x7F
        extra = {126: 2, 127: 8}.get(length, 0)
        if len(self.rest) < 2 + extra:
            return None
        if extra:
            length = int.from_bytes(self.rest[2 : 2 + extra], "big")
        return 2 + extra + length

    def is_event(self, block: bytes) -> bool:
        """Return whether a frame is an event; others are responses, pings and closing frames."""
        return b'"type":"event"' in block
