"""Decide whether a stream is over after its connection was closed cleanly.

The protocol has no event for the end: a connection closed by a proxy and the end of a run look the
same. So after a close, the client requests the run's status. If the run is over, it also fetches
the events that were sent after the connection was lost, until there are no new ones.
"""

from __future__ import annotations

from enum import Enum, auto

_OVER = frozenset({"success", "error", "timeout", "interrupted"})
_FAILED = frozenset({"error", "timeout"})
# For this many seconds after its stream has ended, a server may still report a run as running,
# because it updates the status later. A run that is running for longer has lost its stream.
_STATUS_DELAY = 1.0


class State(Enum):
    """What is known about the run."""

    FOLLOWING = auto()  # Nothing yet: it is assumed to be running.
    FETCHING = auto()  # It is over. The current connection has brought no new event so far.
    FETCHING_AGAIN = auto()  # Likewise, after a replay that did not even repeat known events.
    FETCHED = auto()  # It is over. The current connection has brought a new event.


class Fact(Enum):
    """What happened."""

    NEWS = auto()  # A new event was received.
    CLOSED = auto()  # The server closed the connection normally.
    CLOSED_BLANK = auto()  # Likewise, and the connection did not even repeat known events.
    GONE = auto()  # The run does not exist any more.
    OVER = auto()  # The run is over, and the stream can be continued.
    OVER_UNREACHABLE = auto()  # The run is over, and the stream cannot be continued.
    RUNNING = auto()  # The run is not over, and the stream can be continued.
    RUNNING_UNREACHABLE = auto()  # The run is not over, and the stream cannot be continued.


class Verdict(Enum):
    """What to do next."""

    READ = auto()
    ASK = auto()  # Request the run's status.
    ASK_LATER = auto()  # Request it again after a pause: it may be older than the last event.
    CONTINUE = auto()  # Request the rest of the stream.
    RECONNECT = auto()  # Treat the close as an outage.
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
    # This connection may have been cut too, so try once more. Only once: some servers keep no
    # events of a run that is over, and would answer like this for ever.
    (S.FETCHING, F.CLOSED_BLANK): (S.FETCHING_AGAIN, V.CONTINUE),
    **{(S.FETCHING_AGAIN, closed): (S.FETCHING_AGAIN, V.END) for closed in _CLOSES},
    **{(S.FETCHED, closed): (S.FETCHING, V.CONTINUE) for closed in _CLOSES},
}


class EndCheck:
    """Applies the table above.

    Args:
        first_pause: Seconds before a status that may be outdated is requested again; doubled for
            each further request.
        most_pauses: The most such requests.

    Attributes:
        pause: Seconds to wait before the status is requested again.
        status: The last known status of the run; None if it is not known or the run is gone.
    """

    def __init__(self, first_pause: float, most_pauses: int) -> None:
        self.state = State.FOLLOWING
        self.status: str | None = None
        self.pause = 0.0
        self._first_pause = first_pause
        self._most_pauses = most_pauses
        self._pauses = 0
        self._paused = 0.0  # Seconds of all pauses together.

    def news(self) -> None:
        """Note a new event."""
        self._pauses = 0
        self.state, _ = _TABLE[self.state, Fact.NEWS]

    def closed(self, *, blank: bool, continuable: bool) -> Verdict:
        """Note that the server closed the connection normally."""
        # The run was over before. That the stream has no ids may turn out only while its rest is
        # read, at the first event without one; then there is nothing more to request.
        if not continuable and self.state is not State.FOLLOWING:
            return Verdict.END
        return self._decide(Fact.CLOSED_BLANK if blank else Fact.CLOSED)

    def answered(self, status: str | None, *, continuable: bool) -> Verdict:
        """Note the run's status; None if the run does not exist any more."""
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
        """Return whether to request the status once more, and set `pause` for it."""
        if self._pauses >= self._most_pauses or self._paused >= _STATUS_DELAY:
            return False
        self.pause = min(self._first_pause * 2.0**self._pauses, _STATUS_DELAY - self._paused)
        self._pauses += 1
        self._paused += self.pause
        return True

    @property
    def run_failed(self) -> bool:
        """Whether the last known status is one of a failed run."""
        return self.status in _FAILED
