"""The schemas of the bodies of thread requests. Fields that no schema names pass unseen."""

from __future__ import annotations

from langgraph_client.server.http.schemas.runs import DEFINITIONS as RUN_DEFINITIONS
from langgraph_client.server.http.validation import Schema

_STRING = {"type": "string"}
_OBJECT = {"type": "object"}
_STATUS = {"type": "string", "enum": ["idle", "busy", "interrupted", "error"]}
_LIMIT = {"type": "integer", "minimum": 1, "maximum": 1000}
_OFFSET = {"type": "integer", "minimum": 0, "maximum": 2**62}
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
            "as_node": _STRING,
        },
    },
}


def _body(required: list[str] | None = None, **properties: object) -> Schema:
    schema: dict[str, object] = {"type": "object", "properties": properties}
    return {**schema, "required": required} if required else schema


CREATE = _body(
    thread_id=_STRING,
    metadata=_OBJECT,
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
PATCH = _body(metadata=_OBJECT, ttl=_TTL)
COUNT = _body(metadata=_OBJECT, values=_OBJECT, status=_STATUS)
SEARCH = _body(
    ids={"type": "array", "items": _STRING, "maxItems": 1000},
    metadata=_OBJECT,
    values=_OBJECT,
    status=_STATUS,
    limit=_LIMIT,
    offset=_OFFSET,
    sort_by={
        "type": "string",
        "enum": ["thread_id", "status", "created_at", "updated_at", "state_updated_at"],
    },
    sort_order={"type": "string", "enum": ["asc", "desc"]},
    select={"type": "array", "items": {"type": "string", "enum": FIELDS}},
    extract={"type": "object", "maxProperties": 10, "additionalProperties": _STRING},
)
PRUNE = _body(
    ["thread_ids"],
    thread_ids={"type": "array", "items": _STRING, "maxItems": 1000},
    strategy={"type": "string", "enum": ["delete", "keep_latest"]},
)
STATE_UPDATE = _body(
    values={"type": ["object", "array", "null"]},
    as_node=_STRING,
    checkpoint={"$ref": "CheckpointConfig"},
    checkpoint_id=_STRING,
)
STATE_AT = _body(
    ["checkpoint"], checkpoint={"$ref": "CheckpointConfig"}, subgraphs={"type": "boolean"}
)
HISTORY = _body(
    limit=_LIMIT, before=_OBJECT, metadata=_OBJECT, checkpoint={"$ref": "CheckpointConfig"}
)
