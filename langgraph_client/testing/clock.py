"""A clock that a test moves."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from langgraph_client.server.clock import Clock

_ROUNDS = 25
"""Turns of the server's loop after each call, so that what it began gets to its next wait."""


@dataclass(order=True)
class _Due:
    at: float
    number: int
    loop: asyncio.AbstractEventLoop = field(compare=False)
    call: Callable[[], object] = field(compare=False)
    is_cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Do not make the call."""
        self.is_cancelled = True


class TestClock(Clock):
    """A server's clock that stands still until `advance` moves it.

        with Server(graphs, clock=TestClock()) as server:
            server.clock.advance(days=1)

    Crons, `after_seconds`, times to live, heartbeats, pauses of webhooks, time limits of runs and
    the `Wait` of a script go by it. The server's own clients do not wait before they ask again:
    the clock moves on by their pause instead. Ids are made of `seed`, so that a test that does the
    same again sees the same ids.

    Args:
        start: Where it stands at first, with an offset; by default 2026-01-01T00:00Z.
        seed: What ids are made of.
    """

    __test__ = False  # pytest takes classes of such names for tests.

    def __init__(self, start: datetime | None = None, *, seed: int = 0) -> None:
        super().__init__()
        begin = datetime(2026, 1, 1, tzinfo=UTC) if start is None else start
        if begin.tzinfo is None:
            raise ValueError("start must have an offset, such as tzinfo=UTC")
        self._present = begin.timestamp()
        self._random = random.Random(seed)
        self._due: list[_Due] = []
        self._numbers = itertools.count()
        self._lock = threading.Lock()

    def time(self) -> float:
        """Return where it stands, in seconds since the epoch."""
        return self._present

    def random_bits(self, count: int) -> int:
        """Return the next bits that ids are made of."""
        return self._random.getrandbits(count)

    def call_later(self, seconds: float, call: Callable[..., object], *args: Any) -> _Due:
        """Make a call on the running loop once the clock has moved so far."""
        made = _Due(
            self._present + max(seconds, 0.0),
            next(self._numbers),
            asyncio.get_running_loop(),
            lambda: call(*args),
        )
        with self._lock:
            heapq.heappush(self._due, made)
        return made

    def advance(self, seconds: float = 0.0, **more: float) -> None:
        """Move on; what falls due on the way happens at its time, one thing after the other.

        It returns when all of that has begun; what takes its own time, such as a run, is waited
        for as ever.

        Args:
            seconds: How far.
            **more: Added: `minutes`, `hours`, `days` and the like, as `timedelta` has them.

        Raises:
            ValueError: It would go back.
            RuntimeError: It was called on the server's own loop.
        """
        target = self._present + timedelta(seconds=seconds, **more).total_seconds()
        if target < self._present:
            raise ValueError("a clock does not go back")
        while (due := self._next(target)) is not None:
            self._present = max(self._present, due.at)
            if not due.loop.is_closed():
                _at_once(due.loop, due.call)
        self._present = target

    async def skip(self, seconds: float) -> None:
        """Move on, in place of a client that would wait so long."""
        await asyncio.to_thread(self.advance, seconds)

    def _next(self, target: float) -> _Due | None:
        with self._lock:
            while self._due and self._due[0].at <= target:
                found = heapq.heappop(self._due)
                if not found.is_cancelled:
                    return found
        return None


def _at_once(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> None:
    try:
        running = asyncio.get_running_loop()
    except RuntimeError:
        running = None
    if running is loop:
        raise RuntimeError("advance() must not be called on the server's own loop")

    async def made() -> None:
        call()
        for _ in range(_ROUNDS):
            await asyncio.sleep(0)

    asyncio.run_coroutine_threadsafe(made(), loop).result()
