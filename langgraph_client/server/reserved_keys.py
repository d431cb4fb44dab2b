"""The keys of metadata and `configurable` that the server keeps for itself."""

from __future__ import annotations

from collections.abc import Mapping

from langgraph_client.server.storage.checkpoint_links import DELTA_COUNTERS

RESERVED_METADATA = {
    "thread_id",
    "assistant_id",
    "run_id",
    "cron_id",
    DELTA_COUNTERS,
}
NODE_FINISHED = "__pregel_node_finished"
CONTEXT_PROVIDED = "__context_provided__"
"""The key in `configurable` that the values of the request's context are there, too."""
RESERVED_CONFIGURABLE = {
    "langgraph_auth_user",
    "langgraph_auth_user_id",
    "langgraph_auth_permissions",
    "langgraph_request_id",
    "__langsmith_project__",
    "__langsmith_example_id__",
    "__request_start_time_ms__",
    "__after_seconds__",
    "__otel_traceparent__",
    "__otel_tracestate__",
    "__dd_trace_headers__",
    NODE_FINISHED,
    CONTEXT_PROVIDED,
}
NOT_CONTEXT = {"run_id", "thread_id", "graph_id", "assistant_id"}
SERVER_CONFIGURABLE = {
    *RESERVED_CONFIGURABLE,
    *NOT_CONTEXT,
    "checkpoint_id",
    "checkpoint_map",
    "checkpoint_ns",
}
"""The keys of `configurable` that the server sets: user, run, thread, checkpoint. A context does
not replace them."""


def without(values: Mapping[str, object] | None, reserved: set[str]) -> dict[str, object]:
    """Return a copy without the reserved keys, which clients cannot set."""
    return {key: value for key, value in (values or {}).items() if key not in reserved}


def without_internal(configurable: Mapping[str, object]) -> dict[str, object]:
    """Return a copy without langgraph's internal keys, except one that the server sets to None.

    A request that could set them could, for example, name another thread.
    """
    return {
        key: value
        for key, value in configurable.items()
        if not key.startswith("__pregel_") or key == NODE_FINISHED
    }
