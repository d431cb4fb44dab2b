"""Find out what the unfinished runs of a `TestServer` wait for: nothing, the clock, or a hold."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from langgraph_client.server.clock import Clock
from langgraph_client.testing.clock import TestClock
from langgraph_client.testing.holds import Holds

if TYPE_CHECKING:
    from langgraph_client.server.runs.engine import Engine
    from langgraph_client.server.services import Services

LOOK_AGAIN = 0.005
"""Real seconds between two checks."""


def check_again(check: Callable[[], list[str]], timeout: float) -> list[str]:
    """Call a function until its result is empty; return the last result.

    Args:
        check: The function. It is called once at least.
        timeout: Seconds.
    """
    if not (active := check()):
        return []
    # By a timer and not by a clock: a test may have frozen all clocks. Locks make its pauses.
    is_over = threading.Event()
    timer = threading.Timer(min(timeout, threading.TIMEOUT_MAX), is_over.set)
    timer.daemon = True
    timer.start()
    try:
        while active and not is_over.wait(LOOK_AGAIN):
            active = check()
    finally:
        timer.cancel()
    return active


class RunActivity:
    """Tells runs that make progress from runs that wait for the test.

    Args:
        clock: The server's clock.
        holds: The server's holds.
    """

    def __init__(self, clock: Clock, holds: Holds) -> None:
        self._clock = clock
        self._holds = holds

    def due_by_clock(self, engine: Engine) -> list[float]:
        """Return the times that unfinished runs wait for.

        Args:
            engine: The server's engine.
        """
        # Pending runs wait for their `after_seconds`, running ones for a sleep by the clock.
        times = [job.due for job in engine.jobs.values() if job.task is None]
        if isinstance(self._clock, TestClock):
            times += [
                until
                for job in engine.jobs.values()
                if (until := self._clock.sleeping_until(job.run_id)) is not None
            ]
        # A run that is due already does not wait for the clock, but for its thread, a hold or room.
        return [time for time in times if time > self._clock.time()]

    def progressing(self, services: Services) -> list[str]:
        """Return what makes progress without an action of the test: ids of runs, a due cron.

        Args:
            services: The server's services.
        """
        engine = services.engine
        started = {job.thread_id for job in engine.jobs.values() if job.task is not None}
        clock = self._clock if isinstance(self._clock, TestClock) else None
        present = self._clock.time()
        # Until its run is created: that may take time, as in the handlers of an `Auth`.
        crons = [] if services.scheduler.is_idle else ["the run of a cron"]
        return crons + [
            job.run_id
            for job in engine.jobs.values()
            if not self._holds.holds(job.run_id)
            and (clock is None or clock.sleeping_until(job.run_id) is None)
            # A pending run makes progress if it is due and its thread is free.
            and (job.task is not None or (job.due <= present and job.thread_id not in started))
        ]

    async def move_clock(self, services: Services, clock: TestClock) -> None:
        """Move the clock on for ever, whenever all unfinished runs wait for it.

        Args:
            services: The server's services.
            clock: The server's clock.
        """
        while True:
            await asyncio.sleep(LOOK_AGAIN)  # Polled: nothing announces that all runs wait.
            if self.progressing(services):
                continue
            if times := self.due_by_clock(services.engine):
                await clock.advance_on_loop(min(times))
