"""orjson writes what the plain encoder writes, or leaves it to it."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.types import Command, Interrupt, Send

from langgraph_client._core.codec import _ENCODER, _encode_fast


class Point(NamedTuple):
    x: int
    y: int


class Colour(Enum):
    RED = "red"


class Word(StrEnum):
    A = "a"


class Level(IntEnum):
    LOW = 1


@dataclass
class Box:
    width: int
    made: datetime


WHEN = datetime(2026, 1, 2, 3, 4, 5, 678000, timezone(timedelta(hours=7)))

VALUES: list[Any] = [
    {"a": [1, 2.5, True, "é\u2028\x00"]},
    [WHEN, WHEN.astimezone(UTC), WHEN.replace(tzinfo=None), date(2026, 1, 2), time(3, 4, 5)],
    [UUID(int=1), Path("a/b"), Decimal("1.50"), b"\x00", timedelta(seconds=1.5)],
    [(1, 2), Point(1, 2), {3}, deque([4])],
    [Colour.RED, Word.A, Level.LOW],
    {1: "one", False: "no"},
    OrderedDict(b=1, a=2),
    Box(1, WHEN),
    [2**63, 2**64, 2**70],
    [float("nan"), None],
    [HumanMessage("hi", id="1"), AIMessage("yo", id="2")],
    [Send("node", {"a": 1}), Command(resume=0), Interrupt(value=1, id="i")],
    "\ud800",
    1e300,
    0.1,
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:40])
def test_fast_is_slow_but_faster(value: Any) -> None:
    """Where it answers at all, byte for byte the same."""
    fast = _encode_fast(value)
    assert fast is None or fast == _ENCODER.encode(value).encode()


def test_the_common_case_is_fast() -> None:
    """Plain JSON without a null does not fall back."""
    assert _encode_fast({"input": {"messages": [{"role": "user", "content": "hi"}]}}) is not None


def test_not_a_number_never_passes() -> None:
    """orjson would write null for it."""
    assert _encode_fast({"a": [float("nan")]}) is None
    assert _encode_fast({"a": float("inf")}) is None
