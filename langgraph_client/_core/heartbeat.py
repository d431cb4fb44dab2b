"""Learn how often a server sends heartbeats, and how much silence means a lost connection.

Servers send heartbeats on idle connections: comments in event streams (every five seconds, observed
with langgraph-api 0.16), blanks before the result of a wait. If three heartbeats are missing, the
connection is lost, even if TCP reports no error.
"""

from __future__ import annotations

from collections import deque

MISSED = 3
"""How many missing heartbeats mean that a connection is lost."""
FORGIVEN = 1.0
"""Seconds of silence that are always allowed, even if heartbeats come faster: networks stall."""
_KEPT = 3


class Cadence:
    """The intervals between a server's heartbeats, as one client has measured them. Thread-safe.

    Args:
        silence: The seconds of `ReconnectPolicy.heartbeat_timeout`; None turns the watch off.
    """

    def __init__(self, silence: float | None = FORGIVEN) -> None:
        self._gaps: deque[float] = deque(maxlen=_KEPT)
        self._least = None if silence is None else min(silence, FORGIVEN)

    @property
    def patience(self) -> float | None:
        """Seconds of silence after which a connection counts as lost; None while not known."""
        gaps = list(self._gaps)
        if not gaps or self._least is None:
            return None
        return max(MISSED * max(gaps), self._least)

    def learn(self, gap: float) -> None:
        """Note the seconds between two heartbeats."""
        self._gaps.append(gap)


class Pulse:
    """Measures the heartbeats of one connection.

    The interval between the first two heartbeats in a row is ignored. A slow reader finds the first
    ones waiting in the buffer, closer together than they were sent. After a stall of the network
    they come closer together too; but then the average of all in a row is still right.
    """

    def __init__(self, cadence: Cadence) -> None:
        self._cadence = cadence
        self._second: float | None = None  # When the second one in a row came.
        self._last: float | None = None
        self._in_a_row = 0

    def beat(self, now: float) -> None:
        """Note that a heartbeat was received, or several at once."""
        self._in_a_row += 1
        if self._in_a_row == 2:
            self._second = now
        elif self._in_a_row > 2 and self._last is not None and self._second is not None:
            average = (now - self._second) / (self._in_a_row - 2)
            self._cadence.learn(max(now - self._last, average))
        self._last = now

    def other(self) -> None:
        """Note that something else was received."""
        self._in_a_row = 0
