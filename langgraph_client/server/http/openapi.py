"""The OpenAPI document of the server, from the schemas that requests are checked against.

`OPERATIONS` has a line for every route; a test compares the two.
"""

from __future__ import annotations

import html
import json
import re
from functools import cache
from typing import Any, NamedTuple

from langgraph_client.server.http.routes import store
from langgraph_client.server.http.schemas import assistants as assistant_schemas
from langgraph_client.server.http.schemas import crons as cron_schemas
from langgraph_client.server.http.schemas import runs as run_schemas
from langgraph_client.server.http.schemas import threads as thread_schemas
from langgraph_client.server.http.schemas.replies import REPLIES
from langgraph_client.server.http.validation import Schema

_WAITING = "the result once the run is over; newlines come before it while it is waited for"


class Operation(NamedTuple):
    """One method of one path."""

    method: str
    path: str
    summary: str
    #: The name of the body's schema in `BODIES`.
    body: str | None = None
    #: What comes back: a name in `REPLIES`, `[name]` for a list, `name?` where it may be null, a
    #: content type, `json` for any JSON, `int`, or nothing.
    gives: str = ""
    query: tuple[str, ...] = ()
    #: Further statuses that are no errors.
    also: tuple[int, ...] = ()


def _run(name: str) -> Schema:
    return {"allOf": [{"$ref": name}, run_schemas.DISCONNECT]}


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
    "RunWaitStateless": _run("RunCreateStateless"),
    "RunWaitStateful": _run("RunCreateStateful"),
    "RunBatch": run_schemas.BATCH,
    "RunsCancel": run_schemas.CANCEL,
    "CronCreate": cron_schemas.CREATE,
    "CronPatch": cron_schemas.UPDATE,
    "CronSearch": cron_schemas.SEARCH,
    "CronCount": cron_schemas.COUNT,
    "StorePut": store.PUT,
    "StoreDelete": store.DELETE,
    "StoreSearch": store.SEARCH,
    "StoreNamespaces": store.NAMESPACES,
}
_SSE = "text/event-stream"
_TEXT = "text/plain"
_HTML = "text/html"
_Op = Operation
_ASSISTANT = "/assistants/{assistant_id}"
_THREAD = "/threads/{thread_id}"
_RUN = "/threads/{thread_id}/runs/{run_id}"
OPERATIONS: tuple[Operation, ...] = (
    _Op("POST", "/assistants", "Create an assistant", "AssistantCreate", "Assistant"),
    _Op("POST", "/assistants/search", "Find", "AssistantSearch", "[AssistantSelected]"),
    _Op("POST", "/assistants/count", "Count", "AssistantCount", "int"),
    _Op("GET", _ASSISTANT, "Read one", None, "Assistant"),
    _Op("PATCH", _ASSISTANT, "Change one: a new version", "AssistantPatch", "Assistant"),
    _Op("DELETE", _ASSISTANT, "Delete one", query=("delete_threads",)),
    _Op("POST", f"{_ASSISTANT}/versions", "List", "AssistantVersions", "[AssistantVersion]"),
    _Op("POST", f"{_ASSISTANT}/latest", "Go to a version", "AssistantLatest", "Assistant"),
    _Op("GET", f"{_ASSISTANT}/graph", "The graph's drawing", None, "GraphDrawing", ("xray",)),
    _Op("GET", f"{_ASSISTANT}/schemas", "The graph's schemas", None, "GraphSchemas"),
    _Op("GET", f"{_ASSISTANT}/subgraphs", "Of subgraphs", None, "Subgraphs", ("recurse",)),
    _Op(
        "GET",
        f"{_ASSISTANT}/subgraphs/{{namespace}}",
        "Of one subgraph",
        None,
        "Subgraphs",
        ("recurse",),
    ),
    _Op("POST", "/threads", "Create a thread", "ThreadCreate", "Thread", also=(201,)),
    _Op("POST", "/threads/search", "Find", "ThreadSearch", "[ThreadSelected]"),
    _Op("POST", "/threads/count", "Count", "ThreadCount", "int"),
    _Op("POST", "/threads/prune", "Delete many, or their past", "ThreadPrune", "Pruned"),
    _Op("GET", _THREAD, "Read one", None, "Thread", ("include",)),
    _Op("PATCH", _THREAD, "Change one", "ThreadPatch", "Thread", also=(204,)),
    _Op("DELETE", _THREAD, "Delete one and all that belongs to it"),
    _Op("POST", f"{_THREAD}/copy", "Copy one with its state", None, "Thread"),
    _Op("GET", f"{_THREAD}/storage", "How much room it takes", None, "ThreadStorage"),
    _Op("GET", f"{_THREAD}/state", "The latest state", None, "ThreadState", ("subgraphs",)),
    _Op("POST", f"{_THREAD}/state", "Change the state", "ThreadStateUpdate", "StateUpdated"),
    _Op("POST", f"{_THREAD}/state/checkpoint", "At a point", "ThreadStateAt", "ThreadState"),
    _Op(
        "GET",
        f"{_THREAD}/state/{{checkpoint_id}}",
        "At a point",
        None,
        "ThreadState",
        ("subgraphs",),
    ),
    _Op("GET", f"{_THREAD}/history", "Past", None, "[ThreadState]", ("limit", "before")),
    _Op("POST", f"{_THREAD}/history", "Past states", "ThreadHistory", "[ThreadState]"),
    _Op("GET", f"{_THREAD}/stream", "All its runs' events", None, _SSE, ("stream_modes",)),
    _Op("POST", f"{_THREAD}/runs", "Start a run", "RunCreateStateful", "Run"),
    _Op(
        "GET",
        f"{_THREAD}/runs",
        "List its runs",
        None,
        "[RunSelected]",
        ("limit", "offset", "status", "select"),
    ),
    _Op("POST", f"{_THREAD}/runs/wait", f"Run: {_WAITING}", "RunWaitStateful", "json"),
    _Op("POST", f"{_THREAD}/runs/stream", "Run, with its events", "RunWaitStateful", _SSE),
    _Op("GET", _RUN, "Read one", None, "Run"),
    _Op("DELETE", _RUN, "Delete one"),
    _Op("POST", f"{_RUN}/cancel", "Stop one", None, "json", ("wait", "action"), (202,)),
    _Op("GET", f"{_RUN}/join", _WAITING, None, "json", ("cancel_on_disconnect",)),
    _Op(
        "GET",
        f"{_RUN}/stream",
        "Its events from here on, or after `Last-Event-ID`",
        None,
        _SSE,
        ("cancel_on_disconnect", "stream_mode"),
    ),
    _Op("POST", "/runs", "Start a run without a thread", "RunCreateStateless", "Run"),
    _Op("POST", "/runs/batch", "Start many", "RunBatch", "[Run]"),
    _Op("POST", "/runs/wait", f"Run: {_WAITING}", "RunWaitStateless", "json"),
    _Op("POST", "/runs/stream", "Run, with its events", "RunWaitStateless", _SSE),
    _Op("POST", "/runs/cancel", "Stop many", "RunsCancel", query=("action",)),
    _Op("POST", "/runs/crons", "Run again and again", "CronCreate", "Cron"),
    _Op("POST", f"{_THREAD}/runs/crons", "On one thread", "CronCreate", "Cron"),
    _Op("POST", "/runs/crons/search", "Find", "CronSearch", "[CronSelected]"),
    _Op("POST", "/runs/crons/count", "Count", "CronCount", "int"),
    _Op("GET", "/runs/crons/{cron_id}", "Read one", None, "Cron"),
    _Op("PATCH", "/runs/crons/{cron_id}", "Change one", "CronPatch", "Cron"),
    _Op("DELETE", "/runs/crons/{cron_id}", "Delete one"),
    _Op("PUT", "/store/items", "Write an item", "StorePut"),
    _Op("GET", "/store/items", "Read", None, "Item?", ("namespace", "key", "refresh_ttl")),
    _Op("DELETE", "/store/items", "Delete one", "StoreDelete"),
    _Op("POST", "/store/items/search", "Find", "StoreSearch", "ItemsFound"),
    _Op("POST", "/store/namespaces", "List", "StoreNamespaces", "Namespaces"),
    _Op("GET", "/", "Whether it is up", None, "Ok", ("check_db",)),
    _Op("GET", "/ok", "Whether it is up", None, "Ok", ("check_db",)),
    _Op("GET", "/info", "What it is", None, "Info"),
    _Op("GET", "/metrics", "Its numbers", None, f"{_TEXT}|json", ("format",)),
    _Op("GET", "/openapi.json", "This document", None, "json"),
    _Op("GET", "/docs", "This document to read", None, _HTML),
)


