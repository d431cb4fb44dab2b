"""The schema of every body, by the name that the OpenAPI document gives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from langgraph_client.server.http.schemas import assistants as assistant_schemas
from langgraph_client.server.http.schemas import crons as cron_schemas
from langgraph_client.server.http.schemas import event_streams as event_schemas
from langgraph_client.server.http.schemas import runs as run_schemas
from langgraph_client.server.http.schemas import store as store_schemas
from langgraph_client.server.http.schemas import threads as thread_schemas
from langgraph_client.server.http.validation import Schema, validate


def _run(name: str) -> Schema:
    return {"allOf": [{"$ref": name}, run_schemas.DISCONNECT]}


#: Of MCP and A2A, whose handlers check it, as mistakes have codes of their own.
_JSON_RPC: Schema = {
    "description": "A message of JSON-RPC 2.0: a `method` with its `params`, and an `id`.",
    "properties": {"jsonrpc": {}, "id": {}, "method": {}, "params": {}},
}
BODIES: dict[str, Schema] = {
    **thread_schemas.DEFINITIONS,
    "AssistantCreate": assistant_schemas.CREATE,
    "AssistantPatch": assistant_schemas.PATCH,
    "AssistantSearch": assistant_schemas.SEARCH,
    "AssistantCount": assistant_schemas.COUNT,
    "AssistantVersions": assistant_schemas.VERSIONS,
    "AssistantLatest": assistant_schemas.LATEST,
    "ThreadCreate": thread_schemas.CREATE,
    "ThreadPatch": thread_schemas.PATCH,
    "ThreadSearch": thread_schemas.SEARCH,
    "ThreadCount": thread_schemas.COUNT,
    "ThreadPrune": thread_schemas.PRUNE,
    "ThreadStateUpdate": thread_schemas.STATE_UPDATE,
    "ThreadStateAt": thread_schemas.STATE_AT,
    "ThreadHistory": thread_schemas.HISTORY,
    "ProtocolCommand": event_schemas.COMMAND,
    "EventFilter": event_schemas.FILTER,
    "JsonRpcMessage": _JSON_RPC,
    "RunWaitStateless": _run("RunCreateStateless"),
    "RunWaitStateful": _run("RunCreateStateful"),
    "RunBatch": run_schemas.BATCH,
    "RunsCancel": run_schemas.CANCEL,
    "RunControl": run_schemas.CONTROL,
    "CronCreate": cron_schemas.CREATE,
    "CronPatch": cron_schemas.UPDATE,
    "CronSearch": cron_schemas.SEARCH,
    "CronCount": cron_schemas.COUNT,
    "StorePut": store_schemas.PUT,
    "StoreDelete": store_schemas.DELETE,
    "StoreSearch": store_schemas.SEARCH,
    "StoreNamespaces": store_schemas.NAMESPACES,
}


_OF_RUNS = ("interrupt_before", "interrupt_after", "config.metadata")
_OF_CRONS = (*_OF_RUNS, "checkpoint_during", "multitask_strategy", "on_run_completed")
_NULL_IS_ABSENT: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(("RunCreateStateless", "RunWaitStateless", "RunBatch"), _OF_RUNS),
    **dict.fromkeys(("RunCreateStateful", "RunWaitStateful"), (*_OF_RUNS, "checkpoint_id")),
    **dict.fromkeys(("CronCreate", "CronPatch"), _OF_CRONS),
    "ThreadStateUpdate": ("checkpoint_id",),
}
"""The fields of bodies in which null means that they were not sent, by the body's name.

The real server has no schema for them, or does not check it at every endpoint.
"""


def without_nulls(name: str, body: object) -> object:
    """Return a body without fields that are null, where that means that they were not sent."""
    if isinstance(body, list):
        return [without_nulls(name, item) for item in body]
    for field in _NULL_IS_ABSENT.get(name, ()):
        body = _without_null(body, field)
    return body


def _without_null(body: object, field: str) -> object:
    outer, _, inner = field.partition(".")
    if not isinstance(body, dict) or outer not in body:
        return body
    if inner:
        return {**body, outer: _without_null(body[outer], inner)}
    return body if body[outer] is not None else {k: v for k, v in body.items() if k != outer}


def check_config(body: Mapping[str, object]) -> None:
    """Check the config of an assistant's body, apart from the body, as the protocol words it.

    Raises:
        Invalid: About the first mistake.
    """
    validate(body.get("config", {}), BODIES["Config"], BODIES)
