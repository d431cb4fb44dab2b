"""The OpenAPI document of the server, from its endpoint table, and a page to read it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from typing import Any

from langgraph_client.models.fields import JsonObject
from langgraph_client.server.http.endpoint import Endpoint
from langgraph_client.server.http.schemas.bodies import BODIES
from langgraph_client.server.http.schemas.replies import REPLIES


def document(endpoints: Sequence[Endpoint], version: str) -> JsonObject:
    """Return the OpenAPI document of a server.

    Args:
        endpoints: The server's endpoints.
        version: The version of the API.
    """
    paths: JsonObject = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
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


def _operation(operation: Endpoint) -> dict[str, object]:
    statuses: dict[int, dict[str, object]] = {204: {"description": "Done"}}
    if operation.gives:
        statuses = {200: {"description": "Done", "content": _content(operation.gives)}}
    if operation.also:
        statuses.update({status: {"description": "Done"} for status in operation.also})
    error: dict[str, object] = {"description": "Refused"}
    if operation.refuses:
        error["content"] = _content(operation.refuses)
    named = re.findall(r"{(\w+)}", operation.path)
    words = re.sub(r"\W+", "_", operation.path).strip("_")
    found: dict[str, object] = {
        "operationId": f"{operation.method.lower()}_{words}".rstrip("_"),
        "tags": [_tag(operation.path)],
        "summary": operation.summary,
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in named
        ]
        + [
            {"name": name, "in": "query", "schema": query.schema}
            for name, query in operation.query.items()
        ],
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


def _content(gives: str) -> dict[str, object]:
    if "/" in gives:
        kind, _, rest = gives.partition("|")
        one = {} if kind == "application/json" else {"type": "string"}
        return {kind: {"schema": one}, **(_content(rest) if rest else {})}
    schema: JsonObject
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


def _placed(value: object) -> object:
    """Return schemas with references in OpenAPI's form instead of that of `validate`."""
    if isinstance(value, list):
        return [_placed(item) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(name := value.get("$ref"), str):
        return _reference(name)
    return {key: _placed(item) for key, item in value.items()}


_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em }
summary { cursor: pointer; padding: .2em 0 } code { font-weight: 600 }
.method { display: inline-block; width: 5em } pre { background: #f4f4f4; padding: 1em }
@media (prefers-color-scheme: dark) { body { background: #111; color: #ddd } pre { background: #222 } }
"""  # noqa: E501 (one rule a line)


def page(found: JsonObject) -> str:
    """Return an OpenAPI document as a web page that needs no script and no other host."""
    groups: dict[str, list[str]] = {}
    for path, item in found["paths"].items():
        # An application's own paths may have other keys beside methods, and no tags.
        for method in filter(item.__contains__, _METHODS):
            tag = (item[method].get("tags") or ["application"])[0]
            groups.setdefault(tag, []).append(_entry(path, method, item[method]))
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


def _entry(path: str, method: str, operation: JsonObject) -> str:
    shown = {
        key: operation[key]
        for key in ("parameters", "requestBody", "responses")
        if operation.get(key)
    }
    return (
        f'<details><summary><span class="method">{method.upper()}</span>'
        f"<code>{html.escape(path)}</code> {html.escape(operation.get('summary', ''))}</summary>"
        f"{_pre(shown)}</details>"
    )


def _pre(value: Any) -> str:
    text = html.escape(json.dumps(value, indent=2, ensure_ascii=False), quote=False)
    linked = re.sub(r'"#/components/schemas/([\w.-]+)"', r'"<a href="#\1">\1</a>"', text)
    return f"<pre>{linked}</pre>"
