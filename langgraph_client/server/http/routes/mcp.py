"""MCP, the Model Context Protocol, over stateless streamable HTTP: assistants as tools.

Responses are JSON, never streams, and there are no sessions. Seen in langgraph-api 0.16.7.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.responses import Response

from langgraph_client.server.encoding import encode
from langgraph_client.server.http.endpoint import ValidRequest
from langgraph_client.server.http.replies import empty, reply
from langgraph_client.server.http.routes.system import version
from langgraph_client.server.http.self_requests import SelfClient, SelfRequestError
from langgraph_client.server.runs.run_result import ERROR
from langgraph_client.server.runs.run_states import DELETED
from langgraph_client.server.storage.protocol import Document

logger = logging.getLogger("langgraph_client.server")

VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
_PAGE = 100
_SEARCHED = 1000
"""How many assistants are read with one request."""
_MAX_NAME = 128
_METHOD_NOT_FOUND, _INVALID_PARAMS, _INTERNAL = -32601, -32602, -32603
_HINTS = {
    "readOnlyHint": False,
    "destructiveHint": False,
    "idempotentHint": False,
    "openWorldHint": True,
}


class _RpcError(Exception):
    """The response to a request is a JSON-RPC error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


async def get_not_allowed(request: ValidRequest) -> Response:
    """GET /mcp: the server starts no streams."""
    return empty(405)


async def delete_not_found(request: ValidRequest) -> Response:
    """DELETE /mcp: there are no sessions."""
    return empty(404)


async def message(request: ValidRequest) -> Response:
    """POST /mcp."""
    accept = request.headers.get("accept", "*/*")
    if not any(kind in accept for kind in ("application/json", "text/event-stream", "*/*")):
        return _malformed("Accept header must include application/json or text/event-stream")
    body = request.body
    if not isinstance(body, dict):
        return _malformed("Invalid message format.")
    if body.get("jsonrpc") != "2.0":
        return _malformed("Invalid JSON-RPC message. Missing or invalid jsonrpc version.")
    request_id, method = body.get("id"), body.get("method")
    if request_id is None and not method:
        return _malformed("Invalid message format: neither a request nor a notification.")
    if request_id is None or not method:  # A notification, or the response to a request.
        return empty(202)
    params = body.get("params")
    try:
        outcome = {"result": await _result(request, str(method), _object(params))}
    except _RpcError as error:
        outcome = {"error": {"code": error.code, "message": error.message}}
    except SelfRequestError as error:
        outcome = {"error": {"code": _INTERNAL, "message": error.detail}}
    return reply({"jsonrpc": "2.0", "id": request_id, **outcome})


def _malformed(text: str) -> Response:
    return reply({"error": text}, 400)


def _object(value: object) -> Document:
    return value if isinstance(value, dict) else {}


async def _result(request: ValidRequest, method: str, params: Document) -> Document:
    if method == "initialize":
        requested_version = params.get("protocolVersion")
        return {
            "protocolVersion": requested_version if requested_version in VERSIONS else VERSIONS[-1],
            "capabilities": {"tools": {"listChanged": False}},
            "serverInfo": {"name": "LangGraph", "version": version()},
        }
    if method == "ping":
        return {}
    if method == "tools/list":
        return await _list_tools(SelfClient(request), params)
    if method == "tools/call":
        return await _call_tool(SelfClient(request), params)
    raise _RpcError(_METHOD_NOT_FOUND, f"Method not found: {method}")


async def _list_tools(own_server: SelfClient, params: Document) -> Document:
    try:
        start = max(int(params.get("cursor") or 0), 0)
    except (TypeError, ValueError, OverflowError):  # The last one for 1e999, which is infinite.
        start = 0
    assistants: dict[str, Document] = {}
    async for name, assistant in _callable(own_server, "graph_id", "description"):
        assistants.setdefault(name, assistant)
    tools: list[Document] = []
    for name in list(assistants)[start : start + _PAGE]:
        try:
            tools.append(await _tool(own_server, assistants[name], name))
        except SelfRequestError as error:
            # Its graph is not served any more, say, or cannot be created without a config. The
            # other tools do not depend on that.
            logger.warning("MCP leaves out the tool %s: %s", name, error.detail)
    result: Document = {"tools": tools}
    if len(assistants) > start + _PAGE:
        result["nextCursor"] = str(start + _PAGE)
    return result


