"""The fields of documents that are encrypted, and the keys in them that are not."""

from __future__ import annotations

from collections.abc import Mapping

FIELDS: Mapping[str, tuple[str, ...]] = {
    "assistant": ("metadata", "config", "context"),
    "thread": ("metadata", "config", "values", "interrupts", "error"),
    "run": ("metadata", "kwargs"),
    "cron": ("metadata", "payload"),
    "webhook": ("url", "body"),
}
"""By kind of document."""

NESTED: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("assistant", "config"): ("configurable",),
    ("thread", "config"): ("configurable",),
    ("run", "kwargs"): ("input", "config", "context", "command"),
    ("run", "config"): ("configurable", "metadata"),
    ("cron", "payload"): ("metadata", "context", "input", "config"),
    ("cron", "config"): ("configurable", "metadata"),
}
"""Objects within a field that the handlers get as separate objects."""

_ALWAYS = frozenset(
    {
        # The server searches by these keys. What a user writes under such a name stays plain, too,
        # which docs/applications.md says.
        "thread_id",
        "run_id",
        "assistant_id",
        "graph_id",
        "cron_id",
        "checkpoint_id",
        "task_id",
        "given_thread_id",
        "__after_seconds__",
        "__request_start_time_ms__",
        "langgraph_version",
        "langgraph_api_version",
        "langgraph_plan",
        "langgraph_host",
        "langgraph_api_url",
        "langgraph_request_id",
        "langgraph_auth_user_id",
        "langgraph_auth_permissions",
    }
)
_AT = frozenset(
    {
        "run.kwargs.temporary",
        "run.kwargs.config.recursion_limit",
        "run.kwargs.config.max_concurrency",
        "checkpoint.metadata.source",
        "checkpoint.metadata.step",
        "checkpoint.metadata.parents",
        "checkpoint.metadata.run_attempt",
        "checkpoint.metadata.counters_since_delta_snapshot",
    }
)


def stays_plain(path: str, name: str) -> bool:
    """Return whether a key's value is stored as plain text.

    Args:
        path: The path of its object, such as `run.kwargs.config`.
        name: The key.
    """
    return name in _ALWAYS or name.startswith("__pregel_") or f"{path}.{name}" in _AT
