"""Look into the engine of a server."""

from __future__ import annotations

from langgraph_client.server.runs.engine import Engine


def is_at_rest(engine: Engine) -> bool:
    """Return whether nothing is left to do: no run, no lock that is held, no task."""
    is_idle = not (engine.jobs or engine.stopper.deleting or engine.numbers().running)
    return is_idle and len(engine.tasks) == len(engine.locks) == 0
