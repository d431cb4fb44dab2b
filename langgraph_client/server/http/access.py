"""Ask the application's `Auth` about each request: the kinds of access in `endpoints.py`.

A kind of access builds the `value` for the `Auth` handler from path, query and body, and calls the
handler. It copies the handler's changes of metadata or namespace into the request, and gives the
endpoint's function a view of the documents that the user may access.
"""

from __future__ import annotations

import copy
import logging
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from langgraph_client.models.fields import JsonMapping, JsonObject
from langgraph_client.server.auth.authorization import Caller
from langgraph_client.server.auth.filters import Conditions, with_metadata
from langgraph_client.server.errors import Denied, Invalid
from langgraph_client.server.http.endpoint import Access, ValidRequest
from langgraph_client.server.runs.run_document import assistant_id_of, canonical_uuid

logger = logging.getLogger("langgraph_client.server")

Value: TypeAlias = JsonObject


async def _refuse_public(request: ValidRequest, caller: Caller) -> ValidRequest:
    raise AssertionError("`Auth` must not be asked about a public endpoint")


PUBLIC = Access("", "", _refuse_public)
"""For endpoints without documents of users: the request is not authenticated."""


def uuid_of(text: Any) -> Any:
    """Return an id as a UUID for handlers; other text is unchanged, to be refused later."""
    try:
        return uuid.UUID(text)
    except (ValueError, AttributeError, TypeError):
        return text


def _ids(request: ValidRequest, *names: str) -> Value:
    return {name: uuid_of(request.path[name]) for name in names if name in request.path}


def object_of(body: JsonMapping, name: str) -> JsonObject:
    """Return a copy of an object in a body for a handler, which may change it."""
    value = body.get(name)
    return copy.deepcopy(value) if isinstance(value, dict) else {}


def with_handlers_changes(body: JsonMapping, value: JsonMapping, *names: str) -> Value:
    """Return a body with the objects that a handler may have changed.

    Args:
        body: The body.
        value: What the handler got.
        names: The fields besides the metadata that the handler may change.
    """
    changed = dict(body)
    for name in ("metadata", *names):
        item = value.get(name)
        # `object_of` gives the handler {} for a field that was not sent. In the body of an update,
        # {} would replace the stored config or context.
        if isinstance(item, dict) and (item or name in changed):
            changed[name] = item
    return changed


# Threads, with their states, runs and events.


async def _check_thread_in_path(request: ValidRequest) -> ValidRequest:
    """Return the request if the caller may access its thread, or the thread does not exist."""
    text = request.path.get("thread_id")
    if text is not None:
        try:
            thread_id = canonical_uuid(text, "")
        except Invalid:
            return request  # The endpoint's function refuses it, with the right message.
        await request.check_thread(thread_id)
    return request


def _thread_access(
    action: str,
    value_of: Callable[[ValidRequest], Value],
    *,
    writes: bool = False,
    checks_path: bool = True,
) -> Access:
    """Return the access to one thread, or to several.

    Args:
        action: The action.
        value_of: Builds the value for the handler.
        writes: Whether the handler may change the body's metadata and values.
        checks_path: Whether a hidden thread in the path is refused here. If not, the endpoint's
            function does it, because its text for a missing thread is another one.
    """

    async def open(request: ValidRequest, caller: Caller) -> ValidRequest:
        value = value_of(request)
        conditions = await caller.ask("threads", action, value)
        changes = {"body": with_handlers_changes(request.body, value, "values")} if writes else {}
        opened = request.for_caller(caller, {"threads": conditions}, **changes)
        return await _check_thread_in_path(opened) if checks_path else opened

    return Access("threads", action, open)


THREADS_READ = _thread_access("read", lambda request: _ids(request, "thread_id", "run_id"))
THREADS_DELETE = _thread_access("delete", lambda request: _ids(request, "thread_id", "run_id"))
THREADS_UPDATE = _thread_access(
    "update",
    lambda request: {**_ids(request, "thread_id"), "metadata": object_of(request.body, "metadata")},
    writes=True,
    checks_path=False,
)
STATE_UPDATE = _thread_access("update", lambda request: _ids(request, "thread_id"))
RUNS_SEARCH = _thread_access(
    "search", lambda request: {**_ids(request, "thread_id"), "metadata": {}}
)
RUNS_CANCEL = _thread_access(
    "update",
    lambda request: {
        **_ids(request, "thread_id"),
        "action": request.query["action"] or "interrupt",
        "metadata": {"run_ids": [uuid_of(request.path["run_id"])], "status": None},
    },
)


