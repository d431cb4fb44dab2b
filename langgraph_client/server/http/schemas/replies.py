"""The schemas of the server's responses, for its OpenAPI document. Responses may have more keys."""

from __future__ import annotations

from collections.abc import Sequence

from langgraph_client.models.fields import JsonObject
from langgraph_client.server.http.validation import Schema

_STRING: Schema = {"type": "string"}
_OBJECT: Schema = {"type": "object"}
_UUID: Schema = {"type": "string", "format": "uuid"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_RUN_STATUS = ["pending", "running", "error", "success", "timeout", "interrupted"]


def _or_null(kind: str) -> Schema:
    return {"type": [kind, "null"]}


def _object(*, optional: Sequence[str] = (), **properties: object) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "required": required, "properties": properties}


def _some_of(schema: Schema) -> Schema:
    """Return the schema of a document of which `select` may have left anything out."""
    return {key: value for key, value in schema.items() if key != "required"}


_VERSION: JsonObject = {
    "assistant_id": _UUID,
    "version": _COUNT,
    "graph_id": _STRING,
    "config": _OBJECT,
    "context": _OBJECT,
    "metadata": _OBJECT,
    "created_at": _TIME,
    "name": _STRING,
    "description": _or_null("string"),
}
_ASSISTANT = _object(**_VERSION, updated_at=_TIME)
_GRAPH_SCHEMAS: JsonObject = {
    name: _or_null("object")
    for name in (
        "input_schema",
        "output_schema",
        "state_schema",
        "config_schema",
        "context_schema",
    )
}
_THREAD = _object(
    optional=("values", "error", "interrupts", "ttl"),
    thread_id=_UUID,
    created_at=_TIME,
    updated_at=_TIME,
    state_updated_at=_TIME,
    metadata=_OBJECT,
    status={"type": "string", "enum": ["idle", "busy", "interrupted", "error"]},
    config=_OBJECT,
    values={},
    error=_or_null("object"),
    interrupts=_OBJECT,
    ttl=_or_null("object"),
)
_CRON = _object(
    cron_id=_UUID,
    assistant_id=_UUID,
    thread_id=_or_null("string"),
    user_id=_or_null("string"),
    end_time=_or_null("string"),
    schedule=_STRING,
    timezone=_or_null("string"),
    payload=_OBJECT,
    next_run_date=_or_null("string"),
    metadata=_OBJECT,
    on_run_completed=_or_null("string"),
    enabled={"type": "boolean"},
    created_at=_TIME,
    updated_at=_TIME,
)
_ITEM: JsonObject = {
    "namespace": {"type": "array", "items": _STRING},
    "key": _STRING,
    "value": _OBJECT,
    "created_at": _TIME,
    "updated_at": _TIME,
}
_SIZE: JsonObject = {"count": _COUNT, "bytes": _COUNT}

REPLIES: dict[str, Schema] = {
    "Error": _object(detail=_STRING),
    "CommandError": {
        "anyOf": [
            _object(detail=_STRING),
            _object(type={"const": "error"}, id={}, error=_STRING, message=_STRING),
        ]
    },
    "Assistant": _ASSISTANT,
    "AssistantSelected": _some_of(_ASSISTANT),
    "AssistantVersion": _object(**_VERSION),
    "GraphDrawing": _object(
        nodes={"type": "array", "items": _OBJECT}, edges={"type": "array", "items": _OBJECT}
    ),
    "GraphSchemas": _object(graph_id=_STRING, **_GRAPH_SCHEMAS),
    "Subgraphs": {"type": "object", "additionalProperties": _object(**_GRAPH_SCHEMAS)},
    "Thread": _THREAD,
    "ThreadSelected": _some_of(_THREAD),
    "ThreadState": _object(
        values={},
        next={"type": "array", "items": _STRING},
        tasks={"type": "array", "items": _OBJECT},
        metadata=_or_null("object"),
        created_at=_or_null("string"),
        checkpoint=_or_null("object"),
        parent_checkpoint=_or_null("object"),
        interrupts={"type": "array", "items": _OBJECT},
        checkpoint_id=_or_null("string"),
        parent_checkpoint_id=_or_null("string"),
    ),
    "StateUpdated": _object(checkpoint=_OBJECT, configurable=_OBJECT, checkpoint_id=_STRING),
    "ThreadStorage": _object(
        thread_id=_UUID,
        total_bytes=_COUNT,
        checkpoints=_object(**_SIZE),
        channel_values=_object(
            **_SIZE,
            by_channel={
                "type": "object",
                "additionalProperties": _object(versions=_COUNT, bytes=_COUNT),
            },
        ),
        pending_writes=_object(**_SIZE),
    ),
    "Pruned": _object(pruned_count=_COUNT),
    "Run": _object(
        run_id=_UUID,
        thread_id=_UUID,
        assistant_id=_UUID,
        metadata=_OBJECT,
        status={"type": "string", "enum": _RUN_STATUS},
        kwargs=_OBJECT,
        multitask_strategy=_STRING,
        created_at=_TIME,
        updated_at=_TIME,
    ),
    "RunSelected": _OBJECT,
    "Cron": _CRON,
    "CronSelected": _some_of(_CRON),
    "Item": _object(**_ITEM),
    "ItemsFound": _object(
        items={"type": "array", "items": _object(**_ITEM, score=_or_null("number"))}
    ),
    "Namespaces": _object(
        namespaces={"type": "array", "items": {"type": "array", "items": _STRING}}
    ),
    "Ok": _object(ok={"type": "boolean"}, services=_OBJECT),
    "Info": _object(
        version=_STRING, langgraph_py_version=_or_null("string"), flags=_OBJECT, host=_OBJECT
    ),
}
