"""A loop that does due work, and sleeps until more is due."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from langgraph_client.server.clock import Clock
from langgraph_client.server.errors import Unavailable

logger = logging.getLogger("langgraph_client.server")

_ERROR_PAUSE = 5.0
"""How many seconds to wait after an error."""


class DueLoop:
    """Does due work, repeatedly when it is time or when `wake` is called.

    Args:
        clock: Gives times.
        work: Does the due work, and returns the time of the next call, in seconds since the epoch;
            None for no next call. Not the seconds until then: the clock may move meanwhile.
        problem: The text to log when the work fails, such as while the storage is not available.
    """

    def __init__(
        self, clock: Clock, work: Callable[[], Awaitable[float | None]], problem: str
    ) -> None:
        self._clock = clock
        self._work = work
        self._problem = problem
        self._changed = asyncio.Event()
        self._is_working = False

    @property
    def is_idle(self) -> bool:
        """Whether all work that was due is done. Look at it on the loop of `run`."""
        return not self._is_working and not self._changed.is_set()

    def wake(self) -> None:
        """Check for due work now, because it or the clock has changed."""
        self._changed.set()

    def wake_when_available(self) -> None:
        """Check again in a few seconds, because the storage was not available."""
        self._clock.call_later(_ERROR_PAUSE, self._changed.set)

    async def run(self) -> None:
        """Do due work until cancelled."""
        while True:
            # Cleared before the work, so that a `wake` during the work is not lost.
            self._changed.clear()
            self._is_working = True
            try:
                due = await self._work()
            except Unavailable as error:
                logger.error("%s: %s", self._problem, error)
                due = self._clock.time() + _ERROR_PAUSE
            except Exception:  # Nothing would start the loop again.
                logger.exception(self._problem)
                due = self._clock.time() + _ERROR_PAUSE
            self._is_working = False
            timer = None if due is None else self._clock.call_at(due, self._changed.set)
            try:
                await self._changed.wait()
            finally:
                if timer is not None:
                    timer.cancel()
