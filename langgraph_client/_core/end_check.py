"""Decide whether a stream is over after its connection was closed cleanly.

The protocol has no end event of its own: a proxy's close and the end of a run look the same. So a
closed stream costs one more request, for the run's status; and where the run is over, what came
after the last event, while nobody listened, is fetched until nothing is new.
"""

from __future__ import annotations

from enum import Enum, auto

_OVER = frozenset({"success", "error", "timeout", "interrupted"})
_FAILED = frozenset({"error", "timeout"})
# Seconds for which a run may be called running after its stream has closed. A run that goes on for
# longer goes on without its stream.
_BEHIND = 1.0


class State(Enum):
    """What is known of the run."""

    FOLLOWING = auto()  # Nothing: it is taken to be running.
    FETCHING = auto()  # It is over; the connection has brought nothing new.
    FETCHING_AGAIN = auto()  # The same, after a replay without even what was known.
    FETCHED = auto()  # It is over; the connection has brought something new.


class Fact(Enum):
    """What happens."""

    NEWS = auto()  # An event that was not known.
    CLOSED = auto()  # The connection was closed in good order.
    CLOSED_BLANK = auto()  # The same, and it did not even bring what was known.
    GONE = auto()  # There is no such run any more.
    OVER = auto()  # The run is over, and the stream can be continued.
    OVER_UNREACHABLE = auto()  # The run is over, and the stream cannot be continued.
    RUNNING = auto()  # The run goes on, and the stream can be continued.
    RUNNING_UNREACHABLE = auto()  # The run goes on, and the stream cannot be continued.


class Verdict(Enum):
    """What to do now."""

    READ = auto()
    ASK = auto()  # For the run's status.
    ASK_LATER = auto()  # The status may be behind the last event.
    CONTINUE = auto()  # Ask for the rest of the stream.
    RECONNECT = auto()  # The close was an outage.
    END = auto()


S, F, V = State, Fact, Verdict
_CLOSES = (F.CLOSED, F.CLOSED_BLANK)
_TABLE: dict[tuple[State, Fact], tuple[State, Verdict]] = {
    (S.FOLLOWING, F.NEWS): (S.FOLLOWING, V.READ),
    **{(S.FOLLOWING, closed): (S.FOLLOWING, V.ASK) for closed in _CLOSES},
    (S.FOLLOWING, F.GONE): (S.FOLLOWING, V.END),
    (S.FOLLOWING, F.OVER): (S.FETCHING, V.CONTINUE),
    (S.FOLLOWING, F.OVER_UNREACHABLE): (S.FOLLOWING, V.END),
    (S.FOLLOWING, F.RUNNING): (S.FOLLOWING, V.RECONNECT),
    (S.FOLLOWING, F.RUNNING_UNREACHABLE): (S.FOLLOWING, V.ASK_LATER),
    **{(s, F.NEWS): (S.FETCHED, V.READ) for s in (S.FETCHING, S.FETCHING_AGAIN, S.FETCHED)},
    (S.FETCHING, F.CLOSED): (S.FETCHING, V.END),
    # It may have been cut as well. Once is enough: some servers keep nothing of what is over.
    (S.FETCHING, F.CLOSED_BLANK): (S.FETCHING_AGAIN, V.CONTINUE),
    **{(S.FETCHING_AGAIN, closed): (S.FETCHING_AGAIN, V.END) for closed in _CLOSES},
    **{(S.FETCHED, closed): (S.FETCHING, V.CONTINUE) for closed in _CLOSES},
}


class EndCheck:
    """Decides by the table above.

    Args:
        first_pause: Seconds until a status that may be behind is asked for again; then doubled.
        most_pauses: How often it is asked for again, at most.

    Attributes:
        pause: Seconds until the status is to be asked for again.
        status: The run's status, as far as it was told; None where the run is gone.
    """

    def __init__(self, first_pause: float, most_pauses: int) -> None:
        self.state = State.FOLLOWING
        self.status: str | None = None
        self.pause = 0.0
        self._first_pause = first_pause
        self._most_pauses = most_pauses
        self._pauses = 0
        self._paused = 0.0  # Seconds, all pauses together.

    def news(self) -> None:
        """Note an event that was not known."""
        self._pauses = 0
        self.state, _ = _TABLE[self.state, Fact.NEWS]

    def closed(self, *, blank: bool, continuable: bool) -> Verdict:
        """Note that the connection was closed in good order."""
        if not continuable and self.state is not State.FOLLOWING:
            return Verdict.END
        return self._decide(Fact.CLOSED_BLANK if blank else Fact.CLOSED)

    def answered(self, status: str | None, *, continuable: bool) -> Verdict:
        """Note the run's status; None if there is no such run any more."""
        self.status = status
        if status is None:
            return self._decide(Fact.GONE)
        if status in _OVER:
            return self._decide(Fact.OVER if continuable else Fact.OVER_UNREACHABLE)
        return self._decide(Fact.RUNNING if continuable else Fact.RUNNING_UNREACHABLE)

    def _decide(self, fact: Fact) -> Verdict:
        self.state, verdict = _TABLE[self.state, fact]
        return verdict

    def has_time(self) -> bool:
        """Whether to ask for the status again, after `pause`: it may be behind the last event."""
        if self._pauses >= self._most_pauses or self._paused >= _BEHIND:
            return False
        self.pause = min(self._first_pause * 2.0**self._pauses, _BEHIND - self._paused)
        self._pauses += 1
        self._paused += self.pause
        return True

    @property
    def run_failed(self) -> bool:
        """Whether the run is known to have failed."""
        return self.status in _FAILED