async def _callable(own_server: SelfClient, *fields: str) -> AsyncGenerator[tuple[str, Document]]:
    """Yield the assistants, oldest first, each after its name as a tool.

    If several assistants have one name, the oldest has the tool: a new assistant must not get the
    calls that are meant for another one. No search for a name finds the oldest, because different
    names of assistants are one name as tools.

    Args:
        own_server: Sends the requests.
        fields: The fields that are read of each assistant, besides its id and name.
    """
    page: Document = {
        "limit": _SEARCHED,
        "offset": 0,
        "sort_by": "created_at",
        "sort_order": "asc",
        "select": ["assistant_id", "name", *fields],
    }
    while True:
        assistants = await own_server.request("POST", "/assistants/search", page)
        for assistant in assistants:
            if name := tool_name(assistant["name"]):
                yield name, assistant
        if len(assistants) < _SEARCHED:
            return
        page["offset"] += _SEARCHED


async def _find(own_server: SelfClient, wanted: str) -> Document | None:
    """Return the assistant that has a tool; None if there is no such tool."""
    async with aclosing(_callable(own_server)) as assistants:
        async for name, assistant in assistants:
            if name == wanted:
                return assistant
    return None


async def _tool(own_server: SelfClient, assistant: Document, name: str) -> Document:
    schemas = await own_server.request("GET", f"/assistants/{assistant['assistant_id']}/schemas")
    description = assistant.get("description") or (
        f"Runs the graph {assistant['graph_id']!r} (assistant {assistant['name']!r}) on the given"
        " input, and returns its final state as JSON."
    )
    return {
        "name": name,
        "title": assistant["name"],
        "description": description,
        "inputSchema": simplified(schemas.get("input_schema") or {}),
        "annotations": _HINTS,
    }


def tool_name(name: str) -> str:
    """Return an assistant's name as a tool's name, of letters, digits, `_`, `-` and `.` only."""
    joined = re.sub(r"\s+", "_", name.strip())
    return re.sub(r"[^a-zA-Z0-9_\-.]", "", joined)[:_MAX_NAME]


def simplified(schema: Document) -> Document:
    """Return an input schema for models: an object, whose lists of messages become one text."""
    simple_schema: Document = {"properties": {}, **schema, "type": "object"}
    properties: Document = {}
    for name, wanted in simple_schema["properties"].items():
        properties[name] = wanted
        if isinstance(wanted, dict) and _is_of_messages(wanted):
            properties[name] = {
                "type": "string",
                "title": wanted.get("title", name),
                "description": "The message of the user to the agent.",
            }
    simple_schema["properties"] = properties
    definitions = _referenced(properties, simple_schema.pop("$defs", None) or {})
    return {**simple_schema, "$defs": definitions} if definitions else simple_schema


def _referenced(value: object, definitions: Document) -> Document:
    """Return the definitions that a schema refers to, directly or through other definitions."""
    referenced: Document = {}
    missing = [value]
    while missing:
        names = re.findall(r'"#/\$defs/([^"]+)"', encode(missing.pop()).decode())
        for name in names:
            if name in definitions and name not in referenced:
                referenced[name] = definitions[name]
                missing.append(definitions[name])
    return referenced


def _is_of_messages(wanted: Document) -> bool:
    items = wanted.get("items")
    choices = [] if not isinstance(items, dict) else items.get("oneOf") or items.get("anyOf") or []
    return wanted.get("type") == "array" and any(
        re.fullmatch(r"#/\$defs/\w+Message(Chunk)?", str(choice.get("$ref"))) for choice in choices
    )


async def _call_tool(own_server: SelfClient, params: Document) -> Document:
    name, arguments = params.get("name"), params.get("arguments")
    assistant = await _find(own_server, name) if isinstance(name, str) else None
    if assistant is None:
        raise _RpcError(_INVALID_PARAMS, f"Unknown tool: {name}")
    if not isinstance(arguments, dict | None):
        raise _RpcError(_INVALID_PARAMS, "The arguments of a tool must be an object.")
    body: Document = {"assistant_id": assistant["assistant_id"], "input": arguments or {}}
    if params.get("context") is not None:
        body["context"] = params["context"]
    try:
        value = await own_server.request("POST", "/runs/wait", body)
    except SelfRequestError as error:
        return _content(error.detail, failed=True)
    if isinstance(value, dict) and ERROR in value:
        error_document = value[ERROR]
        return _content(f"{error_document['error']}: {error_document['message']}", failed=True)
    if own_server.run_status in ("interrupted", DELETED):  # Its values are of an earlier step.
        return _content("The run was cancelled before its end.", failed=True)
    return _content(encode(value).decode())


def _content(text: str, *, failed: bool = False) -> Document:
    return {"isError": failed, "content": [{"type": "text", "text": text}]}
