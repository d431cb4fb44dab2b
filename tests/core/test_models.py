"""Replies: dicts as they were sent, with typed attributes that are checked when they are read."""

from __future__ import annotations

import copy
import gc
import json
import pickle
import weakref
from datetime import UTC, datetime, timedelta
from pprint import pformat
from typing import Any

import orjson
import pytest
from pydantic import BaseModel, TypeAdapter

from langgraph_client import schema
from langgraph_client.errors import APIResponseValidationError, LangGraphError
from langgraph_client.models import (
    Checkpoint,
    Cron,
    Interrupt,
    Run,
    SearchItem,
    SearchItemsResponse,
    Thread,
    ThreadState,
    ThreadTask,
)
from langgraph_client.models.record import Record

DOCUMENT: dict[str, Any] = {
    "thread_id": "t",
    "unknown": {"kept": True},
    "created_at": "2026-11-20T20:44:07.331298+00:00",
    "status": "idle",
    "metadata": None,
    "values": {"n": 1},
    "interrupts": {"task": [{"id": "i", "value": 3}]},
}
INNER = {"values": {"n": 1}, "next": ["b"], "tasks": []}
STATE: dict[str, Any] = {
    "values": {"n": 0},
    "next": ["a"],
    "tasks": [{"id": "1", "name": "a", "state": INNER, "interrupts": [{"value": 1}]}],
    "checkpoint": {"checkpoint_id": "c"},
    "created_at": "",
}
FOUND = {"items": [{"namespace": ["a"], "key": "k", "value": {}}]}
RECORDS = [
    kind for kind in vars(schema).values() if isinstance(kind, type) and issubclass(kind, Record)
]


@pytest.fixture
def thread() -> Thread:
    return Thread(copy.deepcopy(DOCUMENT))


