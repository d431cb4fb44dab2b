"""Snapshots of a remote state: their times, and how they are stored."""

from __future__ import annotations

import copy
import pickle
from typing import Any
from unittest.mock import MagicMock

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import StateSnapshot

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


def test_a_snapshot_is_stored_as_langgraph_s() -> None:
    """A node may keep one in its state: strict checkpointers know the class. Copies stay ours."""
    client = MagicMock()
    client.threads.get_state.return_value = {**STATE, "values": {"a": 1}}
    snapshot: Any = RemoteGraph("agent", sync_client=client).get_state(THREAD)
    serde = JsonPlusSerializer(allowed_msgpack_modules=None)
    stored = serde.loads_typed(serde.dumps_typed(snapshot))
    assert type(stored) is StateSnapshot
    assert stored.values == {"a": 1}
    for copied in (copy.deepcopy(snapshot), pickle.loads(pickle.dumps(snapshot))):
        assert copied == snapshot
        assert copied._repr_html_() == snapshot._repr_html_()
    assert repr(snapshot) == repr(StateSnapshot(*snapshot))
