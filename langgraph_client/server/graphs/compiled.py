"""The adapter of compiled langgraph graphs."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from functools import cache, cached_property
from typing import Any, TypeAlias

from langchain_core import messages as message_classes
from langchain_core.runnables.config import var_child_runnable_config
from langgraph import pregel
from langgraph.types import Command, Overwrite, Send, TimeoutPolicy
from langgraph.types import StateUpdate as LanggraphUpdate
from pydantic import BaseModel

from langgraph_client.models.fields import JsonMapping
from langgraph_client.server.errors import Refused, Unavailable
from langgraph_client.server.graphs import introspection
from langgraph_client.server.graphs.extra_events import ExtraEvents
from langgraph_client.server.graphs.hosted_saver import HostedSaver
from langgraph_client.server.graphs.langchain_events import EVENTS, chunks_with_events
from langgraph_client.server.graphs.langgraph_names import (
    CONFIG_KEY_DURABILITY,
    CONFIG_KEY_SCRATCHPAD,
    CONFIG_KEY_STRICT_RESUME,
)
from langgraph_client.server.graphs.later_attempt import continued_run
from langgraph_client.server.graphs.message_ids import message_channels
from langgraph_client.server.graphs.mode_items import ModeItems
from langgraph_client.server.graphs.node_callback import NodeCallback
from langgraph_client.server.graphs.node_threads import NodeThreads
from langgraph_client.server.graphs.parent_graph import (
    parent_keys,
    run_context,
    split_inherited,
    thread_keys,
)
from langgraph_client.server.graphs.protocol import (
    Config,
    GraphRun,
    Item,
    Schemas,
    Snapshot,
    StateUpdate,
)
from langgraph_client.server.graphs.protocol_events import PROTOCOL, RAW
from langgraph_client.server.graphs.protocol_stream import chunks_with_message_events, raw_events
from langgraph_client.server.graphs.run_metadata import objects_and_nulls
from langgraph_client.server.graphs.run_scope import RunScope, current_run
from langgraph_client.server.graphs.taken_back import take_back_writes
from langgraph_client.server.reserved_keys import (
    CONTEXT_PROVIDED,
    NODE_FINISHED,
    SERVER_CONFIGURABLE,
    without,
    without_internal,
)
from langgraph_client.server.storage.checkpoint_links import DELTA_COUNTERS
from langgraph_client.server.storage.protocol import Document
from langgraph_client.server.typed_values import (
    EXTRA_EVENTS,
    MORE_MODES,
    OUTPUT_KEYS,
    OWN_CONFIG,
    TYPED_VALUES,
)
from langgraph_client.thread_ids import server_thread_id
from langgraph_client.values import (
    CLASSES_EVENT,
    CONTROL_EVENT,
    MESSAGE_EVENTS,
    PARENT,
    SEND_TIMEOUT,
    classes_in,
    name_of,
)

# The keys of `configurable` that langchain-core 1.8 copies into metadata.
_COPIED_BY_LANGCHAIN = {"model"}

# Classes of objects that a RemoteGraph may send to any graph, besides those of its schemas.
_COMMON_CLASSES = (
    Command,
    LanggraphUpdate,
    Overwrite,
    Send,
    TimeoutPolicy,
    message_classes.AIMessage,
    message_classes.AIMessageChunk,
    message_classes.ChatMessage,
    message_classes.FunctionMessage,
    message_classes.HumanMessage,
    message_classes.HumanMessageChunk,
    message_classes.RemoveMessage,
    message_classes.SystemMessage,
    message_classes.ToolMessage,
)
Pregel: TypeAlias = Any
"""A compiled graph. The attributes used here are those of `langgraph.pregel.Pregel`."""
_Chunk: TypeAlias = tuple[tuple[str, ...], str, Any]


class CompiledGraph:
    """The adapter of a compiled graph; see `protocol.HostedGraph`.

    Args:
        graph: The graph, with the checkpointer and the store that it must use.
    """

    def __init__(self, graph: Pregel) -> None:
        self._graph = graph

    @cached_property
    def _eager(self) -> Pregel:
        """The graph in a mode in which it yields a step's events before it saves the checkpoint.

        For a step with one task, langgraph has a shortcut that saves first, unless it streams
        eagerly (seen in langgraph 1.2.24). If the process is killed in between, the events would be
        lost for ever, because the step is not executed again.
        """
        return self._graph.copy({"stream_eager": True})

    @property
    def classes(self) -> Mapping[str, type]:
        """The classes that the graph's schemas name, and langgraph's own."""
        return self._classes

    @cached_property
    def _classes(self) -> Mapping[str, type]:
        return schema_classes(self._graph)

    @cached_property
    def _context_fields(self) -> set[str] | None:
        schema = self._graph.context_schema
        return None if schema is None else field_names(schema)

    @cached_property
    def _message_channels(self) -> frozenset[str]:
        return message_channels(self._graph)

    #: Nodes of a compiled graph write messages as langchain-core's objects.
    has_message_documents = False

    @property
    def keeps_states(self) -> bool:
        """Whether it has a checkpointer, so that a thread has a state."""
        return isinstance(self._graph.checkpointer, HostedSaver)

    @property
    def own_saver(self) -> HostedSaver | None:
        """The checkpointer that the graph was compiled with."""
        saver = self._graph.checkpointer
        return saver if isinstance(saver, HostedSaver) and saver.is_own else None

    # Running.

    def events(self, run: GraphRun) -> AsyncGenerator[Item, None]:
        """Run the graph and yield its events, in the run's stream modes."""
        return self._raw_events(run) if run.kwargs.get(PROTOCOL) else self._mode_events(run)

    async def _mode_events(self, run: GraphRun) -> AsyncGenerator[Item, None]:
        # Eager streaming is also needed if the caller must get a step before the next one starts.
        checks = run.checks
        graph = self._eager if run.kwargs["resumable"] or checks is not None else self._graph
        items = ModeItems(
            _modes(run.kwargs),
            self._message_channels,
            as_tuples="messages-tuple" in run.kwargs["stream_mode"],
        )
        extra_events = ExtraEvents(run, self._graph)
        are_requested = extra_events.are_requested
        chunks = self._chunks(graph, run, extra_events)
        scope = self._scope(run)
        # Never reset: this runs in the task of the run, whose context ends with it.
        current_run.set(scope)
        try:
            if CLASSES_EVENT in run.kwargs.get(EXTRA_EVENTS, ()):
                yield CLASSES_EVENT, state_classes(self._graph)
            scope.note_reading()
            async for namespace, mode, data in chunks:
                if not scope.note_item(data):
                    continue
                if are_requested:
                    await extra_events.see(namespace, mode, data)
                    for event in extra_events.take():
                        yield event
                for item in items.of(namespace, mode, data):
                    yield item
                is_step = mode == "updates" and not namespace
                if checks is not None and is_step and checks.is_due:
                    yield CONTROL_EVENT, _question(run, checks.begin())
                    await checks.answered()
                scope.note_reading()
            await scope.write_deferred()
            await extra_events.end()
            for event in extra_events.take():
                yield event
        except Exception as error:
            if checks is not None and checks.control.drain_requested:
                # The command must not be repeated: the thread goes on from here.
                await scope.write_deferred()
            await extra_events.end(error)
            for event in extra_events.take():
                yield event
            raise
        finally:
            # `release` must come first: closing the graph may write a last checkpoint, which would
            # wait for ever for a reader of the events before it.
            scope.release()
            try:
                await chunks.aclose()
            finally:
                await scope.end()

    async def _raw_events(self, run: GraphRun) -> AsyncGenerator[Item, None]:
        metadata = objects_and_nulls(run.config, run.kwargs)
        scope = RunScope(run.run_id, metadata=metadata, show_errors=run.show_errors)
        current_run.set(scope)
        events = raw_events(
            self._eager,
            graph_input(run.kwargs),
            self._config(run),
            self._options(run),
            scope,
        )
        async with aclosing(events):
            async for batch in events:
                yield RAW, batch

    def _chunks(
        self, graph: Pregel, run: GraphRun, extra_events: ExtraEvents
    ) -> AsyncGenerator[_Chunk, None]:
        config = self._config(run)
        if extra_events.answer is not None:
            scratchpad = {CONFIG_KEY_SCRATCHPAD: extra_events.answer}
            config = {**config, "configurable": {**config["configurable"], **scratchpad}}
        if extra_events.handlers:
            config = {**config, "callbacks": [*config.get("callbacks", ()), *extra_events.handlers]}
        around, config = split_inherited(config, run.kwargs.get(PARENT) or {}, graph.config)
        if around is not None:
            # Never reset, like `current_run`.
            var_child_runnable_config.set(around)
        options = self._options(run, extra_events.modes)
        run_input = graph_input(run.kwargs)
        if EVENTS in run.kwargs["stream_mode"]:
            return chunks_with_events(
                graph,
                run_input,
                config,
                options,
                is_stepwise=run.checks is not None,
                shows_hidden=TYPED_VALUES in run.kwargs,
            )
        if MESSAGE_EVENTS in run.kwargs.get(EXTRA_EVENTS, ()):
            return chunks_with_message_events(graph, run_input, config, options)
        return _stream_chunks(graph, run_input, config, options)

    def _config(self, run: GraphRun) -> Config:
        config = run.config
        if own := run.kwargs.get(OWN_CONFIG):
            config = _own_config(own, config, is_temporary=run.kwargs["temporary"])
            known = self._context_beside(own, run.kwargs.get("context"))
            config = {**config, "configurable": {**known, **config["configurable"]}}
        if run.before_node is not None:
            config = {**config, "callbacks": [NodeCallback(run.before_node)]}
        if run.kwargs.get("strict_resume"):
            strict = {CONFIG_KEY_STRICT_RESUME: True}
            config = {**config, "configurable": {**config["configurable"], **strict}}
        parent = run.kwargs.get(PARENT) or {}
        more = parent_keys(parent) | thread_keys(parent, config["configurable"])
        # Without checkpoints, langgraph warns if durability is an option, so it is set in the
        # config. With "sync" it would wait for a checkpoint that is never written.
        if not self._keeps(run) and run.kwargs["durability"] != "sync":
            more[CONFIG_KEY_DURABILITY] = run.kwargs["durability"]
        config = {**config, "configurable": {**config["configurable"], **more}}
        config = self._without_unknown_context(config, run.kwargs)
        return _without_counters(config)

    def _context_beside(self, own: JsonMapping, context: object) -> dict[str, object]:
        """Return the fields of a RemoteGraph's context that are not in its `configurable`.

        Nodes find them there too, as those of every other run: they may have been written for the
        real server. Those that the graph's schema lacks are left out, and so are the server's and
        langgraph's own keys: they name the thread, the user and the checkpointer.
        """
        if not isinstance(context, Mapping):
            return {}
        beside = without_internal(
            without(context, SERVER_CONFIGURABLE | own["configurable"].keys())
        )
        fields = self._context_fields
        return {key: value for key, value in beside.items() if fields is None or key in fields}

    def _scope(self, run: GraphRun) -> RunScope:
        """Return the scope of a run, with what nodes and states tell of the graph around it."""
        parent = run.kwargs.get(PARENT) or {}
        caller_id = thread_keys(parent, run.config["configurable"]).get("thread_id")
        threads = {} if caller_id is None else {caller_id: run.thread_id}
        metadata = objects_and_nulls(run.config, run.kwargs)
        parents = parent.get("checkpoints")
        scope = RunScope(run.run_id, threads, parents, metadata, show_errors=run.show_errors)
        if own := run.kwargs.get(OWN_CONFIG):
            beside = self._context_beside(own, run.kwargs.get("context"))
            scope.not_in_metadata = beside.keys() - own["metadata"].keys()
            copied = scope.not_in_metadata & _COPIED_BY_LANGCHAIN
            scope.not_in_events = {key: beside[key] for key in copied}
        return scope

    def _without_unknown_context(self, config: Config, kwargs: JsonMapping) -> Config:
        """Return a config without those values of the context that its schema does not have.

        As on the real server, the others are in `configurable` too.
        """
        fields, context = self._context_fields, kwargs.get("context") or {}
        if fields is None or CONTEXT_PROVIDED not in kwargs["config"]["configurable"]:
            return config
        unknown = without(context, fields | SERVER_CONFIGURABLE)
        configurable = {
            key: value
            for key, value in config["configurable"].items()
            if key not in unknown or unknown[key] != value
        }
        return {**config, "configurable": configurable}

    def _keeps(self, run: GraphRun) -> bool:
        """Return whether checkpoints of a run are stored."""
        parent = run.kwargs.get(PARENT) or {}
        return bool(self._graph.checkpointer) and parent.get("keeps", True)

    def _options(self, run: GraphRun, more_modes: Sequence[str] = ()) -> dict[str, Any]:
        kwargs = run.kwargs
        modes = dict.fromkeys((*_modes(kwargs), *more_modes))
        if run.checks is not None:
            # An `updates` event marks the end of a step.
            modes = dict.fromkeys((*modes, "updates"))
        # The output channels and not the whole state, unless the caller requests more.
        wanted = kwargs.get(OUTPUT_KEYS, self._graph.output_channels)
        options: dict[str, Any] = {
            "stream_mode": [mode for mode in modes if mode != EVENTS],
            "interrupt_before": kwargs["interrupt_before"],
            "interrupt_after": kwargs["interrupt_after"],
            "subgraphs": bool(kwargs["subgraphs"]),
            "output_keys": self._graph.stream_channels_asis if wanted == "*" else wanted,
        }
        if self._keeps(run):
            options["durability"] = kwargs["durability"]
        context = self._context(kwargs)
        if context is not None:
            options["context"] = context
        if run.checks is not None:
            options["control"] = run.checks.control
        return options

    def _context(self, kwargs: JsonMapping) -> Any:
        """Return the run's context, reduced to the fields of its schema as on the real server.

        For a RemoteGraph, it is the caller's own context, as for a local graph.
        """
        context = kwargs.get("context")
        if TYPED_VALUES in kwargs:
            around = (kwargs.get(PARENT) or {}).get("context")
            return run_context(context, around, self._graph.context_schema)
        if self._context_fields is None:
            return dict(context or {}) or None
        # Not from `configurable`: values of the request are in the context already, and the others
        # there, such as an empty `user_id`, are the server's.
        known = self._context_fields
        return {key: value for key, value in (context or {}).items() if key in known}

    async def continued(self, run: GraphRun) -> GraphRun:
        """Return a run without what an earlier attempt has stored or used already."""
        return await continued_run(self._graph, run)

    # States.

    async def aget_state(self, config: Config, *, subgraphs: bool = False) -> Snapshot:
        """Return the latest state of a thread, or that of a checkpoint."""
        state: Snapshot = await self._graph.aget_state(config, subgraphs=subgraphs)
        return state

    async def aget_state_history(
        self,
        config: Config,
        *,
        limit: int | None = None,
        before: Config | None = None,
        filter: Mapping[str, object] | None = None,
    ) -> AsyncIterator[Snapshot]:
        """Yield the states of a thread, the newest first."""
        states = self._graph.aget_state_history(config, limit=limit, before=before, filter=filter)
        async for state in states:
            yield state

    async def aupdate_state(
        self, config: Config, values: object, as_node: str | None = None
    ) -> Config:
        """Write to the state as a node."""
        new_config: Config = await self._graph.aupdate_state(config, values, as_node)
        return new_config

    async def abulk_update_state(
        self, config: Config, supersteps: Sequence[Sequence[StateUpdate]]
    ) -> None:
        """Write to the state, one superstep after the other."""

        def values(update: StateUpdate) -> Any:
            return as_command(update.command) if update.command else update.values

        updates = [
            [LanggraphUpdate(values(update), update.as_node, update.task_id) for update in step]
            for step in supersteps
        ]
        await self._graph.abulk_update_state(config, updates)

    async def awrite_history(
        self, thread_id: str, histories: Mapping[str, Sequence[Document]]
    ) -> list[str]:
        """Write the states of a thread of another server."""
        from langgraph_client.server.graphs.pulled_history import write_histories

        if not self._graph.checkpointer:
            raise Refused("a thread cannot be copied to a graph that stores no checkpoints")
        return await write_histories(
            self._graph, self._graph.checkpointer, thread_id, histories, self.classes
        )

    async def atake_back(self, config: Config, run_id: str) -> None:
        """Remove what a deleted run has written to the checkpoints that were there before it."""
        saver = self._graph.checkpointer
        if isinstance(saver, HostedSaver) and saver.must_take_back:
            await take_back_writes(self._graph, config, run_id)

    # Drawing and schemas.

    def node_names(self) -> list[str]:
        """Return the names of the nodes, without start and end."""
        return [name for name in self._graph.nodes if not name.startswith("__")]

    async def drawing(self, xray: bool | int) -> Document:
        """Return nodes and edges."""
        return await introspection.drawing(self._graph, xray)

    def schemas(self) -> Schemas:
        """Return the JSON schemas of input, output, state and context."""
        return self._schemas

    @cached_property
    def _schemas(self) -> Schemas:
        return introspection.schemas(self._graph)

    async def subgraphs(self, namespace: str | None, recurse: bool) -> dict[str, Schemas]:
        """Return the schemas of the subgraphs, by namespace."""
        subgraphs = self._graph.aget_subgraphs(namespace=namespace, recurse=recurse)
        return {name: await _schemas_of(below) async for name, below in subgraphs}


