"""The event log: append, and read after an id.

A live stream, joining a run, and resuming after `Last-Event-ID` are one call, `EventLog.read`: what
was kept is replayed, then what comes is followed. A log keeps an event in memory only until every
reader attached to it has had it; what must outlive that is written to a `Keeper` before a reader
sees it. Readers are bounded by back-pressure: `EventLog.room` waits while the slowest reader is
more than a bound behind.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

from langgraph_client.server.clock import Clock, EventId
from langgraph_client.server.storage.protocol import Event

logger = logging.getLogger("langgraph_client.server")

BACKLOG = 2048
"""How many events the slowest reader may be behind before the run waits for it."""
_PAGE = 1000
_DIGITS = 18
"""Longer numbers are behind all ids, and do not fit in 64 bits."""

Position = EventId | None
"""Where to read from: after an id, or (None) from now on."""


class Keeper(Protocol):
    """Keeps the events of a log beyond memory."""

    async def add(self, events: list[Event]) -> None:
        """Write events for good."""
        ...

    async def after(self, event_id: EventId, limit: int) -> list[Event]:
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
        self._replaying = after is not None and log.keeper is not None
        # Events that were appended and not yet handed out belong to the past of this reader, too.
        self._last = after if after is not None and self._replaying else log.last
        if after is not None:
            self._last = max(self._last, after)
        self.pending: deque[Event] = deque()
        self.wake: asyncio.Future[None] | None = None
        #: Asked before each batch, where it is set; if it says no, that is the end.
        self.allowed: Callable[[], Awaitable[bool]] | None = None

    def __aiter__(self) -> Reader:
        return self

    async def __anext__(self) -> list[Event]:
        batch = await self._next()
        if self.allowed is not None and not await self.allowed():
            raise StopAsyncIteration
        return batch

    async def _next(self) -> list[Event]:
        while True:
            if self._replaying:
                if page := await self._replay():
                    return page
            elif self.pending:
                ready = list(self.pending)
                self.pending.clear()
                self._log.make_room()
                # The replay may have reached into what was pending.
                ready = [event for event in ready if event.id > self._last]
                if ready:
                    return ready
            elif self._log.closed:
                raise StopAsyncIteration
            else:
                self.wake = asyncio.get_running_loop().create_future()
                await self.wake

    async def _replay(self) -> list[Event]:
        assert self._log.keeper is not None
        page = await self._log.keeper.after(self._last, _PAGE)
        if page:
            self._last = page[-1].id
        self._replaying = len(page) == _PAGE
        return page

    def close(self) -> None:
        """Detach from the log, which then keeps nothing for this reader."""
        self._log.detach(self)


class EventLog:
    """The events of one run, or of one thread, in the order of their ids.

    An event is first appended, then written if it is to be kept, then handed to the readers.

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
        self.keeper = keeper
        #: The events come from another process, through `feed`; those of this one are ignored.
        self.fed = False
        #: The id of the latest event.
        self.last: EventId = (0, 0)
        self._handed_out: EventId = (0, 0)
        self._clock = clock
        self._backlog = backlog
        self._readers: list[Reader] = []
        self._unkept: list[Event] = []
        self._appended: list[Event] = []
        self._unwritten = unwritten
        self._soon: asyncio.Handle | None = None
        self._flushing: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()
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
        if self.fed:
            return Event(event_id or (0, 0), name, data)
        event = Event(event_id or self._clock.event_id(), name, data)
        self.extend((event,), keep=keep)
        return event

    def extend(self, events: Sequence[Event], *, keep: bool = True) -> None:
        """Add events, at least one, in the order of their ids; see `append`."""
        if self.closed:
            raise AssertionError("an event was appended to a closed log")
        self.last = events[-1].id
        if self.keeper is not None and keep:
            self._unkept += events
            if self._unwritten is not None:
                self._unwritten.add(self)
        # A reader may come while an event is being written: too late for what is kept to show it,
        # which is read meanwhile, and too early to find it there. It gets it from here.
        if self._readers or self.keeper is not None:
            self._appended += events
        else:
            self._handed_out = self.last
        if self._soon is None and self.watched:
            self._soon = asyncio.get_running_loop().call_soon(self._flush_soon)

    def start_behind(self, event_id: EventId) -> None:
        """Take the events up to an id for those of the past."""
        self.last = self._handed_out = max(self.last, event_id)

    def feed(self, events: Sequence[Event]) -> None:
        """Add events that another process has written."""
        for event in events:
            if event.id > self.last:
                self.last = event.id
                if self._readers or self.keeper is not None:
                    self._appended.append(event)
                else:
                    self._handed_out = event.id
        if self._soon is None and self._appended:
            self._soon = asyncio.get_running_loop().call_soon(self._flush_soon)

    def tell_last(self, name: str, data: bytes) -> None:
        """Give those who read now the last event, which is not kept."""
        self._appended.append(Event((self.last[0], self.last[1] + 1), name, data))

    def disown(self) -> None:
        """Forget what is not written: another process writes this log from here on.

        What was written and not handed out yet is fed again.
        """
        if self.keeper is not None and not self.fed:
            self._appended.clear()
            self.last = self._handed_out
        self.fed = True
        self._unkept.clear()
        if self._unwritten is not None:
            self._unwritten.discard(self)

    def _flush_soon(self) -> None:
        self._soon = None
        if self._unkept:
            if self._flushing is None:
                self._flushing = asyncio.create_task(self._flush_in_background())
        else:
            self._hand_out()

    async def _flush_in_background(self) -> None:
        try:
            await self.flush()
        except Exception:  # They stay unwritten; who closes the log tries again, and says so.
            logger.debug("events could not be written", exc_info=True)
        finally:
            self._flushing = None

    async def flush(self) -> None:
        """Write what is to be kept, then hand what was appended to the readers.

        Raises:
            Unavailable: It cannot be written. Readers do not get it, the next flush tries again.
        """
        async with self._writing:
            while self._unkept and self.keeper is not None:
                events = list(self._unkept)
                await self.keeper.add(events)
                del self._unkept[: len(events)]
            if self._unwritten is not None:
                self._unwritten.discard(self)
            self._hand_out()

    def _hand_out(self) -> None:
        events, self._appended = self._appended, []
        if events:
            self._handed_out = events[-1].id
        for reader in self._readers:
            reader.pending.extend(events)
            if reader.wake is not None and not reader.wake.done():
                reader.wake.set_result(None)

    async def close(self) -> None:
        """End the log: readers get what is left, and then the end.

        Raises:
            Unavailable: What was to be kept cannot be written. The log is closed nevertheless.
        """
        try:
            if not self.closed:
                await self.flush()
        finally:
            self.closed = True
            if self._unwritten is not None:
                self._unwritten.discard(self)
            if self._soon is not None:
                self._soon.cancel()
            self._hand_out()
            self.make_room()

    @property
    def full(self) -> bool:
        """Whether the slowest reader, or the keeper, is so far behind that `room` has to wait."""
        limit = self._backlog - len(self._appended)
        behind = any(len(reader.pending) >= limit for reader in self._readers)
        return behind or len(self._unkept) >= self._backlog

    async def room(self) -> None:
        """Wait until no reader is too far behind.

        Raises:
            Unavailable: What is to be kept cannot be written.
        """
        if len(self._unkept) >= self._backlog:
            await self.flush()
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
