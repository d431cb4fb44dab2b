"""Convert a graph's snapshot to the state document of the protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from langgraph_client.models.fields import JsonObject
from langgraph_client.server.graphs.protocol import Interrupt
from langgraph_client.server.storage.protocol import Document
from langgraph_client.thread_ids import server_thread_id

Enclose: TypeAlias = Callable[[object], object]
"""Puts a value of a graph into an envelope, which keeps its type."""

CHECKPOINT_IDS = ("checkpoint_id", "thread_id", "checkpoint_ns", "checkpoint_map")
EMPTY_STATE: Document = {
    "values": {},
    "next": [],
    "tasks": [],
    "metadata": None,
    "created_at": None,
    "checkpoint": None,
    "parent_checkpoint": None,
    "interrupts": [],
    "checkpoint_id": None,
    "parent_checkpoint_id": None,
}


def checkpoint_of(config: Any) -> Document | None:
    """Return the ids of a checkpoint from its config; the thread's id is the server's UUID."""
    if not config:
        return None
    ids = {
        key: config["configurable"][key] for key in CHECKPOINT_IDS if key in config["configurable"]
    }
    return {**ids, "thread_id": server_thread_id(ids["thread_id"])} if "thread_id" in ids else ids


def state_document(
    state: Any, asked_for: str | None = None, *, enclose: Enclose | None = None
) -> Document:
    """Return the state document for a graph's snapshot.

    Args:
        state: The snapshot.
        asked_for: The checkpoint id of the request, which the document contains even if the
            checkpoint does not exist; None for none.
        enclose: Puts each of the graph's values into an envelope; None: they stay as they are.
    """
    if state.created_at is None:
        if asked_for is None:
            return EMPTY_STATE
        checkpoint = {**(checkpoint_of(state.config) or {}), "checkpoint_id": asked_for}
        return {**EMPTY_STATE, "checkpoint": checkpoint, "checkpoint_id": asked_for}
    tasks = [_task(task, enclose) for task in state.tasks]
    checkpoint, parent = checkpoint_of(state.config) or {}, checkpoint_of(state.parent_config)
    thread_id = checkpoint.get("thread_id")
    return {
        "values": enclose(state.values) if enclose else state.values,
        "next": list(state.next),
        "tasks": tasks,
        "metadata": {**(state.metadata or {}), "thread_id": thread_id},
        "created_at": state.created_at,
        "checkpoint": checkpoint,
        "parent_checkpoint": parent,
        "interrupts": [interrupt for task in tasks for interrupt in task["interrupts"]],
        "checkpoint_id": checkpoint.get("checkpoint_id"),
        "parent_checkpoint_id": (parent or {}).get("checkpoint_id"),
    }


def _task(task: Any, enclose: Enclose | None) -> Document:
    below = task.state
    named = isinstance(below, dict)
    error = task.error
    return {
        "id": task.id,
        "name": task.name,
        "path": task.path,
        "error": error if error is None or isinstance(error, str) else repr(error),
        "interrupts": [_interrupt(interrupt, enclose) for interrupt in task.interrupts],
        "checkpoint": checkpoint_of(below) if named else None,
        "state": None if named or below is None else _state_below(below, enclose),
        "result": enclose(task.result) if enclose else task.result,
    }


def _state_below(below: Any, enclose: Enclose | None) -> Document:
    """Return the state document of a task's subgraph."""
    state = state_document(below, enclose=enclose)
    if enclose and below.created_at is None:
        # A subgraph that has not started has no checkpoint. Its namespace is the task's, or the
        # node's if it is compiled with `checkpointer=True`: only the snapshot tells.
        return {**state, "checkpoint": checkpoint_of(below.config)}
    return state


def _interrupt(interrupt: Any, enclose: Enclose | None) -> Document:
    document = interrupt_document(interrupt)
    return {**document, "value": enclose(document["value"])} if enclose else document


def interrupt_document(interrupt: Interrupt) -> JsonObject:
    """Return an interrupt in the form of threads and states."""
    document = {"id": interrupt.id, "value": interrupt.value}
    schema = interrupt.response_schema
    return document if schema is None else {**document, "response_schema": schema}
