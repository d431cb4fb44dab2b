"""The time limit of a whole call."""

from __future__ import annotations

from langgraph_client._core.connection import LONGEST_WAIT, Steps


class Deadline:
    """The time limit of one call, including its repeated attempts.

    All times are seconds of one monotonic clock, which the caller reads.

    Args:
        seconds: How long the call may take; None for no limit beyond those of its steps.
        now: The time at which the call begins.

    Attributes:
        seconds: As passed.
        end: The time at which the call must be over; None for no limit.
    """

    def __init__(self, seconds: float | None, now: float) -> None:
        self.seconds = seconds
        self.end = None if seconds is None else now + seconds

    def is_over(self, now: float) -> bool:
        """Return whether the time is up."""
        return self.end is not None and now >= self.end

    def allows(self, pause: float, now: float) -> bool:
        """Return whether there is time left after a pause."""
        return self.end is None or now + pause < self.end

    def clip(self, steps: Steps, now: float) -> Steps:
        """Return the limits of an exchange's steps, shortened so that none exceeds the deadline."""
        return steps if self.end is None else Steps(*(until(self.end, s, now) for s in steps))


def until(end: float | None, seconds: float | None, now: float) -> float | None:
    """Return how long one wait may take: these seconds, but at most until `end`.

    None for either is no limit. The result is above 0, also after `end`: a socket timeout of 0
    would mean non-blocking, not "time out at once".
    """
    if end is None:
        return seconds
    left = min(max(end - now, 0.001), LONGEST_WAIT)
    return left if seconds is None else min(seconds, left)
