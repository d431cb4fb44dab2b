"""Snapshots and messages of scripted graphs, in the shape of langgraph's."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from langgraph_client.models.fields import JsonMapping, JsonObject
from langgraph_client.server.graphs.protocol_events import RawEvent
from langgraph_client.server.graphs.script_steps import Ask, PlayedStep, Say, Values, step_name
from langgraph_client.server.storage.script_states import Saved

_CALL = ("id", "name", "args")
ATTEMPT = "__script_attempt"
"""The key in a saved state's metadata for the number of the attempt on its thread."""
ERROR = "__script_error"
"""The key in a saved state's metadata for the error of its next step."""


@dataclass(frozen=True)
class ScriptInterrupt:
    """An interrupt of a script."""

    value: object
    id: str
    response_schema: object = None


@dataclass(frozen=True)
class ScriptTask:
    """The next step of a script, as a task."""

    id: str
    name: str
    path: tuple[str, ...]
    error: str | None = None
    interrupts: tuple[ScriptInterrupt, ...] = ()
    state: object = None
    result: object = None


@dataclass(frozen=True)
class ScriptState:
    """The state at one checkpoint, in the shape of langgraph's snapshot."""

    values: Values
    next: tuple[str, ...]
    config: JsonObject
    metadata: JsonObject | None
    created_at: str | None
    parent_config: JsonObject | None
    tasks: tuple[ScriptTask, ...]
    interrupts: tuple[ScriptInterrupt, ...]


@dataclass(slots=True)  # Not frozen: that would take three times as long to create one.
class ScriptChunk:
    """One token of a streamed message; adding two gives the text so far."""

    content: str
    additional_kwargs: dict[str, object] = field(default_factory=dict)
    response_metadata: dict[str, object] = field(default_factory=dict)
    type: str = "AIMessageChunk"
    name: str | None = None
    id: str = ""
    tool_calls: tuple[Any, ...] = ()
    invalid_tool_calls: tuple[object, ...] = ()
    usage_metadata: object = None
    tool_call_chunks: tuple[object, ...] = ()
    chunk_position: str | None = None

    def __add__(self, more: ScriptChunk) -> ScriptChunk:
        # Not `replace`, which is slow: this is called for each token.
        return ScriptChunk(
            self.content + more.content,
            more.additional_kwargs,
            more.response_metadata,
            more.type,
            more.name,
            more.id,
            more.tool_calls,
            more.invalid_tool_calls,
            more.usage_metadata,
            more.tool_call_chunks,
            more.chunk_position,
        )

    def as_message(self) -> dict[str, object]:
        """Return the message, as if it were finished."""
        return {
            "content": self.content,
            "additional_kwargs": {},
            "response_metadata": {},
            "type": "ai",
            "name": None,
            "id": self.id,
            "tool_calls": list(self.tool_calls),
            "invalid_tool_calls": [],
            "usage_metadata": None,
        }