_REMOTE_SECONDS = 20.0
"""How long a request waits for the schemas of a remote node."""


async def _schemas_of(subgraph: object) -> Schemas:
    if isinstance(subgraph, pregel.Pregel):
        return introspection.schemas(subgraph)
    # A remote graph asks its server, which may be this one: the event loop must not wait.
    reading = asyncio.wrap_future(_remote_readers().submit(introspection.schemas, subgraph))
    try:
        async with asyncio.timeout(_REMOTE_SECONDS):
            return await reading
    except TimeoutError:
        raise Unavailable("the server of a remote node does not answer") from None


@cache
def _remote_readers() -> NodeThreads:
    """Return the threads that wait for servers of remote nodes: few, and apart from all others.

    So requests about a server that does not answer cannot use up the threads of other requests,
    and as these threads are daemons, a process that ends does not wait for such a server.
    """
    return NodeThreads(4)


def _modes(kwargs: JsonMapping) -> dict[str, None]:
    """Return the run's stream modes, by langgraph's names."""
    modes = (*kwargs["stream_mode"], *kwargs.get(MORE_MODES, ()))
    return dict.fromkeys("messages" if mode == "messages-tuple" else mode for mode in modes)


def _question(run: GraphRun, number: int) -> Document:
    thread_id = server_thread_id(run.thread_id)
    return {"thread_id": thread_id, "run_id": run.run_id, "number": number}