async def _join(request: ValidRequest, caller: Caller) -> ValidRequest:
    if request.query["cancel_on_disconnect"]:
        # Whoever leaves such a request stops the run, so it needs the right to stop it.
        # What it opens is dropped, as a join only reads. The value for the handler needs an
        # `action`, which the query of a join does not have.
        await RUNS_CANCEL.open(replace(request, query={**request.query, "action": None}), caller)
    return await THREADS_READ.open(request, caller)


RUNS_JOIN = Access("threads", "read", _join)
RUNS_CANCEL_MANY = _thread_access(
    "update",
    lambda request: {
        "thread_id": uuid_of(request.body.get("thread_id")),
        "action": request.query["action"] or "interrupt",
        "metadata": {
            "run_ids": [uuid_of(text) for text in request.body.get("run_ids") or ()] or None,
            "status": request.body.get("status"),
        },
    },
)
# As on the real server, these ids are text.
THREADS_PRUNE = _thread_access(
    "delete", lambda request: {"thread_ids": list(request.body["thread_ids"])}
)
THREADS_SEARCH = _thread_access(
    "search",
    lambda request: {
        "metadata": object_of(request.body, "metadata"),
        "values": object_of(request.body, "values"),
        "status": request.body.get("status"),
        "limit": request.body.get("limit", 10),
        "offset": request.body.get("offset", 0),
        "ids": [uuid_of(text) for text in request.body.get("ids") or ()] or None,
    },
    writes=True,
)


async def _create_thread(request: ValidRequest, caller: Caller) -> ValidRequest:
    body = dict(request.body)
    if body.get("thread_id") is None:  # Handlers get the id that the new thread will have.
        body["thread_id"] = request.services.clock.uuid7()
    value = {
        "thread_id": uuid_of(body["thread_id"]),
        "metadata": object_of(body, "metadata"),
        "if_exists": body.get("if_exists", "raise"),
        "ttl": body.get("ttl"),
    }
    conditions = await caller.ask("threads", "create", value)
    return request.for_caller(
        caller, {"threads": conditions}, body=with_handlers_changes(body, value)
    )


async def _copy_thread(request: ValidRequest, caller: Caller) -> ValidRequest:
    conditions = await caller.ask("threads", "read", _ids(request, "thread_id"))
    value: Value = {"thread_id": uuid_of(request.services.clock.uuid4()), "metadata": {}}
    await caller.ask("threads", "create", value)
    # The copy has the id that the handler got, and the metadata that the handler has added.
    body = {"thread_id": str(value["thread_id"]), "metadata": object_of(value, "metadata")}
    return request.for_caller(caller, {"threads": conditions}, body=body)


THREADS_CREATE = Access("threads", "create", _create_thread)
THREADS_COPY = Access("threads", "create", _copy_thread)


# Runs. `RunCreator` asks about them, because commands and crons create runs too.


async def _create_run(request: ValidRequest, caller: Caller) -> ValidRequest:
    return request.for_caller(caller, {})


async def _command(request: ValidRequest, caller: Caller) -> ValidRequest:
    method = request.body.get("method") if isinstance(request.body, dict) else None
    if method == "run.start":
        return request.for_caller(caller, {})
    conditions = await caller.ask("threads", "read", _ids(request, "thread_id"))
    return await _check_thread_in_path(request.for_caller(caller, {"threads": conditions}))


RUNS_CREATE = Access("threads", "create_run", _create_run)
COMMAND = Access("threads", "create_run", _command)


# Assistants.


def _assistant_id(request: ValidRequest) -> Value:
    text = request.path["assistant_id"]
    return {
        "assistant_id": uuid_of(assistant_id_of(text) if text in request.services.graphs else text)
    }