@cache
def document(version: str) -> dict[str, Any]:
    """Return the OpenAPI document of a server of this version."""
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "LangGraph Server API", "version": version},
        "paths": paths,
        "components": {
            "schemas": _placed({**BODIES, **REPLIES}),
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "x-api-key"}},
        },
        "security": [{}, {"key": []}],
    }


def _operation(operation: Operation) -> dict[str, Any]:
    statuses: dict[int, dict[str, Any]] = {204: {"description": "Done"}}
    if operation.gives:
        statuses = {200: {"description": "Done", "content": _content(operation.gives)}}
    if operation.also:
        statuses.update({status: {"description": "Done"} for status in operation.also})
    error = {"description": "Refused", "content": _content("Error")}
    named = re.findall(r"{(\w+)}", operation.path)
    words = re.sub(r"\W+", "_", operation.path).strip("_")
    found: dict[str, Any] = {
        "operationId": f"{operation.method.lower()}_{words}".rstrip("_"),
        "tags": [_tag(operation.path)],
        "summary": operation.summary,
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in named
        ]
        + [{"name": name, "in": "query", "schema": {"type": "string"}} for name in operation.query],
        "responses": {**{str(key): value for key, value in statuses.items()}, "4XX": error},
    }
    if operation.body:
        content = {"application/json": {"schema": _reference(operation.body)}}
        found["requestBody"] = {"required": True, "content": content}
    return found


