"""Server-sent events, line by line, under the names that users of the SDK know.

The clients here do not use this module: they cut events with a faster parser. It is for programs
that read an event stream of their own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TypeAlias

import httpx

from langgraph_client._core.codec import decode
from langgraph_client.models.events import StreamPart

__all__ = ["BytesLike", "BytesLineDecoder", "SSEDecoder", "aiter_lines_raw", "iter_lines_raw"]

BytesLike: TypeAlias = bytes | bytearray | memoryview

_BOM = b"\xef\xbb\xbf"


class BytesLineDecoder:
    """Cuts bytes that arrive in pieces into lines, which end at CR, LF or CRLF."""

    def __init__(self) -> None:
        self._held: list[bytes] = []  # Pieces of a line: joined once, or a long one would take
        self._after_cr = False  # a time that grows with the square of its length.

    def decode(self, text: bytes) -> list[BytesLike]:
        """Return the lines that end within `text`, without their ends."""
        if self._after_cr and text:
            text = text.removeprefix(b"\n")
            self._after_cr = False
        if not text:
            return []
        # A CR at the end may be half of a CRLF: its other half is dropped when it comes.
        self._after_cr = text.endswith(b"\r")
        first, *lines = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._held.append(first)
        if not lines:
            return []
        ended = [b"".join(self._held), *lines]
        self._held = [ended.pop()]
        return [*ended]

    def flush(self) -> list[BytesLike]:
        """Return what came after the last line end, if anything did."""
        held, self._held, self._after_cr = b"".join(self._held), [], False
        return [held] if held else []


class SSEDecoder:
    """Makes stream parts from the lines of an event stream.

    Args:
        last_event_id: The id that parts have until the stream gives another one.
    """

    def __init__(self, *, last_event_id: str | None = None) -> None:
        self._event = ""
        self._data: list[bytes] = []
        self._last_event_id = last_event_id
        self._has_fields = False
        self._has_data = False
        self._is_first = True

    @property
    def last_event_id(self) -> str | None:
        """The id that was seen last; None before the first, empty after one that is empty."""
        return self._last_event_id

    @property
    def has_data(self) -> bool:
        """Whether the event that ended last had data."""
        return self._has_data

    def decode(self, line: bytes) -> StreamPart | None:
        """Take one line; return the event that it ends, if it ends one.

        Raises:
            ValueError: The event's data is not JSON.
        """
        if self._is_first:
            self._is_first = False
            line = line.removeprefix(_BOM)
        if not line:
            return self._end()
        if line.startswith(b":"):
            return None
        name, _, value = bytes(line).partition(b":")
        value = value.removeprefix(b" ")
        if name == b"event":
            self._event = value.decode("utf-8", "replace")
        elif name == b"data":
            self._data.append(value)
        elif name == b"id" and b"\0" not in value:
            self._last_event_id = value.decode("utf-8", "replace")
        elif name != b"retry" or not value.isdigit():
            return None
        self._has_fields = True
        return None

    def _end(self) -> StreamPart | None:
        if not self._has_fields:
            return None
        text = b"\n".join(self._data)
        part = StreamPart(
            self._event, decode(text) if text.strip() else None, self._last_event_id or None
        )
        self._has_data = bool(self._data)
        self._event, self._has_fields = "", False
        self._data.clear()
        return part


async def aiter_lines_raw(response: httpx.Response) -> AsyncIterator[BytesLike]:
    """Yield the lines of a response's body."""
    decoder = BytesLineDecoder()
    async for chunk in response.aiter_bytes():
        for line in decoder.decode(chunk):
            yield line
    for line in decoder.flush():
        yield line


def iter_lines_raw(response: httpx.Response) -> Iterator[BytesLike]:
    """Yield the lines of a response's body."""
    decoder = BytesLineDecoder()
    for chunk in response.iter_bytes():
        yield from decoder.decode(chunk)
    yield from decoder.flush()