def snapshot(thread_id: str, saved: Saved | None, steps: Sequence[PlayedStep]) -> ScriptState:
    """Return the snapshot of a thread.

    Args:
        thread_id: The thread.
        saved: Its stored state; None if there is none.
        steps: The steps of its script.
    """
    if saved is None:
        config = {"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}}
        return ScriptState({}, (), config, None, None, None, (), ())
    tasks: tuple[ScriptTask, ...] = ()
    if saved.at is not None and saved.at < len(steps):
        step = steps[saved.at]
        task = ScriptTask(
            id=task_id(saved.id, saved.at),
            name=step_name(saved.at, step),
            path=("script", str(saved.at)),
            error=saved.metadata.get(ERROR),
            interrupts=interrupts_of(thread_id, saved.at, step),
        )
        tasks = (task,)
    metadata = without_own_keys(saved.metadata)
    return ScriptState(
        values=saved.values,
        next=tuple(task.name for task in tasks),
        config=checkpoint_config(thread_id, saved.id),
        metadata={"parents": {}, **metadata},
        created_at=saved.created_at,
        parent_config=checkpoint_config(thread_id, saved.parent) if saved.parent else None,
        tasks=tasks,
        interrupts=tuple(found for task in tasks for found in task.interrupts),
    )


def without_own_keys(metadata: JsonMapping) -> JsonObject:
    """Return the metadata of a run, without what a script keeps beside it."""
    return {key: value for key, value in metadata.items() if key not in (ATTEMPT, ERROR)}


def checkpoint_event(state: ScriptState, *, is_new: bool) -> JsonObject:
    """Return a state as the data of an event of the mode `checkpoints`.

    Args:
        state: The state, which is stored.
        is_new: Whether its step comes next and has asked nothing yet.
    """
    tasks = []
    for task in state.tasks:
        interrupts = () if is_new else task.interrupts
        outcome = {"error": task.error} if task.error else {"interrupts": interrupts}
        tasks.append({"id": task.id, "name": task.name, **outcome, "state": None})
    return {
        "config": state.config,
        "parent_config": state.parent_config,
        "values": state.values,
        "metadata": state.metadata,
        "next": state.next,
        "tasks": tasks,
    }


def task_id(checkpoint_id: str, at: int) -> str:
    """Return the id of a step's task, which starts from a checkpoint."""
    return str(uuid.uuid5(uuid.UUID(checkpoint_id), str(at)))


def checkpoint_config(thread_id: str, checkpoint_id: str | None) -> dict[str, object]:
    """Return the config of a checkpoint."""
    where = {"thread_id": thread_id, "checkpoint_ns": "", "checkpoint_id": checkpoint_id}
    return {"configurable": where}


def interrupts_of(thread_id: str, at: int, step: object) -> tuple[ScriptInterrupt, ...]:
    """Return the interrupts of a step: one for an `Ask`, else none."""
    if not isinstance(step, Ask):
        return ()
    # Interrupts are not stored but created at each read, so the id depends on the place only.
    interrupt_id = hashlib.blake2b(f"{thread_id}:{at}".encode(), digest_size=16).hexdigest()
    return (ScriptInterrupt(step.value, interrupt_id),)


def message_chunks(step: Say, new_id: str) -> list[ScriptChunk]:
    """Return the chunks of the message that a step streams."""
    texts = [step.chunks] if isinstance(step.chunks, str) else list(step.chunks)
    message_id = f"lc_run--{new_id}"
    chunks = [ScriptChunk(text, id=message_id) for text in texts or [""]]
    calls = tuple(dict(call) for call in step.tool_calls)
    chunks[-1] = replace(chunks[-1], tool_calls=calls, chunk_position="last")
    return chunks


def whole(chunks: Sequence[ScriptChunk]) -> ScriptChunk:
    """Return the sum of a message's chunks."""
    return replace(chunks[-1], content="".join(chunk.content for chunk in chunks))


def raw_message(chunks: Sequence[ScriptChunk]) -> list[RawEvent]:
    """Return the v3 events of a message: a block of text, then tool calls."""
    message = whole(chunks)
    empty, text = {"type": "text", "text": ""}, {"type": "text", "text": message.content}
    parts: list[dict[str, object]] = [
        {"event": "message-start", "role": "ai", "id": message.id},
        {"event": "content-block-start", "index": 0, "content": empty},
    ]
    for chunk in chunks:
        if chunk.content:
            delta = {"type": "text-delta", "text": chunk.content}
            parts.append({"event": "content-block-delta", "index": 0, "delta": delta})
    parts.append({"event": "content-block-finish", "index": 0, "content": text})
    for index, call in enumerate(message.tool_calls, 1):
        block = {"type": "tool_call", **{field: call.get(field) for field in _CALL}}
        begun = {**block, "type": "tool_call_chunk", "args": ""}
        parts.append({"event": "content-block-start", "index": index, "content": begun})
        parts.append({"event": "content-block-finish", "index": index, "content": block})
    parts.append({"event": "message-finish"})
    return [RawEvent("messages", (), part, (), message.id) for part in parts]
