"""Documents in the server's form, for mock responses, with plausible defaults."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.models.fields import JsonMapping, JsonObject

TIMESTAMP = "2026-01-01T00:00:00.000000+00:00"
_NAMESPACE = uuid.UUID("0c2f9f6e-0d3b-5f0a-8a53-6b1f5b0f7c11")


def stable_id(name: str) -> str:
    """Return the id of a name, the same each time."""
    return str(uuid.uuid5(_NAMESPACE, name))


def document(
    kind: str, defaults: JsonMapping, fields: Mapping[str, object], *parameters: str
) -> JsonObject:
    """Return a document with some fields of the test's own.

    Servers may have further fields, so any name is taken that is not nearly that of another field.

    Args:
        kind: What it is, for the error, such as "a thread".
        defaults: The fields that every such document has.
        fields: The test's own.
        *parameters: Further names that are meant where one is nearly written.

    Raises:
        InvalidArgumentError: The name of a field is nearly another one.
    """
    known = [*defaults, "error", "detail", *parameters]
    for name in fields:
        meant = next((one for one in known if _is_slip(name, one)), name)
        if name not in known and meant != name:
            raise InvalidArgumentError(name, f"is no field of {kind}; did you mean {meant!r}?")
    return {**defaults, **fields}


def _is_slip(name: str, known: str) -> bool:
    """Return whether a name is a known one but for one sign, two that are swapped, or its case."""
    left, right = (text.lower().replace("_", "") for text in (name, known))
    if left[:1] != right[:1] or len(right) < 3:
        return False
    for _ in range(2):  # Without what they have in common at their start, and then at their end.
        pairs = enumerate(zip(left, right, strict=False))
        end = min(len(left), len(right))
        common = next((place for place, (one, other) in pairs if one != other), end)
        left, right = left[common:][::-1], right[common:][::-1]
    return max(len(left), len(right)) < 2 or (len(left) == 2 and left == right[::-1])


def assistant(**fields: object) -> JsonObject:
    """Return an assistant."""
    graph_id = fields.get("graph_id", "agent")
    defaults: JsonObject = {
        "assistant_id": stable_id(f"assistant {graph_id}"),
        "graph_id": graph_id,
        "config": {},
        "context": {},
        "metadata": {"created_by": "system"},
        "name": graph_id,
        "created_at": TIMESTAMP,
        "updated_at": TIMESTAMP,
        "version": 1,
        "description": None,
    }
    return document("an assistant", defaults, fields)


def thread(**fields: object) -> JsonObject:
    """Return a thread."""
    defaults: JsonObject = {
        "thread_id": stable_id("thread"),
        "status": "idle",
        "metadata": {},
        "config": {},
        "created_at": TIMESTAMP,
        "updated_at": TIMESTAMP,
        "state_updated_at": TIMESTAMP,
        "values": None,
    }
    return document("a thread", defaults, fields)


def run(**fields: object) -> JsonObject:
    """Return a run."""
    defaults: JsonObject = {
        "run_id": stable_id("run"),
        "thread_id": stable_id("thread"),
        "assistant_id": stable_id("assistant agent"),
        "metadata": {},
        "status": "pending",
        "kwargs": {},
        "multitask_strategy": "enqueue",
        "created_at": TIMESTAMP,
        "updated_at": TIMESTAMP,
        "langsmith_session_name": None,
    }
    return document("a run", defaults, fields)


def state(
    values: object = None,
    *,
    next: Sequence[str] = (),
    interrupts: Sequence[Mapping[str, object]] = (),
    thread_id: str | None = None,
    **fields: object,
) -> JsonObject:
    """Return the state of a thread; `interrupts` are those of the one task that is next."""
    thread_id = thread_id or stable_id("thread")
    checkpoint = _checkpoint(thread_id)
    waiting = [
        {"id": stable_id(f"interrupt {number}"), **interrupt}
        for number, interrupt in enumerate(interrupts)
    ]
    tasks = [
        {
            "id": stable_id(f"task {name}"),
            "name": name,
            "path": ["__pregel_pull", name],
            "error": None,
            "interrupts": waiting if number == 0 else [],
            "checkpoint": None,
            "state": None,
            "result": None,
        }
        for number, name in enumerate(next)
    ]
    defaults: JsonObject = {
        "values": {} if values is None else values,
        "next": list(next),
        "tasks": tasks,
        "metadata": {"source": "loop", "step": 1, "parents": {}},
        "created_at": TIMESTAMP,
        "checkpoint": checkpoint,
        "parent_checkpoint": None,
        "interrupts": waiting,
        "checkpoint_id": checkpoint["checkpoint_id"],
        "parent_checkpoint_id": None,
    }
    return document("a state", defaults, fields, "thread_id")


def updated_state(thread_id: str | None = None) -> JsonObject:
    """Return the answer to a state update."""
    checkpoint = _checkpoint(thread_id or stable_id("thread"))
    return {
        "checkpoint": checkpoint,
        "configurable": checkpoint,
        "checkpoint_id": checkpoint["checkpoint_id"],
    }


def cron(**fields: object) -> JsonObject:
    """Return a cron."""
    defaults: JsonObject = {
        "cron_id": stable_id("cron"),
        "assistant_id": stable_id("assistant agent"),
        "thread_id": None,
        "user_id": "",
        "end_time": None,
        "schedule": "0 * * * *",
        "timezone": None,
        "payload": {},
        "next_run_date": TIMESTAMP,
        "metadata": {},
        "on_run_completed": "delete",
        "enabled": True,
        "created_at": TIMESTAMP,
        "updated_at": TIMESTAMP,
    }
    return document("a cron", defaults, fields)


def item(**fields: object) -> JsonObject:
    """Return an item of the store."""
    defaults: JsonObject = {
        "namespace": [],
        "key": "key",
        "value": {},
        "created_at": TIMESTAMP,
        "updated_at": TIMESTAMP,
    }
    return document("an item", defaults, fields)


def _checkpoint(thread_id: str) -> JsonObject:
    checkpoint_id = stable_id(f"checkpoint of {thread_id}")
    return {"checkpoint_id": checkpoint_id, "thread_id": thread_id, "checkpoint_ns": ""}
