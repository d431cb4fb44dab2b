"""Assistants: a graph with a configuration."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeAlias

from langgraph_client.models.fields import JsonObject, empty
from langgraph_client.models.record import Record

__all__ = [
    "Assistant",
    "AssistantBase",
    "AssistantVersion",
    "AssistantsSearchResponse",
    "Drawing",
    "DrawnEdge",
    "DrawnNode",
    "GraphSchema",
    "Subgraphs",
]


class AssistantBase(Record):
    """What an assistant and each of its versions have in common."""

    assistant_id: str
    graph_id: str
    config: JsonObject = empty(dict)
    context: JsonObject = empty(dict)
    metadata: JsonObject = empty(dict)
    name: str | None = None
    created_at: datetime
    version: int
    description: str | None = None


class Assistant(AssistantBase):
    """A graph with a configuration, under an id."""

    updated_at: datetime


class AssistantVersion(AssistantBase):
    """One version of an assistant."""


class AssistantsSearchResponse(Record):
    """A page of assistants, and the offset of the next page, None on the last one."""

    assistants: list[Assistant]
    next: str | None = None


class GraphSchema(Record):
    """A graph's JSON schemas; None where the server could not make one."""

    graph_id: str | None = None
    input_schema: JsonObject | None = None
    output_schema: JsonObject | None = None
    state_schema: JsonObject | None = None
    config_schema: JsonObject | None = None
    context_schema: JsonObject | None = None


# Schemas of a graph's subgraphs, by namespace.
Subgraphs: TypeAlias = dict[str, GraphSchema]


class DrawnNode(Record):
    """A node of a drawing."""

    id: str | int
    type: str | None = None
    data: Any = None


class DrawnEdge(Record):
    """An edge of a drawing. `data` is its label."""

    source: str | int
    target: str | int
    conditional: bool = False
    data: Any = None


class Drawing(Record):
    """A graph's nodes and edges."""

    nodes: list[DrawnNode]
    edges: list[DrawnEdge]
