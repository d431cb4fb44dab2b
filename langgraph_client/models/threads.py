"""Threads and their states."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from langgraph_client.models.fields import JSON, CallableDict, JsonObject, empty
from langgraph_client.models.html_view import state_html, thread_html
from langgraph_client.models.params import ThreadStatus
from langgraph_client.models.record import Record

__all__ = [
    "Checkpoint",
    "Interrupt",
    "PruneResult",
    "RunError",
    "Thread",
    "ThreadState",
    "ThreadTask",
    "ThreadUpdateStateResponse",
]


class Interrupt(Record):
    """A question of a graph that has stopped. Answer it by its id, or alone without one."""

    value: JSON = None
    id: str | None = None
    response_schema: JsonObject | None = None


class RunError(Record):
    """The exception that ended a run: the name of its class, and its text."""

    error: str
    message: str = ""


class Thread(Record):
    """A thread: it keeps a graph's state from run to run.

    Attributes:
        values: The state, read as an empty one if there is none. It can also be called, as a
            dict's `values`.
        error: The error of the last run, if that failed; else None.
        interrupts: The open interrupts, by the id of their task.
        extracted: The results of `extract=` in a search, by its keys.
        ttl: The time to live, in minutes, and its strategy; only with `include=["ttl"]`.
    """

    thread_id: str
    created_at: datetime
    updated_at: datetime
    state_updated_at: datetime | None = None
    metadata: JsonObject = empty(dict)
    status: ThreadStatus | str
    config: JsonObject = empty(dict)
    values: Annotated[JSON, CallableDict] = empty(dict)
    error: RunError | str | None = None
    interrupts: dict[str, list[Interrupt]] = empty(dict)
    extracted: JsonObject | None = None
    ttl: JsonObject | None = None

    def _repr_html_(self) -> str:
        return thread_html(self)


class Checkpoint(Record):
    """A point in a thread's history."""

    thread_id: str | None = None
    checkpoint_ns: str | None = None
    checkpoint_id: str | None = None
    checkpoint_map: JsonObject | None = None


class ThreadTask(Record):
    """A task of the next step; in a history, of the step that followed the state.

    Attributes:
        path: The task's place in its step, as langgraph has it: how it was triggered.
        checkpoint: The latest checkpoint of the subgraph that the task runs.
        state: The state of that subgraph, if subgraphs were requested.
        result: What the task has returned; None before.
    """

    id: str
    name: str
    path: list[Any] | None = None
    error: str | None = None
    interrupts: list[Interrupt] = empty(list)
    checkpoint: Checkpoint | None = None
    state: ThreadState | None = None
    result: JSON = None


class ThreadState(Record):
    """A thread's state at one checkpoint.

    Attributes:
        values: The state, read as an empty one if there is none. It can also be called, as a
            dict's `values`.
        next: The nodes that run next; empty at the end of the graph.
    """

    values: Annotated[JSON, CallableDict] = empty(dict)
    next: list[str] = empty(list)
    tasks: list[ThreadTask] = empty(list)
    metadata: JsonObject | None = None
    created_at: datetime | None = None
    checkpoint: Checkpoint | None = None
    parent_checkpoint: Checkpoint | None = None
    interrupts: list[Interrupt] = empty(list)
    checkpoint_id: str | None = None
    parent_checkpoint_id: str | None = None

    def _repr_html_(self) -> str:
        questions = [question["value"] for question in self.get("interrupts") or ()]
        place = (self.get("checkpoint") or {}).get("checkpoint_id")
        following = self.get("next") or ()
        return state_html(self["values"], following, questions, self.get("created_at"), place)


class ThreadUpdateStateResponse(Record):
    """The checkpoint that a state update made."""

    checkpoint: Checkpoint
    configurable: JsonObject | None = None
    checkpoint_id: str | None = None


class PruneResult(Record):
    """How many threads were pruned."""

    pruned_count: int
