"""What a thread's document says: decided here, from its state and its runs, and nowhere else.

- `busy` while it has a run that is not over;
- `error` after a run that ended as `error` or `timeout`;
- `interrupted` if nodes of its graph are to come: it stopped at an interrupt, or was stopped;
- `idle` otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LEFT_BY_RUNS = ("values", "interrupts", "error")


def state_status(waits: bool) -> str:
    """Return the status that a thread's state decides: whether nodes of its graph are to come."""
    return "interrupted" if waits else "idle"


def resting(thread: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that a thread has again when its runs leave nothing behind."""
    rest = {name: thread[name] for name in _LEFT_BY_RUNS if name in thread}
    status = thread.get("status", "idle")
    return {**rest, "status": "idle" if status == "busy" else status}


def after_run(
    left: Mapping[str, Any], error: Mapping[str, str] | None, *, failed: bool
) -> dict[str, Any]:
    """Return the fields of a thread at rest after a run.

    Args:
        left: What the run left: values and interrupts, and the status that follows from its state.
        error: What the thread shows as its error.
        failed: Whether the run ended as `error` or `timeout`.
    """
    return {**left, "error": error, "status": "error" if failed else left["status"]}


def with_runs(rest: Mapping[str, Any], *, busy: bool) -> dict[str, Any]:
    """Return the fields that a thread shows.

    Args:
        rest: What it says at rest.
        busy: Whether it has a run that is not over.
    """
    return {**rest, "status": "busy"} if busy else dict(rest)
