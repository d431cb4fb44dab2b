"""When a call has to be over."""

from __future__ import annotations

from collections.abc import Mapping


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

    def over(self, now: float) -> bool:
        """Whether the time is up."""
        return self._end is not None and now >= self._end

    def allows(self, pause: float, now: float) -> bool:
        """Whether there is time left after a pause."""
        return self._end is None or now + pause < self._end

    def clip(self, limits: Mapping[str, float | None], now: float) -> dict[str, float | None]:
        """The limits of a request's steps, none of them beyond the end."""
        if self._end is None:
            return dict(limits)
        # Zero would not mean "at once" to a socket, but "do not wait at all".
        left = max(self._end - now, 0.001)
        steps = ("connect", "read", "write", "pool")
        given = {step: limits.get(step) for step in steps}
        return {step: left if s is None else min(s, left) for step, s in given.items()}
