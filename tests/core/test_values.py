"""What JSON flattens survives the envelope; what JSON carries has none."""

from __future__ import annotations

import json
import math
import sys
import uuid
from collections import Counter, OrderedDict, UserDict, defaultdict, deque
from dataclasses import InitVar, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, Flag, IntEnum, IntFlag, StrEnum
from typing import Any, NamedTuple

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langgraph.types import Command
from pydantic import BaseModel

from langgraph_client.server.encoding import plain
from langgraph_client.values import (
    PLAIN,
    TYPES,
    allowed_class,
    classes_in,
    enclose,
    is_envelope,
    name_of,
    open_envelope,
)


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


class Word(StrEnum):
    YES = "yes"


class Access(Flag):
    READ = 1
    WRITE = 2


class Bits(IntFlag):
    LOW = 1
    HIGH = 8


class Point(NamedTuple):
    x: int
    y: Any


@dataclass(frozen=True)
class Box:
    width: int
    label: Any = None


class Person(BaseModel):
    name: str
    born: date
    boxes: list[Box] = []


ALLOWED = classes_in(Colour, Level, Word, Access, Bits, Point, Box, Person)

VALUES: list[Any] = [
    (1, "two", None),
    {1, 2},
    frozenset({"a"}),
    deque([1, (2,)]),
    b"\x00\xff",
    bytearray(b"a"),
    datetime(2024, 5, 6, 7, 8, 9, 123456, UTC),
    datetime(2024, 5, 6),
    date(2024, 5, 6),
    time(7, 8, 9),
    timedelta(days=2, microseconds=1),
    uuid.UUID(int=7),
    Decimal("1.50"),
    float("inf"),
    2**70,
    "a\x00b",
    "\ud800",
    Colour.RED,
    Level.HIGH,
    Point(1, (2,)),
    Box(1, {"deep": (1, {2})}),
    Person(name="Ada", born=date(1815, 12, 10), boxes=[Box(2)]),
    {1: "one", 2.5: "x", None: 0, False: (1,)},
    {"a": [{"b": ({"c": {date(2024, 1, 1)}},)}]},
    {(1, 2)},
    Access.READ | Access.WRITE,
    Access(0),
    Bits.LOW | Bits.HIGH,
    Bits(2),
    {1: "number", "1": "text"},
    {"a": [{"1": (1,), 1: {2}, None: b"", "null": {"b": Box(1, {3})}}, (4,)]},
    {Colour.RED: (1,), Level.HIGH: {2}, Word.YES: 3},
    {(1, (2,)): {3}, b"a": 1, Decimal("1.50"): 2, frozenset({1}): 3, time(7): 4, Box(1): 5},
    {"a\x00": (1,), "b\ud800": {2}, 3: "c\x00"},
    {"inner": {"a\x00": 1, "a\ufffd": 2, "b\ud800": 3, "b?": 4}},
    {PLAIN: 1, TYPES: []},
    {PLAIN: {PLAIN: (1,), TYPES: [[[PLAIN], "tuple"]]}, TYPES: None},
    {Word.YES: {(1, 2): {"yes": 1, Word.YES: 2}}, "line\nfeed": {1}},
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_round_trip(value: Any) -> None:
    """Through real JSON and back, the value is equal and of the same type."""
    sent = json.loads(json.dumps(enclose(value, plain)))
    back = open_envelope(sent, ALLOWED)
    assert back == value
    assert type(back) is type(value)


class Words(list[Any]):
    pass


class Text(str):
    pass


class Day(date):
    pass


SUBCLASSES: list[tuple[Any, Any]] = [
    (OrderedDict(a=(1,)), {"a": (1,)}),
    (defaultdict(list, {"a": {1}}), {"a": {1}}),
    (Counter("a"), {"a": 1}),
    (UserDict({"a": (1,)}), {"a": (1,)}),
    (Words([(1,), OrderedDict(b=b"c")]), [(1,), {"b": b"c"}]),
    (type("Few", (set,), {})([1]), {1}),
    (type("Pair", (tuple,), {})([1, {2}]), (1, {2})),
    (Text("a\x00b"), "a\x00b"),
    (type("Real", (float,), {})("inf"), float("inf")),
    (type("Big", (int,), {})(2**70), 2**70),
    (Day(2024, 1, 1), date(2024, 1, 1)),
    ({Text("a"): (1,)}, {"a": (1,)}),
]


@pytest.mark.parametrize(
    ("value", "expected"), SUBCLASSES, ids=[type(value).__name__ for value, _ in SUBCLASSES]
)
def test_of_a_subclass_only_the_class_is_lost(value: Any, expected: Any) -> None:
    """What a dict, a list or a text of a class of its own holds keeps its types."""
    back = open_envelope(json.loads(json.dumps(enclose(value, plain))), {})
    assert back == expected
    assert type(back) is type(expected)


def test_keys_of_a_class_that_is_not_allowed_are_text() -> None:
    """Like the class's objects elsewhere."""
    assert open_envelope(enclose({Colour.RED: (1,)}, plain), {}) == {"red": (1,)}
    (name,) = plain({Box(1): None})
    assert open_envelope(enclose({Box(1): (2,), b"a": 3}, plain), {}) == {name: (2,), b"a": 3}


@dataclass
class Tally:
    counts: list[int]
    unit: InitVar[str] = "m"
    largest: int = field(default=0, init=False)

    def __post_init__(self, unit: str) -> None:
        if not self.counts:
            raise ValueError("nothing to count")
        self.total = f"{sum(self.counts)} {unit}"
        self.largest = max(self.counts)


def test_what_a_dataclass_sets_beside_its_fields_is_set_again() -> None:
    """The fields are those that were sent, also if the class would set others, or refuse them."""
    allowed = classes_in(Tally)
    tally = Tally([1, 2])
    tally.largest = 7
    back = open_envelope(enclose(tally, plain), allowed)
    assert (back, back.total) == (tally, "3 m")
    tally.counts.clear()
    assert open_envelope(enclose(tally, plain), allowed) == tally


def test_a_model_knows_which_fields_were_set() -> None:
    """`exclude_unset` leaves out what it would have left out."""
    person = Person.model_construct(name="Ada")
    person.born = date(1815, 12, 10)
    back = open_envelope(json.loads(json.dumps(enclose(person, plain))), ALLOWED)
    assert back.model_dump(exclude_unset=True) == person.model_dump(exclude_unset=True)
    assert "boxes" not in back.model_fields_set


def test_nan_survives() -> None:
    """NaN equals nothing, so it is asked for by name."""
    (back,) = open_envelope(json.loads(json.dumps(enclose([float("nan")], plain))), {})
    assert math.isnan(back)


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "é", [1, {"a": []}], {"a": {"b": None}}])
def test_plain_json_has_no_envelope(value: Any) -> None:
    """What JSON carries goes as it is."""
    assert enclose(value, plain) == value
    assert not is_envelope(value)