def _assistant_access(action: str, value_of: Callable[[ValidRequest], Value]) -> Access:
    async def open(request: ValidRequest, caller: Caller) -> ValidRequest:
        value = value_of(request)
        conditions = await caller.ask("assistants", action, value)
        if action == "search":
            # Metadata that the handler added is a separate condition, not part of the search: it
            # must not hide the default assistants.
            requested = object_of(request.body, "metadata")
            value["metadata"], added = _split_requested(object_of(value, "metadata"), requested)
            conditions = with_metadata(conditions, added)
        if action in ("read", "search") and conditions is not None:
            conditions = [*conditions, *_default_assistants(request)]
        grants: dict[str, Conditions] = {"assistants": conditions}
        changes: Value = {}
        if isinstance(request.body, dict) and "metadata" in value:
            changes["body"] = with_handlers_changes(request.body, value, "config", "context")
        if action == "delete":
            grants["crons"] = None  # All crons of the assistant are deleted, of any user.
            if request.query["delete_threads"]:
                grants["threads"] = await caller.ask("threads", "delete", {})
        return request.for_caller(caller, grants, **changes)

    return Access("assistants", action, open)


def _default_assistants(request: ValidRequest) -> list[JsonMapping]:
    """Return conditions for the default assistants of graphs, which all users may run and see.

    By their ids: a client can write the metadata of other assistants.
    """
    return [{"assistant_id": assistant_id_of(name)} for name in request.services.graphs.names]


def _split_requested(metadata: JsonObject, requested: JsonMapping) -> tuple[JsonObject, JsonObject]:
    """Split metadata into the part that the request has, and the rest."""
    keys = {key for key, value in metadata.items() if key in requested and requested[key] == value}
    in_request = {key: metadata[key] for key in keys}
    return in_request, {key: value for key, value in metadata.items() if key not in keys}


ASSISTANTS_READ = _assistant_access("read", _assistant_id)
ASSISTANTS_DELETE = _assistant_access("delete", _assistant_id)
ASSISTANTS_UPDATE = _assistant_access(
    "update",
    lambda request: {
        **_assistant_id(request),
        **{name: request.body.get(name) for name in ("graph_id", "name", "description")},
        # As on the real server, a context that was not sent is None, since {} would replace it.
        "context": copy.deepcopy(request.body.get("context")),
        "config": object_of(request.body, "config"),
        "metadata": object_of(request.body, "metadata"),
    },
)
ASSISTANTS_LATEST = _assistant_access(
    "update", lambda request: {**_assistant_id(request), "version": request.body.get("version")}
)
ASSISTANTS_SEARCH = _assistant_access(
    "search",
    lambda request: {
        "graph_id": request.body.get("graph_id"),
        "metadata": object_of(request.body, "metadata"),
        "limit": request.body.get("limit", 10),
        "offset": request.body.get("offset", 0),
    },
)


async def _create_assistant(request: ValidRequest, caller: Caller) -> ValidRequest:
    body = dict(request.body)
    if body.get("assistant_id") is None:
        body["assistant_id"] = request.services.clock.uuid4()
    value = {
        "assistant_id": uuid_of(body["assistant_id"]),
        "graph_id": body["graph_id"],
        "config": object_of(body, "config"),
        "context": object_of(body, "context"),
        "metadata": object_of(body, "metadata"),
        "if_exists": body.get("if_exists", "raise"),
        "name": body.get("name", "Untitled"),
        "description": body.get("description"),
    }
    conditions = await caller.ask("assistants", "create", value)
    changed = with_handlers_changes(body, value, "config", "context")
    return request.for_caller(caller, {"assistants": conditions}, body=changed)


ASSISTANTS_CREATE = Access("assistants", "create", _create_assistant)


# Crons.


