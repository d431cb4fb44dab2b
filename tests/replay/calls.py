"""Which call of ours makes a recorded request."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from tests.replay.recordings import Exchange


class Untyped(Exception):
    """No method of ours makes this request; the reason why."""


Arguments = dict[str, Any]
Handler = Callable[[Any, Exchange, re.Match[str], Arguments], Any]
ROUTES: list[tuple[str, re.Pattern[str], Handler]] = []

NO_METHOD = "an endpoint without a method of its own"


def route(method: str, pattern: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        ROUTES.append((method, re.compile(pattern), handler))
        return handler

    return register


def make(client: Any, exchange: Exchange) -> Any:
    """Call the method that makes the request. Raises Untyped where there is none."""
    request = exchange.request
    if "text" in request:
        raise Untyped("a body that is not JSON")
    body = request.get("json", {})
    for method, pattern, handler in ROUTES:
        match = pattern.fullmatch(exchange.path)
        if method == request["method"] and match:
            if method in ("POST", "PUT", "PATCH") and "json" not in request and needs_body(match):
                raise Untyped("a body that is missing")
            return handler(client, exchange, match, body)
    raise Untyped(NO_METHOD)


def needs_body(match: re.Match[str]) -> bool:
    return not match.string.endswith(("/copy", "/cancel"))


def fill(
    method: Callable[..., Any],
    *positional: Any,
    given: Any,
    exchange: Exchange | None = None,
    rename: dict[str, str] | None = None,
    **fixed: Any,
) -> Any:
    """Call `method` with the fields of a recorded body, where it has parameters for all of them."""
    if not isinstance(given, dict):
        raise Untyped("a body that is not an object")
    arguments = {(rename or {}).get(key, key): value for key, value in given.items()}
    parameters = inspect.signature(method).parameters
    for key, value in arguments.items():
        if key not in parameters:
            raise Untyped(f"a field that the method does not have: {key}")
        nulls = ("input", "values", "end_time")
        if value is None and key not in nulls:
            raise Untyped("null where a field can be left out")
    bound = inspect.signature(method)
    headers = dict((exchange.request.get("headers") or {}) if exchange else {})
    headers.pop("last-event-id", None)
    headers.pop("prefer", None)
    if "x-api-key" in headers:
        headers.pop("x-api-key")
    if headers:
        fixed["headers"] = headers
    try:
        bound.bind(*positional, **arguments, **fixed)
    except TypeError as error:
        raise Untyped("a required field that is missing") from error
    return method(*positional, **arguments, **fixed)


def single(exchange: Exchange, *names: str) -> dict[str, str]:
    """The query, where it has these parameters only, and each but once."""
    pairs = exchange.query
    if len({key for key, _ in pairs}) != len(pairs):
        raise Untyped("a query parameter that is repeated")
    if unknown := [key for key, _ in pairs if key not in names]:
        raise Untyped(f"a query parameter that the method does not have: {unknown[0]}")
    return dict(pairs)


def number(text: str) -> int:
    if not text.lstrip("-").isdigit():
        raise Untyped("a number that is none")
    return int(text)


def truth(text: str) -> bool:
    if text not in ("true", "false", "1"):
        raise Untyped("a truth value that is none")
    return text != "false"


def last_id(exchange: Exchange) -> str | None:
    value = (exchange.request.get("headers") or {}).get("last-event-id")
    return None if value is None else str(value)


ID = r"([^/]+)"


# --- assistants ---


@route("POST", "/assistants")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    return fill(client.assistants.create, given=body, exchange=exchange)


@route("POST", "/assistants/(search|count)")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    return fill(getattr(client.assistants, match[1]), given=body, exchange=exchange)


@route("GET", f"/assistants/{ID}")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    return client.assistants.get(match[1])


@route("PATCH", f"/assistants/{ID}")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    return fill(client.assistants.update, match[1], given=body)


@route("DELETE", f"/assistants/{ID}")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    query = single(exchange, "delete_threads")
    return client.assistants.delete(match[1], delete_threads="delete_threads" in query)


@route("GET", f"/assistants/{ID}/graph")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    xray = single(exchange, "xray").get("xray", "false")
    level = xray == "true" if xray in ("true", "false") else number(xray)
    return client.assistants.get_graph(match[1], xray=level)


@route("GET", f"/assistants/{ID}/schemas")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    return client.assistants.get_schemas(match[1])


@route("GET", f"/assistants/{ID}/subgraphs(?:/{ID})?")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    namespace = unquote(match[2]) if match[2] else None
    recurse = "recurse" in single(exchange, "recurse")
    return client.assistants.get_subgraphs(match[1], namespace, recurse)


@route("POST", f"/assistants/{ID}/(versions|latest)")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    methods = {
        "versions": client.assistants.get_versions,
        "latest": client.assistants.set_latest,
    }
    return fill(methods[match[2]], match[1], given=body)


# --- threads ---


@route("POST", "/threads")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    return fill(client.threads.create, given=body)


@route("POST", "/threads/(search|count|prune)")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    return fill(getattr(client.threads, match[1]), given=body, exchange=exchange)


@route("GET", f"/threads/{ID}")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    include = single(exchange, "include").get("include")
    return client.threads.get(match[1], include=include.split(",") if include else None)


@route("PATCH", f"/threads/{ID}")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    minimal = "prefer" in (exchange.request.get("headers") or {})
    return fill(client.threads.update, match[1], given=body, return_minimal=minimal)


@route("DELETE", f"/threads/{ID}")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    return client.threads.delete(match[1])


@route("POST", f"/threads/{ID}/copy")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    return client.threads.copy(match[1])


@route("GET", f"/threads/{ID}/state(?:/{ID})?")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    subgraphs = "subgraphs" in single(exchange, "subgraphs")
    return client.threads.get_state(match[1], checkpoint_id=match[2], subgraphs=subgraphs)


@route("POST", f"/threads/{ID}/state/checkpoint")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    if "checkpoint" not in body:
        raise Untyped("a required field that is missing")
    if None in body["checkpoint"].values():
        raise Untyped("null where a field can be left out")
    return fill(client.threads.get_state, match[1], given=body)


@route("POST", f"/threads/{ID}/state")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    if "values" not in body:
        raise Untyped("a required field that is missing")
    return fill(client.threads.update_state, match[1], given=body)


@route("POST", f"/threads/{ID}/history")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    if "before" in body and "configurable" not in body["before"]:
        raise Untyped("a form of `before` that servers refuse")
    return fill(client.threads.get_history, match[1], given={"limit": 1, **body})


@route("GET", f"/threads/{ID}/history")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    raise Untyped("history by GET: ours asks by POST, which can do more")


@route("GET", f"/threads/{ID}/stream")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    modes = single(exchange, "stream_modes").get("stream_modes", "run_modes").split(",")
    return client.threads.join_stream(
        match[1],
        stream_mode=modes if len(modes) > 1 else modes[0],
        last_event_id=last_id(exchange),
    )


# --- runs ---


@route("POST", "/runs/batch")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    return client.runs.create_batch(body)


@route("POST", "/runs/cancel")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    return fill(client.runs.cancel_many, given=body, **single(exchange, "action"))


@route("POST", f"(?:/threads/{ID})?/runs(/wait|/stream)?")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    more: Arguments = {}
    method = client.runs.create
    if match[2] == "/wait":
        method, more = client.runs.wait, {"raise_error": False}
    elif match[2] == "/stream":
        method = client.runs.stream
    checkpoint = body.get("checkpoint") if isinstance(body, dict) else None
    if checkpoint is not None and None in checkpoint.values():
        raise Untyped("null where a field can be left out")
    return fill(
        method,
        match[1],
        given=body,
        exchange=exchange,
        rename={"langsmith_tracer": "langsmith_tracing"},
        **more,
    )


@route("GET", f"/threads/{ID}/runs")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    query = dict(exchange.query)
    select = [value for key, value in exchange.query if key == "select"]
    return client.runs.list(
        match[1],
        limit=number(query.get("limit", "10")),
        offset=number(query.get("offset", "0")),
        status=query.get("status"),
        select=select or None,
    )


@route("GET", f"/threads/{ID}/runs/{ID}")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    return client.runs.get(match[1], match[2])


@route("DELETE", f"/threads/{ID}/runs/{ID}")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    return client.runs.delete(match[1], match[2])


@route("GET", f"/threads/{ID}/runs/{ID}/join")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    cancel = truth(single(exchange, "cancel_on_disconnect").get("cancel_on_disconnect", "false"))
    return client.runs.join(match[1], match[2], cancel_on_disconnect=cancel)


@route("GET", f"/threads/{ID}/runs/{ID}/stream")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    query = single(exchange, "cancel_on_disconnect", "stream_mode")
    mode: Any = query.get("stream_mode")
    if mode is not None and mode.startswith("["):
        mode = json.loads(mode)
    return client.runs.join_stream(
        match[1],
        match[2],
        stream_mode=mode,
        cancel_on_disconnect=truth(query.get("cancel_on_disconnect", "false")),
        last_event_id=last_id(exchange),
    )


@route("POST", f"/threads/{ID}/runs/{ID}/cancel")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    query = single(exchange, "action", "wait")
    return client.runs.cancel(
        match[1],
        match[2],
        wait=truth(query.get("wait", "false")),
        action=query.get("action", "interrupt"),
    )


# --- crons, store, system ---


@route("POST", "/runs/crons/(search|count)")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    return fill(getattr(client.crons, match[1]), given=body)


@route("POST", f"(?:/threads/{ID})?/runs/crons")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    if match[1] is None:
        return fill(client.crons.create, given=body)
    return fill(client.crons.create_for_thread, match[1], given=body)


@route("GET", f"/runs/crons/{ID}")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    return client.crons.get(match[1])


@route("PATCH", f"/runs/crons/{ID}")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    return fill(client.crons.update, match[1], given=body)


@route("DELETE", f"/runs/crons/{ID}")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    return client.crons.delete(match[1])


def _item(body: Any, *names: str) -> list[Any]:
    if missing := [name for name in names if name not in body]:
        raise Untyped(f"a required field that is missing: {missing[0]}")
    return [body[name] for name in names]


@route("PUT", "/store/items")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    namespace, key, value = _item(body, "namespace", "key", "value")
    return client.store.put_item(
        namespace, key, value, index=body.get("index"), ttl=body.get("ttl")
    )


@route("DELETE", "/store/items")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    return client.store.delete_item(*_item(body, "namespace", "key"))


@route("GET", "/store/items")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    query = single(exchange, "namespace", "key", "refresh_ttl")
    namespace, key = _item(query, "namespace", "key")
    refresh = True if "refresh_ttl" in query else None
    return client.store.get_item(namespace.split("."), key, refresh_ttl=refresh)


@route("POST", "/store/items/search")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    (prefix,) = _item(body, "namespace_prefix")
    rest = {key: value for key, value in body.items() if key != "namespace_prefix"}
    return fill(client.store.search_items, prefix, given=rest)


@route("POST", "/store/namespaces")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    return fill(client.store.list_namespaces, given=body)


@route("GET", "/info")
def _(client: Any, exchange: Exchange, match: re.Match[str], body: Arguments) -> Any:
    return client.info()