@pytest.mark.parametrize(
    ("kind", "document"),
    [(Thread, DOCUMENT), (ThreadState, STATE), (SearchItemsResponse, FOUND)],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_reply_is_the_dict_that_was_sent(kind: type[Record], document: dict[str, Any]) -> None:
    """JSON, orjson, pickle, copies, unpacking, `|` and print show what the server sent."""
    for touched in (False, True):
        reply = kind(copy.deepcopy(document))
        assert isinstance(reply, dict)
        if touched:  # Attributes were read.
            for name in document:
                if name != "created_at":
                    getattr(reply, name, None)
        assert reply == document
        assert json.loads(json.dumps(reply)) == document
        assert json.dumps(reply, indent=1) == json.dumps(document, indent=1)
        assert orjson.dumps(reply) == orjson.dumps(document)
        assert {**reply} == dict(reply) == reply | {} == document
        assert list(reply) == list(reply.keys()) == list(document)
        assert repr(reply) == repr(document)
        assert pformat(reply) == pformat(document)
        for other in (pickle.loads(pickle.dumps(reply)), copy.deepcopy(reply), copy.copy(reply)):
            assert type(other) is kind
            assert other == document
            assert json.dumps(other) == json.dumps(document)
        assert type(reply.copy()) is kind


def test_attributes_are_typed_and_keys_are_as_sent(thread: Thread) -> None:
    """A time is text by key and a datetime by attribute; the rest is the same object by both."""
    assert thread["created_at"] == DOCUMENT["created_at"]
    assert thread.created_at == datetime(2026, 11, 20, 20, 44, 7, 331298, tzinfo=UTC)
    assert thread.thread_id == thread["thread_id"] == thread.get("thread_id") == "t"
    assert thread.interrupts is thread["interrupts"]
    assert thread.values is thread["values"]
    assert thread["unknown"] == {"kept": True}
    assert thread.get("updated_at", 1) == 1
    assert "updated_at" not in thread
    with pytest.raises(KeyError):
        thread["updated_at"]


def test_documents_inside_are_records_in_place() -> None:
    """By key and by attribute, at any depth, it is the same record."""
    by_key, by_attribute = ThreadState(copy.deepcopy(STATE)), ThreadState(copy.deepcopy(STATE))
    assert isinstance(by_key["tasks"][0], ThreadTask)
    assert isinstance(by_key["tasks"][0]["state"], ThreadState)
    assert isinstance(by_key.get("checkpoint"), Checkpoint)
    inner = by_attribute.tasks[0].state
    assert inner is not None
    assert inner.next == ["b"]
    assert inner is by_attribute["tasks"][0]["state"]
    assert isinstance(by_attribute.tasks[0].interrupts[0], Interrupt)
    items = SearchItemsResponse(copy.deepcopy(FOUND)).items
    assert isinstance(items[0], SearchItem)


def test_a_reply_can_be_changed_like_any_dict(thread: Thread) -> None:
    """By key, by attribute, or inside; attributes, keys and JSON agree."""
    thread["status"] = "busy"
    assert thread.status == "busy"
    thread.thread_id = "u"
    assert thread["thread_id"] == "u"
    thread.values["n"] = 2
    thread.interrupts["task"][0]["value"] = 4
    thread["extra"] = 1
    del thread.status
    written = json.loads(json.dumps(thread))
    assert (written["values"], written["interrupts"]["task"][0]["value"]) == ({"n": 2}, 4)
    assert written["extra"] == 1
    assert "status" not in written
    with pytest.raises(AttributeError, match="no field 'stauts'"):
        thread.stauts = "busy"  # type: ignore[attr-defined]


def test_fields_that_are_called_like_methods_can_be_called(thread: Thread) -> None:
    """`values` and `items` are the fields, and do what every dict's do when they are called."""
    assert list(thread.values()) == list(DOCUMENT.values())
    assert dict(thread.items()) == DOCUMENT
    assert dict(SearchItemsResponse(copy.deepcopy(FOUND)).items()) == FOUND
    assert list(ThreadState({"values": [1]}).values()) == [[1]]
    assert list(ThreadState({"values": None}).values()) == [None]
    assert ThreadState({"values": 5}).values == 5
    thread.values["n"] = 2
    assert {"n": 2} in list(thread.values())


def test_reading_values_makes_no_circle() -> None:
    """A reply is freed when its last user lets go of it, without the garbage collector."""
    gc.disable()
    try:
        thread = Thread(copy.deepcopy(DOCUMENT))
        thread.values()
        watched = weakref.ref(thread)
        del thread
        assert watched() is None
    finally:
        gc.enable()


def test_what_was_not_sent_is_never_made_up(thread: Thread) -> None:
    """A field that is always sent raises where it was not; others are None, or empty."""
    bare = Thread({"thread_id": "t"})
    for kind in (AttributeError, LangGraphError):  # For `hasattr`, and for those who read replies.
        with pytest.raises(kind, match="came without 'status'"):
            _ = bare.status
    assert (bare.error, bare.metadata, bare.interrupts) == (None, {}, {})
    assert bare == {"thread_id": "t"}
    assert thread.metadata == {}  # Null, where an object belongs, reads as an empty one.
    assert thread["metadata"] is None
    assert not hasattr(bare, "created_at")
    assert not hasattr(bare, "no_such_field")


ODD: list[tuple[Record, str, str]] = [
    (Run({"assistant_id": None}), "assistant_id", "Run.assistant_id: expected string, not None"),
    (Run({"created_at": ""}), "created_at", "Run.created_at: "),
    (Run({"created_at": 5}), "created_at", "Run.created_at: expected a time as text, not 5"),
    (Thread({"thread_id": {"no": 1}}), "thread_id", "Thread.thread_id: expected string"),
    (Thread({"metadata": []}), "metadata", "Thread.metadata: expected an object"),
    (ThreadState({"next": ["a", 1]}), "next", r"ThreadState.next: \[1\]: expected string"),
    (ThreadState({"tasks": ["a"]}), "tasks", r"ThreadState.tasks: \[0\]: expected an object"),
    (
        Thread({"interrupts": {"x": 1}}),
        "interrupts",
        r"Thread.interrupts: \['x'\]: expected an array",
    ),
    (Cron({"enabled": 1}), "enabled", "Cron.enabled: expected boolean, not 1"),
    (SearchItem({"score": True}), "score", "SearchItem.score: expected number"),
    (SearchItemsResponse({"items": 5}), "items", "SearchItemsResponse.items: expected an array"),
]


@pytest.mark.parametrize(("reply", "name", "words"), ODD, ids=[name for _, name, _ in ODD])
def test_an_odd_field_fails_where_it_is_read(reply: Record, name: str, words: str) -> None:
    """Reading it names document and field; nothing else is touched, and by key it is as sent."""
    assert len(reply) == 1
    assert name in reply
    with pytest.raises(APIResponseValidationError, match=words):
        getattr(reply, name)


def test_a_class_may_extend_a_reply_as_a_typed_dict() -> None:
    """With `total=False`, its own fields may be missing; those of the reply stay as they are."""

    class Own(Thread, total=False):
        mood: str

    class Strict(Thread):
        mood: str

    assert Own(DOCUMENT).mood is None
    assert Own({**DOCUMENT, "mood": "good"}).mood == "good"
    assert Own(DOCUMENT).thread_id == "t"
    with pytest.raises(AttributeError):
        _ = Strict(DOCUMENT).mood


def test_times_are_aware_or_text() -> None:
    """A time without an offset is UTC; a cron's end keeps what somebody else wrote into it."""
    assert Thread({"created_at": "2026-11-20T20:44:07"}).created_at.utcoffset() == timedelta(0)
    assert Cron({"end_time": "soon"}).end_time == "soon"
    assert Cron({"end_time": "2030-01-01T00:00:00Z"}).end_time == datetime(2030, 1, 1, tzinfo=UTC)


def test_replies_are_understood_by_pydantic(thread: Thread) -> None:
    """A reply is a field of a model as it is, and its schema describes its fields."""

    class Page(BaseModel):
        thread: Thread
        runs: list[Run] = []

    page = Page.model_validate({"thread": DOCUMENT, "runs": [{"run_id": "r", "new": 1}]})
    assert isinstance(page.thread, Thread)
    assert page.runs[0].run_id == "r"
    assert json.loads(page.model_dump_json())["thread"] == DOCUMENT
    described = TypeAdapter(Thread).json_schema()
    assert described["properties"]["thread_id"] == {"type": "string"}
    assert described["properties"]["created_at"] == {"type": "string", "format": "date-time"}
    assert described["required"] == ["thread_id", "created_at", "updated_at", "status"]


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
def test_each_reply_has_a_schema(kind: type[Record]) -> None:
    """All annotations of fields are known: each class has a JSON schema with all its fields."""
    described = TypeAdapter(kind).json_schema()
    assert described["properties"].keys() == {
        name
        for base in kind.__mro__
        for name in getattr(base, "__annotations__", {})
        if name[0] != "_"
    }
    assert json.dumps(described)
