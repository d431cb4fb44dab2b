"""Threads: create, read, change, delete, search, count, copy, prune."""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import Response

from langgraph_client.server.http.endpoint import ValidRequest
from langgraph_client.server.http.replies import fail, nothing, page, reply, uuid_text
from langgraph_client.server.http.routes.state import apply_supersteps
from langgraph_client.server.http.schemas.threads import FIELDS
from langgraph_client.server.runs.create_run import RESERVED_METADATA, new_thread, without
from langgraph_client.server.storage.protocol import Document

BAD_ID = "Invalid thread ID: must be a UUID"


async def need_thread(request: ValidRequest) -> Document:
    """Return the thread a path names. Answers 422 or 404 if it cannot."""
    thread_id = uuid_text(request.path["thread_id"], BAD_ID)
    thread = await request.services.storage.threads.get(thread_id)
    if thread is None:
        raise fail(404, f"Thread with ID {thread_id} not found")
    return thread


async def create(request: ValidRequest) -> Response:
    """POST /threads"""
    services = request.services
    body = request.body
    thread_id = services.clock.uuid7()
    if "thread_id" in body:
        thread_id = uuid_text(body["thread_id"], BAD_ID)
    thread = new_thread(thread_id, services.clock.stamp())
    thread["metadata"] = without(body.get("metadata"), RESERVED_METADATA)
    async with services.engine.locks.hold(thread_id):
        there = await services.storage.threads.get(thread_id)
        if there is None:
            return await _insert(request, thread)
    if body.get("if_exists") == "do_nothing":
        return reply(there)
    raise fail(409, f"Thread with ID {thread_id} already exists")


async def _insert(request: ValidRequest, thread: Document) -> Response:
    """Write a new thread with its time to live and its state. The caller holds its lock."""
    services = request.services
    body = request.body
    thread_id = thread["thread_id"]
    await services.storage.threads.insert(thread)
    if "ttl" in body:
        await services.thread_ttl.give(thread_id, body["ttl"])
    if not body.get("supersteps"):
        return reply(thread)
    if not thread["metadata"].get("graph_id"):
        why = f"Thread {thread_id} has no associated graph"
        text = f"Thread {thread_id} was created, but there were problems updating the state: {why}"
        return reply({"detail": text}, 201)
    return reply(await apply_supersteps(services, thread, body["supersteps"]))


async def get(request: ValidRequest) -> Response:
    """GET /threads/{thread_id}"""
    thread = await need_thread(request)
    if "ttl" in request.query["include"]:
        thread["ttl"] = await request.services.thread_ttl.of(thread["thread_id"])
    return reply(thread)


async def patch(request: ValidRequest) -> Response:
    """PATCH /threads/{thread_id}"""
    services = request.services
    body = request.body
    thread_id = uuid_text(request.path["thread_id"], BAD_ID)
    async with services.engine.locks.hold(thread_id):
        thread = await services.storage.threads.get(thread_id)
        if thread is None:
            raise fail(404)
        changes = without(body.get("metadata"), RESERVED_METADATA)
        thread["metadata"] = {**thread["metadata"], **changes}
        thread["updated_at"] = services.clock.stamp()
        await services.storage.threads.put(thread)
        if "ttl" in body:
            await services.thread_ttl.give(thread_id, body["ttl"])
    if "return=minimal" in request.headers.get("prefer", ""):
        return nothing()
    return reply(thread)


async def delete(request: ValidRequest) -> Response:
    """DELETE /threads/{thread_id}"""
    thread = await need_thread(request)
    if not await request.services.engine.delete_thread(thread["thread_id"]):
        raise fail(404, f"Thread with ID {thread['thread_id']} not found")  # Another was faster.
    return nothing()


async def search(request: ValidRequest) -> Response:
    """POST /threads/search"""
    services = request.services
    body = request.body
    extracts = _extracts(body.get("extract") or {})
    limit, offset = int(body.get("limit", 10)), int(body.get("offset", 0))
    chosen = body.get("select")
    roots = {str(path[0]) for path in extracts.values()}
    found = await services.storage.threads.search(
        **_filters(body),
        order_by=body.get("sort_by", "updated_at"),
        descending=body.get("sort_order") != "asc",
        limit=limit + 1,
        offset=offset,
        fields=None if chosen is None else roots | set(chosen),
    )
    more = len(found) > limit
    shown = []
    for thread in found[:limit]:
        kept = thread if chosen is None else {k: v for k, v in thread.items() if k in chosen}
        if extracts:
            said = {alias: _follow(thread, path) for alias, path in extracts.items()}
            kept = {**kept, "extracted": said}
        shown.append(kept)
    return reply(shown, headers=page(offset, limit, len(shown), more))


