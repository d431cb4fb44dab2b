"""Decide which runs start: one at a time on each thread, up to a limit over all threads.

The queue is in memory, and decides without an `await`, so no lock is needed for it. Runs enter and
leave it under the lock of their thread.

A run may wait for a run that it has started. So the limit applies to each depth separately: with a
single limit, all allowed runs could wait for ever for runs that are not allowed to start. Runs
before such a run on its thread get its depth, because they are waited for too.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from langgraph_client.server.clock import Clock
from langgraph_client.server.hooks import RunHooks
from langgraph_client.server.runs.run_states import Job, ThreadQueue
from langgraph_client.server.storage.protocol import Document


@dataclass(frozen=True)
class QueueNumbers:
    """How many runs wait, and how many more could run."""

    pending: int
    running: int
    #: How many runs may run at the same time.
    limit: int
    #: How many more runs could start.
    available: int
    #: For how many seconds runs have been due that have not started; None if there are none.
    longest_wait: float | None
    median_wait: float | None


class RunQueue:
    """The runs that are not over.

    Args:
        clock: Gives times.
        hooks: May hold back a run.
        limit: How many runs may run at the same time, for each depth.
        start: Starts a run, and sets `job.task`. At its end, call `free` and then `leave`.
    """

    def __init__(
        self, clock: Clock, hooks: RunHooks, limit: int, start: Callable[[Job], None]
    ) -> None:
        self.jobs: dict[str, Job] = {}
        self.closing = False
        self._clock = clock
        self._hooks = hooks
        self._limit = limit
        self._start = start
        self._threads: dict[str, ThreadQueue] = {}
        self._running: Counter[int] = Counter()
        self._suspect: Job | None = None
        #: By depth, the threads that wait for a free slot: a set in the order of their arrival.
        self._waiting: defaultdict[int, OrderedDict[str, None]] = defaultdict(OrderedDict)

    def room(self, depth: int = 0) -> int:
        """Return how many more runs of a depth may start."""
        return self._limit - self._running[depth]

    def is_next(self, run: Document, depth: int) -> bool:
        """Return whether a run that enters now would start at once."""
        return not (
            self.closing
            # A hook may hold the run back, so it must not be stored as running yet.
            or self._hooks.watches_starts
            or self.room(depth) <= 0
            or self.of(run["thread_id"])
            or datetime.fromisoformat(run["created_at"]).timestamp() > self._clock.time()
        )

    def of(self, thread_id: str) -> list[Job]:
        """Return the runs of a thread that are not over, the oldest first."""
        queue = self._threads.get(thread_id)
        return list(queue.jobs) if queue else []

    def fields_at_rest(self, thread_id: str) -> Document:
        """Return the fields that the thread's document would have without its waiting runs."""
        return self._threads[thread_id].fields_at_rest

    def enter(self, job: Job, rest: Document) -> None:
        """Add a run. It starts when `advance` is called.

        Args:
            job: The run.
            rest: The fields of its thread at rest; ignored if the thread has other runs.
        """
        queue = self._threads.setdefault(job.thread_id, ThreadQueue(rest))
        if not queue.jobs:  # Its last run has left, but `advance` has not removed it yet.
            queue.fields_at_rest = rest
        queue.jobs.append(job)
        # A run with `after_seconds` must not block a later one that is due before it.
        # Runs that are due at the same time stay in the order of their arrival: the sort is stable.
        queue.jobs.sort(key=lambda other: other.due)
        # The runs before this one are waited for, too, so they need at least its depth.
        for other in queue.jobs:
            if other.task is None:
                other.depth = max(other.depth, job.depth)
        self.jobs[job.run_id] = job

    def leave(self, job: Job, rest: Document) -> None:
        """Remove a run that is over. The next one starts when `advance` is called.

        Args:
            job: The run.
            rest: The new fields of its thread at rest.
        """
        queue = self._threads[job.thread_id]
        queue.fields_at_rest = rest
        queue.jobs.remove(job)
        self.jobs.pop(job.run_id, None)
        if queue.current is job:
            queue.current = None

    def advance(self, thread_id: str) -> None:
        """Start the next run of a thread, if it is due and the limit allows it."""
        queue = self._threads.get(thread_id)
        if queue is None or queue.current is not None or self.closing:
            return
        if queue.timer is not None:
            queue.timer.cancel()
            queue.timer = None
        if not queue.jobs:
            del self._threads[thread_id]
            return
        # Skip a run that was stopped before it started: it is about to leave.
        job = next((job for job in queue.jobs if not job.ended), None)
        if job is None:
            return
        if job.due > self._clock.time():
            queue.timer = self._clock.call_at(job.due, self.advance, thread_id)
        elif not job.begun and not self._hooks.may_start(job.run, lambda: self.advance(thread_id)):
            return
        elif self._running[job.depth] >= self._limit or (job.suspect and self._suspect is not None):
            # One that waits already keeps its place.
            self._waiting[job.depth][thread_id] = None
        else:
            queue.current = job
            self._running[job.depth] += 1
            self._suspect = job if job.suspect else self._suspect
            self._start(job)

    def free(self, job: Job) -> None:
        """Free the slot of a run that has stopped, and start a waiting run of another thread."""
        # The depth under which it was counted: `enter` changes it only before the start.
        self._running[job.depth] -= 1
        depths = {job.depth}
        if self._suspect is job:
            self._suspect = None
            # One suspect runs at a time over all depths, so each depth may have one that waits.
            depths |= self._waiting.keys()
        for depth in depths:
            waiting = self._waiting[depth]
            for _ in range(len(waiting)):  # Each thread once: suspects may have to wait longer.
                if self._running[depth] >= self._limit:
                    break
                thread_id, _ = waiting.popitem(last=False)
                self.advance(thread_id)

    def numbers(self) -> QueueNumbers:
        """Return the number and times of waiting runs, and the number of free slots."""
        now = self._clock.time()
        waits = sorted(now - j.due for j in self.jobs.values() if j.task is None and j.due <= now)
        return QueueNumbers(
            pending=sum(job.task is None for job in self.jobs.values()),
            running=self._running.total(),
            limit=self._limit,
            available=max(self.room(), 0),
            longest_wait=waits[-1] if waits else None,
            median_wait=waits[len(waits) // 2] if waits else None,
        )

    def close(self) -> None:
        """Start no more runs."""
        self.closing = True
        for queue in self._threads.values():
            if queue.timer is not None:
                queue.timer.cancel()
