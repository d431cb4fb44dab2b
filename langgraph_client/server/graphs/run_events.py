"""One run of a graph: the run's request in, the protocol's events out. Knows no engine, no HTTP."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from langgraph_client.server.graphs.hosted_graphs import RunnableGraph
from langgraph_client.server.graphs.run_scope import RunScope, current_run
from langgraph_client.server.graphs.scripted import plain_command
from langgraph_client.server.typed_values import OUTPUT_KEYS, RICH

EVENTS = "events"
Item = tuple[str, Any]
"""An event: its name, with the namespace behind it, and its data as Python values."""


async def events_of(
    graph: RunnableGraph, run: Mapping[str, Any], config: dict[str, Any]
) -> AsyncGenerator[Item, None]:
    """Run a graph and yield what happens, as the modes of the run ask.

    Args:
        graph: From `Graphs.open`.
        run: The run's document; its `kwargs` say what to do.
        config: The config the graph gets.

    Raises:
        Exception: Whatever the graph raises.
    """
    kwargs = run["kwargs"]
    asked: list[str] = kwargs["stream_mode"]
    modes = list(dict.fromkeys("messages" if m == "messages-tuple" else m for m in asked))
    options: dict[str, Any] = {
        "stream_mode": [mode for mode in modes if mode != EVENTS],
        "interrupt_before": kwargs["interrupt_before"],
        "interrupt_after": kwargs["interrupt_after"],
        "subgraphs": bool(kwargs["subgraphs"]),
    }
    if (shown := getattr(graph, "output_channels", None)) is not None:
        # What callers of the graph see, not all of its state; unless they ask for more.
        wanted = kwargs.get(OUTPUT_KEYS, shown)
        everything = getattr(graph, "stream_channels_asis", shown)
        options["output_keys"] = everything if wanted == "*" else wanted
    if getattr(graph, "checkpointer", None):  # langgraph warns where it has no effect
        options["durability"] = kwargs["durability"]
    context = _context_for(graph, kwargs)
    if context is not None:
        options["context"] = context
    message_events = None if "messages-tuple" in asked else Accumulator()
    given = graph_input(kwargs, getattr(graph, "plain_commands", False))
    if EVENTS in modes:
        source = _with_events(graph, given, config, options)
    else:
        source = _chunks(graph, given, config, options)
    scope = RunScope()
    current_run.set(scope)
    try:
        scope.ask()
        async for namespace, mode, data in source:
            if not scope.take(data):
                continue
            if mode == "messages" and message_events is not None:
                for item in message_events.events(*data):
                    yield item
            else:
                name = f"{mode}|{'|'.join(namespace)}" if namespace else mode
                yield name, _shape(mode, data, run["thread_id"])
            scope.ask()
    finally:
        scope.release()
        try:
            await source.aclose()
        finally:
            scope.over = True


Chunk = tuple[tuple[str, ...], str, Any]


async def _chunks(
    graph: RunnableGraph, given: Any, config: dict[str, Any], options: dict[str, Any]
) -> AsyncGenerator[Chunk, None]:
    source: Any = graph.astream(given, config, **options)
    deep = options["subgraphs"]
    async with aclosing(source):
        async for chunk in source:
            yield chunk if deep else ((), *chunk)


async def _with_events(
    graph: Any, given: Any, config: dict[str, Any], options: dict[str, Any]
) -> AsyncGenerator[Chunk, None]:
    """Yield langchain's own events; the root's stream chunks are the events of other modes."""
    root = str(config["run_id"])
    deep = options["subgraphs"]
    source = graph.astream_events(given, config, version="v2", **options)
    async with aclosing(source):
        async for event in source:
            if "langsmith:hidden" in event.get("tags", ()):
                continue
            if event["event"] == "on_chain_stream" and event["run_id"] == root:
                chunk = event["data"]["chunk"]
                if isinstance(chunk, tuple):
                    yield chunk if deep else ((), *chunk)
            else:
                yield (), EVENTS, event


def graph_input(kwargs: Mapping[str, Any], plain: bool = False) -> Any:
    """Return what a run gives its graph: its command, as it came if `plain`, or else its input."""
    command = kwargs.get("command")
    if command is None:
        return kwargs.get("input")
    if not command:
        return None
    return plain_command(command) if plain else as_command(command)


def as_command(command: Mapping[str, Any]) -> Any:
    """Return a request's command as langgraph's."""
    from langgraph.types import Command, Send

    def target(goto: Any) -> Any:
        if isinstance(goto, Mapping):
            return Send(goto["node"], goto.get("input"))
        return [target(item) for item in goto] if isinstance(goto, list) else goto

    update = command.get("update")
    if isinstance(update, list):
        update = [tuple(item) if isinstance(item, list) else item for item in update]
    given: dict[str, Any] = {"update": update}
    if "resume" in command:
        given["resume"] = command["resume"]
    if command.get("goto"):
        given["goto"] = target(command["goto"])
    return Command(**given)


def _context_for(graph: RunnableGraph, kwargs: Mapping[str, Any]) -> Any:
    """Return the run's context: reduced to what the graph's schema knows, as real servers do it.

    A RemoteGraph's is the caller's own, as it is for a local graph.
    """
    if RICH in kwargs:
        return kwargs.get("context")
    schema = getattr(graph, "context_schema", None)
    given: Mapping[str, Any] = kwargs.get("context") or kwargs["config"].get("configurable") or {}
    if schema is None:
        return dict(kwargs.get("context") or {}) or None
    known = context_keys(schema)
    return {key: value for key, value in given.items() if key in known}


def context_keys(schema: Any) -> set[str]:
    """Return the names of the fields of a context schema."""
    if dataclasses.is_dataclass(schema):
        return {field.name for field in dataclasses.fields(schema)}
    fields = getattr(schema, "model_fields", None)
    if fields is not None:
        return set(fields)
    return set(getattr(schema, "__annotations__", {}))


_IDS = ("checkpoint_id", "thread_id", "checkpoint_ns", "checkpoint_map")


def _shape(mode: str, data: Any, thread_id: str) -> Any:
    """Return langgraph's own data of a mode in the protocol's form."""
    if mode == "checkpoints":
        return _checkpoint_event(data)
    if mode == "debug":
        if data["type"] == "checkpoint":
            return {**data, "payload": _debug_checkpoint(data["payload"], thread_id)}
        if data["type"] == "task_result":
            return {**data, "payload": _task_event(data["payload"])}
    if mode == "tasks":
        return _task_event(data)
    return data


def _task_event(payload: dict[str, Any]) -> dict[str, Any]:
    if "result" not in payload:
        return payload
    return {key: payload.get(key) for key in ("id", "name", "error", "result", "interrupts")}


def _checkpoint_event(payload: dict[str, Any]) -> dict[str, Any]:
    return {
        **payload,
        "config": _public(payload["config"]),
        "parent_config": _public(payload["parent_config"]),
        "tasks": [
            {**task, "state": _task_state(task.get("state"))} for task in payload.get("tasks", ())
        ],
    }


def _task_state(state: Any) -> Any:
    if state and isinstance(state, dict) and "configurable" in state:
        keys = ("thread_id", "checkpoint_ns")
        return {"configurable": {k: state["configurable"].get(k) for k in keys}}
    return state


def _public(config: Any) -> Any:
    """Return a config without langgraph's own objects."""
    if not config:
        return None
    configurable = {
        key: value
        for key, value in config["configurable"].items()
        if not key.startswith("__pregel") or key == "__pregel_node_finished"
    }
    return {"configurable": configurable}


