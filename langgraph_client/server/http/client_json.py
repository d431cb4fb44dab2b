"""Read the JSON that a client has sent, within limits."""

from __future__ import annotations

import re
import sys

from langgraph_client.server.encoding import decode
from langgraph_client.server.errors import Invalid

MAX_DEPTH = 150
"""How deep JSON may be nested. Responses nest it deeper, and can still be encoded."""
MAX_CONTAINERS = 1_000_000
"""The most arrays and objects, as a few bytes of JSON make an object of many bytes."""
_HUGE = re.compile(rb"[eE]\+?\d{3}|(?<!\d)\d{200}")
"""What a number must have to be too large for a float, and then is read as infinity."""
# The last quote is optional, so that a text that is never closed is one match. Otherwise each
# escaped quote in it would be tried as a beginning, every time up to the end of the body.
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)


def decode_limited(text: bytes, what: str) -> object:
    """Return the value of a JSON text.

    Args:
        text: The text.
        what: What it is, for the text of an error.

    Raises:
        ValueError: It is not JSON, or has a number that is too large for a float.
        Invalid: It is nested too deep, or has too many arrays and objects.
    """
    if _is_crowded(text):
        raise Invalid(f"{what} has more than {MAX_CONTAINERS:,} arrays and objects")
    value = decode(text)
    if _HUGE.search(text) and not _is_finite(value):
        raise ValueError("a number is too large")
    if _is_deep(text, value):
        raise Invalid(f"{what} is nested deeper than {MAX_DEPTH} levels")
    return value


def _count(text: bytes) -> int:
    return text.count(b"{") + text.count(b"[")


def _is_crowded(text: bytes) -> bool:
    # The strings are left out only if it matters, as that takes much longer.
    return _count(text) > MAX_CONTAINERS and _count(_STRING.sub(b"", text)) > MAX_CONTAINERS


def _is_finite(value: object) -> bool:
    """Return whether no number in a value is infinite, or would be as a float."""
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, dict):
            left.extend(item.values())
        elif isinstance(item, list):
            left.extend(item)
        elif isinstance(item, int | float) and abs(item) > sys.float_info.max:
            return False
    return True


def _is_deep(text: bytes, value: object) -> bool:
    if _count(text) <= MAX_DEPTH:
        return False
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            item
            for inner in level
            if isinstance(inner, (dict, list))
            for item in (inner.values() if isinstance(inner, dict) else inner)
        ]
        if not level:
            return False
    return True
