"""The plainest reading of an event stream that is right for the benchmark's own server."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson


class Part(NamedTuple):
    """One event."""

    event: str
    data: Any
    id: str | None = None


class Dechunker:
    """HTTP/1.1 chunked bodies: what one read brings, without its framing."""

    def __init__(self) -> None:
        self.done = False
        self._need = 0  # Bytes of the chunk still to come; -2 before its line end.
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Return the body's bytes within `data`."""
        data, self._held = self._held + data, b""
        pieces = []
        place, length, need = 0, len(data), self._need
        while place < length:
            if need > 0:
                piece = data[place : place + need]
                pieces.append(piece)
                place += len(piece)
                need = need - len(piece) or -2
            elif need < 0:
                if length - place < 2:
                    self._held = data[place:]
                    break
                place, need = place + 2, 0
            else:
                end = data.find(b"\r\n", place)
                if end < 0:
                    self._held = data[place:]
                    break
                need = int(data[place:end], 16)
                place = end + 2
                if need == 0:
                    self.done = True
                    break
        self._need = need
        return b"".join(pieces)


class Splitter:
    """Events that end within a piece of a body; a lone CR is not taken for the end of a line."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._names: dict[bytes, str] = {}
        self._name = ""
        self._data = b""

    def feed(self, chunk: bytes) -> list[Part]:
        """Return the events."""
        lines = chunk.split(b"\n")
        if len(lines) == 1:
            self._pieces.append(chunk)
            return []
        if self._pieces:
            self._pieces.append(lines[0])
            lines[0] = b"".join(self._pieces)
            self._pieces.clear()
        if last := lines.pop():
            self._pieces.append(last)
        events: list[Part] = []
        for line in lines:
            if line == b"\r":
                events.append(Part(self._name, orjson.loads(self._data)))
            elif line.startswith(b"data: "):
                self._data = line[6:]
            elif (name := self._names.get(line)) is not None:
                self._name = name
            elif line.startswith(b"event: "):
                self._name = self._names[line] = line[7:-1].decode()
        return events
