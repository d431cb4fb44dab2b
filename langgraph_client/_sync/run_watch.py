# Generated from langgraph_client/_async/run_watch.py by .ci/unasync.py; do not edit.
"""Find out whether a run of a thread goes on, where its events do not tell."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from time import monotonic

from langgraph_client._core.call import Call, ReplyReader, call, path
from langgraph_client._core.current_run import OVER, CurrentRun
from langgraph_client._core.run_log import Run
from langgraph_client._sync.thread_feed import SyncFeed, Wait
from langgraph_client._sync.transport import Transport
from langgraph_client.errors import NotFoundError
from langgraph_client.models.runs import Run as RunRecord

logger = logging.getLogger("langgraph_client")

SETTLE_SECONDS = 2.0  # How late the last events of a run may arrive after its end.
# Likewise of a run whose events must come, because this client started it and nobody stopped it:
# so long may a slow network be silent, or a server that has much to do.
_LATE_SECONDS = 30.0
_CHECK_SECONDS = 10.0  # After this silence, the run's status is requested: it may be over.
_FIRST_CHECK_SECONDS = 1.0  # Likewise before a run has begun; doubled each time.
_DELETED = "deleted"


class SyncRunWatch:
    """Waits for runs of one thread, and requests their status after a long silence.

    Args:
        transport: Sends the requests.
        thread_id: The thread.
        headers: Headers of all requests.

    Attributes:
        started: The ids of the runs that were started here.
    """

    def __init__(self, transport: Transport, thread_id: str, headers: Mapping[str, str]) -> None:
        self._transport = transport
        self._thread_id = thread_id
        self._headers = headers
        self.started: set[str] = set()

    def is_gone(self, current: CurrentRun) -> bool:
        """Return whether a run does not exist any more, so that no events of it can come."""
        return self._status(current, float("inf")) == _DELETED

    def last_run(self) -> CurrentRun:
        """Return the thread's last run, or the first one to come if it has none."""
        request = call(
            "GET",
            path("/threads/{thread_id}/runs", thread_id=self._thread_id),
            ReplyReader(list[RunRecord]),
            query={"limit": 1},
            headers=self._headers,
        )
        try:
            runs = self._transport.send(request)
        except NotFoundError:
            runs = []
        if not runs:
            return CurrentRun(None, 0)
        return CurrentRun(runs[0].run_id, 0, succeeded=runs[0].get("status") == "success")

    def waiting(self, feed: SyncFeed, run: Run) -> Wait:
        """Return a function that waits for a condition, at most until the run has ended."""
        current = CurrentRun(run.run_id, feed.log.runs.index(run))

        def wait(is_ready: Callable[[], bool]) -> None:
            self.wait(feed, current, is_ready, None)

        return wait

    def wait(
        self,
        feed: SyncFeed,
        current: CurrentRun,
        is_ready: Callable[[], bool],
        seconds: float | None,
    ) -> bool:
        """Wait for a condition; after a long silence, request the run's status.

        langgraph-api 0.16.7 sends no last event for a run that was rolled back or never began.

        Args:
            feed: The feed whose changes are waited for.
            current: The run.
            is_ready: The condition.
            seconds: How long to wait, with those requests; None for no limit.

        Returns:
            Whether the condition is true.
        """
        left = float("inf") if seconds is None else seconds
        end = monotonic() + left
        silence = _FIRST_CHECK_SECONDS if current.find(feed.log) is None else _CHECK_SECONDS
        while left > 0:
            pause, silence = min(left, silence), min(silence * 2, _CHECK_SECONDS)
            if feed.changed.wait(is_ready, pause):
                return True
            # By the clock, because requests take time too; a test may have stopped the clock.
            left = min(left - pause, end - monotonic())
            status = self._status(current, left) if left > 0 else None
            # The status may come from another server process than the events, which may be slow.
            # So the events are read again before the run counts as ended.
            if status is None:
                left = min(left, end - monotonic())
                continue
            must_come = current.run_id in self.started and status in OVER
            settle = min(_LATE_SECONDS, max(left, SETTLE_SECONDS)) if must_come else SETTLE_SECONDS
            if self._has_ended(feed, is_ready, settle):
                current.end(feed.log, status)
                feed.changed.notify()
        return is_ready()

    def _has_ended(self, feed: SyncFeed, is_ready: Callable[[], bool], settle: float) -> bool:
        """Read the stored events over a new connection; return whether no more events came.

        Args:
            feed: The feed.
            is_ready: Tells whether there are more.
            settle: For how many seconds they may be on their way.
        """
        before = feed.connections
        feed.reconnect()
        is_open = feed.changed.wait(lambda: is_ready() or feed.connections > before, _CHECK_SECONDS)
        return is_open and not feed.changed.wait(is_ready, settle)

    def _status(self, current: CurrentRun, seconds: float) -> str | None:
        """Return the status of a run that has ended; None if it goes on or is not known.

        Args:
            current: The run.
            seconds: How long the request may take.
        """
        if current.run_id is None:
            return None
        whole = self._transport.time_limits.whole
        hurried = self._transport.with_waits(
            None, seconds if whole is None else min(seconds, whole)
        )
        where = path(
            "/threads/{thread_id}/runs/{run_id}", thread_id=self._thread_id, run_id=current.run_id
        )
        try:
            run = hurried.send(
                Call("GET", where, ReplyReader(RunRecord), headers=self._headers, safe=True)
            )
        except NotFoundError:
            return _DELETED
        except Exception as error:
            # If the server stays unreachable, the feed ends with an error. Of any other kind, too:
            # a mock or a cassette need not know a question that a slow machine makes us ask.
            logger.debug("the status of run %s is not known: %s", current.run_id, error)
            return None
        return None if run.status in ("pending", "running") else str(run.status)
