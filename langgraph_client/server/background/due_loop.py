"""A loop that does what is due, and sleeps until something else is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from langgraph_client.server.clock import Clock
from langgraph_client.server.errors import Unavailable

logger = logging.getLogger("langgraph_client.server")

_UNAVAILABLE = 5.0


class DueLoop:
    """Does what is due, again whenever it is time or `wake` is called.

    Args:
        clock: Time.
        work: Does what is due. Returns the seconds until it is time to look again; None for never.
        problem: What to log while the storage cannot be reached.
    """

    def __init__(
        self, clock: Clock, work: Callable[[], Awaitable[float | None]], problem: str
    ) -> None:
        self._clock = clock
        self._work = work
        self._problem = problem
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """Look again at what is due: it, or the clock, has changed."""
        self._changed.set()

    def wake_when_available(self) -> None:
        """Look again in a few seconds, as the storage could not be reached."""
        self._clock.call_later(_UNAVAILABLE, self._changed.set)

    async def run(self) -> None:
        """Do what is due until cancelled."""
        while True:
            # Before the work: who wakes the loop meanwhile is heard.
            self._changed.clear()
            try:
                pause = await self._work()
            except Unavailable as error:
                logger.error("%s: %s", self._problem, error)
                pause = _UNAVAILABLE
            timer = None if pause is None else self._clock.call_later(pause, self._changed.set)
            try:
                await self._changed.wait()
            finally:
                if timer is not None:
                    timer.cancel()
