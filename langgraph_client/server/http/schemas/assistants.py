"""The schemas of the bodies of assistant requests. Fields that no schema names pass unseen."""

from __future__ import annotations

from langgraph_client.server.http.validation import Schema

_STRING = {"type": "string"}
_OBJECT = {"type": "object"}
_LIMIT = {"type": "integer", "minimum": 1, "maximum": 1000}
_OFFSET = {"type": "integer", "minimum": 0, "maximum": 2**62}
_FIELDS = [
    "assistant_id",
    "graph_id",
    "name",
    "description",
    "config",
    "context",
    "created_at",
    "updated_at",
    "metadata",
    "version",
]


def _body(required: list[str] | None = None, **properties: object) -> Schema:
    schema: dict[str, object] = {"type": "object", "properties": properties}
    return {**schema, "required": required} if required else schema


CREATE = _body(
    ["graph_id"],
    assistant_id=_STRING,
    graph_id=_STRING,
    config=_OBJECT,
    context=_OBJECT,
    metadata=_OBJECT,
    name=_STRING,
    description={"type": ["string", "null"]},
    if_exists={"type": "string", "enum": ["raise", "do_nothing"]},
)
PATCH = _body(
    graph_id=_STRING,
    config=_OBJECT,
    context=_OBJECT,
    metadata=_OBJECT,
    name=_STRING,
    description=_STRING,
)
SEARCH = _body(
    graph_id=_STRING,
    name=_STRING,
    metadata=_OBJECT,
    limit=_LIMIT,
    offset=_OFFSET,
    sort_by={
        "type": "string",
        "enum": ["assistant_id", "created_at", "updated_at", "name", "graph_id"],
    },
    sort_order={"type": "string", "enum": ["asc", "desc"]},
    select={"type": "array", "items": {"type": "string", "enum": _FIELDS}},
)
COUNT = _body(graph_id=_STRING, name=_STRING, metadata=_OBJECT)
VERSIONS = _body(metadata=_OBJECT, limit=_LIMIT, offset=_OFFSET)
LATEST = _body(version={"type": "integer", "minimum": -(2**62), "maximum": 2**62})