def _own_config(own: JsonMapping, hosted: Config, *, is_temporary: bool) -> Config:
    """Return a run's config as in a local graph: the caller's config, thread and checkpoint.

    The authenticated user is added, and the caller cannot set it.
    """
    configurable = hosted["configurable"]
    kept = {"checkpoint_id", "checkpoint_ns", "checkpoint_map"}
    if not is_temporary:
        kept.add("thread_id")
    if configurable.get("langgraph_auth_user") is not None:
        kept |= {key for key in configurable if key.startswith("langgraph_auth_")}
    place = {key: value for key, value in configurable.items() if key in kept}
    own_configurable = without(without_internal(own["configurable"]), {"thread_id", NODE_FINISHED})
    return {
        **hosted,
        "configurable": {**own_configurable, **place},
        "metadata": dict(own["metadata"]),
    }


def _without_counters(config: Config) -> Config:
    """Return a config without the key that would damage the thread.

    langgraph copies `configurable` and `metadata` of a config into the metadata of checkpoints,
    and reads its own counters there.
    """
    kept = {key: without(config.get(key), {DELTA_COUNTERS}) for key in ("configurable", "metadata")}
    return {**config, **kept}


async def _stream_chunks(
    graph: Pregel, run_input: Any, config: Config, options: dict[str, Any]
) -> AsyncGenerator[_Chunk, None]:
    deep = options["subgraphs"]
    source = graph.astream(run_input, config, **options)
    try:
        async for chunk in source:
            yield chunk if deep else ((), *chunk)
    finally:
        # A closed generator does not close the one that it reads. Left to the garbage collector,
        # the graph would go on after its scope has ended.
        await source.aclose()


