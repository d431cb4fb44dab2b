"""How often a server sends heartbeats, and after how much silence it counts as gone.

Servers send heartbeats through connections on which nothing happens: comments in event streams
(every five seconds, as observed on langgraph-api 0.16), blanks before the result of a wait. A
connection on which three of them are missing is dead, whatever TCP thinks.
"""

from __future__ import annotations

from collections import deque

MISSED = 3
"""So many missing heartbeats are taken for a dead connection."""
FORGIVEN = 1.0
"""Seconds of silence that do not count, however fast heartbeats come: networks stutter."""
_KEPT = 3


class Cadence:
    """What one client knows of a server's heartbeats. Safe to share between threads.

    Args:
        silence: How much silence the caller believes while nothing is known; None if heartbeats are
            not to be watched at all.
    """

    def __init__(self, silence: float | None = FORGIVEN) -> None:
        self._gaps: deque[float] = deque(maxlen=_KEPT)
        self._least = None if silence is None else min(silence, FORGIVEN)

    @property
    def patience(self) -> float | None:
        """Seconds of silence after which a connection is dead; None while nothing is known."""
        gaps = list(self._gaps)
        if not gaps or self._least is None:
            return None
        return max(MISSED * max(gaps), self._least)

    def learn(self, gap: float) -> None:
        """There were so many seconds between two heartbeats."""
        self._gaps.append(gap)


class Pulse:
    """Listens to the heartbeats of one connection.

    Only what lies between the second and third of three heartbeats in a row counts, and of those
    that follow: a reader who is slow finds the first ones waiting, closer together than they were
    sent.
    """

    def __init__(self, cadence: Cadence) -> None:
        self._cadence = cadence
        self._last: float | None = None
        self._in_a_row = 0

    def beat(self, now: float) -> None:
        """A heartbeat has come, or several at once."""
        self._in_a_row += 1
        if self._in_a_row > 2 and self._last is not None:
            self._cadence.learn(now - self._last)
        self._last = now

    def other(self) -> None:
        """Something else has come."""
        self._in_a_row = 0
