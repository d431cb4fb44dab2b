"""The key-value store: put, get, delete, search items; list namespaces."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from langgraph_client.server.http.replies import fail, nothing, read_json, reply, truth
from langgraph_client.server.http.validation import Schema, validate
from langgraph_client.server.services import services_of

_LABELS = {"type": "array", "items": {"type": "string"}}
_KEY = {"type": "string"}
_OPTIONAL = {"type": ["array", "null"], "items": {"type": "string"}}
_COUNT = {"type": ["integer", "null"], "minimum": 0, "maximum": 2**31}
PUT: Schema = {
    "type": "object",
    "required": ["namespace", "key", "value"],
    "properties": {
        "namespace": _LABELS,
        "key": _KEY,
        "value": {"type": "object"},
        "index": {"anyOf": [{"type": "boolean"}, _LABELS, {"type": "null"}]},
        "ttl": {"type": ["number", "null"], "minimum": 0, "maximum": 100_000_000},
    },
}
DELETE: Schema = {
    "type": "object",
    "required": ["key"],
    "properties": {"namespace": _LABELS, "key": _KEY},
}
SEARCH: Schema = {
    "type": "object",
    "properties": {
        "namespace_prefix": _OPTIONAL,
        "filter": {"type": ["object", "null"]},
        "limit": _COUNT,
        "offset": _COUNT,
        "query": {"type": ["string", "null"]},
        "refresh_ttl": {"type": ["boolean", "null"]},
    },
}
NAMESPACES: Schema = {
    "type": "object",
    "properties": {
        "prefix": _OPTIONAL,
        "suffix": _OPTIONAL,
        "max_depth": _COUNT,
        "limit": _COUNT,
        "offset": _COUNT,
    },
}
_OPERATORS = {"$eq", "$ne", "$gt", "$gte", "$lt", "$lte"}


class _LabelError(Exception):
    """A label of a namespace that cannot be; told as plain text, as the real server does."""


def _checked(labels: list[str]) -> tuple[str, ...]:
    for label in labels:
        if not label or "." in label:
            raise _LabelError(
                f"Namespace label '{label}' must be a non-empty string without periods"
            )
    return tuple(labels)


def _store(request: Request) -> Any:
    store = services_of(request).store
    if store is None:
        raise fail(501, "The store needs langgraph and langgraph-checkpoint-sqlite")
    return store


async def put(request: Request) -> Response:
    """PUT /store/items"""
    body = validate(await read_json(request), PUT, {})
    namespace = _checked(body["namespace"])
    if not namespace:
        raise fail(400, "Namespace cannot be empty.")
    if namespace[0] == "langgraph":
        raise fail(400, f'Root label for namespace cannot be "langgraph". Got: {namespace}')
    options: dict[str, Any] = {"ttl": body["ttl"]} if body.get("ttl") is not None else {}
    index = body.get("index")
    if index is not None and index is not True:
        options["index"] = index
    try:
        await _store(request).aput(namespace, body["key"], body["value"], **options)
    except NotImplementedError as error:  # a store that a graph brought, without times to live
        raise fail(422, str(error)) from None
    return nothing()


async def get(request: Request) -> Response:
    """GET /store/items"""
    query = request.query_params
    given = query.getlist("namespace")
    namespace = _checked((given[-1] if given else "").split("."))
    if "key" not in query:
        return reply({"error": "Key is required"}, 400)
    options = {}
    if "refresh_ttl" in query:
        options["refresh_ttl"] = truth(query["refresh_ttl"])
    found = await _store(request).aget(namespace, query["key"], **options)
    return reply(None if found is None else _item(found))


def _item(found: Any) -> dict[str, Any]:
    return {
        "namespace": list(found.namespace),
        "key": found.key,
        "value": found.value,
        "created_at": _time(found.created_at),
        "updated_at": _time(found.updated_at),
    }


def _time(moment: datetime) -> str:
    """Return a time as the protocol writes it; the store's have no offset and are UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.isoformat(timespec="microseconds")


async def delete(request: Request) -> Response:
    """DELETE /store/items"""
    body = validate(await read_json(request), DELETE, {})
    await _store(request).adelete(_checked(body.get("namespace", [])), body["key"])
    return nothing()


async def search(request: Request) -> Response:
    """POST /store/items/search"""
    body = validate(await read_json(request), SEARCH, {})
    wanted = body.get("filter") or {}
    for condition in wanted.values():
        for name in condition if isinstance(condition, dict) else ():
            if name.startswith("$") and name not in _OPERATORS:
                raise fail(400, f"Unsupported operator: {name}")
    options = {"refresh_ttl": body["refresh_ttl"]} if body.get("refresh_ttl") is not None else {}
    try:
        found = await _store(request).asearch(
            _checked(body.get("namespace_prefix") or []),
            query=body.get("query"),
            filter=wanted or None,
            limit=_or(body.get("limit"), 10),
            offset=_or(body.get("offset"), 0),
            **options,
        )
    except (TypeError, ValueError) as error:  # a filter that the store cannot make sense of
        raise fail(400, str(error)) from None
    return reply({"items": [{**_item(one), "score": one.score} for one in found]})


def _or(value: int | None, default: int) -> int:
    return default if value is None else int(value)


async def namespaces(request: Request) -> Response:
    """POST /store/namespaces"""
    body = validate(await read_json(request), NAMESPACES, {})
    found = await _store(request).alist_namespaces(
        prefix=_checked(body["prefix"]) if body.get("prefix") else None,
        suffix=_checked(body["suffix"]) if body.get("suffix") else None,
        max_depth=body.get("max_depth"),
        limit=_or(body.get("limit"), 100),
        offset=_or(body.get("offset"), 0),
    )
    return reply({"namespaces": [list(labels) for labels in found]})


def _plain(handler: Any) -> Any:
    """Answer wrong labels as the real server does: 422, plain text without a content type."""

    async def handle(request: Request) -> Response:
        try:
            answer: Response = await handler(request)
        except _LabelError as error:
            answer = PlainTextResponse(str(error), 422)
            del answer.headers["content-type"]
        return answer

    return handle


routes = [
    Route("/store/items", _plain(put), methods=["PUT"]),
    Route("/store/items", _plain(get), methods=["GET"]),
    Route("/store/items", _plain(delete), methods=["DELETE"]),
    Route("/store/items/search", _plain(search), methods=["POST"]),
    Route("/store/namespaces", _plain(namespaces), methods=["POST"]),
]
