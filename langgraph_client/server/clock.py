"""Time and ids, from one place that a test can replace."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

EventId = tuple[int, int]
"""Milliseconds since the epoch, and a number within that millisecond."""


_RANDOM = random.SystemRandom()


class Timer(Protocol):
    """A call that is scheduled for later."""

    def cancel(self) -> None:
        """Cancel the call."""
        ...


class Clock:
    """The server's source of times and ids, and of all its waits.

    A test that needs fixed times and ids passes a subclass.
    """

    def __init__(self) -> None:
        self._last: EventId = (0, 0)

    def time(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    def call_later(self, seconds: float, call: Callable[..., object], *args: object) -> Timer:
        """Schedule a call on the running loop after this many seconds."""
        return asyncio.get_running_loop().call_later(seconds, call, *args)

    def call_at(self, moment: float, call: Callable[..., object], *args: object) -> Timer:
        """Schedule a call on the running loop at a time, given in seconds since the epoch.

        For whatever is due at a time and not some seconds from now: a test's clock may move between
        a look at the time and the setting of a timer, which would then be set too late.
        """
        return self.call_later(max(moment - self.time(), 0.0), call, *args)

    async def sleep(self, seconds: float) -> None:
        """Wait for this many seconds."""
        await self._wait(lambda wake: self.call_later(seconds, wake))

    async def sleep_until(self, moment: float) -> None:
        """Wait until a time, given in seconds since the epoch. See `call_at`."""
        await self._wait(lambda wake: self.call_at(moment, wake))

    async def _wait(self, set_timer: Callable[[Callable[[], object]], Timer]) -> None:
        over = asyncio.Event()
        timer = set_timer(over.set)
        try:
            await over.wait()
        finally:
            timer.cancel()

    def now(self) -> datetime:
        """Return the current time in UTC, with its offset."""
        return datetime.fromtimestamp(self.time(), UTC)

    def stamp(self) -> str:
        """Return the current time in the protocol's format."""
        return self.now().isoformat(timespec="microseconds")

    def uuid7(self) -> str:
        """Return a new id that sorts by time, for runs, threads and crons."""
        milliseconds = int(self.time() * 1000)
        value = (milliseconds & (2**48 - 1)) << 80 | self.random_bits(80)
        value = value & ~(0xF << 76) | 0x7 << 76
        value = value & ~(0x3 << 62) | 0x2 << 62
        return str(uuid.UUID(int=value))

    def uuid4(self) -> str:
        """Return a new random id, for assistants and copies of threads."""
        return str(uuid.UUID(int=self.random_bits(128), version=4))

    def random_bits(self, count: int) -> int:
        """Return a random number of this many bits, for ids."""
        return _RANDOM.getrandbits(count)

    def event_id(self) -> EventId:
        """Return the next event id, greater than all before it, even if the clock goes back."""
        milliseconds, number = self._last
        present = int(self.time() * 1000)
        self._last = (present, 0) if present > milliseconds else (milliseconds, number + 1)
        return self._last

    def start_after(self, event_id: EventId) -> None:
        """Make all further ids greater than one of an earlier process."""
        self._last = max(self._last, event_id)
