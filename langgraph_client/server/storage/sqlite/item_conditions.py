"""The filter of a search for items, as a condition in SQL."""

from __future__ import annotations

import json
import sqlite3
from functools import lru_cache
from typing import Any

from langgraph_client.server.encoding import decode
from langgraph_client.server.storage.item_filter import filter_text, matches
from langgraph_client.server.storage.sqlite.json_conditions import (
    contains_condition,
    is_plain_key,
)

_FUNCTION = "item_matches"
# Values are BLOBs of JSON text, of which some look like SQLite's own binary form of JSON to it.
_TEXT = "CAST(value AS TEXT)"
_HAS_NO_NUL = rf"instr({_TEXT}, '\u0000') = 0"
_IN_PYTHON = f"{_FUNCTION}(CAST(value AS BLOB), ?)"
_MAX_INTEGER = 2**63 - 1


def install_item_filter(connection: sqlite3.Connection) -> None:
    """Make the SQL function known that conditions call."""

    def item_matches(text: bytes, wanted: str) -> bool:
        try:
            value = decode(text)
        except ValueError:
            return False
        return isinstance(value, dict) and matches(value, _filter(wanted))

    connection.create_function(_FUNCTION, 2, item_matches, deterministic=True)


def item_condition(wanted: dict[str, Any]) -> tuple[str, list[Any]]:
    """Return a condition that holds for rows whose value matches a filter, and its parameters.

    It holds for no value that is damaged, whatever the filter. Comparisons with a text, number or
    boolean, which are the most frequent, are left to SQLite's JSON functions: only the values that
    pass them are decoded.
    """
    simple = {key: value for key, value in wanted.items() if _is_simple(key, value)}
    terms: list[str] = []
    parameters: list[Any] = []
    if simple:
        condition, parameters = contains_condition(_TEXT, simple)
        # One damaged value would make the whole query fail. And some versions of SQLite read texts
        # only up to NUL.
        terms.append(
            f"CASE WHEN NOT json_valid({_TEXT}) THEN 0"
            f" WHEN {condition} THEN {_HAS_NO_NUL} OR {_IN_PYTHON} ELSE 0 END"
        )
        parameters.append(filter_text(simple))
    if len(simple) < len(wanted) or not wanted:
        terms.append(_IN_PYTHON)
        rest = {key: value for key, value in wanted.items() if key not in simple}
        parameters.append(filter_text(rest))
    return " AND ".join(terms), parameters


def _is_simple(key: str, value: object) -> bool:
    """Return whether SQLite's JSON functions compare a value as it is."""
    if isinstance(value, str):
        return "\0" not in value and is_plain_key(key)
    is_number = isinstance(value, int | float) and abs(value) <= _MAX_INTEGER
    return is_number and is_plain_key(key)


@lru_cache(maxsize=16)
def _filter(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found
