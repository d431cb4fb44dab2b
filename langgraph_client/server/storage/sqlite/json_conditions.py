"""JSON containment as a condition in SQL.

`containment.contains` defines containment. `contains_condition` expresses the same in SQLite's JSON
functions, so that only matching documents have to be decoded.
"""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import dataclass
from typing import Any

from langgraph_client.server.encoding import decode, encode
from langgraph_client.server.storage.containment import contains, count_terms

_CONTAINS = "json_contains(CAST({} AS BLOB), ?)"
_HAS_TEXT = "has_text(CAST({} AS BLOB), ?)"
# As bytes, because a function cannot be called with a text that is not UTF-8.
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_ .:/@-]+")
"""Keys that a path can name: those that JSON always writes as they are."""
_MAX_TERMS = 100
_MAX_DEPTH = 6
"""Far below the limits of SQLite's parser: a thousand terms, a hundred levels."""


def install(connection: sqlite3.Connection) -> None:
    """Make the SQL functions known that conditions call."""

    def json_contains(text: bytes | None, wanted: str) -> bool:
        return text is not None and contains(_decoded(text), decode(wanted))

    def has_text(text: bytes | None, part: str) -> bool:
        return text is not None and part.lower() in text.decode("utf-8", "replace").lower()

    connection.create_function("json_contains", 2, json_contains, deterministic=True)
    connection.create_function("has_text", 2, has_text, deterministic=True)


def contains_condition(column: str, wanted: object) -> tuple[str, list[object]]:
    """Return a condition that holds for rows whose JSON contains a value, and its parameters.

    Args:
        column: An SQL expression whose value is JSON text.
        wanted: What it must contain.
    """
    text = encode(wanted)
    plain = decode(text)  # as stored documents are written
    if count_terms(plain) > _MAX_TERMS or _depth(plain) > _MAX_DEPTH or _has_odd_number(plain):
        return _CONTAINS.format(column), [text.decode()]
    parameters: list[object] = []
    condition = _condition(_Place(column, "$"), plain, parameters, 0)
    return condition, parameters


def text_condition(column: str, part: str) -> tuple[str, list[object]]:
    """Return a condition that holds for rows whose text contains another, whatever its case."""
    return _HAS_TEXT.format(column), [part]


def lenient_condition(column: str, wanted: object) -> tuple[str, list[object]]:
    """Return the same condition for a column that may contain Python's words for odd numbers.

    Earlier versions and langgraph's own checkpointers wrote NaN and Infinity, which SQLite's JSON
    functions refuse. A single such row would make the whole query fail.
    """
    condition, parameters = contains_condition(column, wanted)
    text = encode(wanted).decode()
    in_python = _CONTAINS.format(column)
    lenient = f"CASE WHEN json_valid({column}) THEN {condition} ELSE {in_python} END"
    return lenient, [*parameters, text]


def _decoded(text: bytes) -> object:
    """Return the value of JSON as Python writes it; None if it is none."""
    try:
        return decode(text)
    except ValueError:
        try:
            return json.loads(text)
        except ValueError:
            return None


def is_plain_key(key: str) -> bool:
    """Return whether a path can name a key."""
    return _PLAIN_KEY.fullmatch(key) is not None


@dataclass(frozen=True)
class _Place:
    """A value within a JSON text: an expression for the text, and a path into it."""

    source: str
    path: str

    def type(self, parameters: list[object]) -> str:
        parameters.append(self.path)
        return f"json_type({self.source}, ?)"

    def value(self, parameters: list[object]) -> str:
        parameters.append(self.path)
        return f"json_extract({self.source}, ?)"


@dataclass(frozen=True)
class _Row(_Place):
    """A member of a list or object: a row of `json_each`."""

    alias: str

    def type(self, parameters: list[object]) -> str:
        return f"{self.alias}.type"

    def value(self, parameters: list[object]) -> str:
        return f"{self.alias}.atom"


def _condition(place: _Place, wanted: object, parameters: list[object], level: int) -> str:
    """Return the condition that a place contains a value; appends its parameters in order."""
    if isinstance(wanted, dict | list):
        kind = "object" if isinstance(wanted, dict) else "array"
        head = f"{place.type(parameters)} = '{kind}'"
        terms = (
            [_member(place, key, value, parameters, level) for key, value in wanted.items()]
            if isinstance(wanted, dict)
            else [_any_item(place, value, parameters, level) for value in wanted]
        )
        if not terms:
            return head
        # Not AND, whose sides SQLite may evaluate in any order: a row that is not a container must
        # not be read as JSON.
        return f"CASE WHEN {head} THEN ({' AND '.join(terms)}) ELSE 0 END"
    if wanted is None or isinstance(wanted, bool):
        name = {None: "null", True: "true", False: "false"}[wanted]
        return f"{place.type(parameters)} = '{name}'"
    # The type is compared too: json_extract returns true as 1, and a list or object as its text.
    if isinstance(wanted, str):
        condition = f"{place.type(parameters)} = 'text' AND {place.value(parameters)} = ?"
        parameters.append(wanted)
        return f"({condition})"
    condition = f"{place.type(parameters)} IN ('integer', 'real') AND {place.value(parameters)} = ?"
    parameters.append(wanted)
    return f"({condition})"


def _member(place: _Place, key: str, value: object, parameters: list[object], level: int) -> str:
    if is_plain_key(key):
        child = _Place(place.source, f'{place.path}."{key}"')
        return _condition(child, value, parameters, level)
    alias = f"e{level}"
    parameters += (place.path, key)
    row = _Row(f"{alias}.value", "$", alias)
    condition = _condition(row, value, parameters, level + 1)
    return (
        f"EXISTS (SELECT 1 FROM json_each({place.source}, ?) {alias}"
        f" WHERE {alias}.key = ? AND {condition})"
    )


def _any_item(place: _Place, value: object, parameters: list[object], level: int) -> str:
    alias = f"e{level}"
    parameters.append(place.path)
    row = _Row(f"{alias}.value", "$", alias)
    condition = _condition(row, value, parameters, level + 1)
    return f"EXISTS (SELECT 1 FROM json_each({place.source}, ?) {alias} WHERE {condition})"


def _has_odd_number(value: object) -> bool:
    """Whether SQLite could read a number otherwise than Python: long decimals, 65-bit integers."""
    if isinstance(value, dict | list):
        return any(map(_has_odd_number, value.values() if isinstance(value, dict) else value))
    if isinstance(value, float):
        return value != 0 and (value != float(f"{value:.14e}") or not 1e-9 < abs(value) < 1e15)
    return isinstance(value, int) and not -(2**63) <= value < 2**63


def _depth(value: Any) -> int:
    members = value.values() if isinstance(value, dict) else value
    return 1 + max(map(_depth, members), default=0) if isinstance(value, dict | list) else 0
