"""Convert the filters of `Auth` handlers to conditions that a database can check.

A filter becomes a list of conditions on metadata, in the form of `Documents.search(any_of=...)`, of
which at least one must hold. Conditions on other fields may stand beside them. So the same value is
used for searches and for checks here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from langgraph_client.models.fields import JsonMapping, JsonObject
from langgraph_client.server.storage.containment import contains

Conditions: TypeAlias = Sequence[JsonMapping] | None
"""The conditions for documents of a kind, of which one must hold; None for all documents."""

_MAX_DEPTH = 2
_MAX_ALTERNATIVES = 100
"""The most conditions of a filter, because each is checked for each document."""
_SCALAR = (str, int, float, bool, type(None))


class FilterError(ValueError):
    """A handler returned an invalid filter."""


def conditions_of(filter: Mapping[str, object]) -> Conditions:
    """Return the conditions of a filter; None for no condition.

    Raises:
        FilterError: The filter is malformed.
    """
    if not filter:
        return None
    return [{"metadata": condition} for condition in _alternatives(filter, 0)]


def with_metadata(conditions: Conditions, metadata: JsonObject) -> Conditions:
    """Return the conditions for documents that meet others and also have metadata."""
    if not metadata:
        return conditions
    alternatives = (
        [{}] if conditions is None else [dict(condition["metadata"]) for condition in conditions]
    )
    return [{"metadata": condition} for condition in _conjunction(alternatives, [metadata])]


def holds(conditions: Conditions, document: Mapping[str, object]) -> bool:
    """Return whether a document meets the conditions."""
    if conditions is None:
        return True
    shown = {**document, "metadata": document.get("metadata") or {}}
    return any(contains(shown, condition) for condition in conditions)


def _alternatives(filter: object, depth: int) -> list[dict[str, object]]:
    """Return the alternative conditions of a filter."""
    if depth > _MAX_DEPTH:
        raise FilterError(f"a filter nests $or and $and deeper than {_MAX_DEPTH} levels")
    if not isinstance(filter, Mapping):
        raise FilterError(f"a filter must be a dict, not a {type(filter).__name__}")
    alternatives: list[dict[str, object]] = [{}]
    for key, wanted in filter.items():
        if key in ("$or", "$and"):
            if not isinstance(wanted, list) or len(wanted) < 2:
                raise FilterError(f"{key} takes a list of at least two filters")
            groups = [_alternatives(group, depth + 1) for group in wanted]
            if key == "$or":
                alternatives = _conjunction(
                    alternatives, [condition for group in groups for condition in group]
                )
            else:
                for group in groups:
                    alternatives = _conjunction(alternatives, group)
        elif isinstance(key, str) and not key.startswith("$"):
            alternatives = _conjunction(alternatives, [{key: _wanted(key, wanted)}])
        else:
            raise FilterError(f"a filter has the unknown operator {key!r}")
    return alternatives


def _wanted(key: str, wanted: object) -> object:
    """Return the JSON that the metadata must contain under a key."""
    if not isinstance(wanted, Mapping):
        return _scalar(key, wanted)
    if len(wanted) != 1:
        raise FilterError(f"the filter of {key!r} must have one operator")
    ((operator, value),) = wanted.items()
    if operator == "$eq":
        return _scalar(key, value)
    if operator == "$contains":
        values = value if isinstance(value, (list, tuple)) else [value]
        return [_scalar(key, item) for item in values]
    raise FilterError(f"the filter of {key!r} has the unknown operator {operator!r}")


def _scalar(key: str, value: object) -> object:
    # Objects are refused: containment of an object is weaker than equality.
    if isinstance(value, _SCALAR):
        return value
    raise FilterError(
        f"the filter of {key!r} compares with a {type(value).__name__}; use text, a number, a"
        " boolean or None"
    )


def _conjunction(left: list[JsonObject], right: list[dict[str, object]]) -> list[dict[str, object]]:
    """Return the alternative conditions for both of two filters."""
    merged_pairs = []
    for first in left:
        for second in right:
            merged = dict(first)
            for key, wanted in second.items():
                if key not in merged:
                    merged[key] = wanted
                elif isinstance(wanted, list) and isinstance(merged[key], list):
                    merged[key] = [*merged[key], *wanted]
                # With the types, because 1 equals True in Python and not in JSON.
                elif not (type(merged[key]) is type(wanted) and merged[key] == wanted):
                    break  # A value cannot equal two different ones: this pair never holds.
            else:
                merged_pairs.append(merged)
    if len(merged_pairs) > _MAX_ALTERNATIVES:
        raise FilterError(f"a filter has more than {_MAX_ALTERNATIVES} alternatives")
    return merged_pairs
