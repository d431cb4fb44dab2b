"""The key-value store."""

from __future__ import annotations

from collections.abc import ValuesView
from typing import Any

from langgraph_client.models._base import SENT, JsonObject, Model, Record, Timestamp


class Item(Model, frozen=True):
    """A stored document."""

    namespace: list[str] = SENT
    key: str = SENT
    value: JsonObject = SENT
    created_at: Timestamp = SENT
    updated_at: Timestamp = SENT


class SearchItem(Item, frozen=True):
    """A document that was found. `score` says how well it fits, with semantic search."""

    score: float | None = None


class SearchItemsResponse(Record, frozen=True):
    """The documents that were found."""

    items: list[SearchItem] = SENT

    def values(self) -> ValuesView[Any]:
        """The values, as a dict's."""
        return {key: self[key] for key in self}.values()


class ListNamespaceResponse(Model, frozen=True):
    """The namespaces that were found."""

    namespaces: list[list[str]] = SENT
