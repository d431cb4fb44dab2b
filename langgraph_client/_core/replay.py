"""Remember which events of a stream were handed on, and drop those that a replay repeats."""

from __future__ import annotations

from langgraph_client.models.events import StreamPart

EVERYTHING = "0"  # As the id of an event: replay from the beginning.
_MAX_DOUBTS = 8  # Per stream. Each doubt costs a request.


class Replay:
    """Tracks the ids of a stream's events over any number of connections.

    Several events may have the same id ("twins"), because servers make ids of milliseconds. So a
    continued stream requests the events after the id *before* the last one, and skips as many
    events with the last id as were handed on.

    This table says what happens to an event, by its id. `skip` is the number of events that the
    replay still has to repeat:

    | its id               | skip > 0                         | skip = 0                          |
    | -------------------- | -------------------------------- | --------------------------------- |
    | the last one         | dropped, one less to skip        | handed on; doubted if it repeats  |
    |                      |                                  | the last event right in a replay  |
    | the one before       | dropped                          | handed on, is the last one now    |
    | another one          | handed on, is the last one now;  | handed on, is the last one now    |
    |                      | dropped where the stream was     |                                   |
    |                      | joined in the middle: not ours   |                                   |
    | none                 | handed on                        | handed on                         |

    An event that was sent without an id has that of the event before it on its connection, as SSE
    says. So only events before the first id have none, and the others are twins.

    A doubted event is dropped and its connection is closed; a second replay decides. Where stored
    events end and live ones begin, langgraph-api (0.16.7) may send the same event twice. Two equal
    events of one millisecond look the same as such a repetition, but both must be handed on.

    Attributes:
        last_id: The id of the last event that was handed on, or that the caller passed.
        has_ids: Whether the stream's events have ids, as far as is known.
        doubted: Whether to close the connection and request the stream again.
    """

    def __init__(self, after: str | None, *, joined: bool, resumable: bool) -> None:
        self.last_id = after
        # Ids are expected if they were requested, or if the caller has one from an earlier stream.
        # The first event without an id corrects this.
        self.has_ids = resumable or after is not None
        self.doubted = False
        self._joined = joined  # The stream began in the middle, after an event with an unknown id.
        self._older = after  # The id before `last_id`. All events up to it were handed on.
        self._twins = 0  # How many events with `last_id` were handed on.
        self._skip = 0  # How many of them the replay still has to repeat.
        # The replay begins before the place where the stream was joined, and is not there yet.
        self._from_zero = False
        self._in_replay = False  # The connection began with stored events.
        self._latest: StreamPart | None = None
        self._last_doubt: str | None = None  # The id of the event that was doubted.
        self._doubts = 0

    def begin(self) -> str | None:
        """Return the `Last-Event-ID` of the request that opens the stream."""
        self._in_replay = self.last_id is not None
        return self.last_id

    def resume(self) -> str:
        """Return the `Last-Event-ID` of a request that continues the stream."""
        self.doubted = False
        self._in_replay = True
        self._skip = self._twins
        after = self._older if self._twins else self.last_id
        self._from_zero = self._joined and self._twins > 0 and after is None
        return after or EVERYTHING

    def accept(self, part: StreamPart) -> bool:
        """Return whether an event is to be handed on; see the table."""
        if part.id is None:
            if not self._twins and part.event not in ("end", "error"):
                self.has_ids = False  # The server, or this run, does not keep events.
            return True
        if part.id == self.last_id:
            if self._skip:
                self._skip -= 1
                self._from_zero = False  # The place was found: what follows is new, or a twin.
                return False
            if self._is_doubtful(part):
                return False
            self._twins += 1
        else:
            if self._skip and (part.id == self._older or self._from_zero):
                return False
            self._older, self.last_id = self.last_id, part.id
            self._twins, self._skip = 1, 0
        self.has_ids = True
        self._latest = part
        return True

    def _is_doubtful(self, part: StreamPart) -> bool:
        if not self._in_replay or part != self._latest:
            return False
        # The second replay brought it again: it is a real twin, so it is handed on.
        if part.id == self._last_doubt or self._doubts >= _MAX_DOUBTS:
            return False
        self._last_doubt, self.doubted = part.id, True
        self._doubts += 1
        return True

    @property
    def lost_its_place(self) -> bool:
        """Whether a replay from the beginning ended before the last event that was handed on."""
        return self._from_zero and self._skip > 0

    @property
    def was_blank(self) -> bool:
        """Whether the connection did not even repeat the events that were known already."""
        return self._skip > 0 or not self._twins
