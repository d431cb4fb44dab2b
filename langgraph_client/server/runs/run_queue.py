"""Whose turn it is: one run at a time on each thread, up to a limit over all threads.

All of it is in memory and decided without an `await`. Runs enter and leave under the lock of their
thread.

A run may wait for one that it starts. So the limit holds for each depth by itself: were it one for
all, as many runs as it allows could wait for ever for runs that have no room. What is before such a
run on its thread is as deep as it is, as it is waited for, too.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable
from datetime import datetime

from langgraph_client.server.clock import Clock
from langgraph_client.server.hooks import RunHooks
from langgraph_client.server.runs.run_states import Job, ThreadQueue
from langgraph_client.server.storage.protocol import Document


class RunQueue:
    """The runs that are not over.

    Args:
        clock: Time.
        hooks: May keep a run from starting.
        limit: How many runs may run at the same time, each on a thread of its own; as many again
            that these have started, and so on.
        start: Starts a run: sets `job.task`. Whoever ends it calls `free`, then `leave`.
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
        self._waiting: defaultdict[int, deque[str]] = defaultdict(deque)

    def room(self, depth: int = 0) -> int:
        """Return how many more runs may start that are so deep."""
        return self._limit - self._running[depth]

    def is_next(self, run: Document, depth: int) -> bool:
        """Return whether a run that enters now would start at once, if nothing came in between."""
        return not (
            self.closing
            or self._hooks.watches_starts
            or self.room(depth) <= 0
            or self.of(run["thread_id"])
            or datetime.fromisoformat(run["created_at"]).timestamp() > self._clock.time()
        )

    def of(self, thread_id: str) -> list[Job]:
        """Return the runs of a thread that are not over, the oldest first."""
        queue = self._threads.get(thread_id)
        return list(queue.jobs) if queue else []

    def rest(self, thread_id: str) -> Document:
        """Return what the thread says once its runs are over, as far as they are."""
        return self._threads[thread_id].rest

    def enter(self, job: Job, rest: Document) -> None:
        """Take a run in. It starts when `advance` is called.

        Args:
            job: The run.
            rest: What its thread says at rest; ignored if other runs are before it.
        """
        queue = self._threads.setdefault(job.thread_id, ThreadQueue(rest))
        queue.jobs.append(job)
        queue.jobs.sort(key=lambda other: other.due)
        for other in queue.jobs:
            if other.task is None:
                other.depth = max(other.depth, job.depth)
        self.jobs[job.run_id] = job

    def leave(self, job: Job, rest: Document) -> None:
        """Take out a run that is over. The next one starts when `advance` is called.

        Args:
            job: The run.
            rest: What its thread says at rest now.
        """
        queue = self._threads[job.thread_id]
        queue.rest = rest
        queue.jobs.remove(job)
        self.jobs.pop(job.run_id, None)
        if queue.current is job:
            queue.current = None

    def advance(self, thread_id: str) -> None:
        """Start the next run of a thread, if it is time and there is room."""
        queue = self._threads.get(thread_id)
        if queue is None or queue.current is not None or self.closing:
            return
        if queue.timer is not None:
            queue.timer.cancel()
            queue.timer = None
        if not queue.jobs:
            del self._threads[thread_id]
            return
        # A run that was stopped before it started is about to leave.
        job = next((job for job in queue.jobs if not job.ended), None)
        if job is None:
            return
        wait = job.due - self._clock.time()
        if wait > 0:
            queue.timer = self._clock.call_later(wait, self.advance, thread_id)
        elif not job.begun and not self._hooks.may_start(job.run, lambda: self.advance(thread_id)):
            return
        elif self._running[job.depth] >= self._limit or (job.suspect and self._suspect is not None):
            if thread_id not in self._waiting[job.depth]:
                self._waiting[job.depth].append(thread_id)
        else:
            queue.current = job
            self._running[job.depth] += 1
            self._suspect = job if job.suspect else self._suspect
            self._start(job)

    def free(self, job: Job) -> None:
        """Give back the place of a run that runs no more, and let another thread's run have it."""
        self._running[job.depth] -= 1
        depths = {job.depth}
        if self._suspect is job:
            self._suspect = None
            depths |= self._waiting.keys()
        for depth in depths:
            waiting = self._waiting[depth]
            for _ in range(len(waiting)):  # Each once: suspects may have to wait on.
                if self._running[depth] < self._limit:
                    self.advance(waiting.popleft())

    def numbers(self) -> tuple[dict[str, float | None], dict[str, int]]:
        """Return how many runs wait and for how long, and how many more could run."""
        now = self._clock.time()
        waits = sorted(now - j.due for j in self.jobs.values() if j.task is None and j.due <= now)
        longest, middle = (waits[-1], waits[len(waits) // 2]) if waits else (None, None)
        queue = {
            "n_pending": sum(job.task is None for job in self.jobs.values()),
            "n_running": self._running.total(),
            "pending_runs_wait_time_max_secs": longest,
            "pending_runs_wait_time_med_secs": middle,
            "pending_unblocked_runs_wait_time_max_secs": longest,
        }
        free = max(self._limit - self._running[0], 0)
        return queue, {"max": self._limit, "active": self._running.total(), "available": free}

    def close(self) -> None:
        """Start no more runs."""
        self.closing = True
        for queue in self._threads.values():
            if queue.timer is not None:
                queue.timer.cancel()
