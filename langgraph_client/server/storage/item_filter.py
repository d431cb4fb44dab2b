"""Decide whether an item of the store matches the filter of a search."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from langgraph_client.server.encoding import decode, encode

if TYPE_CHECKING:
    from langgraph.store.base import SearchOp

OPERATORS = ("$eq", "$ne", "$gt", "$gte", "$lt", "$lte")
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}
_WHOLE = "$matches"
NUMBER = r"-?[0-9]{1,255}(\.[0-9]{1,255})?([eE][+-]?[0-9]{1,3})?"
"""Text that holds a number, as a regular expression for Python and for PostgreSQL."""


def matches(document: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Return whether a JSON object matches a filter.

    Each key of the filter stands for a key of the object. Its value is one of these:

    - An object with operators, such as `{"$gt": 3}`. All must hold. None holds for a key that is
      missing, except `{"$eq": None}`.
    - An object without operators: a filter for the object there.
    - Another value, which must be equal. A missing key equals null.

    Numbers are ordered among themselves and with text that holds a number, text with text.
    """
    return all(_matches_key(document, key, value) for key, value in wanted.items())


def check_filter(wanted: Mapping[str, Any]) -> None:
    """Check the operators of a filter.

    Raises:
        ValueError: There is no such operator, or a key stands beside operators.
    """
    for value in wanted.values():
        if not isinstance(value, dict):
            continue
        if not has_operators(value):
            check_filter(value)
            continue
        for name in value:
            if name not in OPERATORS:
                raise ValueError(f"Unsupported operator: {name}")


def has_operators(condition: Mapping[str, Any]) -> bool:
    """Return whether an object of a filter consists of operators."""
    return any(key.startswith("$") for key in condition)


def filter_text(wanted: object) -> str:
    """Return a filter, or a part of it, as JSON. Infinity is kept, as Python's own JSON has it."""
    return json.dumps(wanted, default=lambda value: decode(encode(value)))


def as_one_condition(op: SearchOp, *, always: bool = False) -> SearchOp:
    """Return a search whose filter langgraph's store passes to `_get_filter_condition` as a whole.

    Args:
        op: The search.
        always: Whether to pass an empty filter too.

    Raises:
        ValueError: The filter is invalid.
    """
    if not (op.filter or always):
        return op
    wanted = op.filter or {}
    check_filter(wanted)
    return op._replace(filter={"value": {_WHOLE: wanted}})


def conditions(
    wanted: Mapping[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    """Yield the conditions of a filter, flat: path, operator and value.

    The operator `$object`, whose value is None, says that there is an object at the path.
    """
    for key, value in wanted.items():
        place = (*path, key)
        if not isinstance(value, dict):
            yield place, "$eq", value
        elif has_operators(value):
            for name, operand in value.items():
                yield place, name, operand
        else:
            yield place, "$object", None
            yield from conditions(value, place)


def _matches_key(document: Mapping[str, Any], key: str, wanted: Any) -> bool:
    value = document.get(key)
    if not isinstance(wanted, dict):
        return _equal(value, wanted)
    if not has_operators(wanted):
        return isinstance(value, dict) and matches(value, wanted)
    return all(
        _holds(value, name, operand) if key in document else (name, operand) == ("$eq", None)
        for name, operand in wanted.items()
    )


def _holds(found: Any, name: str, operand: Any) -> bool:
    if name == "$eq":
        return _equal(found, operand)
    if name == "$ne":
        return not _equal(found, operand)
    if isinstance(found, str) and isinstance(operand, str):
        return _ORDER[name](found, operand)
    left, right = number_in(found), number_in(operand)
    return left is not None and right is not None and _ORDER[name](left, right)


def _equal(left: Any, right: Any) -> bool:
    """Return whether two JSON values are equal. A boolean never equals a number."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_equal(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_equal, left, right))
    return bool(left == right and isinstance(left, bool) == isinstance(right, bool))


def number_in(value: Any) -> int | float | None:
    """Return a number, or the number that a text holds; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if not isinstance(value, str):
        return value
    if not re.fullmatch(NUMBER, value):
        return None
    return int(value) if value.lstrip("-").isdecimal() else float(value)
