"""The v3 event logs of threads: an event is made and numbered once, kept, and replayed as it was.

The number of an event is its id in the log, so that all that `EventLog` does for the events of a
run (keeping, replaying, waiting for slow readers) is done for these as well.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from langgraph_client.server.clock import Clock, EventId
from langgraph_client.server.encoding import encode
from langgraph_client.server.graphs.protocol_events import Namespace, ProtocolEvent
from langgraph_client.server.runs.event_filter import event_name
from langgraph_client.server.runs.event_log import EventLog, Keeper, Reader
from langgraph_client.server.storage.protocol import Event, KeptEvent, Storage

_PAGE = 1000


class _Kept(Keeper):
    """Keeps the events of one thread."""

    def __init__(self, storage: Storage, thread_id: str) -> None:
        self._storage = storage
        self._thread_id = thread_id
        #: Of the events that are not written yet: run and time, by number.
        self.origins: dict[int, tuple[str, int]] = {}

    async def add(self, events: list[Event]) -> None:
        rows = [
            KeptEvent(event.id[0], *self.origins[event.id[0]], event.name, event.data)
            for event in events
        ]
        await self._storage.protocol_events.add(self._thread_id, rows)
        for event in events:
            del self.origins[event.id[0]]

    async def after(self, event_id: EventId, limit: int) -> list[Event]:
        found = await self._storage.protocol_events.of_thread(self._thread_id, event_id[0], limit)
        return [Event((event.seq, 0), event.name, event.data) for event in found]


class ProtocolLog:
    """The v3 events of one thread.

    Args:
        clock: Gives times and ids.
        storage: Keeps the events.
        thread_id: The thread.
        last: The number of its last event; 0 if there is none.
        unwritten: A set that the log is in while it has events that are not written.
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
        self._keeper = _Kept(storage, thread_id)
        self._seq = last
        self._namespaces: dict[Namespace, bytes] = {}
        self.log = EventLog(clock, self._keeper, unwritten=unwritten)
        self.log.last = (last, 0)

    @property
    def last(self) -> int:
        """The number of the last event."""
        return self._seq

    def append(self, run_id: str, events: Iterable[ProtocolEvent]) -> None:
        """Add events of a run."""
        if self.log.fed:
            return
        for event in events:
            self._append(run_id, event)

    async def look(self) -> None:
        """Read what another process has written."""
        while True:
            page = await self._keeper.after((self._seq, 0), _PAGE)
            if page:
                self._seq = page[-1].id[0]
                self.log.feed(page)
            if len(page) < _PAGE:
                return

    def _append(self, run_id: str, event: ProtocolEvent) -> None:
        self._seq += 1
        ms, number = self._clock.event_id()
        event_id = b'"%d-%d"' % (ms, number)
        if event.key is not None:
            event_id = json.dumps(f"synth:{run_id}:{event.key}").encode()
        method = event.channel.partition(":")[0]
        body = (
            b'{"type":"event","event_id":%s,"seq":%d,"method":"%s",'
            b'"params":{"namespace":%s,"timestamp":%d,"data":%s}}'
        ) % (
            event_id,
            self._seq,
            b"input.requested" if method == "input" else method.encode(),
            self._namespace(event.namespace),
            ms,
            encode(event.data),
        )
        self._keeper.origins[self._seq] = run_id, ms
        self.log.append(event_name(event.channel, event.namespace), body, (self._seq, 0))

    def _namespace(self, namespace: Namespace) -> bytes:
        if namespace not in self._namespaces:
            self._namespaces[namespace] = encode(list(namespace))
        return self._namespaces[namespace]

    def read(self, since: int) -> Reader:
        """Return the events after a number, and those to come."""
        # A number beyond the last would hide what is to come.
        return self.log.read((min(since, self._seq), 0))


def framed(events: Iterable[Event], wants: Callable[[str], bool]) -> bytes:
    """Return those events that a reader wants as server-sent events."""
    parts: list[bytes] = []
    for event_id, name, data in events:
        if wants(name):
            channel = name.partition("|")[0].partition(":")[0]
            method = "input.requested" if channel == "input" else channel
            parts += (b"event: ", method.encode(), b"\r\ndata: ", data)
            parts.append(b"\r\nid: %d\r\n\r\n" % event_id[0])
    return b"".join(parts)