def test_the_plain_part_is_what_everyone_else_gets() -> None:
    """A reader that knows nothing of notes finds the protocol's own JSON."""
    for value in VALUES:
        assert enclose(value, plain)[PLAIN] == plain(value)


def test_a_class_that_is_not_allowed_stays_json() -> None:
    """Nothing is imported or made because a message says so."""
    sent = enclose({"who": Box(1), "at": (1,)}, plain)
    assert open_envelope(sent, {}) == {"who": {"width": 1, "label": None}, "at": (1,)}
    evil = {PLAIN: {}, TYPES: [[[], ["dataclass", "os:system"]]]}
    assert open_envelope(evil, ALLOWED) == {}


def test_a_class_of_the_same_name_elsewhere_is_the_same_class() -> None:
    """The graph's module may be called otherwise on the server."""
    sent = enclose(Box(1), plain)
    moved = {f"elsewhere:{Box.__qualname__}": Box}
    assert open_envelope(sent, moved) == Box(1)


def test_notes_that_do_not_fit_are_refused() -> None:
    """A message that lies about its value is an error, not a wrong value."""
    for notes in ([[["a"], "tuple"]], [[[], "uuid"]], [["x"]], [[[0, 0], "set"]]):
        with pytest.raises(ValueError, match="type note"):
            open_envelope({PLAIN: {"b": 1}, TYPES: notes}, {})


def test_the_classes_of_a_schema_are_found_however_deep() -> None:
    """Fields' types, containers' arguments, and the schema itself."""

    class State(BaseModel):
        people: dict[str, list[Person]] | None
        colour: Colour

    assert {name_of(kind) for kind in (State, Person, Box, Colour)} == set(classes_in(State))


class SameByName(type):
    def __eq__(cls, other: object) -> bool:
        return isinstance(other, SameByName) and cls.__name__ == other.__name__

    def __hash__(cls) -> int:
        return hash(cls.__name__)


class WithoutHash(type):
    def __eq__(cls, other: object) -> bool:
        return cls is other


@pytest.mark.parametrize("meta", [SameByName, WithoutHash])
def test_the_classes_of_equal_classes_are_told_apart(meta: type) -> None:
    """Whatever a metaclass takes for equal; it may also leave its classes without a hash."""
    for kind in (Colour, Level):
        schema = meta("Schema", (), {"__annotations__": {"field": kind}})
        assert classes_in(schema) == {name_of(kind): kind}


def test_a_class_of_a_library_is_not_found_by_its_bare_name() -> None:
    """An application's own `Command` is never langgraph's, which steers a parent graph."""
    own = type("Command", (), {})
    known: dict[str, type] = {"langgraph.types:Command": Command}
    assert allowed_class("shop:Command", known) is None
    assert allowed_class("langgraph.moved:Command", known) is Command
    with_own = {**known, "__main__:Command": own}
    assert allowed_class("shop:Command", with_own) is own
    assert allowed_class("langgraph.moved:Command", with_own) is Command


def test_only_messages_that_hold_a_noted_value_have_a_note() -> None:
    """Readers know the others by their form."""
    value = {
        "before": (1,),
        "messages": [
            HumanMessage("a", id="1"),
            HumanMessage("b", id="2", additional_kwargs={"k": {"deep": (1,)}}),
            [AIMessage("c", id="3"), {1}, AIMessage("d", id="4", response_metadata={"s": {1}})],
        ],
        "after": (HumanMessage("e", id="5"), {2}),
    }
    sent = enclose(value, plain)
    noted = [path for path, tag in sent[TYPES] if isinstance(tag, list) and tag[0] == "pydantic"]
    assert noted == [["messages", 1], ["messages", 2, 2]]


def test_noting_takes_time_by_the_size_of_a_value() -> None:
    """Twice the messages and tuples take twice the steps, not four times."""

    def steps(size: int) -> int:
        messages: list[BaseMessage] = [HumanMessage("a", id=str(i)) for i in range(size)]
        value = {"before": [(i,) for i in range(size)], "messages": messages}
        calls = 0

        def count(*_: object) -> None:
            nonlocal calls
            calls += 1

        before = sys.getprofile()
        sys.setprofile(count)
        try:
            enclose(value, lambda item: item)
        finally:
            sys.setprofile(before)
        return calls

    assert steps(200) < 2.2 * steps(100)
