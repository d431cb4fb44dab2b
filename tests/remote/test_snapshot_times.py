"""Times of a remote state."""

from __future__ import annotations

from typing import Any
from unittest.mock import MagicMock

import pytest

from langgraph_client import RemoteGraph

STATE: dict[str, Any] = {
    "values": {},
    "next": [],
    "checkpoint": None,
    "metadata": None,
    "tasks": [],
}
THREAD = {"configurable": {"thread_id": "1"}}


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05+00:00"),
        ("a moment ago", "a moment ago"),
        (None, None),
    ],
)
def test_a_time_is_written_as_locally(sent: str | None, shown: str | None) -> None:
    """What is no time stays as the server wrote it."""
    client = MagicMock()
    client.threads.get_state.return_value = {**STATE, "created_at": sent}
    assert RemoteGraph("agent", sync_client=client).get_state(THREAD).created_at == shown
