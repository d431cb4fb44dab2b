"""The event log: append, and read after an id.

A live stream, joining a run, and resuming after `Last-Event-ID` are one call, `EventLog.read`: what
was kept is replayed, then what comes is followed. A log keeps an event in memory only until every
reader attached to it has had it; what must outlive that is written to a `Keeper` before a reader
sees it. Readers are bounded by back-pressure: `EventLog.room` waits while the slowest reader is
more than a bound behind.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from langgraph_client.server.clock import Clock, EventId

BACKLOG = 2048
"""How many events the slowest reader may be behind before the run waits for it."""
_PAGE = 1000
_DIGITS = 18
"""Longer numbers are behind all ids, and do not fit in 64 bits."""

Position = EventId | None
"""Where to read from: after an id, or (None) from now on."""


class Event(NamedTuple):
    """One event: its id, its name, its data as JSON."""

    id: EventId
    name: str
    data: bytes


class Keeper(Protocol):
    """Keeps the events of a log beyond memory."""

    def add(self, events: list[Event]) -> None:
        """Write events for good."""
        ...

    def after(self, event_id: EventId, limit: int) -> list[Event]:
        """Return the events after an id, oldest first."""
        ...


def event_id_text(event_id: EventId) -> str:
    """Return an id as it stands on the wire."""
    return f"{event_id[0]}-{event_id[1]}"


def parse_event_id(text: str) -> EventId:
    """Return the place a `Last-Event-ID` names.

    `-`, `-1` and `0` stand for the beginning. What is no id sorts behind all ids, as text does
    that starts with a letter, so that nothing is replayed.
    """
    milliseconds, _, number = text.strip().partition("-")
    if milliseconds in ("", "0"):
        return (0, -1)
    if not milliseconds.isdecimal() or len(milliseconds) > _DIGITS:
        return (2**62, 0)
    if number.isdecimal():
        return (int(milliseconds), int(number) if len(number) <= _DIGITS else 2**62)
    # `5-*`: as any of that millisecond.
    return (int(milliseconds), -1 if number else 0)


class Reader:
    """One reading of a log: an async iterator of batches. Close it to detach it."""

    def __init__(self, log: EventLog, after: Position) -> None:
        self._log = log
        self._last = after
        self._replaying = after is not None and log.keeper is not None
        self.pending: deque[Event] = deque()
        self.wake: asyncio.Future[None] | None = None

    def __aiter__(self) -> Reader:
        return self

    async def __anext__(self) -> list[Event]:
        while True:
            if self._replaying:
                if page := self._replay():
                    return page
            elif self.pending:
                ready = list(self.pending)
                self.pending.clear()
                self._log.make_room()
                if self._last is not None:  # the replay may have reached into what was pending
                    ready = [event for event in ready if event.id > self._last]
                if ready:
                    return ready
            elif self._log.closed:
                raise StopAsyncIteration
            else:
                self.wake = asyncio.get_running_loop().create_future()
                await self.wake

    def _replay(self) -> list[Event]:
        assert self._last is not None
        assert self._log.keeper is not None
        page = self._log.keeper.after(self._last, _PAGE)
        if page:
            self._last = page[-1].id
        self._replaying = len(page) == _PAGE
        return page

    def close(self) -> None:
        """Detach from the log, which then keeps nothing for this reader."""
        self._log.detach(self)


class EventLog:
    """The events of one run, or of one thread, in the order of their ids.

    Args:
        clock: Gives the ids.
        keeper: Keeps what is to outlive memory; None to keep nothing.
        backlog: How far a reader may be behind before the log counts as full.
        unwritten: A set that the log is in while it has events to be kept that are not written.
    """

    def __init__(
        self,
        clock: Clock,
        keeper: Keeper | None = None,
        backlog: int = BACKLOG,
        unwritten: set[EventLog] | None = None,
    ) -> None:
        self.closed = False
        self._clock = clock
        self.keeper = keeper
        self._backlog = backlog
        self._readers: list[Reader] = []
        self._unkept: list[Event] = []
        self._unwritten = unwritten
        self._flush: asyncio.Handle | None = None
        self._space: asyncio.Future[None] | None = None

    @property
    def watched(self) -> bool:
        """Whether anything would see an event: a reader, or a reader to come."""
        return bool(self._readers) or self.keeper is not None

    @property
    def has_readers(self) -> bool:
        """Whether anybody reads now."""
        return bool(self._readers)

    def append(
        self, name: str, data: bytes, event_id: EventId | None = None, *, keep: bool = True
    ) -> Event:
        """Add an event. Readers get it in the next turn of the event loop.

        Args:
            name: The event's name, its namespace included.
            data: Its data, as JSON.
            event_id: The id, where the same event stands in another log as well.
            keep: Give it to the keeper; without, only those who read now get it.
        """
        if self.closed:
            raise AssertionError("an event was appended to a closed log")
        event = Event(event_id or self._clock.event_id(), name, data)
        if self.keeper is not None and keep:
            self._unkept.append(event)
            if self._unwritten is not None:
                self._unwritten.add(self)
        for reader in self._readers:
            reader.pending.append(event)
        if self._flush is None and self.watched:
            self._flush = asyncio.get_running_loop().call_soon(self.flush)
        return event

    def flush(self) -> None:
        """Write what is to be kept, then wake the readers."""
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        self.write()
        for reader in self._readers:
            if reader.wake is not None and not reader.wake.done():
                reader.wake.set_result(None)

    def write(self) -> None:
        """Write what is to be kept, without telling the readers yet."""
        if self._unwritten is not None:
            self._unwritten.discard(self)
        if self._unkept and self.keeper is not None:
            events, self._unkept = self._unkept, []
            self.keeper.add(events)

    def close(self) -> None:
        """End the log: readers get what is left, and then the end."""
        self.closed = True
        self.flush()
        self.make_room()

    @property
    def full(self) -> bool:
        """Whether the slowest reader is so far behind that the producer should wait."""
        return any(len(reader.pending) >= self._backlog for reader in self._readers)

    async def room(self) -> None:
        """Wait until no reader is too far behind."""
        while self.full and not self.closed:
            if self._space is None or self._space.done():
                self._space = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._space)

    def make_room(self) -> None:
        """Let the producer go on, if it waits for a reader."""
        if self._space is not None and not self._space.done():
            self._space.set_result(None)

    def read(self, after: Position = None) -> Reader:
        """Return what happens after a place in the log, in batches as they are ready.

        The reader is attached by this call, not by its first step: nothing is missed between.
        """
        self.flush()
        reader = Reader(self, after)
        self._readers.append(reader)
        return reader

    def detach(self, reader: Reader) -> None:
        """Forget a reader; closing it does this."""
        if reader in self._readers:
            self._readers.remove(reader)
        self.make_room()


def frames(events: Iterable[Event], with_id: bool) -> bytes:
    """Return events as server-sent events: CRLF, `id` last and only where asked for."""
    parts: list[bytes] = []
    for event_id, name, data in events:
        parts += (b"event: ", name.encode(), b"\r\ndata: ", data)
        if with_id:
            parts.append(b"\r\nid: %d-%d" % event_id)
        parts.append(b"\r\n\r\n")
    return b"".join(parts)


HEARTBEAT = b": heartbeat\r\n\r\n"
