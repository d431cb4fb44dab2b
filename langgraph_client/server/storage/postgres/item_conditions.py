"""The filter of a search for items, as a condition in SQL."""

from __future__ import annotations

import math
from typing import Any

from langgraph_client.server.storage.item_filter import (
    NUMBER,
    conditions,
    filter_text,
    number_in,
)

_SIGNS = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}


def item_condition(wanted: dict[str, Any]) -> tuple[str, list[Any]]:
    """Return a condition that holds for rows whose value matches a filter, and its parameters.

    It is what `item_filter.matches` defines.
    """
    terms: list[str] = []
    parameters: list[Any] = []
    for path, name, operand in conditions(wanted):
        term, values = _condition([*path], name, operand)
        terms.append(term)
        parameters += values
    return " AND ".join(terms), parameters


def _condition(path: list[str], name: str, operand: Any) -> tuple[str, list[Any]]:
    if any("\0" in key for key in path):  # No document has such a key.
        return "TRUE" if (name, operand) == ("$eq", None) else "FALSE", []
    if name == "$object":
        return "jsonb_typeof(value #> %s) = 'object'", [path]
    if name == "$eq" and operand is None:
        return "coalesce(value #> %s, 'null'::jsonb) = 'null'::jsonb", [path]
    if name in ("$eq", "$ne"):
        if not is_storable(operand):  # No document has this value.
            return ("FALSE", []) if name == "$eq" else ("value #> %s IS NOT NULL", [path])
        sign = "=" if name == "$eq" else "<>"
        return f"value #> %s {sign} %s::jsonb", [path, filter_text(operand)]
    return _order(path, _SIGNS[name], operand)


def is_storable(value: Any) -> bool:
    """Return whether jsonb can hold a JSON value: no NUL, and no number that is not finite."""
    if isinstance(value, dict):
        return all(map(is_storable, (*value, *value.values())))
    if isinstance(value, list):
        return all(map(is_storable, value))
    if isinstance(value, str):
        return "\0" not in value
    return not isinstance(value, float) or math.isfinite(value)


def _order(path: list[str], sign: str, operand: Any) -> tuple[str, list[Any]]:
    number = number_in(operand)
    branches = ""
    parameters: list[Any] = [path]
    if number is not None:
        branches += f" WHEN 'number' THEN (value #>> %s)::numeric {sign} %s::numeric"
        parameters += [path, str(number)]
    if isinstance(operand, str):
        text, nul, _ = operand.partition("\0")
        if nul:  # It comes after the text before it, and before all texts that begin so.
            sign = ">" if sign[0] == ">" else "<="
        branches += f" WHEN 'string' THEN (value #>> %s) COLLATE \"C\" {sign} %s"
        parameters += [path, text]
    elif number is not None:
        # CASE, because only text that holds a number can be cast.
        branches += (
            " WHEN 'string' THEN CASE WHEN value #>> %s ~ %s"
            f" THEN (value #>> %s)::numeric {sign} %s::numeric ELSE FALSE END"
        )
        parameters += [path, f"^({NUMBER})$", path, str(number)]
    if not branches:
        return "FALSE", []
    return f"CASE jsonb_typeof(value #> %s){branches} ELSE FALSE END", parameters
