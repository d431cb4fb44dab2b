"""The response to `wait` and `join`: the last values of a run, or its interrupt or error."""

from __future__ import annotations

from collections.abc import Mapping

from langgraph_client.models.fields import JsonMapping
from langgraph_client.server.graphs.protocol_events import INTERRUPT

ERROR = "__error__"
"""The key of an error in the response to `wait` and `join`."""
NOT_FOUND = {"error": "HTTPException", "message": "404: Run not found"}
"""The error of a run that does not exist, or not any more."""


class ResultCollector:
    """Collects the result of a run from its events."""

    def __init__(self) -> None:
        self.values: object = None
        self.interrupts: list[object] = []
        self._from_values = False

    def note(self, name: str, data: object) -> None:
        """Note an event of the root graph."""
        if name == "values":
            interrupts = data.get(INTERRUPT) if isinstance(data, dict) else None
            if interrupts:
                if not self._from_values:
                    self._from_values, self.interrupts = True, []
                self.interrupts.extend(interrupts)
            elif self._from_values:
                # Writes of finished tasks: the result stays the state of the last checkpoint.
                return
            self.values = data
        elif name == "updates" and not self._from_values and isinstance(data, dict):
            self.interrupts.extend(data.get(INTERRUPT) or ())

    def result(self, error: Mapping[str, str] | None) -> object:
        """Return the result; None if the events are not enough to know it."""
        if error is not None:
            return {ERROR: error}
        if len(self.interrupts) > 1 or (self.interrupts and not self._from_values):
            return {INTERRUPT: self.interrupts}
        return self.values


def fallback_result(thread: JsonMapping) -> object:
    """Return the result of a run that is over, from its thread's document."""
    if thread.get("status") == "error" and thread.get("error") is not None:
        # The traceback is left out: it is only for readers of the thread.
        error = thread["error"]
        return {ERROR: {name: error[name] for name in error if name != "traceback"}}
    waiting = [item for items in (thread.get("interrupts") or {}).values() for item in items]
    if waiting:
        return {INTERRUPT: waiting}
    return thread.get("values")
