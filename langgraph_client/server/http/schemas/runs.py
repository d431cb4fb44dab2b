"""The schemas of the bodies of run requests. Fields without a schema are not checked."""

from __future__ import annotations

from langgraph_client.server.http.schemas.parts import (
    FLAG,
    MULTITASK_STRATEGY,
    OBJECT,
    STRING,
    STRINGS,
)
from langgraph_client.server.http.validation import Schema

_MODES = [
    "values",
    "messages",
    "messages-tuple",
    "tasks",
    "checkpoints",
    "updates",
    "events",
    "debug",
    "custom",
]
_NODES = {"anyOf": [{"type": "string", "enum": ["*"]}, STRINGS]}
#: Some thirty years: what is further off cannot be written as a date any more.
_MAX_AFTER_SECONDS = 1_000_000_000

_STATELESS: dict[str, object] = {
    "assistant_id": {"anyOf": [{"type": "string", "format": "uuid"}, STRING]},
    "input": {},
    "command": {"anyOf": [{"$ref": "Command"}, {"type": "null"}]},
    "metadata": OBJECT,
    "config": {"$ref": "Config"},
    "context": OBJECT,
    "webhook": {"type": "string", "minLength": 1},
    "stream_mode": {
        "anyOf": [
            {"type": "array", "items": {"type": "string", "enum": _MODES}},
            {"type": "string", "enum": _MODES},
        ]
    },
    "feedback_keys": STRINGS,
    "stream_subgraphs": FLAG,
    "stream_resumable": FLAG,
    "on_completion": {"type": "string", "enum": ["delete", "keep"]},
    "after_seconds": {"type": "number", "maximum": _MAX_AFTER_SECONDS},
    "checkpoint_during": FLAG,
    "durability": {"type": "string", "enum": ["sync", "async", "exit"]},
    # Not in the real server's schemas, where they take effect unchecked.
    "interrupt_before": _NODES,
    "interrupt_after": _NODES,
}
_STATEFUL: dict[str, object] = {
    **{name: schema for name, schema in _STATELESS.items() if name != "on_completion"},
    "checkpoint": {"$ref": "CheckpointConfig"},
    "multitask_strategy": MULTITASK_STRATEGY,
    "if_not_exists": {"type": "string", "enum": ["create", "reject"]},
    "checkpoint_id": STRING,
}
_SEND = {
    "type": "object",
    "required": ["node", "input"],
    "properties": {"node": STRING, "input": {}},
}

DEFINITIONS: dict[str, Schema] = {
    "Config": {
        "type": "object",
        "properties": {
            "tags": STRINGS,
            "recursion_limit": {"type": "integer"},
            "configurable": OBJECT,
            "metadata": OBJECT,
        },
    },
    "CheckpointConfig": {
        "type": "object",
        "properties": {
            "thread_id": STRING,
            "checkpoint_ns": STRING,
            "checkpoint_id": STRING,
            "checkpoint_map": OBJECT,
        },
    },
    "Send": _SEND,
    "Command": {
        "type": "object",
        "properties": {
            "update": {"type": ["object", "array", "null"]},
            "resume": {},
            "goto": {
                "anyOf": [
                    {"$ref": "Send"},
                    {"type": "array", "items": {"$ref": "Send"}},
                    STRING,
                    STRINGS,
                    {"type": "null"},
                ]
            },
        },
    },
    "RunCreateStateless": {
        "type": "object",
        "required": ["assistant_id"],
        "properties": _STATELESS,
    },
    "RunCreateStateful": {
        "type": "object",
        "required": ["assistant_id"],
        "properties": _STATEFUL,
    },
}
BATCH: Schema = {
    "type": "array",
    "minItems": 1,
    "maxItems": 1000,
    "items": {"$ref": "RunCreateStateless"},
}
CANCEL: Schema = {
    "type": "object",
    "oneOf": [{"required": ["status"]}, {"required": ["thread_id", "run_ids"]}],
    "properties": {
        "status": {"type": "string", "enum": ["pending", "running", "all"]},
        "thread_id": STRING,
        # The real server's schema has no limit. Each of them is looked up.
        "run_ids": {**STRINGS, "maxItems": 10_000},
    },
}
CONTROL: Schema = {
    "type": "object",
    "required": ["number"],
    "properties": {
        "number": {"type": "integer"},
        "drain": {"type": ["string", "null"]},
    },
}
DISCONNECT = {"properties": {"on_disconnect": {"type": "string", "enum": ["cancel", "continue"]}}}
