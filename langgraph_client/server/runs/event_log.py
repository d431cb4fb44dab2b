"""The event log: append events, and read them after an id.

A live stream, joining a run, and resuming after `Last-Event-ID` are one call, `EventLog.read`: it
replays stored events and then follows new ones. A log keeps an event in memory only until every
attached reader has received it. Events that must be stored are written to a `Keeper` before a
reader gets them: otherwise a reader could have an event that a later one can never see. Slow
readers cause back-pressure: `EventLog.room` waits while the slowest reader is too far behind.
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
"""Longer numbers do not fit in 64 bits; they sort after all ids."""

Position = EventId | None
"""The place to read from: after an id, or from now on (None)."""


class Keeper(Protocol):
    """Stores the events of a log."""

    async def add(self, events: list[Event]) -> None:
        """Store events."""
        ...

    async def after(self, event_id: EventId, limit: int) -> list[Event]:
        """Return the events after an id, the oldest first."""
        ...


def parse_event_id(text: str) -> EventId:
    """Return the id in a `Last-Event-ID` header.

    `-`, `-1` and `0` mean the beginning. As on the real server, where ids are compared as text, a
    value that is not an id sorts after all ids, so nothing is replayed.
    """
    milliseconds, _, number = text.strip().partition("-")
    if milliseconds in ("", "0"):
        return (0, -1)
    if not milliseconds.isdecimal() or len(milliseconds) > _DIGITS:
        return (2**62, 0)
    if number.isdecimal():
        return (int(milliseconds), int(number) if len(number) <= _DIGITS else 2**62)
    # `5-*` and the like: before the first event of that millisecond.
    return (int(milliseconds), -1 if number else 0)


class Reader:
    """One reader of a log, an async iterator of batches of events. Close it to detach it."""

    def __init__(self, log: EventLog, after: Position) -> None:
        self._log = log
        self._replaying = after is not None and log.keeper is not None
        # Without a replay, events that are appended but not handed out yet must be skipped too.
        self._last = after if after is not None and self._replaying else log.last
        self._is_live = after is None
        if after is not None:
            self._last = max(self._last, after)
        self.pending: deque[Event] = deque()
        self.wake: asyncio.Future[None] | None = None
        #: If set, it is called before each batch. If it returns False, the reader ends.
        self.allowed: Callable[[], Awaitable[bool]] | None = None

    @property
    def has_all(self) -> bool:
        """Whether the log has ended as it should, and this reader got all that came since then."""
        return self._is_live and self._log.complete

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
                # The replay may have read events from the keeper that are pending here as well.
                ready = [event for event in ready if event.id > self._last]
                if ready:
                    return ready
            elif self._log.closed:
                raise StopAsyncIteration
            else:
                # No await between the checks above and this line: an event that is handed out in
                # between would wake nobody.
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
        """Detach the reader, so that the log keeps no events for it."""
        self._log.detach(self)


class EventLog:
    """The events of one run, or of one thread, in the order of their ids.

    An event is first appended, then stored if necessary, then handed to the readers.

    Args:
        clock: Gives the ids.
        keeper: Stores events; None to store none.
        backlog: How many events a reader may be behind before the log counts as full.
        unwritten: A set to which the log adds itself while it has events that must be stored.
    """

    def __init__(
        self,
        clock: Clock,
        keeper: Keeper | None = None,
        backlog: int = BACKLOG,
        unwritten: set[EventLog] | None = None,
    ) -> None:
        self.closed = False
        #: Whether it was closed because there is nothing more to come, and not by a server that
        #: stops, or without events that could not be stored.
        self.complete = False
        self.keeper = keeper
        #: Whether another process writes the events, so that they come through `feed` only.
        self.is_remote = False
        #: The id of the latest event.
        self.last: EventId = (0, 0)
        self._handed_out: EventId = (0, 0)
        self._clock = clock
        self._backlog = backlog
        self._readers: list[Reader] = []
        # An event is in `_to_store` until it is stored, in `_to_hand_out` until it is handed out,
        # and then in the `pending` of each reader.
        self._to_store: list[Event] = []
        self._to_hand_out: list[Event] = []
        self._unwritten = unwritten
        self._scheduled_flush: asyncio.Handle | None = None
        self._flush_task: asyncio.Task[None] | None = None
        # Two flushes at once would store an event twice.
        self._flush_lock = asyncio.Lock()
        self._room_made: asyncio.Future[None] | None = None

    @property
    def watched(self) -> bool:
        """Whether an event has a reader, or can have a later one."""
        return bool(self._readers) or self.keeper is not None

    def append(
        self, name: str, data: bytes, event_id: EventId | None = None, *, keep: bool = True
    ) -> Event:
        """Add an event. Readers get it in the next turn of the event loop.

        Args:
            name: The event's name, its namespace included.
            data: Its data, as JSON.
            event_id: The id, if the same event is in another log too; None for a new id.
            keep: Whether to store it. If not, only the attached readers get it.
        """
        # A lost run goes on for a moment. Its readers get the events of the next holder instead.
        if self.is_remote:
            return Event(event_id or (0, 0), name, data)
        event = Event(event_id or self._clock.event_id(), name, data)
        self.extend((event,), keep=keep)
        return event

    def extend(self, events: Sequence[Event], *, keep: bool = True) -> None:
        """Add one or more events in the order of their ids; see `append`."""
        if self.closed:
            raise AssertionError("an event was appended to a closed log")
        self.last = events[-1].id
        if self.keeper is not None and keep:
            self._to_store += events
            if self._unwritten is not None:
                self._unwritten.add(self)
        # A reader may attach while an event is being written, and then not find it in the keeper.
        # So the event stays pending here until it is written, even if there is no reader yet.
        if self._readers or self.keeper is not None:
            self._to_hand_out += events
        else:
            self._handed_out = self.last
        if self._scheduled_flush is None and self.watched:
            self._scheduled_flush = asyncio.get_running_loop().call_soon(self._flush_soon)

    def start_behind(self, event_id: EventId) -> None:
        """Mark the events up to an id as past: they are not handed out."""
        self.last = self._handed_out = max(self.last, event_id)

    def feed(self, events: Sequence[Event]) -> None:
        """Add events that another process has written."""
        for event in events:
            if event.id > self.last:
                self.last = event.id
                if self._readers or self.keeper is not None:
                    self._to_hand_out.append(event)
                else:
                    self._handed_out = event.id
        if self._scheduled_flush is None and self._to_hand_out:
            self._scheduled_flush = asyncio.get_running_loop().call_soon(self._flush_soon)

    def append_last(self, name: str, data: bytes) -> None:
        """Give the attached readers a last event, which is not stored."""
        # Its id only has to be greater than the last one: readers skip what is not. It is never
        # stored.
        self._to_hand_out.append(Event((self.last[0], self.last[1] + 1), name, data))

    def disown(self) -> None:
        """Drop events that are not stored, because another process writes this log from now on.

        Events that were stored and not handed out yet come again through `feed`.
        """
        if self.keeper is not None and not self.is_remote:
            self._to_hand_out.clear()
            self.last = self._handed_out
        self.is_remote = True
        self._to_store.clear()
        if self._unwritten is not None:
            self._unwritten.discard(self)

    def _flush_soon(self) -> None:
        self._scheduled_flush = None
        if self._to_store:
            if self._flush_task is None:
                self._flush_task = asyncio.create_task(self._flush_in_background())
        else:
            self._hand_out()

    async def _flush_in_background(self) -> None:
        try:
            await self.flush()
        except Exception:  # The events stay pending. `close` tries again, and raises the error.
            logger.debug("events could not be written; they will be tried again", exc_info=True)
        finally:
            self._flush_task = None

    async def flush(self) -> None:
        """Store the appended events that must be stored, then hand all to the readers.

        Raises:
            Unavailable: They cannot be stored. Readers do not get them; the next flush tries again.
        """
        async with self._flush_lock:
            while self._to_store and self.keeper is not None:
                # More may be appended during the write, and a failed write must lose none.
                events = list(self._to_store)
                await self.keeper.add(events)
                del self._to_store[: len(events)]
            if self._unwritten is not None:
                self._unwritten.discard(self)
            self._hand_out()

    def _hand_out(self) -> None:
        events, self._to_hand_out = self._to_hand_out, []
        if events:
            self._handed_out = events[-1].id
        for reader in self._readers:
            reader.pending.extend(events)
            if reader.wake is not None and not reader.wake.done():
                reader.wake.set_result(None)

    async def close(self, *, complete: bool = False) -> None:
        """End the log: readers get the remaining events, and then the end.

        Args:
            complete: Whether nothing more would come.

        Raises:
            Unavailable: Events cannot be stored. The log is closed nevertheless.
        """
        try:
            if not self.closed:
                await self.flush()
                self.complete = complete
        finally:
            self.closed = True
            if self._unwritten is not None:
                self._unwritten.discard(self)
            if self._scheduled_flush is not None:
                self._scheduled_flush.cancel()
            self._hand_out()
            self.make_room()

    @property
    def full(self) -> bool:
        """Whether the slowest reader, or the keeper, is so far behind that `room` must wait."""
        limit = self._backlog - len(self._to_hand_out)
        behind = any(len(reader.pending) >= limit for reader in self._readers)
        return behind or len(self._to_store) >= self._backlog

    async def room(self) -> None:
        """Wait until no reader is too far behind.

        Raises:
            Unavailable: Events cannot be stored.
        """
        if len(self._to_store) >= self._backlog:
            await self.flush()
        while self.full and not self.closed:
            if self._room_made is None or self._room_made.done():
                self._room_made = asyncio.get_running_loop().create_future()
            # Waiters share this future: a cancelled one must not cancel it for the others.
            await asyncio.shield(self._room_made)

    def make_room(self) -> None:
        """Wake up the producer, if it waits in `room`."""
        if self._room_made is not None and not self._room_made.done():
            self._room_made.set_result(None)

    def read(self, after: Position = None) -> Reader:
        """Return a reader of the events after a place in the log.

        The reader is attached by this call and not by its first iteration, so no event between the
        two is missed.
        """
        reader = Reader(self, after)
        self._readers.append(reader)
        return reader

    def detach(self, reader: Reader) -> None:
        """Remove a reader. `Reader.close` calls this."""
        if reader in self._readers:
            self._readers.remove(reader)
        self.make_room()


def frames(events: Iterable[Event], with_id: bool) -> bytes:
    """Return events as server-sent events, like the real server: CRLF, and `id` last if wanted."""
    parts: list[bytes] = []
    for event_id, name, data in events:
        parts += (b"event: ", name.encode(), b"\r\ndata: ", data)
        if with_id:
            parts.append(b"\r\nid: %d-%d" % event_id)
        parts.append(b"\r\n\r\n")
    return b"".join(parts)


HEARTBEAT = b": heartbeat\r\n\r\n"
END = b"event: end\r\ndata: null\r\n\r\n"
"""The event after the last one, for clients that ask for more than the protocol has."""
