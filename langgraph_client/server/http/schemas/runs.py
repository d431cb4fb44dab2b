"""The schemas of the bodies of run requests. Fields that no schema names pass unseen."""

from __future__ import annotations

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
_STRING = {"type": "string"}
_STRINGS = {"type": "array", "items": _STRING}
_OBJECT = {"type": "object"}
_FLAG = {"type": "boolean"}
_NODES = {"anyOf": [{"type": "string", "enum": ["*"]}, _STRINGS]}
#: Some thirty years: what is further off cannot be written as a date any more.
_MAX_AFTER_SECONDS = 1_000_000_000

_STATELESS: dict[str, object] = {
    "assistant_id": {"anyOf": [{"type": "string", "format": "uuid"}, _STRING]},
    "input": {},
    "command": {"anyOf": [{"$ref": "Command"}, {"type": "null"}]},
    "metadata": _OBJECT,
    "config": {"$ref": "Config"},
    "context": _OBJECT,
    "webhook": _STRING,
    "stream_mode": {
        "anyOf": [
            {"type": "array", "items": {"type": "string", "enum": _MODES}},
            {"type": "string", "enum": _MODES},
        ]
    },
    "feedback_keys": _STRINGS,
    "stream_subgraphs": _FLAG,
    "stream_resumable": _FLAG,
    "on_completion": {"type": "string", "enum": ["delete", "keep"]},
    "after_seconds": {"type": "number", "maximum": _MAX_AFTER_SECONDS},
    "checkpoint_during": _FLAG,
    "durability": {"type": "string", "enum": ["sync", "async", "exit"]},
    # Not in the real server's schemas, where they take effect unchecked.
    "interrupt_before": _NODES,
    "interrupt_after": _NODES,
}
_STATEFUL: dict[str, object] = {
    **{name: schema for name, schema in _STATELESS.items() if name != "on_completion"},
    "checkpoint": {"$ref": "CheckpointConfig"},
    "multitask_strategy": {
        "type": "string",
        "enum": ["reject", "rollback", "interrupt", "enqueue"],
    },
    "if_not_exists": {"type": "string", "enum": ["create", "reject"]},
    "checkpoint_id": _STRING,
}
_SEND = {
    "type": "object",
    "required": ["node", "input"],
    "properties": {"node": _STRING, "input": {}},
}

DEFINITIONS: dict[str, Schema] = {
    "Config": {
        "type": "object",
        "properties": {
            "tags": _STRINGS,
            "recursion_limit": {"type": "integer"},
            "configurable": _OBJECT,
            "metadata": _OBJECT,
        },
    },
    "CheckpointConfig": {
        "type": "object",
        "properties": {
            "thread_id": _STRING,
            "checkpoint_ns": _STRING,
            "checkpoint_id": _STRING,
            "checkpoint_map": _OBJECT,
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
                    _STRING,
                    _STRINGS,
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
        "thread_id": _STRING,
        # The real server's schema has no limit. Each of them is looked up.
        "run_ids": {**_STRINGS, "maxItems": 10_000},
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
