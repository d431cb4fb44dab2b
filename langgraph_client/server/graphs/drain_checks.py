"""Let the caller of a run request a drain: the run stops at the next superstep, to go on later.

The caller's `RunControl` is an object in another process, and matters only between supersteps. So
the run asks there, by an event that only a RemoteGraph reads and answers with a request. Runs
without a control do not ask, and there is no polling.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator
from contextlib import contextmanager

from langgraph_client.models.fields import JsonMapping

LIMIT = 10.0
"""How many seconds a run waits for a reply. After the first missing reply it asks no more."""


class DrainChecks:
    """The questions of one run to its caller.

    Args:
        reason: The reason to drain from the start on; None if it must not.
        pause: For how many seconds after a reply not to ask again.
    """

    def __init__(self, reason: str | None, pause: float) -> None:
        # Imported only here: scripted graphs run without langgraph.
        from langgraph.runtime import RunControl

        #: The object that the graph checks.
        self.control = RunControl()
        self._number = 0
        self._answered = asyncio.Event()
        self._caller_replies = True
        self._pause = pause
        self._last_reply = time.monotonic()
        if reason is not None:
            self.control.request_drain(reason)

    @property
    def is_due(self) -> bool:
        """Whether to ask the caller: it replies, and the run is not draining already."""
        if not self._caller_replies or self.control.drain_requested:
            return False
        return time.monotonic() - self._last_reply >= self._pause

    def begin(self) -> int:
        """Return the number of the next question."""
        self._number += 1
        self._answered.clear()
        return self._number

    async def answered(self) -> None:
        """Wait for the reply to the current question."""
        try:
            async with asyncio.timeout(LIMIT):
                await self._answered.wait()
        except TimeoutError:
            self._caller_replies = False

    def answer(self, number: int, reason: str | None) -> None:
        """Note a reply. A late reply to an earlier question also makes the run drain."""
        if reason is not None:
            self.control.request_drain(reason)
        if number == self._number:
            self._last_reply = time.monotonic()
            self._answered.set()


class ControlledRuns:
    """The runs of this process that have a control, by id."""

    def __init__(self) -> None:
        self._checks: dict[str, DrainChecks] = {}

    @contextmanager
    def run(self, run_id: str, control: JsonMapping | None) -> Generator[DrainChecks | None]:
        """Register a run during its execution, and give its checks; None without a control.

        Args:
            run_id: The run.
            control: The control in its request: `drain`, the reason or None, and `pause`.
        """
        if control is None:
            yield None
            return
        checks = self._checks[run_id] = DrainChecks(control["drain"], control["pause"])
        try:
            yield checks
        finally:
            del self._checks[run_id]

    def answer(self, run_id: str, number: int, reason: str | None) -> bool:
        """Note the reply of a run's caller; return whether the run is registered."""
        checks = self._checks.get(run_id)
        if checks is not None:
            checks.answer(number, reason)
        return checks is not None
