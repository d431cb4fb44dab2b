"""Replies: frozen, readable both ways, lossless."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from langgraph_client.models import Cron, Run, SearchItemsResponse, Thread, ThreadState

DOCUMENT: dict[str, Any] = {
    "thread_id": "t",
    "unknown": {"kept": True},
    "created_at": "2026-11-20T20:44:07.331298+00:00",
    "status": "idle",
    "metadata": None,
    "values": {"n": 1},
    "interrupts": {"task": [{"id": "i", "value": 3}]},
}


@pytest.fixture
def thread() -> Thread:
    return Thread.model_validate(DOCUMENT)


def test_a_reply_reads_both_ways(thread: Thread) -> None:
    """Attributes and keys give the same values."""
    assert thread.thread_id == thread["thread_id"] == "t"
    assert thread.created_at == thread["created_at"]
    assert thread.created_at == datetime(2026, 11, 20, 20, 44, 7, 331298, tzinfo=UTC)
    assert thread.interrupts["task"][0]["value"] == thread["interrupts"]["task"][0].value == 3
    assert thread["unknown"] == {"kept": True}


def test_a_reply_is_a_mapping_of_what_was_sent(thread: Thread) -> None:
    """Its keys are the server's, in its order; what was not sent is not there."""
    assert isinstance(thread, Mapping)
    assert list(thread) == list(thread.keys()) == list(dict(thread)) == list(DOCUMENT)
    assert len(thread) == len(DOCUMENT)
    assert {**thread}["thread_id"] == "t"
    assert "updated_at" not in thread
    assert thread.get("updated_at") is None
    assert thread.get("updated_at", 1) == 1
    assert dict(thread.items())["status"] == "idle"
    with pytest.raises(KeyError):
        thread["updated_at"]
    assert thread.values == {"n": 1}  # A field of that name wins over the method.
    assert list(Run.model_validate({"run_id": "r"}).values()) == ["r"]
    assert SearchItemsResponse.model_validate({"items": []}).items == []


def test_equality_with_a_dict_takes_either_form(thread: Thread) -> None:
    """The JSON that was sent is equal, and so is the Python form."""
    assert thread == DOCUMENT
    assert thread == dict(thread)
    assert thread != {**DOCUMENT, "status": "busy"}
    assert thread == Thread.model_validate(copy.deepcopy(DOCUMENT))
    assert thread != 1


def test_a_reply_gives_back_what_was_sent(thread: Thread) -> None:
    """Model to JSON is the server's document: keys, order, nulls, times."""
    assert thread.model_dump_json() == json.dumps(DOCUMENT, separators=(",", ":"))
    assert thread.model_dump(mode="json") == DOCUMENT
    assert thread.model_dump()["created_at"] == thread.created_at


def test_what_was_not_sent_is_never_made_up(thread: Thread) -> None:
    """A field that is always sent raises where it was not; others are None, or empty."""
    bare = Thread.model_validate({"thread_id": "t"})
    with pytest.raises(AttributeError, match="came without 'status'"):
        _ = bare.status
    assert (bare.error, bare.metadata, bare.interrupts) == (None, {}, {})
    assert thread.metadata == {}  # Null, where an object belongs, reads as an empty one.
    assert json.loads(thread.model_dump_json())["metadata"] is None
    assert not hasattr(bare, "created_at")
    assert not hasattr(bare, "no_such_field")


def test_a_reply_cannot_be_changed(thread: Thread) -> None:
    """Neither by attribute nor by key; a changed copy is checked like a reply."""
    with pytest.raises(ValidationError):
        thread.status = "busy"
    with pytest.raises(TypeError):
        thread["status"] = "busy"  # type: ignore[index]
    with pytest.raises(TypeError):
        hash(thread)
    assert thread.model_copy(update={"status": "busy"}).status == "busy"
    assert thread.status == "idle"


def test_a_reply_can_be_pickled_and_copied(thread: Thread) -> None:
    """Copies are equal, and lossless like the original."""
    for other in (pickle.loads(pickle.dumps(thread)), copy.deepcopy(thread), copy.copy(thread)):
        assert other == thread
        assert other.model_dump(mode="json") == DOCUMENT


def test_times_are_aware_or_text() -> None:
    """A time without an offset is UTC; a cron's end keeps what somebody else wrote into it."""
    naive = Thread.model_validate({"created_at": "2026-11-20T20:44:07"})
    assert naive.created_at.utcoffset() == timedelta(0)
    assert Cron.model_validate({"end_time": "soon"}).end_time == "soon"
    end = Cron.model_validate({"end_time": "2030-01-01T00:00:00Z"}).end_time
    assert end == datetime(2030, 1, 1, tzinfo=UTC)


def test_states_nest() -> None:
    """The state of a subgraph is a state."""
    inner = {"values": {"n": 1}, "next": ["b"], "tasks": []}
    task = {"id": "1", "name": "a", "state": inner, "interrupts": []}
    state = ThreadState.model_validate({"values": {}, "next": ["a"], "tasks": [task]})
    nested = state.tasks[0].state
    assert nested is not None
    assert nested.next == ["b"]
    assert state["tasks"][0]["state"] == inner
