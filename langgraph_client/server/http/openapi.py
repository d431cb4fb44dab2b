"""The OpenAPI document of a server, with its application's endpoints, and a page to read it."""

from __future__ import annotations

import dataclasses
import html
import json
import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from starlette.responses import HTMLResponse, Response

from langgraph_client.models.fields import JsonMapping, JsonObject
from langgraph_client.server.http.endpoint import Endpoint, ValidRequest
from langgraph_client.server.http.replies import reply
from langgraph_client.server.http.routes import system
from langgraph_client.server.http.schemas.bodies import BODIES
from langgraph_client.server.http.schemas.replies import REPLIES


class OpenApiDocument:
    """The OpenAPI document of a server, and the page that shows it.

    Args:
        endpoints: The server's endpoints.
        user_document: Returns the OpenAPI document of the user's application. Its paths and
            components are added, unless the server has the same.
        security: The security schemes that replace the API key.
    """

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        user_document: Callable[[], JsonMapping],
        security: JsonMapping,
    ) -> None:
        self._endpoints = endpoints
        self._user_document = user_document
        self._security = security

    def handled(self, endpoint: Endpoint) -> Endpoint:
        """Return an endpoint; for `/openapi.json` and `/docs`, one with this document."""
        handlers = {"/openapi.json": self._openapi, "/docs": self._docs}
        handler = handlers.get(endpoint.path)
        return endpoint if handler is None else dataclasses.replace(endpoint, handler=handler)

    @cached_property
    def _document(self) -> dict[str, object]:
        shown = document(self._endpoints, system.version())
        added = self._user_document()
        shown["paths"] = {**added.get("paths", {}), **shown["paths"]}
        for kind, parts in added.get("components", {}).items():
            shown["components"][kind] = {**parts, **shown["components"].get(kind, {})}
        if self._security:
            self._secure(shown)
        return shown

    def _secure(self, shown: JsonObject) -> None:
        shown["components"]["securitySchemes"] = self._security.get("securitySchemes", {})
        shown["security"] = self._security.get("security", [])
        for path, methods in self._security.get("paths", {}).items():
            for method, security in methods.items():
                if (operation := shown["paths"].get(path, {}).get(method.lower())) is not None:
                    operation["security"] = security

    async def _openapi(self, request: ValidRequest) -> Response:
        return reply(self._document)

    async def _docs(self, request: ValidRequest) -> Response:
        return HTMLResponse(page(self._document))


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
            "schemas": _with_openapi_references({**BODIES, **REPLIES}),
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "x-api-key"}},
        },
        "security": [{}, {"key": []}],
    }


def _operation(operation: Endpoint) -> dict[str, object]:
    statuses: dict[int, dict[str, object]] = {204: {"description": "Done"}}
    if operation.response:
        statuses = {200: {"description": "Done", "content": _content(operation.response)}}
    if operation.other_statuses:
        statuses.update({status: {"description": "Done"} for status in operation.other_statuses})
    error: dict[str, object] = {"description": "Refused"}
    if operation.error_response:
        error["content"] = _content(operation.error_response)
    named = re.findall(r"{(\w+)}", operation.path)
    words = re.sub(r"\W+", "_", operation.path).strip("_")
    operation_document: dict[str, object] = {
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
        operation_document["requestBody"] = {"required": True, "content": content}
    return operation_document


def _tag(path: str) -> str:
    first = path.split("/")[1]
    if "/crons" in path:
        return "crons"
    if "/runs" in path:
        return "runs"
    return first if first in ("assistants", "threads", "store") else "system"


def _content(response: str) -> dict[str, object]:
    if "/" in response:
        content_type, _, other = response.partition("|")
        schema: JsonObject = {} if content_type == "application/json" else {"type": "string"}
        return {content_type: {"schema": schema}, **(_content(other) if other else {})}
    if response in ("json", "int"):
        schema = {} if response == "json" else {"type": "integer"}
    elif response.startswith("["):
        schema = {"type": "array", "items": _reference(response.strip("[]"))}
    elif response.endswith("?"):
        schema = {"anyOf": [_reference(response.strip("?")), {"type": "null"}]}
    else:
        schema = _reference(response)
    return {"application/json": {"schema": schema}}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _with_openapi_references(value: object) -> object:
    """Return schemas with references in OpenAPI's form instead of that of `validate`."""
    if isinstance(value, list):
        return [_with_openapi_references(item) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(name := value.get("$ref"), str):
        return _reference(name)
    return {key: _with_openapi_references(item) for key, item in value.items()}


_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em }
summary { cursor: pointer; padding: .2em 0 } code { font-weight: 600 }
.method { display: inline-block; width: 5em } pre { background: #f4f4f4; padding: 1em }
@media (prefers-color-scheme: dark) { body { background: #111; color: #ddd } pre { background: #222 } }
"""  # noqa: E501 (one rule a line)


def page(document: JsonObject) -> str:
    """Return an OpenAPI document as a web page that needs no script and no other host."""
    groups: dict[str, list[str]] = {}
    for path, item in document["paths"].items():
        # An application's own paths may have other keys beside methods, and no tags.
        for method in filter(item.__contains__, _METHODS):
            tag = (item[method].get("tags") or ["application"])[0]
            groups.setdefault(tag, []).append(_entry(path, method, item[method]))
    parts = [f"<h2>{html.escape(tag)}</h2>{''.join(entries)}" for tag, entries in groups.items()]
    parts.append("<h2>schemas</h2>")
    parts += [
        f'<details id="{name}"><summary><code>{name}</code></summary>{_pre(schema)}</details>'
        for name, schema in document["components"]["schemas"].items()
    ]
    title = html.escape(f"{document['info']['title']} {document['info']['version']}")
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
