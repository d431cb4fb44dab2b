"""Runs whose caller may ask them to drain: to stop at the next superstep, and go on later.

The caller's `RunControl` is an object in another process, and it matters only between supersteps.
So the run asks there: an event that only a RemoteGraph reads, which answers it with a request.
Nothing is asked of runs without a control, and nobody polls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

from langgraph_client.models.fields import JsonMapping

LIMIT = 10.0
"""How long a run waits for an answer, in seconds; after the first that does not come, no more."""


class DrainChecks:
    """The places in one run where its caller is asked.

    Args:
        reason: Why the run is to drain from the start on; None if it is not.
    """

    def __init__(self, reason: str | None) -> None:
        # Only here: langgraph's class is younger than what the rest needs.
        from langgraph.runtime import RunControl

        #: What the graph looks at.
        self.control = RunControl()
        self._number = 0
        self._answered = asyncio.Event()
        self._is_heard = True
        if reason is not None:
            self.control.request_drain(reason)

    @property
    def is_due(self) -> bool:
        """Whether the caller is to be asked: it listens, and the run does not drain anyhow."""
        return self._is_heard and not self.control.drain_requested

    def begin(self) -> int:
        """Return the number of the next question."""
        self._number += 1
        self._answered.clear()
        return self._number

    async def answered(self) -> None:
        """Wait for the answer to the question that was begun."""
        try:
            async with asyncio.timeout(LIMIT):
                await self._answered.wait()
        except TimeoutError:
            self._is_heard = False

    def answer(self, number: int, reason: str | None) -> None:
        """Take an answer; one to an earlier question drains, too."""
        if reason is not None:
            self.control.request_drain(reason)
        if number == self._number:
            self._answered.set()


class ControlledRuns:
    """The runs of this process that have a control, by id."""

    def __init__(self) -> None:
        self._checks: dict[str, DrainChecks] = {}

    @contextmanager
    def run(self, run_id: str, control: JsonMapping | None) -> Generator[DrainChecks | None]:
        """Give the checks of a run as long as it is carried out; None for one without a control.

        Args:
            run_id: The run.
            control: What its request says: `drain`, the reason or None.
        """
        if control is None:
            yield None
            return
        checks = self._checks[run_id] = DrainChecks(control["drain"])
        try:
            yield checks
        finally:
            del self._checks[run_id]

    def answer(self, run_id: str, number: int, reason: str | None) -> bool:
        """Take the answer of a run's caller; return whether the run is one of these."""
        checks = self._checks.get(run_id)
        if checks is not None:
            checks.answer(number, reason)
        return checks is not None
