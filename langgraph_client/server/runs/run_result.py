"""What `wait` and `join` answer: the last values of a run, or what stopped it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

INTERRUPT = "__interrupt__"


class RunResult:
    """Collects, from a run's events, what its end will be reported as."""

    def __init__(self) -> None:
        self.values: Any = None
        self.interrupts: list[Any] = []
        self._from_values = False

    def note(self, name: str, data: Any) -> None:
        """Take notice of an event of the top graph."""
        if name == "values":
            found = data.get(INTERRUPT) if isinstance(data, dict) else None
            if found:
                if not self._from_values:
                    self._from_values, self.interrupts = True, []
                self.interrupts.extend(found)
            elif self._from_values:
                # What the step's finished tasks wrote; the state stays that of the last checkpoint.
                return
            self.values = data
        elif name == "updates" and not self._from_values and isinstance(data, dict):
            self.interrupts.extend(data.get(INTERRUPT) or ())

    def result(self, error: Mapping[str, str] | None) -> Any:
        """Return the answer, or None if the events alone do not tell."""
        if error is not None:
            return {"__error__": error}
        if len(self.interrupts) > 1 or (self.interrupts and not self._from_values):
            return {INTERRUPT: self.interrupts}
        return self.values


def fallback_result(thread: Mapping[str, Any]) -> Any:
    """Return the answer for a run that is over, from what its thread is now."""
    if thread.get("status") == "error" and thread.get("error") is not None:
        # The traceback is for who looks into the thread, not for who waits for an answer.
        error = thread["error"]
        return {"__error__": {name: error[name] for name in error if name != "traceback"}}
    waiting = [item for items in (thread.get("interrupts") or {}).values() for item in items]
    if waiting:
        return {INTERRUPT: waiting}
    return thread.get("values")
