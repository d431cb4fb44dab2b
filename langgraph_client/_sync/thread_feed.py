# Generated from langgraph_client/_async/thread_feed.py by .ci/unasync.py; do not edit.
"""The protocol events of one thread, as a log that can be read while it grows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from langgraph_client._core.event_filter import EventFilter
from langgraph_client._core.run_log import Log, ThreadLog
from langgraph_client._io.chat_model_streams import blocking_messages
from langgraph_client._io.threads import Signal
from langgraph_client.errors import APIError, APIResponseValidationError, StreamIncomplete
from langgraph_client.models.fields import JsonObject

T = TypeVar("T")
Wait = Callable[[Callable[[], bool]], None]


class SyncFiller(Protocol):
    """Reads events from a server into a feed."""

    def start(self) -> None:
        """Start reading, unless it was started already."""
        ...

    def reconnect(self) -> None:
        """Close the open connection, if there is one, and open another one."""
        ...


class SyncFeed:
    """The events of a thread that pass a filter: all so far, and further ones as they come.

    Args:
        thread_id: The thread; it need not exist yet.
        wanted: The filter.

    Attributes:
        wanted: The filter.
        log: The events so far, sorted into runs.
        changed: Notified after each change of the log.
        is_open: Whether the server has accepted a connection at least once.
        connections: How many connections the server has accepted.
        last_seq: The number of the last event; 0 if there is none.
        position: Events of the open connection with a higher number than this are new; None if the
            server's numbers do not tell.
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
        """Set the reader that fills this feed."""
        self._filler = filler

    def start(self) -> None:
        """Start reading, unless it was started already, and wait until the server has accepted.

        Raises:
            APIError: The server cannot be reached or refuses the stream.
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
        """Go on reading over another connection."""
        if self._filler is not None:
            self._filler.reconnect()

    def read(self, log: Log[T], wait: Wait) -> Iterator[T]:
        """Yield the items of a projection, from the first one on, as they come.

        Args:
            log: The projection.
            wait: Waits until its argument returns True.

        Raises:
            BaseException: The error with which the projection ended.
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

    # --- for the reader that fills it ---

    def begin(self, position: int | None) -> None:
        """Note that a new connection begins.

        Args:
            position: The last known number, if the server's numbers are stable. -1 if the
                numbers are valid within the connection only: then the events begin again at the
                start of the thread. None likewise, if numbers must not be used to skip events.
        """
        if self.log.runs and (position is None or position < 0):
            self.log.reconnected()
        self.position = position

    def opened(self) -> None:
        """Note that the server has accepted the connection."""
        self.is_open = True
        self.connections += 1
        self.changed.notify()

    def refuse(self, error: APIError) -> None:
        """Note that the thread does not exist yet. The next `start` tries again."""
        self._refusal = error
        self.changed.notify()

    def take(self, events: Sequence[JsonObject]) -> bool:
        """Add events in the order in which they were received; drop those that are known.

        Returns:
            Whether any of them is new.

        Raises:
            APIResponseValidationError: The data of an event do not have the protocol's shape.
        """
        position, has_new = self.position, False
        for event in events:
            seq = event["seq"]
            if position is not None:
                if seq <= position:
                    continue
                position = seq
            try:
                has_new = self.log.feed(event) or has_new
            except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
                raise APIResponseValidationError(
                    f"an event {event['method']!r} from the server does not have the protocol's"
                    f" shape: {type(error).__name__}: {error}",
                    body=event,
                ) from error
            self.last_seq = max(self.last_seq, seq)
        self.position = position
        self.changed.notify()
        return has_new

    def end(self, error: BaseException | None) -> None:
        """End the feed. Waiting readers end too; with an error, they raise it."""
        self.log.end(error)
        self.changed.notify()

    def incomplete(self, error: APIError | None) -> StreamIncomplete:
        """Return the error for a connection that was lost for good."""
        incomplete = StreamIncomplete(
            "the thread's event stream was cut, and all attempts to continue it failed",
            thread_id=self.thread_id,
            last_event_id=str(self.last_seq) if self.last_seq else None,
        )
        incomplete.__cause__ = error
        return incomplete
