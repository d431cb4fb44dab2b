"""One attempt to execute a run: call the graph, publish its events, return the outcome."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any

from langgraph_client.server.encoding import encode, error_document, node_of
from langgraph_client.server.errors import (
    LockTimeout,
    Unavailable,
    is_outage,
    raised_by_checkpointer,
)
from langgraph_client.server.graphs.protocol_events import RAW
from langgraph_client.server.reserved_keys import NODE_FINISHED
from langgraph_client.server.runs.protocol_run import ProtocolRun
from langgraph_client.server.runs.recovery import with_mark
from langgraph_client.server.runs.run_services import RunServices
from langgraph_client.server.runs.run_states import Job, Outcome, status_after
from langgraph_client.server.runs.tracebacks import traceback_text
from langgraph_client.server.storage.protocol import Document, Transaction
from langgraph_client.server.storage.shared import Fenced, Shared
from langgraph_client.server.typed_values import TYPED_VALUES, enclosed, failure_details
from langgraph_client.server.user_code import is_stopping, raised_by_user

logger = logging.getLogger("langgraph_client.server")

_PAUSE = 0.5
"""Seconds between attempts to store the start of a run."""


class RunExecutor:
    """Executes runs.

    Args:
        services: The objects that it shares with the engine's other parts.
        seconds: How long a run may take before it ends as `timeout`; None for no limit.
        show_errors: Whether to show the text of every exception; see `error_document`.
        show_tracebacks: Whether to keep the traceback of a failed run in its thread's `error`.
    """

    def __init__(
        self,
        services: RunServices,
        *,
        seconds: float | None,
        show_errors: bool,
        show_tracebacks: bool,
    ) -> None:
        self._storage = services.storage
        self._clock = services.clock
        self._graph_runner = services.graph_runner
        self._locks = services.locks
        self._thread_logs = services.thread_logs
        self._protocol_runs = services.protocol_runs
        self._hooks = services.hooks
        self._metrics = services.metrics
        self._seconds = seconds
        self._show_errors = show_errors
        self._show_tracebacks = show_tracebacks

    async def execute(self, job: Job) -> Outcome:
        """Execute a pending run.

        Any exception of the graph, including `SystemExit`, becomes an outcome and is not raised.

        Raises:
            asyncio.CancelledError: The run was stopped.
            Fenced: Another process has taken over the thread.
            Unavailable: Several processes share the database, and it failed.
        """
        began = await self._begin(job)
        # The server's clock ends the run, because a test may move it. `asyncio.timeout` by itself
        # would count real time.
        limit = asyncio.timeout(None)
        watch = None
        if self._seconds is not None:
            watch = self._clock.call_at(began + self._seconds, _end, limit)
        try:
            async with limit:
                await self._hooks.before_run(job.run)
                await self._run_graph(job)
        except BaseException as raised:
            if is_stopping(raised) or isinstance(raised, Fenced):
                raise
            if is_outage(raised) and self._storage.shared is not None:
                raise  # Not an error of the graph: the run goes on from its last checkpoint.
            # A `TimeoutError` may also be the graph's own, such as that of a request in a node.
            late = isinstance(raised, TimeoutError) and limit.expired()
            return self.failure(job, raised, "time out" if late else "fail")
        finally:
            if watch is not None:
                watch.cancel()
        return Outcome("succeed")

    def begun(self, run: Document) -> Document:
        """Return the document of a run that starts its next attempt now."""
        kwargs = run["kwargs"]
        config = kwargs["config"]
        attempt = int(config.get("metadata", {}).get("run_attempt", 0)) + 1
        metadata = {
            **config.get("metadata", {}),
            "run_attempt": attempt,
            **self._graph_runner.versions,
        }
        configurable = {**config.get("configurable", {}), NODE_FINISHED: None}
        config = {**config, "configurable": configurable, "metadata": metadata}
        return {
            **run,
            "status": status_after(run["status"], "start"),
            "updated_at": self._clock.stamp(),
            "kwargs": {**kwargs, "config": config},
        }

    async def _begin(self, job: Job) -> float:
        """Store that the run is running, before the graph does anything.

        Returns:
            When it began, in seconds since the epoch: not later than others could know of it.
        """
        began = self._clock.time()
        self._metrics.start_delays.add(max(began - job.due, 0.0))
        if not job.begun:
            await self._until_stored(job, self._store_start)
            # The time of the attempt that succeeded: the run did not run while the storage failed.
            began = datetime.fromisoformat(job.run["updated_at"]).timestamp()
        # `started_at` before the v3 log is opened: a reader that opens it at the same time adds the
        # runs that have one, and the others add themselves.
        job.begun, job.started_at = False, job.run["updated_at"]
        attempt = job.attempt
        logger.info(
            "run %s started (thread %s, graph %s, attempt %d)",
            job.run_id,
            job.thread_id,
            job.graph_id,
            attempt,
        )
        await self._until_stored(job, self._protocol_runs.begin)
        self.publish(job, "metadata", {"run_id": job.run_id, "attempt": attempt})
        return began

    async def _store_start(self, job: Job) -> None:
        """Store that a run that had to wait, or that is taken up again, is running."""
        run = self.begun(job.run)
        if job.temporary or job.mark is not None:
            if not job.deleted:
                async with self._storage.transaction() as transaction:
                    await self._put(transaction, run)
        else:
            await self._store_first_start(job, run)
        job.run = run

    async def _store_first_start(self, job: Job, run: Document) -> None:
        # Only this start needs the lock: it writes the run control, which a request to stop the
        # run writes too.
        async with self._locks.hold(job.thread_id, lazily=True) as held:
            within = self._storage.within(held)
            job.mark = await within.states.mark(job.thread_id)
            control = await within.run_controls.get(job.run_id)
            if not job.deleted:
                async with self._storage.transaction(held) as transaction:
                    await self._put(transaction, run)
                    await transaction.run_controls.put(with_mark(run, control, job.mark))

    async def _until_stored(self, job: Job, store: Callable[[Job], Awaitable[None]]) -> None:
        """Repeat a function that writes a part of a run's start until it succeeds.

        A request may be told to try again, but nobody would repeat a run that is lost here.

        Raises:
            Unavailable: The database fails, and several processes share it: one of them claims the
                run later.
        """
        is_logged = False
        while True:
            try:
                await store(job)
                return
            except Unavailable as error:
                if self._storage.shared is not None and not isinstance(error, LockTimeout):
                    raise
                if not is_logged:
                    logger.warning(
                        "the start of run %s cannot be stored yet (trying again): %s",
                        job.run_id,
                        error,
                    )
                is_logged = True
                await asyncio.sleep(_PAUSE)

    async def _put(self, transaction: Transaction, run: Document) -> None:
        """Write a run of this process."""
        if self._storage.shared is not None:
            self._storage.shared.check(transaction, run["thread_id"])
        await transaction.runs.put(run)

    async def put_back(self, job: Job) -> None:
        """Leave a run to the next start of the server, or to another process."""
        if job.run["status"] != "running" or job.lost:
            return
        run = {**job.run, "status": status_after("running", "requeue")}
        async with self._storage.transaction() as transaction:
            await self._put(transaction, run)

    async def _run_graph(self, job: Job) -> None:
        note, log, thread_logs = job.collected.note, job.log, self._thread_logs
        shared: Shared | None = self._storage.shared
        events = self._graph_runner.events(job)
        try:
            async for name, data in events:
                if shared is not None and shared.is_over:
                    # The process was paused for longer than its lease. Another process may execute
                    # the run by now, so this one must not continue it.
                    raise Fenced("the lease is over")
                if job.protocol is not None:
                    await self._take_protocol_item(job, job.protocol, name, data)
                    continue
                note(name, data)
                # Without readers, to encode the event would be work for nothing.
                if log.watched or job.thread_id in thread_logs:
                    self.publish(job, name, data)
                    await self._wait_for_readers(job)
        finally:
            # Not left to the garbage collector: the graph must have stopped before the settlement.
            await events.aclose()

    async def _take_protocol_item(self, job: Job, run: ProtocolRun, name: str, data: Any) -> None:
        """Handle an output of a run that is in the v3 log of its thread."""
        run.take(name, data)
        is_watched = job.log.watched or job.thread_id in self._thread_logs
        items: Iterable[tuple[str, object]] = [(name, data)]
        if name == RAW:
            items = run.classic.take(data, is_watched=is_watched)
        for old_name, old_data in items:
            job.collected.note(old_name, old_data)
            if is_watched:
                self.publish(job, old_name, old_data)
        if run.log.log.full:
            await run.log.log.room()
        await self._wait_for_readers(job)

    async def _wait_for_readers(self, job: Job) -> None:
        """Wait until no reader of the run, or of its thread, is too far behind."""
        for log in (job.log, self._thread_logs.get(job.thread_id)):
            if log is not None and log.full:
                await log.room()

    def publish(self, job: Job, name: str, data: object, *, keep: bool = True) -> None:
        """Give an event to the readers of the run and of its thread.

        Args:
            job: The run.
            name: The event's name.
            data: The event's data.
            keep: Whether to store it for later readers, if the run's events are stored.
        """
        payload = data
        if TYPED_VALUES in job.run["kwargs"]:
            payload = enclosed(data, has_message_documents=job.has_message_documents)
        event = job.log.append(name, encode(payload), keep=keep)
        self._thread_logs.append(job.thread_id, name, event.data, event.id)

    def failure(self, job: Job, raised: BaseException, event: str = "fail") -> Outcome:
        """Return the outcome of a run that an exception ended, and log the exception.

        It raises nothing: without an outcome the run would never end.
        """
        try:
            return self._failure(job, raised, event)
        except Exception:  # Of methods of the exception's class, or of a hook.
            logger.exception("the failure of run %s cannot be described", job.run_id)
            return Outcome(event, {"error": type(raised).__name__, "message": ""})

    def _failure(self, job: Job, raised: BaseException, event: str) -> Outcome:
        raised = raised_by_user(raised_by_checkpointer(raised))
        error = error_document(raised, self._show_errors)
        details: Document = {}
        if TYPED_VALUES in job.run["kwargs"]:
            if node := node_of(raised):
                error["node"] = node
            details = _encodable(
                failure_details(raised, error["message"], show=self._show_errors), job
            )
        logger.debug("run %s failed with this exception", job.run_id, exc_info=raised)
        self._hooks.failed(job.run, raised)
        text = error_document(raised, show=True)
        return Outcome(
            event,
            error,
            log_text=f"{text['error']}: {text['message']}",
            traceback=traceback_text(raised) if self._show_tracebacks else "",
            details=details,
        )


def _encodable(details: Document, job: Job) -> Document:
    """Return the details of a failure; none if they cannot be encoded."""
    try:
        encode(enclosed(details))
    except Exception as error:  # Such as the update of a command; values may raise anything.
        logger.warning("details of the failure of run %s are left out: %s", job.run_id, error)
        return {}
    return details


def _end(limit: asyncio.Timeout) -> None:
    limit.reschedule(asyncio.get_running_loop().time())
