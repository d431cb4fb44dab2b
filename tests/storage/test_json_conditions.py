"""JSON containment in SQL is the containment that `contains` defines."""

from __future__ import annotations

import math
import sqlite3
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from langgraph_client.server.encoding import decode, encode
from langgraph_client.server.storage.containment import contains
from langgraph_client.server.storage.sqlite.json_conditions import (
    contains_condition,
    install,
)

_KEYS = st.sampled_from(
    ["a", "b", "x y", "é", 'quo"te', "back\\slash", "", "new\nline", "a.b", "'"]
)
_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([2**53 + 1, 2**63 - 1, -(2**63), 2**64 - 1, 0.1, 1.0, 1.5, 1e300, 1 / 3]),
    st.sampled_from(["", "a", "1", "true", "null", "é", '{"a":1}', "[1]", "x'y", "\n"]),
)
_JSON = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=8,
)


def parts_of(value: Any) -> st.SearchStrategy[Any]:
    """Values that a value contains, or nearly."""
    if isinstance(value, dict) and value:
        keys = st.lists(st.sampled_from(sorted(value)), unique=True, max_size=2)
        return keys.flatmap(
            lambda chosen: st.fixed_dictionaries({key: parts_of(value[key]) for key in chosen})
        )
    if isinstance(value, list) and value:
        return st.lists(st.sampled_from(value).flatmap(parts_of), max_size=2)
    return st.just(value)


def holds(document: Any, wanted: Any) -> bool:
    connection = sqlite3.connect(":memory:")
    try:
        install(connection)
        connection.execute("CREATE TABLE documents (doc)")
        connection.execute("INSERT INTO documents VALUES (?)", (encode(document).decode(),))
        condition, parameters = contains_condition("doc", wanted)
        query = f"SELECT COUNT(*) FROM documents WHERE {condition}"
        return bool(connection.execute(query, parameters).fetchone()[0])
    finally:
        connection.close()


@given(st.data())
def test_sql_agrees_with_the_reference(data: st.DataObject) -> None:
    """For any document and any wanted value, SQL and `contains` give the same answer."""
    document = data.draw(_JSON)
    wanted = data.draw(parts_of(document) | _JSON)
    assert holds(document, wanted) == contains(decode(encode(document)), wanted)


def contains_each(document: Any, wanted: Any) -> bool:
    """The definition of containment, which compares each item with each."""
    if isinstance(wanted, dict):
        return isinstance(document, dict) and all(
            key in document and contains_each(document[key], wanted[key]) for key in wanted
        )
    if isinstance(wanted, list):
        return isinstance(document, list) and all(
            any(contains_each(item, value) for item in document) for value in wanted
        )
    return bool(document == wanted) and isinstance(document, bool) == isinstance(wanted, bool)


_NUMBERS = st.sampled_from([0, 0.0, -0.0, False, 1, 1.0, True, math.nan, math.inf, 2**53, 2.0**53])


@given(st.data())
def test_items_that_are_looked_up_are_those_that_are_equal(data: st.DataObject) -> None:
    """Lists contain each other as if each item was compared with each."""
    document = data.draw(st.lists(_JSON | _NUMBERS))
    wanted = data.draw(parts_of(document) | st.lists(_JSON | _NUMBERS, max_size=3))
    assert contains(document, wanted) == contains_each(document, wanted)


@pytest.mark.parametrize("items", ["scalars", "objects"])
def test_long_lists_are_not_compared_item_by_item(items: str) -> None:
    """Each item of a wanted list is looked up, not compared with each item of the other list."""
    compared = 0

    class Number(int):
        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return int.__eq__(self, other)

        __hash__ = int.__hash__

    def item(number: int) -> Any:
        return number if items == "scalars" else {"n": number}

    many = [item(Number(number)) for number in reversed(range(1000))]
    assert contains([item(number) for number in range(1000)], many)
    assert compared <= 3 * len(many)


@pytest.mark.parametrize(
    ("document", "wanted", "answer"),
    [
        ({"a": True}, {"a": 1}, False),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1.0}, {"a": 1}, True),
        ({"a": "1"}, {"a": 1}, False),
        ({"a": '{"b":1}'}, {"a": {"b": 1}}, False),
        ({"a": {"b": 1}}, {"a": '{"b":1}'}, False),
        ({"a": [{"b": 1, "c": 2}, "x"]}, {"a": [{"b": 1}]}, True),
        ({"a": ["x", 1]}, {"a": [{"b": 1}]}, False),
        ({"a": None}, {"a": None}, True),
        ({}, {"a": None}, False),
        ({"a": {}}, {"a": []}, False),
        ({"a": 2**64 - 1}, {"a": 2**64 - 1}, True),
    ],
)
def test_odd_values_compare_as_json(document: Any, wanted: Any, answer: bool) -> None:
    """Types are never confused: booleans, numbers, texts that look like JSON, null and nothing."""
    assert holds(document, wanted) is answer
    assert contains(document, wanted) is answer


@example(1)
@example(7)
@given(st.integers(1, 60))
def test_depth_does_not_matter(depth: int) -> None:
    """A filter may be nested and long: what SQL cannot say is answered all the same."""
    document: Any = {"leaf": 1}
    for _ in range(depth):
        document = {"a": [document]}
    assert holds(document, document)
    wide = {f"k{number}": number for number in range(depth * 20)}
    assert holds(wide, wide)
    assert not holds({}, wide)
