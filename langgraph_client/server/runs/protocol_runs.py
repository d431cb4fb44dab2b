"""Write runs to the v3 event logs of their threads, from their start to their end.

A run that was started by the event protocol is always in the log. Any other run is in it if the log
is read during the run, or, if the run's own events are stored, when the log is read later.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias

from langgraph_client.server.clock import Clock
from langgraph_client.server.encoding import decode
from langgraph_client.server.errors import Unavailable
from langgraph_client.server.graphs.protocol_events import ENDS, PROTOCOL
from langgraph_client.server.runs.event_log import EventLog
from langgraph_client.server.runs.locks import KeyedLocks
from langgraph_client.server.runs.protocol_log import ProtocolLog
from langgraph_client.server.runs.protocol_run import ProtocolRun
from langgraph_client.server.runs.run_states import Job
from langgraph_client.server.runs.stored_events import RunEvents
from langgraph_client.server.storage.protocol import UNFINISHED, Document, KeptEvent, Storage
from langgraph_client.server.storage.shared import Fenced

logger = logging.getLogger("langgraph_client.server")

_PAGE = 1000
Guard: TypeAlias = Callable[[str], AbstractAsyncContextManager[tuple[bool, bool]]]


@asynccontextmanager
async def alone(thread_id: str) -> AsyncIterator[tuple[bool, bool]]:
    """Give the rights of a single process: it writes every log, and follows no other process."""
    yield True, False


class ProtocolRuns:
    """The v3 event logs of threads, and the runs that are written to them.

    Args:
        storage: Stores the events.
        clock: Gives times and ids.
        unwritten: A set to which logs add themselves while they have events that must be stored.
        jobs_of: Returns the runs of a thread that are not over.
        guard: Is held while the log of a thread is prepared. It gives whether this process may
            write to the log, and whether another one will write it.
    """

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        unwritten: set[EventLog],
        jobs_of: Callable[[str], list[Job]],
        guard: Guard,
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._unwritten = unwritten
        self._jobs_of = jobs_of
        self._logs: dict[str, ProtocolLog] = {}
        self._opening = KeyedLocks()
        self._guard = guard

    async def open(self, thread_id: str) -> ProtocolLog:
        """Return the log of a thread. Give it back with `release`."""
        if thread_id in self._logs:
            async with self._opening.hold(thread_id):
                if (log := self._logs.get(thread_id)) is not None:
                    log.users += 1
                    return log
        # The guard first: it may take the thread's lock, and a process that takes over a thread
        # calls this while it holds that lock. In the other order, there would be a deadlock.
        opened: list[ProtocolLog] = []
        try:
            async with self._guard(thread_id) as (writes, follows), self._opening.hold(thread_id):
                log = self._logs.get(thread_id)
                if log is None:
                    log = await self._opened(thread_id, writes=writes, follows=follows)
                log.users += 1
                opened.append(log)
        except BaseException:  # The end of the guard may fail, or be cancelled.
            for log in opened:
                self.release(log)
            raise
        return log

    async def _opened(self, thread_id: str, *, writes: bool, follows: bool) -> ProtocolLog:
        """Create the log of a thread. If this process writes it, add runs that it lacks."""
        # The numbers of the thread's events must go on after a restart.
        last = await self._storage.protocol_events.last(thread_id)
        seq = 0 if last is None else last.seq
        log = ProtocolLog(self._clock, self._storage, thread_id, seq, self._unwritten)
        try:
            if writes:
                await self._prepare(log, last)
            else:
                self._logs[thread_id] = log
        except BaseException:
            # A run that `_prepare` has attached goes on writing to this log. So the next reader
            # must find it, and not begin another one.
            if log.users == 0:
                self._forget(log)
            raise
        # Only now: `_prepare` appends events, and the log of another process takes none.
        log.log.is_remote = follows
        return log

    def release(self, log: ProtocolLog) -> None:
        """Release a log. It is removed when it has no users."""
        log.users -= 1
        if log.users == 0:
            self._forget(log)

    def _forget(self, log: ProtocolLog) -> None:
        """Remove a log, with the events that could not be stored.

        The next log of the thread repairs what is missing, and gives the same numbers again.
        """
        if self._logs.get(log.thread_id) is log:
            del self._logs[log.thread_id]
        log.disown()

    def reads(self, thread_id: str) -> bool:
        """Return whether the log of a thread is open."""
        return thread_id in self._logs

    def set_remote(self, thread_id: str, *, is_remote: bool) -> None:
        """Set whether another process writes the log of a thread from now on (`is_remote`)."""
        if (log := self._logs.get(thread_id)) is not None:
            if is_remote:
                log.disown()
            log.log.is_remote = is_remote

    async def read_new(self, thread_id: str, *, waits: bool) -> EventLog | None:
        """Read new events that another process has stored in the log of a thread.

        Args:
            thread_id: The thread.
            waits: Whether to leave events in the database while the log is full.

        Returns:
            The log if it is full, and may lack events; else None.
        """
        log = self._logs.get(thread_id)
        if log is None or not log.log.is_remote or await log.read_new(waits=waits):
            return None
        return log.log

    async def close(self) -> None:
        """End every log."""
        for log in list(self._logs.values()):
            await log.log.close()

    # Runs.

    async def begin(self, job: Job) -> None:
        """Start writing a run to the log, if it belongs there."""
        if job.protocol is None and (is_protocol(job.run) or job.thread_id in self._logs):
            log = await self.open(job.thread_id)
            try:
                # An earlier process may have begun the run: its start must not be in the log twice.
                before = await self._storage.protocol_events.lifecycle(job.run_id)
            except BaseException:
                self.release(log)
                raise
            if job.protocol is None:
                job.protocol = ProtocolRun(log, job.run, before)
            else:  # A reader opened the log meanwhile, and so has added the run.
                self.release(log)

    async def ending(self, job: Job) -> None:
        """Add the start of a run that never started, or not in this process, before its end."""
        if job.protocol is None and is_protocol(job.run):
            await self.begin(job)

    async def end(
        self, job: Job, status: str, error: str | None, waits: bool, *, is_gone: bool
    ) -> None:
        """Add a run's end, and release its log.

        Args:
            job: The run.
            status: Its status.
            error: The exception's message; None without an error.
            waits: Whether the thread waits at an interrupt.
            is_gone: Whether the run is deleted.
        """
        run, job.protocol = job.protocol, None
        if run is None:
            return
        try:
            run.end(status, error, waits)
            await run.log.log.flush()
            if is_gone:
                # Until now, one event may have stayed as the thread's last.
                await self._storage.protocol_events.delete_run(job.run_id, keep_lifecycle=True)
        except (Unavailable, Fenced) as failed:
            # The run's document has its status, so `_repair` adds the end for the next reader. The
            # run is over also if its lease was lost after its end was written.
            logger.error(
                "the end of run %s cannot be stored in its thread's events yet: %s",
                job.run_id,
                failed,
            )
        finally:
            self.release(run.log)

    # Runs that are not in the log yet when it is opened.

    async def _prepare(self, log: ProtocolLog, last: KeptEvent | None) -> None:
        jobs = self._jobs_of(log.thread_id)
        live = {job.run_id for job in jobs}
        if last is not None and last.run_id not in live and not _is_end(last):
            await self._repair(log, last.run_id)
        await self._catch_up(log, live)
        # Before the search for running ones: runs that start from now on find the log themselves.
        self._logs[log.thread_id] = log
        for job in jobs:
            if job.started_at is not None and job.protocol is None and not job.ended:
                await self._attach(log, job)
        if log.log.watched:
            await log.log.flush()

    async def _repair(self, log: ProtocolLog, run_id: str) -> None:
        """Add the end of a run that is missing because its process was killed at that moment."""
        run = await self._storage.runs.get(run_id)
        if run is None or run["status"] in UNFINISHED:  # Another process ends it.
            return
        before = await self._storage.protocol_events.lifecycle(run_id)
        thread = await self._storage.threads.get(log.thread_id) or {}
        error = (thread.get("error") or {}).get("message")
        ProtocolRun(log, run, before).end(run["status"], error, bool(thread.get("interrupts")))

    async def _catch_up(self, log: ProtocolLog, live: set[str]) -> None:
        """Add older runs that are over and whose own events are stored."""
        for run_id in await self._storage.protocol_events.missing_runs(log.thread_id):
            run = None if run_id in live else await self._storage.runs.get(run_id)
            if run is None or is_protocol(run):
                continue
            # Of others, only the events are stored that came after a reader on another server.
            if not run["kwargs"]["resumable"]:
                continue
            brought: ProtocolRun | None = None
            keeper, after = RunEvents(self._storage, run), (0, -1)
            while page := await keeper.after(after, _PAGE):
                brought = brought or ProtocolRun(log, run)
                for event in page:
                    brought.take(event.name, decode(event.data))
                after = page[-1].id
                await log.log.flush()
            if brought is not None:
                waits = run["status"] == "success" and brought.events.asked
                brought.end(run["status"], None, waits)

    async def _attach(self, log: ProtocolLog, job: Job) -> None:
        """Add a running run, with its events so far if they are stored.

        The run goes on meanwhile. So its events are read until the last one that its log has, and
        the run is attached without an `await` after that.
        """
        before = await self._storage.protocol_events.lifecycle(job.run_id)
        run = ProtocolRun(log, job.run, before)
        after = (0, -1)
        while job.log.keeper is not None and not before:
            await job.log.flush()
            page = await job.log.keeper.after(after, _PAGE)
            for event in page:
                run.take(event.name, decode(event.data))
            after = page[-1].id if page else after
            if after >= job.log.last or not page:
                break
        if not job.ended and job.protocol is None:
            log.users += 1
            job.protocol = run


def is_protocol(run: Document) -> bool:
    """Return whether a run was started by the event protocol."""
    return bool(run["kwargs"].get(PROTOCOL))


def _is_end(event: KeptEvent) -> bool:
    return event.name in {f"lifecycle:{end}" for end in ENDS}
