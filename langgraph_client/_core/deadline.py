"""When a call has to be over."""

from __future__ import annotations

from langgraph_client._core.connection import Steps


class Deadline:
    """The end of one call, its repetitions included.

    All times are seconds of one clock, which the shell reads.

    Args:
        seconds: How long the call may take; None for as long as its steps may.
        now: When it begins.
    """

    def __init__(self, seconds: float | None, now: float) -> None:
        self.seconds = seconds
        self._end = None if seconds is None else now + seconds

    def is_over(self, now: float) -> bool:
        """Whether the time is up."""
        return self._end is not None and now >= self._end

    def allows(self, pause: float, now: float) -> bool:
        """Whether there is time left after a pause."""
        return self._end is None or now + pause < self._end

    def clip(self, steps: Steps, now: float) -> Steps:
        """Return the limits of an exchange's steps, none of them beyond the end."""
        return steps if self._end is None else Steps(*(self.within(s, now) for s in steps))

    def within(self, seconds: float | None, now: float) -> float | None:
        """Return how long one wait may take: not beyond the end."""
        if self._end is None:
            return seconds
        # Zero would not mean "at once" to a socket, but "do not wait at all".
        left = max(self._end - now, 0.001)
        return left if seconds is None else min(seconds, left)
