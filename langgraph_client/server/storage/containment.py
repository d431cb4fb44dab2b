"""Decide whether one JSON value contains another."""

from __future__ import annotations

import math


def contains(document: object, wanted: object) -> bool:
    """Return whether a JSON value contains another one.

    An object contains another one if it has its keys, with values that contain the other's. A list
    contains another one if it has its items. Other values must be equal; a boolean never equals a
    number.
    """
    if isinstance(wanted, dict):
        return isinstance(document, dict) and all(
            key in document and contains(document[key], value) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(document, list) and _has_items(document, wanted)
    return bool(document == wanted and isinstance(document, bool) == isinstance(wanted, bool))


def count_terms(value: object) -> int:
    """Return of how many values a JSON value consists: itself, and all within it."""
    if not isinstance(value, dict | list):
        return 1
    return 1 + sum(map(count_terms, value.values() if isinstance(value, dict) else value))


def count_compared(value: object) -> int:
    """Return how many items of the lists in a JSON value are objects or lists.

    `contains` may have to compare each of them with each object or list of a document's list.
    """
    if isinstance(value, dict):
        return sum(map(count_compared, value.values()))
    if isinstance(value, list):
        return sum(1 + count_compared(item) for item in value if isinstance(item, dict | list))
    return 0


def _has_items(document: list[object], wanted: list[object]) -> bool:
    # Items are looked up first, because an equal one is contained: comparing each with each takes
    # minutes for lists of some thousands.
    containers = [item for item in document if isinstance(item, dict | list)]
    equals = {_key(item) for item in document if not isinstance(item, dict | list)}
    is_complete = False
    for value in wanted:
        if not isinstance(value, dict | list):
            if _key(value) not in equals:
                return False
            continue
        if not is_complete:
            equals.update(map(_key, containers))
            is_complete = True
        if _key(value) not in equals and not any(contains(item, value) for item in containers):
            return False
    return True


def _key(value: object) -> object:
    """Return a key that is equal for equal JSON values only."""
    if isinstance(value, dict):
        return frozenset((name, _key(member)) for name, member in value.items())
    if isinstance(value, list):
        return tuple(map(_key, value))
    if isinstance(value, float) and math.isnan(value):
        return object()  # It never equals itself, but a set would find it.
    return isinstance(value, bool), value  # A boolean has the hash of a number.