async def _create_cron(request: ValidRequest, caller: Caller) -> ValidRequest:
    body: Value = copy.deepcopy(request.body)
    cron_id = request.services.clock.uuid7()
    body["config"] = object_of(body, "config")
    body["config"]["configurable"] = {
        **object_of(body["config"], "configurable"),
        "cron_id": cron_id,
    }
    value = {
        "thread_id": uuid_of(request.path.get("thread_id")),
        "cron_id": uuid_of(cron_id),
        "payload": body,
        "schedule": body["schedule"],
        "user_id": caller.user.identity,
        "end_time": body.get("end_time"),
        "metadata": object_of(body, "metadata"),
    }
    grants: dict[str, Conditions] = {"crons": await caller.ask("crons", "create", value)}
    grants["assistants"] = await assistant_conditions(request, caller, body["assistant_id"])
    if "thread_id" in request.path:
        shown = {**_ids(request, "thread_id"), "metadata": object_of(value, "metadata")}
        grants["threads"] = await caller.ask("threads", "read", shown)
    opened = request.for_caller(
        caller, grants, body=with_handlers_changes(body, value), new_id=cron_id
    )
    return await _check_thread_in_path(opened) if "threads" in grants else opened


async def assistant_conditions(request: ValidRequest, caller: Caller, text: str) -> Conditions:
    """Return the conditions under which the caller may run an assistant.

    All users may run the default assistants of graphs.
    """
    defaults = _default_assistants(request)
    if text in request.services.graphs or {"assistant_id": text} in defaults:
        return None
    return await caller.ask("assistants", "read", {"assistant_id": uuid_of(text)})


def _cron_access(action: str, value_of: Callable[[ValidRequest], Value]) -> Access:
    async def open(request: ValidRequest, caller: Caller) -> ValidRequest:
        value = value_of(request)
        grants: dict[str, Conditions] = {"crons": await caller.ask("crons", action, value)}
        changes: Value = {}
        if isinstance(request.body, dict) and "metadata" in value:
            changes["body"] = with_handlers_changes(request.body, value)
        if action == "search":
            # A cron shows its thread, so crons of threads that the user may not see are hidden.
            thread_id = request.body.get("thread_id")
            grants["threads"] = (
                await caller.ask("threads", "search", {})
                if thread_id is None
                else await caller.ask("threads", "read", {"thread_id": uuid_of(thread_id)})
            )
        return request.for_caller(caller, grants, **changes)

    return Access("crons", action, open)


CRONS_CREATE = Access("crons", "create", _create_cron)
CRONS_READ = _cron_access("read", lambda request: _ids(request, "cron_id"))
CRONS_DELETE = _cron_access("delete", lambda request: _ids(request, "cron_id"))
CRONS_UPDATE = _cron_access(
    "update",
    lambda request: {
        **_ids(request, "cron_id"),
        "payload": request.body,
        **{
            name: request.body.get(name)
            for name in ("schedule", "end_time", "enabled", "on_run_completed")
        },
        "metadata": object_of(request.body, "metadata"),
    },
)
CRONS_SEARCH = _cron_access(
    "search",
    lambda request: {
        "assistant_id": uuid_of(request.body.get("assistant_id")),
        "thread_id": uuid_of(request.body.get("thread_id")),
        "limit": request.body.get("limit", 10),
        "offset": request.body.get("offset", 0),
        "metadata": object_of(request.body, "metadata"),
    },
)


# The store: the operation uses the value that the handler may have changed.


def _labels(labels: Any) -> tuple[str, ...]:
    return tuple(labels or ())


async def _ask_without_filter(caller: Caller, action: str, value: Value) -> None:
    """Ask about items without a filter: items have no metadata that it could be compared with.

    Raises:
        Denied: The user may not, or the handler returned a filter.
    """
    if await caller.ask("store", action, value) is not None:
        raise Denied(
            403,
            f"The Auth handler of store.{action} returned a filter, which cannot be applied to the"
            " store: write an @auth.on.store handler that checks or changes value['namespace']",
        )


def _changed_labels(action: str, value: Value, name: str = "namespace") -> list[str]:
    """Return a namespace of a value after its handler, which may have changed it.

    Raises:
        Denied: It is no list or tuple of texts. A text would be split into letters, so that the
            users `bo` and `bob` shared what they have.
    """
    labels = value.get(name)
    if isinstance(labels, list | tuple) and all(isinstance(label, str) for label in labels):
        return list(labels)
    detail = (
        f"The Auth handler of store.{action} has left a value[{name!r}] that is no list or tuple of"
        " texts; write value['namespace'] = (ctx.user.identity, *value['namespace'])"
    )
    logger.error("auth: %s; it is of the type %s", detail, type(labels).__name__)
    raise Denied(500, detail)


