"""The schemas of the bodies of thread requests. Fields without a schema are not checked."""

from __future__ import annotations

from langgraph_client.server.http.schemas.parts import (
    LIMIT,
    OBJECT,
    OFFSET,
    SORT_ORDER,
    STRING,
    body,
)
from langgraph_client.server.http.schemas.runs import DEFINITIONS as RUN_DEFINITIONS
from langgraph_client.server.http.validation import Schema

_STATUS = {"type": "string", "enum": ["idle", "busy", "interrupted", "error"]}
_TTL = {
    "type": "object",
    "required": ["ttl"],
    "properties": {
        "strategy": {"type": "string", "enum": ["delete", "keep_latest"]},
        # At most some two hundred years, in minutes.
        "ttl": {"type": "number", "minimum": 0, "maximum": 100_000_000},
    },
}
FIELDS = [
    "thread_id",
    "created_at",
    "updated_at",
    "state_updated_at",
    "metadata",
    "config",
    "status",
    "values",
    "interrupts",
]

DEFINITIONS: dict[str, Schema] = {
    **RUN_DEFINITIONS,
    "ThreadSuperstepUpdate": {
        "type": "object",
        "required": ["as_node"],
        "properties": {
            "values": {"type": ["array", "object", "null"]},
            "command": {"anyOf": [{"$ref": "Command"}, {"type": "null"}]},
            # The real server refuses null. Here the update counts as one of the node that ran last.
            "as_node": {"type": ["string", "null"]},
        },
    },
}


CREATE = body(
    thread_id=STRING,
    metadata=OBJECT,
    if_exists={"type": "string", "enum": ["raise", "do_nothing"]},
    ttl=_TTL,
    supersteps={
        "type": "array",
        "items": {
            "type": "object",
            "required": ["updates"],
            "properties": {
                "updates": {"type": "array", "items": {"$ref": "ThreadSuperstepUpdate"}}
            },
        },
    },
)
PATCH = body(metadata=OBJECT, ttl=_TTL)
_IDS = {"type": "array", "items": STRING, "maxItems": 1000}
COUNT = body(ids=_IDS, metadata=OBJECT, values=OBJECT, status=_STATUS)
SEARCH = body(
    ids=_IDS,
    metadata=OBJECT,
    values=OBJECT,
    status=_STATUS,
    limit=LIMIT,
    offset=OFFSET,
    sort_by={
        "type": "string",
        "enum": ["thread_id", "status", "created_at", "updated_at", "state_updated_at"],
    },
    sort_order=SORT_ORDER,
    select={"type": "array", "items": {"type": "string", "enum": FIELDS}},
    extract={"type": "object", "maxProperties": 10, "additionalProperties": STRING},
)
PRUNE = body(
    ["thread_ids"],
    thread_ids={"type": "array", "items": STRING, "maxItems": 1000},
    strategy={"type": "string", "enum": ["delete", "keep_latest"]},
)
STATE_UPDATE = body(
    values={"type": ["object", "array", "null"]},
    as_node=STRING,
    checkpoint={"$ref": "CheckpointConfig"},
    checkpoint_id=STRING,
)
STATE_AT = body(
    ["checkpoint"], checkpoint={"$ref": "CheckpointConfig"}, subgraphs={"type": "boolean"}
)
HISTORY = body(limit=LIMIT, before=OBJECT, metadata=OBJECT, checkpoint={"$ref": "CheckpointConfig"})
