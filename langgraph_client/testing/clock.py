"""A clock that is moved by the test."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
import threading
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.server.clock import Clock
from langgraph_client.testing.arguments import check_whole

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

CURRENT_RUN: ContextVar[str | None] = ContextVar("langgraph_client_current_run", default=None)
"""The id of the run whose code is running. `TestServer` sets it, so that the clock knows which run
sleeps."""

_CALL_SECONDS = 60.0
"""How many seconds to wait until the loop has made a due call. A node may block the loop."""
_ROUNDS = 25
"""Turns of the server's loop after each call, so that the work started by it reaches its next wait
before the clock moves on. Otherwise its next timer would be set too late."""


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

    def make(self) -> None:
        """Make the call, unless it was cancelled."""
        if not self.is_cancelled:
            self.call()


def _whole(seconds: float) -> float:
    """Round a time to the microseconds that its text has, so that one read from a text is equal.

    A sum of seconds may end a little before it otherwise, and what is due then would not be.
    """
    return round(seconds, 6)


def _has_loop() -> bool:
    """Return whether an event loop runs in this thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def clock_of(given: object) -> Clock:
    """Return the clock of a `TestServer`: the given one, or one of the real time for None.

    Raises:
        InvalidArgumentError: It is not a clock, such as the class `TestClock`.
    """
    if given is None:
        return Clock()
    if not isinstance(given, Clock):
        raise InvalidArgumentError("clock", f"must be a clock, such as TestClock(), not {given!r}")
    return given