def _tag(path: str) -> str:
    first = path.split("/")[1]
    if "/crons" in path:
        return "crons"
    if "/runs" in path:
        return "runs"
    return first if first in ("assistants", "threads", "store") else "system"


def _content(gives: str) -> dict[str, Any]:
    if "/" in gives:
        kind, _, rest = gives.partition("|")
        return {kind: {"schema": {"type": "string"}}, **(_content(rest) if rest else {})}
    schema: dict[str, Any]
    if gives in ("json", "int"):
        schema = {} if gives == "json" else {"type": "integer"}
    elif gives.startswith("["):
        schema = {"type": "array", "items": _reference(gives.strip("[]"))}
    elif gives.endswith("?"):
        schema = {"anyOf": [_reference(gives.strip("?")), {"type": "null"}]}
    else:
        schema = _reference(gives)
    return {"application/json": {"schema": schema}}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _placed(value: Any) -> Any:
    """Return schemas with references as the document has them, not as `validate` does."""
    if isinstance(value, list):
        return [_placed(item) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(name := value.get("$ref"), str):
        return _reference(name)
    return {key: _placed(item) for key, item in value.items()}


_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em }
summary { cursor: pointer; padding: .2em 0 } code { font-weight: 600 }
.method { display: inline-block; width: 5em } pre { background: #f4f4f4; padding: 1em }
@media (prefers-color-scheme: dark) { body { background: #111; color: #ddd } pre { background: #222 } }
"""  # noqa: E501 (one rule a line)


def page(found: dict[str, Any]) -> str:
    """Return an OpenAPI document as a web page that needs no script and no other host."""
    groups: dict[str, list[str]] = {}
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            groups.setdefault(operation["tags"][0], []).append(_entry(path, method, operation))
    parts = [f"<h2>{html.escape(tag)}</h2>{''.join(all_)}" for tag, all_ in groups.items()]
    parts.append("<h2>schemas</h2>")
    parts += [
        f'<details id="{name}"><summary><code>{name}</code></summary>{_pre(schema)}</details>'
        for name, schema in found["components"]["schemas"].items()
    ]
    title = html.escape(f"{found['info']['title']} {found['info']['version']}")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style><h1>{title}</h1>"
        '<p>As JSON: <a href="openapi.json">openapi.json</a></p>'
        f"{''.join(parts)}</html>"
    )


def _entry(path: str, method: str, operation: dict[str, Any]) -> str:
    shown = {
        key: operation[key]
        for key in ("parameters", "requestBody", "responses")
        if operation.get(key)
    }
    return (
        f'<details><summary><span class="method">{method.upper()}</span>'
        f"<code>{html.escape(path)}</code> {html.escape(operation['summary'])}</summary>"
        f"{_pre(shown)}</details>"
    )


def _pre(value: Any) -> str:
    text = html.escape(json.dumps(value, indent=2, ensure_ascii=False), quote=False)
    linked = re.sub(r'"#/components/schemas/(\w+)"', r'"<a href="#\1">\1</a>"', text)
    return f"<pre>{linked}</pre>"
