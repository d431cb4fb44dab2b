"""Documents as a server writes them, for canned answers. What is not given is plausible."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

JSON = dict[str, Any]
MOMENT = "2026-01-01T00:00:00.000000+00:00"
_NAMESPACE = uuid.UUID("0c2f9f6e-0d3b-5f0a-8a53-6b1f5b0f7c11")


def an_id(what: str) -> str:
    """Return the id that stands for something, the same each time."""
    return str(uuid.uuid5(_NAMESPACE, what))


def assistant(**given: Any) -> JSON:
    """Return an assistant."""
    graph_id = given.get("graph_id", "agent")
    return {
        "assistant_id": an_id(f"assistant {graph_id}"),
        "graph_id": graph_id,
        "config": {},
        "context": {},
        "metadata": {"created_by": "system"},
        "name": graph_id,
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "version": 1,
        "description": None,
        **given,
    }


def thread(**given: Any) -> JSON:
    """Return a thread."""
    return {
        "thread_id": an_id("thread"),
        "status": "idle",
        "metadata": {},
        "config": {},
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "state_updated_at": MOMENT,
        "values": None,
        **given,
    }


def run(**given: Any) -> JSON:
    """Return a run."""
    return {
        "run_id": an_id("run"),
        "thread_id": an_id("thread"),
        "assistant_id": an_id("assistant agent"),
        "metadata": {},
        "status": "pending",
        "kwargs": {},
        "multitask_strategy": "enqueue",
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "langsmith_session_name": None,
        **given,
    }


def state(
    values: Any = None,
    *,
    next: Sequence[str] = (),
    interrupts: Sequence[Mapping[str, Any]] = (),
    thread_id: str | None = None,
    **given: Any,
) -> JSON:
    """Return the state of a thread; `interrupts` are those of the one task that is next."""
    thread_id = thread_id or an_id("thread")
    checkpoint = _checkpoint(thread_id)
    asked = [{"id": an_id(f"interrupt {n}"), **one} for n, one in enumerate(interrupts)]
    tasks = [
        {
            "id": an_id(f"task {name}"),
            "name": name,
            "path": ["__pregel_pull", name],
            "error": None,
            "interrupts": asked if number == 0 else [],
            "checkpoint": None,
            "state": None,
            "result": None,
        }
        for number, name in enumerate(next)
    ]
    return {
        "values": {} if values is None else values,
        "next": list(next),
        "tasks": tasks,
        "metadata": {"source": "loop", "step": 1, "parents": {}},
        "created_at": MOMENT,
        "checkpoint": checkpoint,
        "parent_checkpoint": None,
        "interrupts": asked,
        "checkpoint_id": checkpoint["checkpoint_id"],
        "parent_checkpoint_id": None,
        **given,
    }


def updated_state(thread_id: str | None = None) -> JSON:
    """Return the answer to a state update."""
    checkpoint = _checkpoint(thread_id or an_id("thread"))
    return {
        "checkpoint": checkpoint,
        "configurable": checkpoint,
        "checkpoint_id": checkpoint["checkpoint_id"],
    }


def cron(**given: Any) -> JSON:
    """Return a cron."""
    return {
        "cron_id": an_id("cron"),
        "assistant_id": an_id("assistant agent"),
        "thread_id": None,
        "user_id": "",
        "end_time": None,
        "schedule": "0 * * * *",
        "timezone": None,
        "payload": {},
        "next_run_date": MOMENT,
        "metadata": {},
        "on_run_completed": "delete",
        "enabled": True,
        "created_at": MOMENT,
        "updated_at": MOMENT,
        **given,
    }


def item(**given: Any) -> JSON:
    """Return an item of the store."""
    return {
        "namespace": [],
        "key": "key",
        "value": {},
        "created_at": MOMENT,
        "updated_at": MOMENT,
        **given,
    }


def _checkpoint(thread_id: str) -> JSON:
    checkpoint_id = an_id(f"checkpoint of {thread_id}")
    return {"checkpoint_id": checkpoint_id, "thread_id": thread_id, "checkpoint_ns": ""}
