"""The schemas of the bodies of cron requests. Fields without a schema are dropped."""

from __future__ import annotations

from langgraph_client.models.fields import JsonMapping, JsonObject
from langgraph_client.server.http.schemas.parts import (
    FLAG,
    LIMIT,
    MULTITASK_STRATEGY,
    OBJECT,
    OFFSET,
    SORT_ORDER,
    STRING,
)
from langgraph_client.server.http.schemas.runs import DEFINITIONS as RUN_DEFINITIONS
from langgraph_client.server.http.validation import Schema

FIELDS = [
    "cron_id",
    "assistant_id",
    "thread_id",
    "user_id",
    "end_time",
    "schedule",
    "timezone",
    "payload",
    "next_run_date",
    "metadata",
    "on_run_completed",
    "enabled",
    "created_at",
    "updated_at",
]
_RUN: dict[str, object] = {
    name: schema
    for name, schema in RUN_DEFINITIONS["RunCreateStateless"]["properties"].items()
    if name
    in (
        "input",
        "metadata",
        "config",
        "context",
        "webhook",
        "interrupt_before",
        "interrupt_after",
        "stream_mode",
        "stream_subgraphs",
        "stream_resumable",
        "durability",
        "checkpoint_during",
    )
}
_KEPT = {"type": "string", "enum": ["delete", "keep"]}
_OWN: dict[str, object] = {
    "schedule": STRING,
    "timezone": STRING,
    "end_time": {"type": ["string", "null"]},
    "enabled": FLAG,
    "on_run_completed": _KEPT,
}
CREATE: Schema = {
    "type": "object",
    "required": ["assistant_id", "schedule"],
    "properties": {
        "assistant_id": STRING,
        **_RUN,
        **_OWN,
        "multitask_strategy": MULTITASK_STRATEGY,
    },
}
UPDATE: Schema = {"type": "object", "properties": {**_RUN, **_OWN}}
SEARCH: Schema = {
    "type": "object",
    "properties": {
        "assistant_id": STRING,
        "thread_id": STRING,
        "enabled": FLAG,
        "metadata": OBJECT,
        "limit": LIMIT,
        "offset": OFFSET,
        "sort_by": {
            "type": "string",
            "enum": [
                "cron_id",
                "assistant_id",
                "thread_id",
                "next_run_date",
                "end_time",
                "created_at",
                "updated_at",
            ],
        },
        "sort_order": SORT_ORDER,
        "select": {"type": "array", "items": {"type": "string", "enum": FIELDS}},
    },
}
COUNT: Schema = {
    "type": "object",
    "properties": {
        "assistant_id": STRING,
        "thread_id": STRING,
        "enabled": FLAG,
        "metadata": OBJECT,
    },
}


def named(body: JsonMapping, schema: Schema) -> JsonObject:
    """Return the fields of a body that its schema names.

    A cron keeps the body for its runs, so a field that was not checked must not be in it.
    """
    return {name: value for name, value in body.items() if name in schema["properties"]}
