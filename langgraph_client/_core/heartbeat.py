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
_COMPARED = 3  # How many intervals in a row are compared; two are the fewest that are enough.


class Cadence:
    """The interval between a server's heartbeats, as one client has measured it. Thread-safe.

    Args:
        silence: The seconds of `ReconnectPolicy.heartbeat_timeout`; None turns the watch off.
    """

    def __init__(self, silence: float | None = FORGIVEN) -> None:
        self._gap: float | None = None
        self._least = None if silence is None else min(silence, FORGIVEN)

    @property
    def patience(self) -> float | None:
        """Seconds of silence after which a connection counts as lost; None while not known."""
        if self._gap is None or self._least is None:
            return None
        return max(MISSED * self._gap, self._least)

    @property
    def shortest(self) -> float:
        """The shortest interval in seconds that matters; of shorter ones `patience` is the same."""
        return (FORGIVEN if self._least is None else self._least) / MISSED

    def learn(self, gap: float) -> None:
        """Note the seconds between two heartbeats."""
        self._gap = gap


class Pulse:
    """Measures the heartbeats of one connection.

    A heartbeat may be read late, because the reader, its event loop or the network was busy. Then
    the interval before it is too long, and the one after it too short. Two rules keep a good
    connection from being taken for a lost one:

    - Those that come at once count as one. Several are read at once if they have piled up. So one
      that counts is never late by more than an interval of the server.
    - The longest of two or three intervals in a row is learned. As only the lateness of the first
      heartbeat shortens their sum, it is more than half of the server's: the patience for
      three missing heartbeats is still longer than one interval.
    """

    def __init__(self, cadence: Cadence) -> None:
        self._cadence = cadence
        self._last: float | None = None  # When the last one that counts came; None after an event.
        self._gaps: deque[float] = deque(maxlen=_COMPARED)

    def beat(self, now: float) -> None:
        """Note that a heartbeat was received, or several at once."""
        gap = None if self._last is None else now - self._last
        if gap is not None:
            if gap < self._cadence.shortest:
                return
            self._gaps.append(gap)
            if len(self._gaps) > 1:
                self._cadence.learn(max(self._gaps))
        self._last = now

    def other(self) -> None:
        """Note that something else was received."""
        self._last = None
        self._gaps.clear()
