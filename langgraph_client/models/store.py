"""The key-value store."""

from __future__ import annotations

from datetime import datetime

from langgraph_client.models.fields import CallableList, JsonObject, empty
from langgraph_client.models.record import Record

__all__ = ["Item", "ListNamespaceResponse", "SearchItem", "SearchItemsResponse"]


class Item(Record):
    """A stored document."""

    namespace: list[str]
    key: str
    value: JsonObject
    created_at: datetime
    updated_at: datetime


class SearchItem(Item):
    """An item that a search found. `score` is its similarity in a semantic search."""

    score: float | None = None


class SearchItemsResponse(Record):
    """The documents that were found. `items` is the list of them, and can still be called."""

    items: CallableList[SearchItem] = empty(  # pyright: ignore[reportIncompatibleMethodOverride]
        CallableList[SearchItem]
    )


class ListNamespaceResponse(Record):
    """The namespaces that were found."""

    namespaces: list[list[str]] = empty(list[list[str]])
