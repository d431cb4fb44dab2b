"""The queue that decides which runs start."""

from __future__ import annotations

import asyncio
from typing import Any

from langgraph_client.server.clock import Clock
from langgraph_client.server.hooks import RunHooks
from langgraph_client.server.runs.event_log import EventLog
from langgraph_client.server.runs.run_queue import RunQueue
from langgraph_client.server.runs.run_result import ResultCollector
from langgraph_client.server.runs.run_states import Job


class Compared(str):
    """A thread's id that counts how often such ids are compared."""

    comparisons = 0

    def __eq__(self, other: object) -> bool:
        Compared.comparisons += 1
        return str.__eq__(self, other)

    def __str__(self) -> str:
        return self

    __hash__ = str.__hash__


class Starts:
    """A queue, and the runs that it has started."""

    def __init__(self, limit: int) -> None:
        self.jobs: list[Job] = []
        self.queue = RunQueue(Clock(), RunHooks(), limit, self._start)

    def _start(self, job: Job) -> None:
        job.task = asyncio.get_running_loop().create_future()  # type: ignore[assignment]
        self.jobs.append(job)

    def add(self, run_id: str, thread_id: str, rest: dict[str, Any] | None = None) -> Job:
        run = {"run_id": run_id, "thread_id": thread_id}
        job = Job(run, EventLog(Clock()), ResultCollector(), 0.0)
        self.queue.enter(job, rest or {})
        return job

    def end(self, job: Job) -> None:
        job.ended = True
        self.queue.free(job)
        self.queue.leave(job, {})
        self.queue.advance(job.thread_id)


async def test_waiting_threads_get_free_slots_in_the_order_of_their_arrival() -> None:
    """A thread that asks again keeps its place; how many wait does not make it slower."""
    count = 300
    starts = Starts(limit=2)
    for number in range(count):
        starts.add(str(number), Compared(f"thread {number}"))
    Compared.comparisons = 0
    for _ in range(2):
        for number in range(count):
            starts.queue.advance(Compared(f"thread {number}"))
    for _ in range(count):
        starts.end(next(job for job in starts.jobs if not job.ended))
    assert [job.run_id for job in starts.jobs] == [str(number) for number in range(count)]
    assert Compared.comparisons < 100 * count


async def test_a_run_that_enters_behind_the_last_one_knows_the_thread_as_it_is_now() -> None:
    """The thread may have been updated after the last run left, before the queue went on."""
    starts = Starts(limit=1)
    first = starts.add("first", "t", {"values": "before"})
    starts.queue.advance("t")
    first.ended = True
    starts.queue.free(first)
    starts.queue.leave(first, {"values": "by the run"})
    starts.add("second", "t", {"values": "by an update"})
    assert starts.queue.fields_at_rest("t") == {"values": "by an update"}