async def count(request: ValidRequest) -> Response:
    """POST /threads/count"""
    body = request.body
    return reply(await request.services.storage.threads.count(**_filters(body)))


def _filters(body: Document) -> dict[str, Any]:
    """Return what a search looks for, as `Documents.search` takes it."""
    where: dict[str, object] = {}
    if "status" in body:
        where["status"] = body["status"]
    if body.get("ids"):
        where["thread_id"] = [
            uuid_text(text, f"Invalid thread ID {text}", 400) for text in body["ids"]
        ]
    wanted = {key: body[key] for key in ("metadata", "values") if body.get(key)}
    return {"where": where, "contains": wanted}


_ROOTS = ("config", "interrupts", "metadata", "values")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(-?\d+)\]")
Path = list[str | int]


def _extracts(given: dict[str, str]) -> dict[str, Path]:
    """Return the paths of an `extract`, each as its keys and indexes."""
    reserved = [alias for alias in given if alias in FIELDS]
    if reserved:
        raise fail(422, f"Extract keys cannot use reserved field names: {reserved}")
    found: dict[str, Path] = {}
    for alias, text in given.items():
        if not re.fullmatch(r"[A-Za-z_]\w*", alias, re.ASCII):
            text = f"Extract key '{alias}' must be a valid identifier"
            raise fail(422, f"{text} (letters, digits, underscores)")
        if not isinstance(text, str) or not text:
            raise fail(422, f"Extract path for '{alias}' must be a non-empty string")
        root, rest = re.match(r"([^.\[]*)(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
        if root not in _ROOTS:
            listed = ", ".join(_ROOTS)
            raise fail(422, f"Extract path '{text}' must start with one of: {listed}")
        if "".join(match[0] for match in _STEP.finditer(rest)) != rest:
            raise fail(422, f"Extract path '{text}' is not a path")
        found[alias] = [root, *(_step(match) for match in _STEP.finditer(rest))]
    return found


def _step(match: re.Match[str]) -> str | int:
    return match[1] if match[1] is not None else int(match[2])


def _follow(value: Any, path: Path) -> Any:
    for step in path:
        if isinstance(step, int):
            if not isinstance(value, list) or not -len(value) <= step < len(value):
                return None
            value = value[step]
        elif isinstance(value, dict) and not step.startswith("_"):
            value = value.get(step)
        else:
            return None
    return value


async def copy(request: ValidRequest) -> Response:
    """POST /threads/{thread_id}/copy"""
    services = request.services
    text = request.path["thread_id"]
    thread_id = uuid_text(text, "badly formed hexadecimal UUID string", 400)
    copied = new_thread(services.clock.uuid4(), services.clock.stamp())
    del copied["values"]
    async with services.engine.locks.hold(thread_id):
        source = await services.storage.threads.get(thread_id)
        if source is None:
            raise fail(409, "Conflict")
        copied["metadata"] = source["metadata"]
        async with services.storage.transaction() as transaction:
            await transaction.threads.insert(copied)
            await transaction.states.copy_thread(thread_id, copied["thread_id"])
    return reply(copied)


async def prune(request: ValidRequest) -> Response:
    """POST /threads/prune"""
    services = request.services
    body = request.body
    ids = [uuid_text(text, BAD_ID) for text in body["thread_ids"]]
    found = [thread_id for thread_id in ids if await services.storage.threads.get(thread_id)]
    for thread_id in found:
        if body.get("strategy", "delete") == "keep_latest":
            async with services.engine.locks.hold(thread_id):
                await services.storage.states.keep_latest(thread_id)
        else:
            await services.engine.delete_thread(thread_id)
    return reply({"pruned_count": len(found)})


async def storage(request: ValidRequest) -> Response:
    """GET /threads/{thread_id}/storage"""
    thread = await need_thread(request)
    return reply(await request.services.storage.states.size(thread["thread_id"]))
