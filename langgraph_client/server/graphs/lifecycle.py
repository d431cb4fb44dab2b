"""Record interrupts and resumptions of a run for its caller's callbacks."""

from __future__ import annotations

from typing import Any

from langgraph.callbacks import GraphCallbackHandler, GraphInterruptEvent, GraphResumeEvent

from langgraph_client.server.storage.protocol import Document


class LifecycleRecorder(GraphCallbackHandler):
    """Records langgraph's lifecycle events of a run as documents."""

    run_inline = True

    def __init__(self) -> None:
        self._events: list[Document] = []

    def take(self) -> list[Document]:
        """Return the events since the last call."""
        events, self._events = self._events, []
        return events

    def on_interrupt(self, event: GraphInterruptEvent) -> Any:
        """Record that the graph has stopped at interrupts."""
        interrupts = list(event.interrupts)
        self._events.append({**_document("interrupt", event), "interrupts": interrupts})

    def on_resume(self, event: GraphResumeEvent) -> Any:
        """Record that the graph continues from a checkpoint."""
        self._events.append(_document("resume", event))


def _document(name: str, event: GraphInterruptEvent | GraphResumeEvent) -> Document:
    return {
        "event": name,
        "status": event.status,
        "checkpoint_id": event.checkpoint_id,
        "checkpoint_ns": list(event.checkpoint_ns),
    }
