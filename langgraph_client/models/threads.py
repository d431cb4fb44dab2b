"""Threads and their states."""

from __future__ import annotations

from collections.abc import ItemsView
from typing import Annotated, Any

from pydantic import Field

from langgraph_client.models._base import (
    JSON,
    NULL_IS_EMPTY_LIST,
    NULL_IS_EMPTY_OBJECT,
    SENT,
    JsonObject,
    Model,
    OpenObject,
    Record,
    Timestamp,
)
from langgraph_client.models.params import ThreadStatus


class Interrupt(Model, frozen=True):
    """What a graph that stopped to ask wants to know. Answer it by its id, or alone."""

    value: JSON = None
    id: str | None = None
    response_schema: JsonObject | None = None


class RunError(Model, frozen=True):
    """The exception that ended a run: the name of its class, and its text."""

    error: str = SENT
    message: str = ""


class _WithItems(Record, frozen=True):
    # For replies that have a field called `values` (which is what `.values` gives).
    def items(self) -> ItemsView[str, Any]:
        """Keys and values, as a dict's."""
        return {key: self[key] for key in self}.items()


class Thread(_WithItems, frozen=True):
    """A conversation, or whatever else keeps its state from run to run."""

    thread_id: str = SENT
    created_at: Timestamp = SENT
    updated_at: Timestamp = SENT
    state_updated_at: Timestamp | None = None
    metadata: OpenObject = Field(default_factory=dict)
    status: ThreadStatus | str = SENT
    config: OpenObject = Field(default_factory=dict)
    values: JSON = None
    error: RunError | str | None = None
    interrupts: Annotated[dict[str, list[Interrupt]], NULL_IS_EMPTY_OBJECT] = Field(
        default_factory=dict
    )
    extracted: JsonObject | None = None
    ttl: JsonObject | None = None


class Checkpoint(Model, frozen=True):
    """A point in a thread's history."""

    thread_id: str | None = None
    checkpoint_ns: str | None = None
    checkpoint_id: str | None = None
    checkpoint_map: JsonObject | None = None


class ThreadTask(Model, frozen=True):
    """A task of a thread's next step; in history, of the step that was made from there."""

    id: str = SENT
    name: str = SENT
    path: list[Any] | None = None
    error: str | None = None
    interrupts: Annotated[list[Interrupt], NULL_IS_EMPTY_LIST] = Field(default_factory=list)
    checkpoint: Checkpoint | None = None
    state: ThreadState | None = None
    result: JSON = None


class ThreadState(_WithItems, frozen=True):
    """A thread's state at one point. `next` names the nodes that would run from there."""

    values: JSON = None
    next: Annotated[list[str], NULL_IS_EMPTY_LIST] = Field(default_factory=list)
    tasks: Annotated[list[ThreadTask], NULL_IS_EMPTY_LIST] = Field(default_factory=list)
    metadata: JsonObject | None = None
    created_at: Timestamp | None = None
    checkpoint: Checkpoint | None = None
    parent_checkpoint: Checkpoint | None = None
    interrupts: Annotated[list[Interrupt], NULL_IS_EMPTY_LIST] = Field(default_factory=list)
    checkpoint_id: str | None = None
    parent_checkpoint_id: str | None = None


class ThreadUpdateStateResponse(Model, frozen=True):
    """The checkpoint that a state update made."""

    checkpoint: Checkpoint = SENT
    configurable: JsonObject | None = None
    checkpoint_id: str | None = None


class PruneResult(Model, frozen=True):
    """How many threads were pruned."""

    pruned_count: int = SENT
