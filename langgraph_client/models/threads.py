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
    """What a graph that stopped to ask wants to know. Answer it by its id, or alone."""

    value: JSON = None
    id: str | None = None
    response_schema: JsonObject | None = None


class RunError(Record):
    """The exception that ended a run: the name of its class, and its text."""

    error: str
    message: str = ""


class Thread(Record):
    """A conversation, or whatever else keeps its state from run to run.

    `values` is the state, read as an empty one where there is none; it can still be called.
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
    """A task of a thread's next step; in history, of the step that was made from there."""

    id: str
    name: str
    path: list[Any] | None = None
    error: str | None = None
    interrupts: list[Interrupt] = empty(list)
    checkpoint: Checkpoint | None = None
    state: ThreadState | None = None
    result: JSON = None


class ThreadState(Record):
    """A thread's state at one point. `next` names the nodes that would run from there.

    `values` is the state, read as an empty one where there is none; it can still be called.
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
