"""The v3 event logs of threads: each event is numbered and encoded once, stored, and replayed.

The number of an event is its id in the log. So `EventLog` stores, replays and limits these events
in the same way as the events of a run.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from langgraph_client.server.clock import Clock, EventId
from langgraph_client.server.encoding import encode
from langgraph_client.server.graphs.protocol_events import Namespace, ProtocolEvent
from langgraph_client.server.runs.event_filter import CachedByName, event_name
from langgraph_client.server.runs.event_log import EventLog, Keeper, Reader
from langgraph_client.server.storage.protocol import Event, KeptEvent, Storage

_PAGE = 1000
_PLACES = 10_000


class _Kept(Keeper):
    """Stores the v3 events of one thread."""

    def __init__(self, storage: Storage, thread_id: str) -> None:
        self._storage = storage
        self._thread_id = thread_id
        #: For the events that are not stored yet, one entry per batch: the number of its last
        #: event, its run, and its time.
        self.origins: deque[tuple[int, str, int]] = deque()

    async def add(self, events: list[Event]) -> None:
        # Events and origins are in the order of their numbers, so one pass gives each event its
        # run.
        origins = iter(tuple(self.origins))
        last, run_id, ms = next(origins)
        rows = []
        for (seq, _), name, data in events:
            while seq > last:
                last, run_id, ms = next(origins)
            rows.append(KeptEvent(seq, run_id, ms, name, data))
        await self._storage.protocol_events.add(self._thread_id, rows)
        # Compared with `<=`, because another process may have taken over the log meanwhile.
        while self.origins and self.origins[0][0] <= rows[-1].seq:
            self.origins.popleft()

    async def after(self, event_id: EventId, limit: int) -> list[Event]:
        rows = await self._storage.protocol_events.of_thread(self._thread_id, event_id[0], limit)
        return [Event((event.seq, 0), event.name, event.data) for event in rows]


class _Place(NamedTuple):
    """The parts that all events of one channel and namespace have in common, encoded once.

    Attributes:
        name: The name under which the log stores them.
        middle: The JSON between an event's number and its time.
    """

    name: str
    middle: bytes

    @classmethod
    def of(cls, channel: str, namespace: Namespace) -> _Place:
        """Return the place of a channel and a namespace."""
        name = event_name(channel, namespace)
        parts = _method(name), encode(list(namespace))
        return cls(name, b',"method":"%b","params":{"namespace":%b,"timestamp":' % parts)


def _method(name: str) -> bytes:
    """Return the method of events that are stored under a name."""
    channel = name.partition("|")[0].partition(":")[0]
    return b"input.requested" if channel == "input" else channel.encode()


class ProtocolLog:
    """The v3 events of one thread.

    Args:
        clock: Gives times and ids.
        storage: Stores the events.
        thread_id: The thread.
        last: The number of its last event; 0 if there is none.
        unwritten: A set to which the log adds itself while it has events that must be stored.
    """

    def __init__(
        self,
        clock: Clock,
        storage: Storage,
        thread_id: str,
        last: int,
        unwritten: set[EventLog],
    ) -> None:
        self.thread_id = thread_id
        #: How many runs and readers use it.
        self.users = 0
        self._clock = clock
        self._storage = storage
        self._keeper = _Kept(storage, thread_id)
        self._seq = last
        self._places: dict[tuple[str, Namespace], _Place] = {}
        self.log = EventLog(clock, self._keeper, unwritten=unwritten)
        self.log.start_behind((last, 0))

    @property
    def last(self) -> int:
        """The number of the last event."""
        return self._seq

    def append(self, run_id: str, events: Iterable[ProtocolEvent]) -> None:
        """Add events of a run; they are stored and handed out together."""
        if self.log.is_remote:
            return
        encoded: list[Event] = []
        ms = int(self._clock.time() * 1000)
        try:
            for event in events:
                encoded.append(self._event(run_id, event))
        finally:  # If an event cannot be encoded, the run fails, but earlier events are kept.
            if encoded:
                self._keeper.origins.append((self._seq, run_id, ms))
                self.log.extend(encoded)

    def disown(self) -> None:
        """Leave the log to another process; drop events that are not stored."""
        self.log.disown()
        self._seq = self.log.last[0]
        self._keeper.origins.clear()

    async def read_new(self, *, waits: bool) -> bool:
        """Read new events that another process has stored.

        Args:
            waits: Whether to leave events in the database while the log is full.

        Returns:
            False if the log is full, and may lack some.
        """
        while not (waits and self.log.full):
            page = await self._keeper.after((self._seq, 0), _PAGE)
            if page:
                self._seq = page[-1].id[0]
                self.log.feed(page)
            if len(page) < _PAGE:
                return True
        return False

    def _event(self, run_id: str, event: ProtocolEvent) -> Event:
        """Return an event with the next number, in the form that is stored and sent."""
        channel, namespace, value, key = event
        if (known := self._places.get((channel, namespace))) is None:
            if (
                len(self._places) >= _PLACES
            ):  # Each subgraph call adds one, so the cache is bounded.
                self._places.clear()
            known = self._places[channel, namespace] = _Place.of(channel, namespace)
        name, middle = known
        data, seq = encode(value), self._seq + 1
        ms, number = self._clock.event_id()
        if key is None:
            event_id = b'"%d-%d"' % (ms, number)
        else:
            event_id = json.dumps(f"synth:{run_id}:{key}").encode()
        parts = (event_id, seq, middle, ms, data)
        body = b'{"type":"event","event_id":%b,"seq":%d%b%d,"data":%b}}' % parts
        # Only now: a value that cannot be encoded must not leave a gap in the numbers.
        self._seq = seq
        return Event((seq, 0), name, body)

    async def known(self, since: int) -> int:
        """Return the number of the last event that a client has which names one.

        A number that does not exist yet would hide the next events.
        """
        last = self._seq
        if since > last and self.log.is_remote:
            # Perhaps one that another process has stored, and that was not read here yet.
            stored = await self._storage.protocol_events.last(self.thread_id)
            last = max(last, 0 if stored is None else stored.seq)
        return min(since, last)

    def read(self, after: int) -> Reader:
        """Return a reader of the events after a number (see `known`), and of further ones."""
        return self.log.read((after, 0))


class Framing:
    """Encodes the events that a reader wants as server-sent events.

    Args:
        wants: Returns whether the reader wants events of a name.
    """

    def __init__(self, wants: Callable[[str], bool]) -> None:
        #: By event name, the bytes before the data; None if such events are not wanted.
        self._heads = CachedByName(lambda name: _head(name) if wants(name) else None)

    def frames(self, events: Iterable[Event]) -> bytes:
        """Return the wanted events as bytes; empty if there are none."""
        parts: list[bytes] = []
        heads = self._heads
        for event_id, name, data in events:
            if (head := heads[name]) is not None:
                parts.append(b"%b%b\r\nid: %d\r\n\r\n" % (head, data, event_id[0]))
        return b"".join(parts)


def _head(name: str) -> bytes:
    return b"event: %b\r\ndata: " % _method(name)
