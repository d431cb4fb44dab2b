"""JSON out: what is written how, and what is refused where."""

from __future__ import annotations

import dataclasses
import json
from collections import OrderedDict, deque, namedtuple
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.types import Command, Interrupt, Send
from pydantic import BaseModel
from pydantic.v1 import BaseModel as OldBaseModel

from langgraph_client._core.codec import decode, encode
from langgraph_client.errors import InvalidArgumentError
from langgraph_client.models import Thread


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


class Point(BaseModel):
    x: int
    at: datetime


@dataclasses.dataclass
class Pair:
    left: Any
    right: Any


class Old(OldBaseModel):
    x: int


NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
Named = namedtuple("Named", "a b")
KEY = "00000000-0000-0000-0000-000000000001"
KEYS = {KEY: 1, "2026-01-02": {"2026-01-02T12:00:00+00:00": [{"red": 2}]}}
TABLE = [
    (NOON, "2026-01-02T12:00:00+00:00"),
    (datetime(2026, 1, 2, 12), "2026-01-02T12:00:00"),
    (date(2026, 1, 2), "2026-01-02"),
    (time(12, 30), "12:30:00"),
    (timedelta(minutes=1, seconds=0.5), 60.5),
    (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (PurePosixPath("/a/b"), "/a/b"),
    (Colour.RED, "red"),
    (Level.HIGH, 3),
    (Decimal("1.50"), 1.5),
    (Decimal("7"), 7),
    (b"\xfb\xff?", "+/8/"),
    (bytearray(b"a"), "YQ=="),
    ({1}, [1]),
    (frozenset("a"), ["a"]),
    ((1, 2), [1, 2]),
    (deque([1]), [1]),
    (Named(1, 2), [1, 2]),
    (MappingProxyType({"a": 1}), {"a": 1}),
    (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
    (Pair(NOON, {1}), {"left": "2026-01-02T12:00:00+00:00", "right": [1]}),
    (Point(x=1, at=NOON), {"x": 1, "at": "2026-01-02T12:00:00+00:00"}),
    ({1: "a", None: "b", False: "c", 2.5: "d"}, {"1": "a", "null": "b", "false": "c", "2.5": "d"}),
    ({UUID(int=1): 1, date(2026, 1, 2): {NOON: [{Colour.RED: 2}]}}, KEYS),
    (
        MappingProxyType({UUID(int=1): Pair({UUID(int=1): 1}, 2)}),
        {KEY: {"left": {KEY: 1}, "right": 2}},
    ),
    (Old(x=1), {"x": 1}),
    (2**70, 2**70),
    ("\u2028é\ud7ff", "\u2028é\ud7ff"),
    (Send("node", {"n": 1}), {"node": "node", "input": {"n": 1}}),
    (Command(resume=False), {"resume": False}),
    (Command(goto="a", update={"n": 1}), {"update": {"n": 1}, "goto": "a"}),
    (
        Command(goto=[Send("a", 1), Send("b", 2)]),
        {"goto": [{"node": "a", "input": 1}, {"node": "b", "input": 2}]},
    ),
    (Interrupt(value="sure?", id="i"), {"value": "sure?", "id": "i"}),
]


@pytest.mark.parametrize(("value", "written"), TABLE, ids=lambda value: str(value)[:30])
def test_each_kind_of_value_is_written_as_documented(value: Any, written: Any) -> None:
    """What Python has and JSON has not is written the way servers write it."""
    assert decode(encode({"input": value})) == {"input": written}


def test_messages_are_flat_objects() -> None:
    """A message of langchain is sent with its type, content and id."""
    sent = decode(encode([HumanMessage("hi", id="1"), AIMessage("ho", name="bot")]))
    assert [(m["type"], m["content"], m["id"]) for m in sent] == [
        ("human", "hi", "1"),
        ("ai", "ho", None),
    ]
    assert sent[1]["tool_calls"] == []


def test_replies_go_back_as_they_came() -> None:
    """A model of ours that is sent is the document that it was read from."""
    document = {"thread_id": "t", "created_at": "2026-01-02T12:00:00.5+00:00", "new": [1]}
    assert decode(encode(Thread(document))) == document


_round: list[Any] = []
_round.append({"self": _round})
OFFENCES = [
    ({"items": [1, 2, 3, {"when": object()}]}, "input.items[3].when"),
    ({"a": float("nan")}, "input.a"),
    ([float("inf")], "input[0]"),
    ({"a": {"b c": float("-inf")}}, "input.a['b c']"),
    ({"a": Pair(1, Decimal("NaN"))}, "input.a.right"),
    ({"a": {(1, 2): 3}}, "input.a[(1, 2)]"),
    ({"a": "\ud800"}, "input.a"),
    ({"a": _round}, "input.a[0].self"),
    ({"a": 1j}, "input.a"),
    (Pair, "input"),
    ({"a": Command(graph=Command.PARENT, goto="x")}, "input.a"),
]


@pytest.mark.parametrize(("value", "path"), OFFENCES, ids=[path for _, path in OFFENCES])
def test_what_cannot_be_json_is_named(value: Any, path: str) -> None:
    """A value that would not arrive as it is is refused, with the path to it."""
    with pytest.raises(InvalidArgumentError) as caught:
        encode({"input": value})
    assert caught.value.parameter == path


def test_too_deep_nesting_is_refused() -> None:
    """Nesting that no parser takes is an error of ours, not a RecursionError."""
    value: Any = 1
    for _ in range(100_000):
        value = [value]
    with pytest.raises(InvalidArgumentError, match="nested more than"):
        encode({"input": value})


def test_the_same_object_twice_is_no_circle() -> None:
    """An object may stand in two places, as long as it does not hold itself."""
    shared = {"a": [1]}
    with pytest.raises(InvalidArgumentError) as caught:
        encode({"input": [shared, shared, {"b": shared}, object()]})
    assert caught.value.parameter == "input[3]"
    assert json.loads(encode([shared, shared])) == [shared, shared]


@pytest.mark.parametrize("content", ['\ufeff{"a": 1}', '\ufeff{"a": 1}'.encode()])
def test_a_byte_order_mark_is_ignored(content: str | bytes) -> None:
    """RFC 8259 lets a reader ignore it in front of a document."""
    assert decode(content) == {"a": 1}


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b'{"a": "\\ud800"}', {"a": "\ud800"}),
        ('{"a": "x\\uDFFFy"}', {"a": "x\udfffy"}),
        (b'{"\\udc00": [NaN, "\\ud83d\\ude00"]}', None),
        (b'\xef\xbb\xbf["\\ud800\\ud800"]', ["\ud800\ud800"]),
    ],
)
def test_lone_surrogates_are_read_as_the_standard_library_reads_them(
    content: str | bytes, value: Any
) -> None:
    """A server may write them; they are never sent back in silence as something else."""
    decoded = decode(content)
    if value is not None:
        assert decoded == value
    with pytest.raises(InvalidArgumentError):
        encode(decoded)


@pytest.mark.parametrize("number", ["1", "Infinity"])
def test_what_is_nested_as_deeply_as_servers_write_it_is_read(number: str) -> None:
    """Also where the fast parser is missing, or refuses something inside."""
    value: Any = decode("[" * 300 + number + "]" * 300)
    for _ in range(300):
        (value,) = value
    assert value == float(number)


@pytest.mark.parametrize(
    "content", [b'["\\ud800', b'["\\ud800", \xff]', b'"\\ud8"', b'["\xed\xa0\x80"]']
)
def test_what_is_not_json_is_refused_with_a_surrogate_too(content: bytes) -> None:
    """Also a surrogate as bytes, which is not UTF-8."""
    with pytest.raises(ValueError):  # noqa: PT011
        decode(content)
