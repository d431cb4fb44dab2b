"""Decide a thread's status from its state and its runs. This is the only place that does.

- `busy` while it has a run that is not over;
- `error` after a run that ended as `error` or `timeout`;
- `interrupted` if its graph has more nodes to run: it stopped at an interrupt, or was stopped;
- `idle` otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping

WITHOUT_STATE: Mapping[str, object] = {
    "status": "idle",
    "values": None,
    "interrupts": {},
    "error": None,
}
"""The fields of a thread at rest that has no state."""
_LEFT_BY_RUNS = ("values", "interrupts", "error")


def state_status(waits: bool) -> str:
    """Return the status for a thread at rest: `interrupted` if its graph has more nodes to run."""
    return "interrupted" if waits else "idle"


def resting(thread: Mapping[str, object]) -> dict[str, object]:
    """Return the fields that a thread has again if its runs leave no state."""
    rest = {name: thread[name] for name in _LEFT_BY_RUNS if name in thread}
    status = thread.get("status", "idle")
    return {**rest, "status": "idle" if status == "busy" else status}


def after_run(
    left: Mapping[str, object], error: Mapping[str, str] | None, *, failed: bool
) -> dict[str, object]:
    """Return the fields of a thread at rest after a run.

    Args:
        left: Values, interrupts and status of the thread's state after the run.
        error: The error for the thread's document; None without an error.
        failed: Whether the run ended as `error` or `timeout`.
    """
    return {**left, "error": error, "status": "error" if failed else left["status"]}


def with_runs(rest: Mapping[str, object], *, busy: bool) -> dict[str, object]:
    """Return the fields that a thread shows.

    Args:
        rest: Its fields at rest.
        busy: Whether it has a run that is not over.
    """
    return {**rest, "status": "busy"} if busy else dict(rest)
