"""Limit the size of a search's JSON filter."""

from __future__ import annotations

from langgraph_client.models.fields import JsonObject
from langgraph_client.server.errors import Invalid
from langgraph_client.server.storage.containment import count_compared, count_terms

_MAX_TERMS = 10_000
"""The most values of a filter."""
_MAX_COMPARED = 100
"""The most objects and lists in a filter's lists: each may be compared with each of a document's
list, while other requests wait."""


def containment(wanted: JsonObject) -> JsonObject:
    """Return the JSON that fields must contain, for `Documents.search`.

    Raises:
        Invalid: It has too many values, or too many objects and lists in its lists.
    """
    if count_terms(wanted) > _MAX_TERMS:
        raise Invalid(f"A filter may have at most {_MAX_TERMS} values")
    if count_compared(wanted) > _MAX_COMPARED:
        raise Invalid(f"The lists of a filter may have at most {_MAX_COMPARED} objects and lists")
    return wanted
