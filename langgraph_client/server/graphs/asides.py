"""What happens in a run beside its stream, for the callbacks of its caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_client.server.graphs.protocol import GraphRun, Item
from langgraph_client.server.typed_values import ASIDES
from langgraph_client.values import HANDLER_CALLS_EVENT, LIFECYCLE_EVENT, TRACER_CALLS_EVENT

if TYPE_CHECKING:
    from langgraph_client.server.graphs.handler_calls import CallRecorder
    from langgraph_client.server.graphs.lifecycle import LifecycleRecorder


class Asides:
    """The callback handlers of a run that note what its caller wants to be told.

    Args:
        run: The run; what its caller has asked for is in its kwargs.
    """

    def __init__(self, run: GraphRun) -> None:
        asked = run.kwargs.get(ASIDES, ())
        self._lifecycle: LifecycleRecorder | None = None
        self._calls: dict[str, CallRecorder] = {}
        # Only here: langgraph's callbacks are younger than what the rest needs.
        if LIFECYCLE_EVENT in asked:
            from langgraph_client.server.graphs.lifecycle import LifecycleRecorder

            self._lifecycle = LifecycleRecorder()
        if HANDLER_CALLS_EVENT in asked or TRACER_CALLS_EVENT in asked:
            from langgraph_client.server.graphs.handler_calls import (
                CallRecorder,
                TracerCallRecorder,
            )

            makers = {HANDLER_CALLS_EVENT: CallRecorder, TRACER_CALLS_EVENT: TracerCallRecorder}
            self._calls = {name: make() for name, make in makers.items() if name in asked}

    @property
    def handlers(self) -> list[Any]:
        """The callback handlers that the run needs."""
        return [*([] if self._lifecycle is None else [self._lifecycle]), *self._calls.values()]

    def take(self) -> list[Item]:
        """Return the events since the last time."""
        items: list[Item] = []
        if self._lifecycle is not None:
            items += [(LIFECYCLE_EVENT, event) for event in self._lifecycle.take()]
        for name, recorder in self._calls.items():
            if calls := recorder.take():
                items.append((name, calls))
        return items