async def _put_item(request: ValidRequest, caller: Caller) -> ValidRequest:
    body = dict(request.body)
    value: Value = {
        "namespace": _labels(body["namespace"]),
        **{name: body.get(name) for name in ("key", "value", "index", "ttl")},
    }
    await _ask_without_filter(caller, "put", value)
    body.update({**value, "namespace": _changed_labels("put", value)})
    return request.for_caller(caller, {}, body=body)


async def _get_item(request: ValidRequest, caller: Caller) -> ValidRequest:
    value = {**request.query, "namespace": _labels(request.query["namespace"])}
    await _ask_without_filter(caller, "get", value)
    return request.for_caller(
        caller, {}, query={**value, "namespace": _changed_labels("get", value)}
    )


async def _delete_item(request: ValidRequest, caller: Caller) -> ValidRequest:
    body = request.body
    value = {"namespace": _labels(body.get("namespace")), "key": body["key"]}
    await _ask_without_filter(caller, "delete", value)
    changed = {**body, "namespace": _changed_labels("delete", value), "key": value["key"]}
    return request.for_caller(caller, {}, body=changed)


async def _search_items(request: ValidRequest, caller: Caller) -> ValidRequest:
    body = dict(request.body)
    value: Value = {
        "namespace": _labels(body.get("namespace_prefix")),
        "limit": body.get("limit", 10),
        "offset": body.get("offset", 0),
        **{name: body.get(name) for name in ("filter", "query", "refresh_ttl")},
    }
    conditions = await caller.ask("store", "search", value)
    body["namespace_prefix"] = _changed_labels("search", value)
    value["filter"] = _with_filter(value["filter"], conditions)
    del value["namespace"]
    body.update(value)
    return request.for_caller(caller, {}, body=body)


def _with_filter(requested: Any, conditions: Conditions) -> object:
    """Return the filter of a search for items, combined with a handler's filter."""
    if conditions is None:
        return requested
    if len(conditions) != 1 or any(
        isinstance(wanted, list) for wanted in conditions[0]["metadata"].values()
    ):
        raise Denied(500, "Auth handler returned a filter that searches of the store cannot do")
    filter = dict(requested or {})
    for key, wanted in conditions[0]["metadata"].items():
        if filter.get(key, wanted) not in (wanted, {"$eq": wanted}):
            raise Denied(403, "Forbidden")  # The request contradicts the handler's filter.
        filter[key] = wanted
    return filter


async def _list_namespaces(request: ValidRequest, caller: Caller) -> ValidRequest:
    body = dict(request.body)
    prefix, suffix = body.get("prefix"), body.get("suffix")
    value: Value = {
        "namespace": _labels(prefix) if prefix else None,
        "suffix": _labels(suffix) if suffix else None,
        "max_depth": body.get("max_depth"),
        "limit": body.get("limit", 100),
        "offset": body.get("offset", 0),
    }
    await _ask_without_filter(caller, "list_namespaces", value)
    for name, field in (("namespace", "prefix"), ("suffix", "suffix")):
        if value.get(name, ()) is None:  # As before the handler: for all namespaces.
            value[name] = ()
        body[field] = _changed_labels("list_namespaces", value, name)
        del value[name]
    body.update(value)
    return request.for_caller(caller, {}, body=body)


STORE_PUT = Access("store", "put", _put_item)
STORE_GET = Access("store", "get", _get_item)
STORE_DELETE = Access("store", "delete", _delete_item)
STORE_SEARCH = Access("store", "search", _search_items)
STORE_NAMESPACES = Access("store", "list_namespaces", _list_namespaces)


# MCP and A2A: they are translated into requests of the server to itself, which are checked.


async def _no_documents(request: ValidRequest, caller: Caller) -> ValidRequest:
    return request.for_caller(caller, {})


MCP = Access("assistants", "search", _no_documents)
A2A = Access("threads", "create_run", _no_documents)
AGENT_CARD = Access("assistants", "read", _no_documents)
