"""The groups of endpoints that can be disabled."""

from __future__ import annotations

from collections.abc import Collection

from langgraph_client.server.options import Group

_BEGINNINGS: tuple[tuple[str, Group], ...] = (
    # The more specific pattern comes first.
    ("/threads/{thread_id}/stream/events", "event_streaming"),
    ("/threads/{thread_id}/commands", "event_streaming"),
    ("/threads/{thread_id}/runs", "runs"),
    ("/threads", "threads"),
    ("/runs", "runs"),
    ("/assistants", "assistants"),
    ("/store", "store"),
    ("/mcp", "mcp"),
    ("/a2a", "a2a"),
    ("/.well-known/agent-card.json", "a2a"),
    ("/ui", "ui"),
)
_META = ("/", "/info", "/metrics", "/docs", "/openapi.json")


def is_served(path: str, disabled: Collection[Group]) -> bool:
    """Return whether the endpoint at a path is served.

    Without runs there is no event streaming either, because its commands start runs. `/ok` is
    always served.
    """
    if path in _META:
        return "meta" not in disabled
    group = next((group for beginning, group in _BEGINNINGS if path.startswith(beginning)), None)
    if group == "event_streaming" and "runs" in disabled:
        return False
    return group not in disabled
