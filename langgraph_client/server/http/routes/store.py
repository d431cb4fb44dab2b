"""The key-value store: put, get, delete, search items; list namespaces."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.responses import PlainTextResponse, Response

from langgraph_client.models.fields import JsonObject
from langgraph_client.server.encoding import decode, encode
from langgraph_client.server.errors import Invalid, Unreadable
from langgraph_client.server.http.endpoint import ValidRequest
from langgraph_client.server.http.replies import empty, http_error, reply
from langgraph_client.server.storage.item_filter import check_filter, conditions

if TYPE_CHECKING:
    from langgraph.store.base import BaseStore

_MAX_CONDITIONS = 500
"""The most conditions of a filter: SQLite takes a thousand in one query."""


def _plain(
    handler: Callable[[ValidRequest], Awaitable[Response]],
) -> Callable[[ValidRequest], Awaitable[Response]]:
    """Handle invalid labels like the real server: status 422, plain text, no content type."""

    async def handle(request: ValidRequest) -> Response:
        try:
            return await handler(request)
        except _LabelError as error:
            answer = PlainTextResponse(str(error), 422)
            del answer.headers["content-type"]
            return answer

    return handle


class _LabelError(Exception):
    """A label of a namespace is invalid. The response is plain text, as on the real server."""


def _checked(labels: list[str]) -> tuple[str, ...]:
    for label in labels:
        if not label or "." in label:
            raise _LabelError(
                f"Namespace label '{label}' must be a non-empty string without periods"
            )
    return tuple(labels)


def _store(request: ValidRequest) -> BaseStore:
    store = request.services.store
    if store is None:
        raise http_error(501, "The store needs langgraph and langgraph-checkpoint-sqlite")
    return store


async def _result_of(operation: Awaitable[object]) -> Any:
    """Return the result of a store's operation.

    Raises:
        Invalid: The store refuses the values, such as a label that contains a NUL.
        Unreadable: The item is damaged.
    """
    try:
        return await operation
    except Unreadable:
        raise
    except (TypeError, ValueError) as error:
        raise Invalid(str(error)) from None


def _with_wire_numbers(value: Any) -> Any:
    """Return a JSON value with integers of more than 64 bits as floats.

    The real server reads them so (langgraph-api 0.16.7), and SQLite's store refuses them otherwise.
    """
    return decode(encode(value))


@_plain
async def put(request: ValidRequest) -> Response:
    """PUT /store/items."""
    body = request.body
    namespace = _checked(body["namespace"])
    if not namespace:
        raise http_error(400, "Namespace cannot be empty.")
    if namespace[0] == "langgraph":
        raise http_error(400, f'Root label for namespace cannot be "langgraph". Got: {namespace}')
    options: JsonObject = {"ttl": body["ttl"]} if body.get("ttl") is not None else {}
    index = body.get("index")
    if index is not None and index is not True:
        options["index"] = index
    value = _with_wire_numbers(body["value"])
    try:
        await _result_of(_store(request).aput(namespace, body["key"], value, **options))
    except NotImplementedError as error:  # The application's own store has no times to live.
        raise http_error(422, str(error)) from None
    return empty()


@_plain
async def get(request: ValidRequest) -> Response:
    """GET /store/items."""
    key = request.query["key"]
    namespace = _checked(request.query["namespace"])
    if key is None:
        return reply({"error": "Key is required"}, 400)
    options = {}
    if request.query["refresh_ttl"] is not None:
        options["refresh_ttl"] = request.query["refresh_ttl"]
    item = await _result_of(_store(request).aget(namespace, key, **options))
    return reply(None if item is None else _item(item))


def _item(item: Any) -> JsonObject:
    return {
        "namespace": list(item.namespace),
        "key": item.key,
        "value": item.value,
        "created_at": _time(item.created_at),
        "updated_at": _time(item.updated_at),
    }


def _time(moment: datetime) -> str:
    """Return a time in the protocol's form. Times of the store without an offset are UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.isoformat(timespec="microseconds")


@_plain
async def delete(request: ValidRequest) -> Response:
    """DELETE /store/items."""
    body = request.body
    namespace = _checked(body.get("namespace", []))
    await _result_of(_store(request).adelete(namespace, body["key"]))
    return empty()


@_plain
async def search(request: ValidRequest) -> Response:
    """POST /store/items/search."""
    body = request.body
    wanted = _with_wire_numbers(body.get("filter") or {})
    try:
        check_filter(wanted)
    except ValueError as error:
        raise http_error(400, str(error)) from None
    if sum(1 for _ in conditions(wanted)) > _MAX_CONDITIONS:
        raise http_error(400, f"A filter may have at most {_MAX_CONDITIONS} conditions")
    options = {"refresh_ttl": body["refresh_ttl"]} if body.get("refresh_ttl") is not None else {}
    try:
        items = await _store(request).asearch(
            _checked(body.get("namespace_prefix") or []),
            query=body.get("query"),
            filter=wanted or None,
            limit=_or(body.get("limit"), 10),
            offset=_or(body.get("offset"), 0),
            **options,
        )
    except (TypeError, ValueError) as error:  # The store does not understand the filter.
        raise http_error(400, str(error)) from None
    return reply({"items": [{**_item(item), "score": item.score} for item in items]})


def _or(value: int | None, default: int) -> int:
    return default if value is None else int(value)


@_plain
async def namespaces(request: ValidRequest) -> Response:
    """POST /store/namespaces."""
    body = request.body
    depth = body.get("max_depth")
    limit, offset = _or(body.get("limit"), 100), _or(body.get("offset"), 0)
    # langgraph's stores fail for a depth of 0, or invent an empty label. It is the root of all
    # namespaces that are found, so one of them is enough.
    is_root = depth == 0
    labels = await _result_of(
        _store(request).alist_namespaces(
            prefix=_checked(body["prefix"]) if body.get("prefix") else None,
            suffix=_checked(body["suffix"]) if body.get("suffix") else None,
            max_depth=1 if is_root else depth,
            limit=min(limit, 1) if is_root else limit,
            offset=0 if is_root else offset,
        )
    )
    if is_root:
        return reply({"namespaces": [[]] if labels and not offset else []})
    return reply({"namespaces": [list(item) for item in labels]})