def graph_input(kwargs: JsonMapping) -> Any:
    """Return the input for the graph: the run's command, or else its input."""
    command = kwargs.get("command")
    return as_command(command) if command else kwargs.get("input")


def as_command(command: JsonMapping) -> Command[Any]:
    """Return langgraph's `Command` for the command of a request."""

    def target(goto: Any) -> Any:
        if isinstance(goto, Mapping):
            timeout = goto.get(SEND_TIMEOUT)
            policy = TimeoutPolicy(**timeout) if timeout else None
            return Send(goto["node"], goto.get("input"), timeout=policy)
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


def field_names(schema: Any) -> set[str]:
    """Return the names of the fields of a schema: a dataclass, a model or a typed dict."""
    if dataclasses.is_dataclass(schema):
        return {field.name for field in dataclasses.fields(schema)}
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return set(schema.model_fields)
    return set(getattr(schema, "__annotations__", {}))


def schema_classes(graph: Pregel) -> dict[str, type]:
    """Return the classes in a graph's schemas. Only of these may envelopes contain objects.

    Remote graphs in it have no classes, and would ask their server.
    """
    schemas = _builder_schemas(getattr(graph, "builder", None))
    for channel in graph.channels.values():
        schemas += [getattr(channel, "ValueType", None), getattr(channel, "UpdateType", None)]
    classes = classes_in(*schemas, *_COMMON_CLASSES)
    for _, below in graph.get_subgraphs():
        if isinstance(below, pregel.Pregel):
            classes.update(schema_classes(below))
    return classes


def state_classes(graph: Pregel) -> dict[str, str | None]:
    """Return the names of the classes of a graph's output and state; None for dicts.

    langgraph's `version="v2"` creates objects of these classes.
    """
    builder = getattr(graph, "builder", None)
    names: dict[str, str | None] = {}
    for name in ("output", "state"):
        schema = getattr(builder, f"{name}_schema", None)
        names[name] = None
        if isinstance(schema, type) and not issubclass(schema, dict):
            is_typed = dataclasses.is_dataclass(schema) or issubclass(schema, BaseModel)
            names[name] = name_of(schema) if is_typed else None
    return names


def builder_classes(builder: object) -> dict[str, type]:
    """Return the classes in the schemas of a graph's builder."""
    return classes_in(*_builder_schemas(builder), *_COMMON_CLASSES)


def _builder_schemas(builder: object) -> list[object]:
    # A graph of the functional API has no builder, and older builders lack some of the schemas.
    names = ("state_schema", "input_schema", "output_schema", "context_schema")
    return [getattr(builder, name, None) for name in names]
