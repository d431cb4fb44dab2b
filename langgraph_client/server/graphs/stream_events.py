"""Convert a compiled graph's stream to the protocol's events. It knows neither engine nor HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langgraph_client.models.fields import JsonObject
from langgraph_client.server.encoding import NotJsonError, blanked, encode
from langgraph_client.server.graphs.protocol import Item
from langgraph_client.server.graphs.run_scope import current_run, error_in_run
from langgraph_client.server.graphs.state_documents import CHECKPOINT_IDS
from langgraph_client.server.reserved_keys import NODE_FINISHED
from langgraph_client.thread_ids import server_thread_id

_BESIDE = ("checkpoints", "debug", "tasks", "events")
"""The modes that contain more than the state, such as the inputs of tasks."""


def with_blanks(data: object) -> object:
    """Return data of such a mode, with None for values that JSON cannot represent."""
    try:
        encode(data)
    except NotJsonError:
        return blanked(data)
    return data


def event_data(mode: str, data: object) -> object:
    """Return langgraph's data of a mode in the protocol's form."""
    return with_blanks(_shaped(mode, data)) if mode in _BESIDE else data


def message_metadata(metadata: object) -> object:
    """Return the metadata of a streamed message in the protocol's form."""
    return with_blanks(_with_server_id(_shown(metadata)))


def _shown(metadata: Any) -> Any:
    """Return metadata without what a RemoteGraph's caller must not see there."""
    run = current_run.get()
    if run is None or not run.not_in_events:
        return metadata
    hidden = run.not_in_events.items()
    return {key: value for key, value in metadata.items() if (key, value) not in hidden}


def _with_server_id(ids: Any) -> object:
    """Return ids with the server's id of the thread, in place of the id that nodes see."""
    if not (thread_id := ids.get("thread_id")):
        return ids
    run = current_run.get()
    own = thread_id if run is None else run.threads.get(thread_id, thread_id)
    return {**ids, "thread_id": server_thread_id(own)}


def _shaped(mode: str, data: Any) -> Any:
    if mode == "events":
        return {**data, "metadata": _with_server_id(_shown(data.get("metadata") or {}))}
    if mode == "checkpoints":
        return _checkpoint_event(data)
    if mode == "debug":
        if data["type"] == "checkpoint":
            return {**data, "payload": _debug_checkpoint(data["payload"])}
        if data["type"] == "task_result":
            return {**data, "payload": _task_event(data["payload"])}
    if mode == "tasks":
        return _task_event(data)
    return data


def _task_event(payload: dict[str, object]) -> dict[str, object]:
    if "result" not in payload:
        return payload
    shown = {key: payload.get(key) for key in ("id", "name", "error", "result", "interrupts")}
    if isinstance(shown["error"], BaseException):
        shown["error"] = error_in_run(shown["error"])
    return shown


def _checkpoint_event(payload: JsonObject) -> JsonObject:
    return {
        **payload,
        "config": _public(payload["config"]),
        "parent_config": _public(payload["parent_config"]),
        "tasks": [
            {**task, "state": _task_state(task.get("state"))} for task in payload.get("tasks", ())
        ],
    }


def _task_state(state: object) -> object:
    if state and isinstance(state, dict) and "configurable" in state:
        keys = ("thread_id", "checkpoint_ns")
        return {"configurable": _with_server_id({k: state["configurable"].get(k) for k in keys})}
    return state


def _public(config: Any) -> object:
    """Return a config without langgraph's internal objects."""
    if not config:
        return None
    configurable = {
        key: value
        for key, value in config["configurable"].items()
        if not key.startswith("__pregel") or key == NODE_FINISHED
    }
    return {"configurable": _with_server_id(configurable)}


def _debug_checkpoint(payload: dict[str, object]) -> dict[str, object]:
    shaped = _checkpoint_event(payload)
    for task in shaped["tasks"]:
        state = task.get("state")
        if state and "configurable" in state:
            del task["state"]
            task["checkpoint"] = state["configurable"]
    shaped["checkpoint"] = _checkpoint_of(payload["config"])
    shaped["parent_checkpoint"] = _checkpoint_of(payload["parent_config"])
    return shaped


def _checkpoint_of(config: Any) -> object:
    if not config:
        return None
    configurable = config["configurable"]
    ids = {key: configurable[key] for key in CHECKPOINT_IDS if key in configurable}
    return _with_server_id(ids)


class MessageEvents:
    """Converts streamed messages to `messages/metadata`, `/partial` and `/complete`.

    Args:
        as_message: Creates the message from the sum of its chunks.
    """

    def __init__(self, as_message: Callable[[Any], object]) -> None:
        self._as_message = as_message
        self._parts: dict[str, object] = {}

    def events(self, message: Any, metadata: object) -> list[Item]:
        """Return the events for one message, or for one chunk of one."""
        chunk = type(message).__name__.endswith("Chunk")
        events: list[Item] = []
        if message.id not in self._parts:
            events.append(("messages/metadata", {message.id: {"metadata": metadata}}))
            self._parts[message.id] = message
        elif chunk:
            self._parts[message.id] += message
        if not chunk:
            return [*events, ("messages/complete", [message])]
        return [*events, ("messages/partial", [self._as_message(self._parts[message.id])])]
