"""Limit the size of a search's JSON filter."""

from __future__ import annotations

from langgraph_client.models.fields import JsonObject
from langgraph_client.server.errors import Invalid
from langgraph_client.server.storage.containment import count_terms

_MAX_TERMS = 10_000
"""The most values of a filter: each object of its lists is compared with each of a document's."""


def containment(wanted: JsonObject) -> JsonObject:
    """Return the JSON that fields must contain, for `Documents.search`.

    Raises:
        Invalid: It has too many values.
    """
    if count_terms(wanted) > _MAX_TERMS:
        raise Invalid(f"A filter may have at most {_MAX_TERMS} values")
    return wanted
