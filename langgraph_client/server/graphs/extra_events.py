"""Additional events of a run for a RemoteGraph: handler calls, lifecycle events and others."""

from __future__ import annotations

from typing import Any

from langgraph_client.server.graphs.extensions import Extensions
from langgraph_client.server.graphs.handler_calls import CallRecorder, TracerCallRecorder
from langgraph_client.server.graphs.lifecycle import LifecycleRecorder
from langgraph_client.server.graphs.parent_graph import ParentAnswer
from langgraph_client.server.graphs.protocol import GraphRun, Item
from langgraph_client.server.graphs.seen_messages import SeenMessages
from langgraph_client.server.typed_values import EXTRA_EVENTS
from langgraph_client.values import (
    ANSWERED_EVENT,
    EXTENSIONS_EVENT,
    HANDLER_CALLS_EVENT,
    LIFECYCLE_EVENT,
    PARENT,
    SEEN_EVENT,
    TRACER_CALLS_EVENT,
)


class ExtraEvents:
    """Records the additional events that the caller of a run has requested.

    Args:
        run: The run; the requested events are in its kwargs.
        graph: The compiled graph.
    """

    def __init__(self, run: GraphRun, graph: Any) -> None:
        requested = run.kwargs.get(EXTRA_EVENTS, ())
        parent = run.kwargs.get(PARENT) or {}
        #: The answer of the graph around the run; None without one.
        self.answer = ParentAnswer(parent["answer"]) if "answer" in parent else None
        self._lifecycle: LifecycleRecorder | None = None
        self._calls: dict[str, CallRecorder] = {}
        self._extensions: Extensions | None = None
        if EXTENSIONS_EVENT in requested and graph.stream_transformers:
            self._extensions = Extensions(graph)
        if LIFECYCLE_EVENT in requested:
            self._lifecycle = LifecycleRecorder()
        self._seen = SeenMessages() if SEEN_EVENT in requested else None
        if HANDLER_CALLS_EVENT in requested or TRACER_CALLS_EVENT in requested:
            makers = {HANDLER_CALLS_EVENT: CallRecorder, TRACER_CALLS_EVENT: TracerCallRecorder}
            self._calls = {name: make() for name, make in makers.items() if name in requested}

    @property
    def handlers(self) -> list[object]:
        """The callback handlers that the run needs."""
        recorders = (self._lifecycle, self._seen, *self._calls.values())
        return [recorder for recorder in recorders if recorder is not None]

    @property
    def are_requested(self) -> bool:
        """Whether the caller has requested any additional events."""
        others = (self._lifecycle, self._extensions, self._seen)
        return bool(self._calls) or any(other is not None for other in others)

    @property
    def modes(self) -> list[str]:
        """The stream modes that the recorders need, in addition to the caller's."""
        return [] if self._extensions is None else self._extensions.modes

    async def see(self, namespace: tuple[str, ...], mode: str, data: object) -> None:
        """Note a part of the graph's stream."""
        if self._extensions is not None:
            await self._extensions.see(namespace, mode, data)

    async def end(self, error: Exception | None = None) -> None:
        """Note the run's end."""
        if self._extensions is not None and error is not None:
            await self._extensions.afail(error)
        elif self._extensions is not None:
            await self._extensions.aclose()

    def take(self) -> list[Item]:
        """Return the events since the last call."""
        items: list[Item] = []
        if self.answer is not None and self.answer.is_taken:
            self.answer = None
            items.append((ANSWERED_EVENT, True))
        if self._lifecycle is not None:
            items += [(LIFECYCLE_EVENT, event) for event in self._lifecycle.take()]
        if self._extensions is not None:
            items += [(EXTENSIONS_EVENT, item) for item in self._extensions.take()]
        if self._seen is not None and (seen := self._seen.take()):
            items.append((SEEN_EVENT, seen))
        for name, recorder in self._calls.items():
            if calls := recorder.take():
                items.append((name, calls))
        return items
