"""The time limit of a whole call."""

from __future__ import annotations

from langgraph_client._core.connection import Steps


class Deadline:
    """The time limit of one call, including its repeated attempts.

    All times are seconds of one monotonic clock, which the caller reads.

    Args:
        seconds: How long the call may take; None for no limit beyond those of its steps.
        now: The time at which the call begins.
    """

    def __init__(self, seconds: float | None, now: float) -> None:
        self.seconds = seconds
        self._end = None if seconds is None else now + seconds

    def is_over(self, now: float) -> bool:
        """Return whether the time is up."""
        return self._end is not None and now >= self._end

    def allows(self, pause: float, now: float) -> bool:
        """Return whether there is time left after a pause."""
        return self._end is None or now + pause < self._end

    def clip(self, steps: Steps, now: float) -> Steps:
        """Return the limits of an exchange's steps, shortened so that none exceeds the deadline."""
        return steps if self._end is None else Steps(*(self.within(s, now) for s in steps))

    def within(self, seconds: float | None, now: float) -> float | None:
        """Return how long one wait may take, at most until the deadline."""
        if self._end is None:
            return seconds
        # A socket timeout of 0 means non-blocking, not "time out at once".
        left = max(self._end - now, 0.001)
        return left if seconds is None else min(seconds, left)
