"""Time and ids, from one place that a test can replace."""

from __future__ import annotations

import random
import time
import uuid
from datetime import UTC, datetime

EventId = tuple[int, int]
"""Milliseconds since the epoch, and a number within that millisecond."""


class Clock:
    """The server's source of time and of every id it makes.

    A test that wants to name times and ids passes a subclass.
    """

    def __init__(self) -> None:
        self._last: EventId = (0, 0)

    def time(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    def now(self) -> datetime:
        """Return the present moment, with its offset (UTC)."""
        return datetime.fromtimestamp(self.time(), UTC)

    def stamp(self) -> str:
        """Return the present moment as the protocol writes it."""
        return self.now().isoformat(timespec="microseconds")

    def uuid7(self) -> str:
        """Return a new id that sorts by time, as runs, threads and crons have."""
        milliseconds = int(self.time() * 1000)
        value = (milliseconds & (2**48 - 1)) << 80 | random.getrandbits(80)
        value = value & ~(0xF << 76) | 0x7 << 76
        value = value & ~(0x3 << 62) | 0x2 << 62
        return str(uuid.UUID(int=value))

    def uuid4(self) -> str:
        """Return a new random id, as assistants and copies of threads have."""
        return str(uuid.uuid4())

    def event_id(self) -> EventId:
        """Return the next event id, greater than all before it, also if the clock goes back."""
        milliseconds, number = self._last
        present = int(self.time() * 1000)
        self._last = (present, 0) if present > milliseconds else (milliseconds, number + 1)
        return self._last

    def start_after(self, event_id: EventId) -> None:
        """Make ids from here on greater than one that an earlier process gave out."""
        self._last = max(self._last, event_id)
