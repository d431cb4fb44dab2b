"""Write the events of one run to the v3 event log of its thread."""

from __future__ import annotations

from collections.abc import Iterable

from langgraph_client.server.encoding import decode
from langgraph_client.server.graphs.classic_events import ClassicEvents
from langgraph_client.server.graphs.protocol_events import ProtocolEvents
from langgraph_client.server.runs.protocol_log import ProtocolLog
from langgraph_client.server.storage.protocol import Document, KeptEvent

CANCELLED = "cancelled"
_ENDED = {"success": "completed", "error": "failed", "timeout": "failed"}


class ProtocolRun:
    """Writes the events of one run to the v3 log of its thread.

    Args:
        log: The log.
        run: The run's document.
        before: The run's lifecycle events that are in the log already.
    """

    def __init__(self, log: ProtocolLog, run: Document, before: Iterable[KeptEvent] = ()) -> None:
        self.log = log
        self.run_id: str = run["run_id"]
        graph_id = run["kwargs"]["config"]["configurable"]["graph_id"]
        #: Makes the events of the older streams.
        self.classic = ClassicEvents()
        self.events = ProtocolEvents(str(graph_id))
        known = list(before)
        for event in known:
            self.events.resume(decode(event.data)["params"])
        if not known:
            log.append(self.run_id, [self.events.begin()])

    def take(self, name: str, data: object) -> None:
        """Add an event of the graph."""
        self.log.append(self.run_id, self.events.take(name, data))

    def end(self, status: str, error: str | None, waits: bool) -> None:
        """Add the events that end the run.

        Args:
            status: The run's status.
            error: The exception's message; None without an error.
            waits: Whether the thread waits at an interrupt.
        """
        event, reason = _ENDED.get(status, "interrupted"), None
        if event == "interrupted":
            reason = CANCELLED
        elif event == "completed" and waits:
            event = "interrupted"
        self.log.append(
            self.run_id, self.events.end(event, error if event == "failed" else None, reason)
        )