def _debug_checkpoint(payload: dict[str, Any], thread_id: str) -> dict[str, Any]:
    shaped = _checkpoint_event(payload)
    for task in shaped["tasks"]:
        state = task.get("state")
        if state and "configurable" in state:
            del task["state"]
            task["checkpoint"] = state["configurable"]
    shaped["checkpoint"] = _checkpoint_of(payload["config"])
    shaped["parent_checkpoint"] = _checkpoint_of(payload["parent_config"])
    return shaped


def _checkpoint_of(config: Any) -> Any:
    if not config:
        return None
    return {key: config["configurable"][key] for key in _IDS if key in config["configurable"]}


class Accumulator:
    """Turns streamed messages into `messages/metadata`, `/partial` and `/complete`."""

    def __init__(self) -> None:
        self._parts: dict[str, Any] = {}

    def events(self, message: Any, metadata: Any) -> list[Item]:
        """Return the events one message, or one chunk of one, gives rise to."""
        chunk = type(message).__name__.endswith("Chunk")
        found: list[Item] = []
        if message.id not in self._parts:
            found.append(("messages/metadata", {message.id: {"metadata": metadata}}))
            self._parts[message.id] = message
        elif chunk:
            self._parts[message.id] += message
        if not chunk:
            return [*found, ("messages/complete", [message])]
        return [*found, ("messages/partial", [_as_message(self._parts[message.id])])]


def _as_message(chunk: Any) -> Any:
    """Return what was streamed so far as if it were finished."""
    if hasattr(chunk, "as_message"):
        return chunk.as_message()
    from langchain_core.messages import message_chunk_to_message

    return message_chunk_to_message(chunk)
