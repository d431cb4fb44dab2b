"""Delete the stored events of runs some time after their end."""

from __future__ import annotations

import asyncio
import logging

from langgraph_client.server.clock import Clock
from langgraph_client.server.errors import Unavailable
from langgraph_client.server.runs.protocol_runs import is_protocol
from langgraph_client.server.runs.run_states import Ended
from langgraph_client.server.runs.stored_events import RUN_DONE
from langgraph_client.server.storage.protocol import Storage

logger = logging.getLogger("langgraph_client.server")

_RUNS_PER_STATEMENT = 20
"""The events of how many runs one statement deletes, so that others do not wait for long."""


class EventExpiry:
    """Deletes the events of a resumable run some time after its end.

    Events are kept for readers whose connection was lost. They are not kept longer, because a large
    state in each event takes more space than its checkpoints.

    Args:
        clock: Gives times.
        storage: The storage.
        seconds: For how many seconds events are kept. They may be kept up to twice as long.
    """

    def __init__(self, clock: Clock, storage: Storage, seconds: float) -> None:
        self._clock = clock
        self._storage = storage
        self._seconds = seconds
        self._run_ended = asyncio.Event()
        self._ended_at = 0.0
        self._note_end()  # So that events of an earlier process are deleted too.

    def run_ended(self, ended: Ended) -> None:
        """Note that a run has ended, so that its events are deleted later."""
        if ended.run["kwargs"].get("resumable") or is_protocol(ended.run):
            self._note_end()

    def _note_end(self) -> None:
        """Have the events deleted some time after now."""
        # From the end on, and not from the loop's turn: a test's clock may move in between. Always
        # from the last end, because the deletion is for all of them.
        self._ended_at = self._clock.time()
        self._run_ended.set()

    async def run(self) -> None:
        """Delete expired events, until cancelled."""
        while True:
            await self._run_ended.wait()
            self._run_ended.clear()
            await self._clock.sleep_until(self._ended_at + self._seconds)
            try:
                await self.sweep()
            except Unavailable as error:
                logger.error("old events cannot be deleted yet: %s", error)
                self._note_end()
            except Exception:  # Nothing would start the loop again.
                logger.exception("old events cannot be deleted yet")
                self._note_end()

    async def sweep(self) -> None:
        """Delete the events of runs that ended long enough ago."""
        before = int((self._clock.time() - self._seconds) * 1000)
        deleted = _RUNS_PER_STATEMENT
        while deleted == _RUNS_PER_STATEMENT:
            deleted = await self._storage.events.delete_ended(
                RUN_DONE, before + 1, _RUNS_PER_STATEMENT
            )
        deleted = _RUNS_PER_STATEMENT
        while deleted == _RUNS_PER_STATEMENT:
            deleted = await self._storage.protocol_events.delete_ended(
                before + 1, _RUNS_PER_STATEMENT
            )
