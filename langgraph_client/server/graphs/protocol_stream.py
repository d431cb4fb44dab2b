"""Runs a compiled graph through langgraph's stream multiplexer, and gives its raw events.

The multiplexer lets models stream content blocks, finds subgraphs, and feeds the transformers a
graph was compiled with. What it needs beyond the public names is named here alone, as seen in
langgraph 1.2.24.
"""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator
from typing import Any

from langgraph._internal._constants import CONFIG_KEY_STREAM_MESSAGES_V2, INTERRUPT
from langgraph.stream import LifecycleTransformer, StreamTransformer
from langgraph.stream._convert import convert_to_protocol_event
from langgraph.stream._mux import StreamMux

from langgraph_client.server.graphs.protocol import Config
from langgraph_client.server.graphs.protocol_events import RawEvent
from langgraph_client.server.graphs.run_scope import Marker, RunScope
from langgraph_client.server.graphs.stream_events import event_data, message_metadata
from langgraph_client.values import MESSAGE_EVENTS

MODES = ("values", "updates", "messages", "custom", "tools", "tasks", "checkpoints")


class _AllModes(StreamTransformer):
    """Asks for every stream mode that has a channel."""

    required_stream_modes = MODES

    def init(self) -> dict[str, object]:
        return {}

    def process(self, event: object) -> bool:
        return True


class _Mux(StreamMux):
    """A multiplexer that keeps what it has made until it is taken."""

    def __init__(self, graph: Any) -> None:
        self._made: list[RawEvent] = []
        factories = [LifecycleTransformer, _AllModes, *graph.stream_transformers]
        super().__init__(factories=factories, is_async=True)

    @property
    def modes(self) -> list[str]:
        """The stream modes that the transformers ask for."""
        asked = [mode for t in self._transformers for mode in t.required_stream_modes]
        return list(dict.fromkeys(asked))

    def take(self) -> list[RawEvent]:
        """Return what was made since the last call."""
        made, self._made = self._made, []
        return made

    def _forward(self, method: str, item: object) -> None:
        # What a transformer pushed into a channel that has a name.
        self._made.append(RawEvent(method, (), item))

    async def apush(self, event: Any) -> None:
        """Give an event to the transformers, and keep it unless one of them takes it out."""
        keep = True
        for transformer in self._transformers:
            if not await transformer.aprocess(event):
                # Tasks are taken out by the transformer that finds subgraphs in them.
                keep = isinstance(transformer, LifecycleTransformer) and keep
        if keep:
            self._made.append(self._raw(event["method"], event["params"]))

    def _raw(self, method: str, params: Any) -> RawEvent:
        namespace, data = tuple(params["namespace"]), params["data"]
        if method == "messages":
            payload, metadata = data
            return RawEvent(method, namespace, payload, (), str(metadata.get("run_id", "")))
        data = event_data(method, data)
        return RawEvent(method, namespace, data, params.get("interrupts") or ())


async def raw_events(
    graph: Any, given: Any, config: Config, options: dict[str, Any], scope: RunScope
) -> AsyncGenerator[list[RawEvent]]:
    """Run a graph, giving raw events, in lists of those that came together.

    Args:
        graph: The compiled graph.
        given: Its input, or a command.
        config: The run's config.
        options: Further arguments of `astream`; its modes are decided here.
        scope: The run, to which markers in the stream belong.

    Raises:
        BaseException: Whatever the graph raises.
    """
    mux = _Mux(graph)
    options = {**options, "stream_mode": mux.modes, "subgraphs": True, "version": "v2"}
    source = graph.astream(given, _with_blocks(config), **options)
    try:
        scope.ask()
        async for part in source:
            if not scope.take(part["data"]):
                continue
            await mux.apush(convert_to_protocol_event(part))
            if events := mux.take():
                yield events
            scope.ask()
        await mux.aclose()
    except Exception as error:
        await mux.afail(error)
        if events := mux.take():
            yield events
        raise
    finally:
        # In this order: the graph may write a last checkpoint while it is closed, and must not
        # wait for somebody to take events meanwhile.
        scope.release()
        try:
            await source.aclose()
        finally:
            scope.over = True
    if events := mux.take():
        yield events


async def chunks_with_message_events(
    graph: Any, given: Any, config: Config, options: dict[str, Any]
) -> AsyncGenerator[tuple[tuple[str, ...], str, object], None]:
    """Run a graph, giving what it streams as `(namespace, mode, data)`.

    In place of the mode "messages" there are `MESSAGE_EVENTS`.

    Args:
        graph: The compiled graph.
        given: Its input, or a command.
        config: The run's config.
        options: Further arguments of `astream`.
    """
    plain = copy.copy(graph)  # So that states stay dicts.
    plain._output_mapper = plain._state_mapper = None
    source = plain.astream(given, _with_blocks(config), **options, version="v2")
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
    """Return a config with which models stream the blocks of their messages."""
    configurable = {**config["configurable"], CONFIG_KEY_STREAM_MESSAGES_V2: True}
    return {**config, "configurable": configurable}
