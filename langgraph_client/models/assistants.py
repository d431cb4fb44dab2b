"""Assistants: a graph with a configuration."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from langgraph_client.models._base import SENT, JsonObject, Model, OpenObject, Timestamp


class Assistant(Model, frozen=True):
    """A graph with a configuration, under an id."""

    assistant_id: str = SENT
    graph_id: str = SENT
    config: OpenObject = Field(default_factory=dict)
    context: OpenObject = Field(default_factory=dict)
    metadata: OpenObject = Field(default_factory=dict)
    name: str | None = None
    created_at: Timestamp = SENT
    updated_at: Timestamp = SENT
    version: int = SENT
    description: str | None = None


class AssistantVersion(Model, frozen=True):
    """One version of an assistant."""

    assistant_id: str = SENT
    version: int = SENT
    graph_id: str = SENT
    config: OpenObject = Field(default_factory=dict)
    context: OpenObject = Field(default_factory=dict)
    metadata: OpenObject = Field(default_factory=dict)
    created_at: Timestamp = SENT
    name: str | None = None
    description: str | None = None


class AssistantsSearchResponse(Model, frozen=True):
    """A page of assistants, and the offset of the next page, None on the last one."""

    assistants: list[Assistant] = SENT
    next: str | None = None


class GraphSchema(Model, frozen=True):
    """A graph's JSON schemas; None where the server could not make one."""

    graph_id: str | None = None
    input_schema: JsonObject | None = None
    output_schema: JsonObject | None = None
    state_schema: JsonObject | None = None
    config_schema: JsonObject | None = None
    context_schema: JsonObject | None = None


class DrawnNode(Model, frozen=True):
    """A node of a drawing."""

    id: str | int = SENT
    type: str | None = None
    data: Any = None


class DrawnEdge(Model, frozen=True):
    """An edge of a drawing. `data` is its label."""

    source: str | int = SENT
    target: str | int = SENT
    conditional: bool = False
    data: Any = None


class Drawing(Model, frozen=True):
    """A graph's nodes and edges."""

    nodes: list[DrawnNode] = SENT
    edges: list[DrawnEdge] = SENT
