"""Bytes to server-sent events to stream parts."""

from __future__ import annotations

import re
from typing import Any, NamedTuple, TypeVar, cast

from langgraph_client._core.codec import decode
from langgraph_client.errors import APIResponseValidationError
from langgraph_client.models.events import StreamPart, StreamPartV2

PartT = TypeVar("PartT", StreamPart, StreamPartV2)

# One event of this size is memory that somebody has to have; more is taken for a broken server.
MAX_EVENT_BYTES = 256 * 1024 * 1024
_LINE_END = re.compile(rb"[\r\n]")
_BOM = b"\xef\xbb\xbf"


class ServerEvent(NamedTuple):
    """One event as it was sent: its data still text, its id None where it had none of its own."""

    event: str
    data: bytes
    id: str | None


class EventParser:
    """Cuts a byte stream, given in pieces of any size, into events.

    Lines end at CR, LF or CRLF and nowhere else: the data may hold other characters that Unicode
    calls line ends. The time taken is linear in what is fed, whatever the pieces.
    """

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max = max_event_bytes
        self._line = bytearray()  # The line that has begun.
        self._size = 0  # Bytes of the event that has begun, without that line.
        self._after_cr = False
        self._started = False
        self._event = ""
        self._data: list[bytes] = []
        self._id: str | None = None
        self.comments = 0  # How many there were; they are heartbeats, and belong to no event.

    @property
    def pending(self) -> bool:
        """Whether an event has begun and not ended: at the end of a body, that it was cut."""
        return bool(self._line or self._data or self._event)

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """The events that end within `chunk`.

        Raises:
            APIResponseValidationError: if an event is too large.
        """
        events: list[ServerEvent] = []
        start = 0
        if self._after_cr and chunk:
            self._after_cr = False
            if chunk[0] == 0x0A:
                start = 1
        while True:
            match = _LINE_END.search(chunk, start)
            if match is None:
                break
            end = match.start()
            self._line += chunk[start:end]
            start = end + 1
            if chunk[end] == 0x0D:
                if start == len(chunk):
                    self._after_cr = True
                elif chunk[start] == 0x0A:
                    start += 1
            event = self._end_line()
            if event is not None:
                events.append(event)
        self._line += chunk[start:]
        if self._size + len(self._line) > self._max:
            raise APIResponseValidationError(f"an event has more than {self._max} bytes")
        return events

    def _end_line(self) -> ServerEvent | None:
        line = bytes(self._line)
        self._line.clear()
        if not self._started:
            self._started = True
            line = line.removeprefix(_BOM)
        if not line:
            return self._dispatch()
        if line[0] == 0x3A:
            self.comments += 1
            return None
        self._size += len(line)
        name, _, value = line.partition(b":")
        if value[:1] == b" ":
            value = value[1:]
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode("utf-8", "replace")
        return None

    def _dispatch(self) -> ServerEvent | None:
        event = None
        if self._event or self._data:
            event = ServerEvent(self._event or "message", b"\n".join(self._data), self._id)
        self._event, self._data, self._id, self._size = "", [], None, 0
        return event


def part_from(event: ServerEvent) -> StreamPart:
    """The event with its data decoded. Data that is empty is None.

    Raises:
        APIResponseValidationError: if the data is not JSON.
    """
    if not event.data.strip():
        return StreamPart(event.event, None, event.id)
    try:
        data = decode(event.data)
    except ValueError as error:
        raise APIResponseValidationError(
            f"the data of an event {event.event!r} is not JSON: {error}",
            body=event.data[:2000].decode("utf-8", "replace"),
        ) from error
    return StreamPart(event.event, data, event.id)


def typed_part(part: StreamPart) -> StreamPartV2 | None:
    """The part in its v2 form; None for `end`, which only says that nothing follows.

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
    """The part in its v1 form, which is the part itself."""
    return part
