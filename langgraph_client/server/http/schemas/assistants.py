"""The schemas of the bodies of assistant requests. Fields without a schema are not checked."""

from __future__ import annotations

from langgraph_client.server.http.schemas.parts import (
    LIMIT,
    OBJECT,
    OFFSET,
    SORT_ORDER,
    STRING,
    body,
)

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


CREATE = body(
    ["graph_id"],
    assistant_id=STRING,
    graph_id=STRING,
    config=OBJECT,
    context=OBJECT,
    metadata=OBJECT,
    name=STRING,
    description={"type": ["string", "null"]},
    if_exists={"type": "string", "enum": ["raise", "do_nothing"]},
)
PATCH = body(
    graph_id=STRING,
    config=OBJECT,
    context=OBJECT,
    metadata=OBJECT,
    name=STRING,
    description=STRING,
)
SEARCH = body(
    graph_id=STRING,
    name=STRING,
    metadata=OBJECT,
    limit=LIMIT,
    offset=OFFSET,
    sort_by={
        "type": "string",
        "enum": ["assistant_id", "created_at", "updated_at", "name", "graph_id"],
    },
    sort_order=SORT_ORDER,
    select={"type": "array", "items": {"type": "string", "enum": _FIELDS}},
)
COUNT = body(graph_id=STRING, name=STRING, metadata=OBJECT)
VERSIONS = body(metadata=OBJECT, limit=LIMIT, offset=OFFSET)
LATEST = body(version={"type": "integer", "minimum": -(2**62), "maximum": 2**62})
