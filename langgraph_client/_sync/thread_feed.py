# Generated from langgraph_client/_async/thread_feed.py by .ci/unasync.py; do not edit.
"""The protocol events of one thread, as a log that is read while it grows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from langgraph_client._core.event_filter import EventFilter
from langgraph_client._core.run_log import Log, ThreadLog
from langgraph_client._io.chat_model_streams import blocking_messages
from langgraph_client._io.threads import Signal
from langgraph_client.errors import APIError, StreamIncomplete
from langgraph_client.models.fields import JsonObject

T = TypeVar("T")
Wait = Callable[[Callable[[], bool]], None]


class SyncFiller(Protocol):
    """What brings events into a feed."""

    def start(self) -> None:
        """Begin to read, if that has not begun."""
        ...

    def reconnect(self) -> None:
        """Give up the connection that is open, if there is one, for another one."""
        ...


class SyncFeed:
    """The events of a thread that pass a filter: those so far, and those to come.

    Args:
        thread_id: The thread; it need not exist.
        wanted: Which events.

    Attributes:
        wanted: Which events it has.
        log: What happened so far.
        changed: Notified after the log has changed.
        is_open: Whether the server has answered at some time.
        connections: How often the server has answered.
        last_seq: The number of the last event; 0 if there is none.
        position: The number behind which events of the open connection are new; None if their
            numbers say nothing about that.
    """

    def __init__(self, thread_id: str, wanted: EventFilter) -> None:
        self.changed = Signal()
        self.log = ThreadLog(blocking_messages(self.changed))
        self.wanted = wanted
        self.is_open = False
        self.connections = 0
        self.last_seq = 0
        self.position: int | None = None
        self.thread_id = thread_id
        self._filler: SyncFiller | None = None
        self._refusal: APIError | None = None

    def filled_by(self, filler: SyncFiller) -> None:
        """Note who brings the events."""
        self._filler = filler

    def start(self) -> None:
        """Begin to read, if that has not begun, and wait until the server has answered.

        Raises:
            APIError: The server refuses the stream, or cannot be reached.
            ProtocolError: The server refuses the subscription.
        """
        if not self.is_open and self._filler is not None:
            self._refusal = None
            self._filler.start()
        self.changed.wait(
            lambda: self.is_open or self.log.events.ended or self._refusal is not None
        )
        error = self.log.events.error or self._refusal
        if not self.is_open and error is not None:
            raise error

    def reconnect(self) -> None:
        """Read on over another connection."""
        if self._filler is not None:
            self._filler.reconnect()

    def read(self, log: Log[T], wait: Wait) -> Iterator[T]:
        """Return the items of a projection, from the first one on, as they come.

        Args:
            log: The projection.
            wait: Waits until something is there to be read, or the projection has ended.

        Raises:
            BaseException: What the projection ended with.
        """
        position = 0
        while True:
            while position < len(log.items):
                position += 1
                yield log.items[position - 1]
            if log.ended:
                if log.error is not None:
                    raise log.error
                return
            seen = position
            wait(lambda: len(log.items) > seen or log.ended)  # noqa: B023

    # --- for those who fill it ---

    def begin(self, position: int | None) -> None:
        """Say that another connection begins.

        Args:
            position: The last number, if the server's numbers stay; -1, if they are those of this
                connection, which begins at the start of the thread again; None for the same,
                without looking at numbers.
        """
        if self.log.runs and (position is None or position < 0):
            self.log.reconnected()
        self.position = position

    def opened(self) -> None:
        """Say that the server has answered: events will come."""
        self.is_open = True
        self.connections += 1
        self.changed.notify()

    def refuse(self, error: APIError) -> None:
        """Say that the server knows no such thread. Whoever starts the feed later asks again."""
        self._refusal = error
        self.changed.notify()

    def take(self, events: Sequence[JsonObject]) -> bool:
        """Take events in the order in which they came; what came before is dropped.

        Returns:
            Whether any of them is new.
        """
        position, has_new = self.position, False
        for event in events:
            seq = event["seq"]
            if position is not None:
                if seq <= position:
                    continue
                position = seq
            has_new = self.log.feed(event) or has_new
            self.last_seq = max(self.last_seq, seq)
        self.position = position
        self.changed.notify()
        return has_new

    def end(self, error: BaseException | None) -> None:
        """Let nothing more come; whatever waits comes to its end, or gets the error."""
        self.log.end(error)
        self.changed.notify()

    def incomplete(self, error: APIError | None) -> StreamIncomplete:
        """Return what says that the connection was lost for good."""
        incomplete = StreamIncomplete(
            "the events of the thread were cut and could not be continued",
            thread_id=self.thread_id,
            last_event_id=str(self.last_seq) if self.last_seq else None,
        )
        incomplete.__cause__ = error
        return incomplete
