"""Decide whether one JSON value contains another."""

from __future__ import annotations


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
        return isinstance(document, list) and all(
            any(contains(item, value) for item in document) for value in wanted
        )
    return bool(document == wanted and isinstance(document, bool) == isinstance(wanted, bool))