class TestClock(Clock):
    """A server's clock that stands still until `advance` moves it.

        clock = TestClock()
        with TestServer(graphs, clock=clock) as server:
            clock.advance(days=1)

    Crons, `after_seconds`, times to live, heartbeats, pauses of webhooks, time limits of runs and
    the `Wait` of a script use it. The server's clients do not wait before they repeat a request:
    the clock moves on by their pause instead. Ids are generated from `seed`, so a test that does
    the same again gets the same ids.

    Args:
        start: The initial time, with an offset; by default 2026-01-01T00:00Z.
        seed: The seed of all ids.
        auto_advance: Whether a `TestServer` moves the clock on by itself whenever all unfinished
            runs wait for it. Then a test can wait for a run with `Wait` or `after_seconds` without
            a second thread that moves the clock. It stands still while no run is unfinished.

    Raises:
        InvalidArgumentError: `start` has no offset, or `seed` is not a whole number.
    """

    __test__ = False  # By its name, pytest would collect the class as a test.

    def __init__(
        self, start: datetime | None = None, *, seed: int = 0, auto_advance: bool = False
    ) -> None:
        super().__init__()
        start = datetime(2026, 1, 1, tzinfo=UTC) if start is None else start
        if not isinstance(start, datetime) or start.tzinfo is None:
            raise InvalidArgumentError(
                "start", f"must be a time with an offset, such as tzinfo=UTC, not {start!r}"
            )
        check_whole("seed", seed, 0)
        self.auto_advance = auto_advance
        self._start = start.timestamp()
        self._seed = seed
        self._lock = threading.Lock()
        self._moving = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Go back to the start: reset the time and the ids, and drop all due calls.

        The fixtures do this before each test, and `TestServer.reset` does it; only a clock that no
        running server uses may be reset by hand.
        """
        self._last = (0, 0)
        self._present = self._goal = self._start
        self._random = random.Random(self._seed)
        self._due: list[_Due] = []
        self._numbers = itertools.count()
        self._sleeping: dict[str, float] = {}

    def go_beyond(self, newest: datetime) -> None:
        """Go on after a time up to which others may have made ids, with ids that are not theirs.

        `TestServer.load` does this; only a clock that no running server uses may go beyond by hand.

        Args:
            newest: The time. If the clock is past it already, its time stays.
        """
        milliseconds = (newest - _EPOCH) // timedelta(milliseconds=1) + 1
        self._present = self._goal = max(self._present, milliseconds / 1000)
        self.start_after((milliseconds, 0))
        # Ids without a time in them are random only, and another clock may have the same seed. Two
        # clocks differ in the time: whatever one has made since it came here is newer than that.
        self._random.seed(f"{self._random.getrandbits(64)} {self._present}")

    def time(self) -> float:
        """Return the present time, in seconds since the epoch."""
        return self._present

    def random_bits(self, count: int) -> int:
        """Return the next random number of `count` bits; all ids are generated from these."""
        return self._random.getrandbits(count)

    def call_later(self, seconds: float, call: Callable[..., object], *args: object) -> _Due:
        """Call something on the running loop once the clock has moved on.

        Args:
            seconds: How far the clock has to move.
            call: What to call.
            *args: Its arguments.

        Returns:
            The timer, which can be cancelled.
        """
        with self._lock:
            due = self._timer(self._present + max(seconds, 0.0), call, args)
            heapq.heappush(self._due, due)
        return due

    def call_at(self, moment: float, call: Callable[..., object], *args: object) -> _Due:
        """Call something on the running loop once the clock is at a time.

        Args:
            moment: The time, in seconds since the epoch. If it is past, the call is made soon.
            call: What to call.
            *args: Its arguments.

        Returns:
            The timer, which can be cancelled.
        """
        # Under the lock: otherwise the clock may move past the time before the timer is set.
        with self._lock:
            due = self._timer(moment, call, args)
            if due.at > self._present:
                heapq.heappush(self._due, due)
                return due
        due.loop.call_soon(due.make)
        return due

    def _timer(self, at: float, call: Callable[..., object], args: tuple[object, ...]) -> _Due:
        loop = asyncio.get_running_loop()
        return _Due(_whole(at), next(self._numbers), loop, lambda: call(*args))

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has moved on.

        Args:
            seconds: How far the clock has to move.
        """
        run_id = CURRENT_RUN.get()
        if run_id is None:  # The server itself sleeps, such as between two heartbeats.
            await super().sleep(seconds)
            return
        until = _whole(self._present + max(seconds, 0.0))
        self._sleeping[run_id] = until
        try:
            await self.sleep_until(until)
        finally:
            self._sleeping.pop(run_id, None)

    def sleeping_until(self, run_id: str) -> float | None:
        """Return the time until which a run sleeps by this clock, or None if it does not.

        Args:
            run_id: The run.
        """
        return self._sleeping.get(run_id)

    def advance(self, seconds: float = 0.0, **more: float) -> None:
        """Move on. Calls that become due are made one after the other, each at its own time.

        It returns when all of them have started. A test waits for their work, such as a run, as
        usual. Of two threads that call it, one moves on after the other; but one in which an event
        loop runs does not wait for the other. The clock moves on by the sum of both.

            clock.advance(hours=1, minutes=30)

        Args:
            seconds: How far.
            **more: Further parts of the distance: `minutes`, `hours`, `days` and the other
                arguments of `timedelta`.

        Raises:
            InvalidArgumentError: The sum is negative, is not a number, or leads beyond the year
                9999.
            RuntimeError: It was called on the server's own loop.
            TimeoutError: The server's loop is blocked for a minute.
        """
        try:
            distance = timedelta(seconds=seconds, **more)
        except (TypeError, ValueError, OverflowError) as error:
            raise InvalidArgumentError("seconds", str(error)) from None
        if distance < timedelta():
            raise InvalidArgumentError("seconds", f"a clock does not go back, by {distance}")
        # The loop must not wait for the lock: whoever holds it may be waiting for the loop.
        is_locked = self._moving.acquire(blocking=not _has_loop())
        try:
            target = self._set_goal(distance)
            try:
                # One by one: a call may add others that are due before the target.
                while (due := self._next(target)) is not None:
                    if not due.loop.is_closed():  # A server that was closed left its timers behind.
                        _call_from_outside(due)
            except BaseException:
                with self._lock:
                    self._goal = self._present
                raise
        finally:
            if is_locked:
                self._moving.release()

    def _set_goal(self, distance: timedelta) -> float:
        """Return where the clock is when it has moved on, behind the goals of other threads."""
        with self._lock:
            goal = _whole(max(self._present, self._goal) + distance.total_seconds())
            try:
                datetime.fromtimestamp(goal, UTC)
            except (ValueError, OverflowError) as error:
                raise InvalidArgumentError("seconds", f"too far: {error}") from None
            self._goal = goal
            return goal

    async def skip(self, seconds: float) -> None:
        """Move on, instead of the pause of a client.

        Args:
            seconds: How far.
        """
        await asyncio.to_thread(self.advance, seconds)

    async def advance_on_loop(self, target: float) -> None:
        """Move on to a time, called on the loop of the due calls.

        Args:
            target: The time, in seconds since the epoch.
        """
        while (due := self._next(target)) is not None:
            await _call(due)

    def _next(self, target: float) -> _Due | None:
        """Remove the next call that is due until `target`, and move the clock to its time.

        Without one, move the clock to `target`. It never goes back: another thread may have moved
        it on further, and a call may be added that is due already.
        """
        with self._lock:
            while self._due and self._due[0].at <= target:
                due = heapq.heappop(self._due)
                if not due.is_cancelled:
                    self._present = max(self._present, due.at)
                    return due
            # Still under the lock: a timer that is set now must find the clock at the target.
            self._present = max(self._present, target)
        return None


async def _call(due: _Due) -> None:
    # Asked again: it may be cancelled after `_next`, often in another thread, has removed it.
    due.make()
    for _ in range(_ROUNDS):
        await asyncio.sleep(0)


def _call_from_outside(due: _Due) -> None:
    try:
        running = asyncio.get_running_loop()
    except RuntimeError:
        running = None
    if running is due.loop:
        raise RuntimeError("advance() must not be called on the server's own loop")
    asyncio.run_coroutine_threadsafe(_call(due), due.loop).result(_CALL_SECONDS)
