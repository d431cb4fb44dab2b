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


def _has_items(document: list[object], wanted: list[object]) -> bool:
    # Scalars are looked up: comparing each with each takes minutes for lists of some thousands.
    scalars, containers = set(), []
    for item in document:
        if isinstance(item, dict | list):
            containers.append(item)
        else:
            scalars.add(_key(item))
    return all(
        any(contains(item, value) for item in containers)
        if isinstance(value, dict | list)
        else _key(value) in scalars and not _is_nan(value)
        for value in wanted
    )


def _key(scalar: object) -> tuple[bool, object]:
    return isinstance(scalar, bool), scalar  # A boolean has the hash of a number.


def _is_nan(scalar: object) -> bool:
    # It never equals itself, but a set finds it.
    return isinstance(scalar, float) and math.isnan(scalar)
