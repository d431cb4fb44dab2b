"""Run a compiled graph through langgraph's stream multiplexer, and yield its raw events.

The multiplexer makes models stream content blocks, finds subgraphs, and feeds the graph's
transformers. Only this module uses langgraph's private names for it, as seen in langgraph 1.2.24.
"""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator
from typing import Any

from langgraph.stream import LifecycleTransformer, StreamTransformer
from langgraph.stream._convert import convert_to_protocol_event
from langgraph.stream._mux import StreamMux

from langgraph_client.server.graphs.langgraph_names import CONFIG_KEY_STREAM_MESSAGES_V2, INTERRUPT
from langgraph_client.server.graphs.protocol import Config
from langgraph_client.server.graphs.protocol_events import RawEvent
from langgraph_client.server.graphs.run_scope import Marker, RunScope
from langgraph_client.server.graphs.stream_events import event_data, message_metadata
from langgraph_client.values import MESSAGE_EVENTS

MODES = ("values", "updates", "messages", "custom", "tools", "tasks", "checkpoints")


class _AllModes(StreamTransformer):
    """Requests every stream mode that has a channel."""

    required_stream_modes = MODES

    def init(self) -> dict[str, object]:
        return {}

    def process(self, event: object) -> bool:
        return True


class _Mux(StreamMux):
    """A multiplexer that collects its events until they are taken."""

    def __init__(self, graph: Any) -> None:
        self._raw_events: list[RawEvent] = []  # Not `_events`, which StreamMux has itself.
        factories = [LifecycleTransformer, _AllModes, *graph.stream_transformers]
        super().__init__(factories=factories, is_async=True)

    @property
    def modes(self) -> list[str]:
        """The stream modes that the transformers need."""
        modes = [mode for t in self._transformers for mode in t.required_stream_modes]
        return list(dict.fromkeys(modes))

    def take(self) -> list[RawEvent]:
        """Return the events since the last call."""
        events, self._raw_events = self._raw_events, []
        return events

    def _forward(self, method: str, item: object) -> None:
        # An item that a transformer pushed into a named channel.
        self._raw_events.append(RawEvent(method, (), item))

    async def apush(self, event: Any) -> None:
        """Pass an event to the transformers, and keep it unless one of them removes it."""
        keep = True
        for transformer in self._transformers:
            if not await transformer.aprocess(event):
                # langgraph's lifecycle transformer removes `tasks` events, but readers want them.
                keep = isinstance(transformer, LifecycleTransformer) and keep
        if keep:
            self._raw_events.append(self._raw(event["method"], event["params"]))

    def _raw(self, method: str, params: Any) -> RawEvent:
        namespace, data = tuple(params["namespace"]), params["data"]
        if method == "messages":
            payload, metadata = data
            return RawEvent(method, namespace, payload, (), str(metadata.get("run_id", "")))
        data = event_data(method, data)
        return RawEvent(method, namespace, data, params.get("interrupts") or ())


async def raw_events(
    graph: Any, run_input: Any, config: Config, options: dict[str, Any], scope: RunScope
) -> AsyncGenerator[list[RawEvent]]:
    """Run a graph and yield raw events, in lists of events that were produced together.

    Args:
        graph: The compiled graph.
        run_input: Its input, or a command.
        config: The run's config.
        options: More arguments of `astream`; the modes are set here.
        scope: The run's scope, which handles markers in the stream.

    Raises:
        BaseException: The graph raised it.
    """
    mux = _Mux(graph)
    options = {**options, "stream_mode": mux.modes, "subgraphs": True, "version": "v2"}
    source = graph.astream(run_input, _with_blocks(config), **options)
    try:
        scope.note_reading()
        async for part in source:
            if not scope.note_item(part["data"]):
                continue
            await mux.apush(convert_to_protocol_event(part))
            if events := mux.take():
                yield events
            scope.note_reading()
        await scope.write_deferred()
        await mux.aclose()
    except Exception as error:
        await mux.afail(error)
        if events := mux.take():
            yield events
        raise
    finally:
        # `release` must come first: closing the graph may write a last checkpoint, which would wait
        # for ever for a reader of the events before it.
        scope.release()
        try:
            await source.aclose()
        finally:
            await scope.end()
    if events := mux.take():
        yield events


async def chunks_with_message_events(
    graph: Any, run_input: Any, config: Config, options: dict[str, Any]
) -> AsyncGenerator[tuple[tuple[str, ...], str, object], None]:
    """Run a graph and yield its stream as `(namespace, mode, data)`.

    `MESSAGE_EVENTS` replace the mode "messages".

    Args:
        graph: The compiled graph.
        run_input: Its input, or a command.
        config: The run's config.
        options: More arguments of `astream`.
    """
    plain = copy.copy(graph)  # So that states stay dicts.
    plain._output_mapper = plain._state_mapper = None
    source = plain.astream(run_input, _with_blocks(config), **options, version="v2")
    try:
        async for part in source:
            namespace, mode, data = part["ns"], part["type"], part["data"]
            if mode == "values" and part["interrupts"] and isinstance(data, dict):
                data = {**data, INTERRUPT: part["interrupts"]}
            elif mode == "messages" and not isinstance(data, Marker):
                mode, data = MESSAGE_EVENTS, (data[0], message_metadata(data[1]))
            yield namespace, mode, data
    finally:
        await source.aclose()


def _with_blocks(config: Config) -> Config:
    """Return a config with which models stream content blocks."""
    configurable = {**config["configurable"], CONFIG_KEY_STREAM_MESSAGES_V2: True}
    return {**config, "configurable": configurable}
