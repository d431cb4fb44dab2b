"""Assistants: a graph with a configuration."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from langgraph_client.models.fields import JsonObject, empty
from langgraph_client.models.record import Record


class Assistant(Record):
    """A graph with a configuration, under an id."""

    assistant_id: str
    graph_id: str
    config: JsonObject = empty(dict)
    context: JsonObject = empty(dict)
    metadata: JsonObject = empty(dict)
    name: str | None = None
    created_at: datetime
    updated_at: datetime
    version: int
    description: str | None = None


class AssistantVersion(Record):
    """One version of an assistant."""

    assistant_id: str
    version: int
    graph_id: str
    config: JsonObject = empty(dict)
    context: JsonObject = empty(dict)
    metadata: JsonObject = empty(dict)
    created_at: datetime
    name: str | None = None
    description: str | None = None


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
