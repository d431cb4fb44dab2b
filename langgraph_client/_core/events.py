"""Parse bytes into server-sent events, and events into stream parts."""

from __future__ import annotations

import re
from typing import Any, NamedTuple, TypeVar, cast

from langgraph_client._core.codec import decode, fast_decode
from langgraph_client.errors import APIResponseValidationError
from langgraph_client.models.events import StreamPart, StreamPartV2

PartT = TypeVar("PartT", StreamPart, StreamPartV2)

# A larger event is refused, so that a faulty server cannot fill the client's memory.
MAX_EVENT_BYTES = 256 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_LF, _COLON = 0x0A, 0x3A
# What can be sent back in a header. Any other id is none: a stream could not be continued after it.
_ID = re.compile(rb"[^\0-\x08\n-\x1f\x7f]{1,1000}")
_MAX_NAME = 64  # A longer `event:` line is not cached: hashing it would cost more.
_MAX_NAMES = 256
# Makes a named tuple without the Python frame of its `__new__`: this is once per event.
new_tuple = tuple.__new__


class ServerEvent(NamedTuple):
    """One event as it was sent: `data` is not decoded.

    An event without an `id` has that of the event before; None if there was none yet.
    """

    event: str
    data: bytes
    id: str | None


class EventParser:
    """Cuts a byte stream, given in pieces of any size, into events.

    Lines end at CR, LF or CRLF only. `bytes.splitlines` would also split at other characters, which
    the data may contain. The time is linear in the input, for pieces of any size.

    It is fast because the bytes of the data are only searched for single bytes, which is one C call
    per line: a piece is split at LF, and each line is searched for a CR.
    """

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max = max_event_bytes
        self._held: list[bytes] = []  # Pieces of an incomplete line; without CR or LF.
        self._held_size = 0
        self._size = 0  # Bytes of the current event, without that line.
        self._after_cr = False  # The last piece ended with CR: an LF next is part of its CRLF.
        self._started = False
        self._event = ""
        self._data: list[bytes] = []
        self._id: str | None = None
        self._names: dict[bytes, str] = {}  # A cache: whole `event:` lines to their decoded value.
        self.comments = 0  # The number of comments so far: servers send them as heartbeats.

    @property
    def pending(self) -> bool:
        """Whether an event has begun and not ended; at the end of a body, it was cut off."""
        return bool(self._held or self._data or self._event)

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """Return the events that end within `chunk`.

        Raises:
            APIResponseValidationError: An event is too large.
        """
        if self._after_cr and chunk:
            self._after_cr = False
            if chunk[0] == _LF:
                chunk = chunk[1:]
        lines = chunk.split(b"\n")
        # The last element is an incomplete line, unless it contains a CR, which ends a line too.
        has_cr = b"\r" in lines[-1]
        if self._held and (len(lines) > 1 or has_cr):
            self._held.append(lines[0])
            lines[0] = b"".join(self._held)
            self._held.clear()
            self._held_size = 0
        tail = lines.pop()
        if has_cr:
            *ended, tail = tail.split(b"\r")
            self._after_cr = not tail
            lines += ended
        if tail:
            self._held.append(tail)
            self._held_size += len(tail)
        if lines and not self._started:
            self._started = True
            lines[0] = lines[0].removeprefix(_BOM)
        events = self._read(lines)
        # Only the incomplete event is measured: one that ended in this piece was within the limit
        # before it, and the network limits the size of a piece.
        if self._size + self._held_size > self._max:
            raise APIResponseValidationError(f"an event has more than {self._max} bytes")
        return events

    def _read(self, lines: list[bytes]) -> list[ServerEvent]:
        """Read complete lines; each may end with the CR of a CRLF, or have CRs inside it."""
        events: list[ServerEvent] = []
        data, names = self._data, self._names
        for line in lines:
            if not line or line == b"\r":
                if data or self._event:
                    text = data[0] if len(data) == 1 else b"\n".join(data)
                    events.append(
                        new_tuple(ServerEvent, (self._event or "message", text, self._id))
                    )
                    data.clear()
                self._event, self._size = "", 0  # The id stays: it is that of the next event, too.
            elif line.startswith(b"data: "):
                cr = line.find(b"\r")
                if cr < 0:
                    data.append(line[6:])
                elif cr == len(line) - 1:
                    data.append(line[6:-1])
                else:
                    # Counted by the inner call.
                    events += self._read(_split_at_cr(line))
                    continue
                self._size += len(line)
            elif len(line) < _MAX_NAME and (name := names.get(line)) is not None:
                self._event = name
                self._size += len(line)
            elif b"\r" in line[:-1]:
                events += self._read(_split_at_cr(line))
            else:
                self._field(line)
        return events

    def _field(self, line: bytes) -> None:
        """Read one line that is not blank, with no CR except perhaps that of its CRLF."""
        if line[0] == _COLON:
            self.comments += 1
            return
        self._size += len(line)
        name, _, value = line.removesuffix(b"\r").partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")
            if len(line) < _MAX_NAME and len(self._names) < _MAX_NAMES and value:
                self._names[line] = self._event
        elif name == b"id":
            value = value.strip(b" \t")
            if _ID.fullmatch(value):
                self._id = value.decode("utf-8", "replace")
            elif b"\0" not in value:  # SSE: an id with a NUL is ignored.
                self._id = None


def _split_at_cr(line: bytes) -> list[bytes]:
    """Return the lines in a piece that ended with LF and contains CRs."""
    return line.removesuffix(b"\r").split(b"\r")


def part_from(event: ServerEvent) -> StreamPart:
    """Return the event with its data decoded. Empty data is None.

    Raises:
        APIResponseValidationError: The data is not JSON.
    """
    name, data, event_id = event
    try:
        return new_tuple(StreamPart, (name, fast_decode(data), event_id))
    except ValueError:
        return _odd_part(event)


def _odd_part(event: ServerEvent) -> StreamPart:
    """Return the part of an event whose data the fast decoder refused."""
    if not event.data.strip():
        return StreamPart(event.event, None, event.id)
    try:
        return StreamPart(event.event, decode(event.data), event.id)
    except ValueError as error:
        raise APIResponseValidationError(
            f"the data of an event {event.event!r} is not JSON: {error}",
            body=event.data[:2000].decode("utf-8", "replace"),
        ) from error


def typed_part(part: StreamPart) -> StreamPartV2 | None:
    """Return the part in its v2 form; None for `end`, which has no content.

    The namespace moves from the event's name to `ns`, and the interrupts of a `values` event
    from its data to `interrupts`.
    """
    kind, *namespace = part.event.split("|")
    if kind == "end":
        return None
    data: Any = part.data
    interrupts: list[Any] = []
    if kind == "values" and isinstance(data, dict) and "__interrupt__" in data:
        interrupts = data["__interrupt__"]
        data = {key: value for key, value in data.items() if key != "__interrupt__"}
    typed = {"type": kind, "ns": namespace, "data": data, "interrupts": interrupts}
    return cast(StreamPartV2, typed)


def same_part(part: StreamPart) -> StreamPart | None:
    """Return the part in its v1 form, which is the part itself."""
    return part
