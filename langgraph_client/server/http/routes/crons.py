"""Crons: runs that the clock starts."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from starlette.responses import Response

from langgraph_client.server.background.scheduler import next_run_date
from langgraph_client.server.http.endpoint import ValidRequest
from langgraph_client.server.http.replies import fail, nothing, page, reply, uuid_text
from langgraph_client.server.runs.create_run import RESERVED_METADATA, assistant_id_of, without
from langgraph_client.server.services import Services
from langgraph_client.server.storage.protocol import Document

_BAD_THREAD = "Invalid thread ID: must be a UUID"


async def create(request: ValidRequest) -> Response:
    """POST /runs/crons, POST /threads/{thread_id}/runs/crons"""
    services = request.services
    body = request.body
    thread_id = request.path.get("thread_id")
    if thread_id is not None:
        thread_id = uuid_text(thread_id, _BAD_THREAD)
    if thread_id is not None:
        await _need_thread(services, thread_id)
    timezone = _timezone(body.get("timezone"))
    due = _due(services, body["schedule"], timezone)
    _check_webhook(services, body)
    cron_id, now = services.clock.uuid7(), services.clock.stamp()
    payload = {**body, "assistant_id": await _assistant_id(services, body["assistant_id"])}
    payload["config"] = _config(body.get("config"), cron_id)
    cron = {
        "cron_id": cron_id,
        "assistant_id": payload["assistant_id"],
        "thread_id": thread_id,
        "user_id": "",
        "end_time": body.get("end_time"),
        "schedule": body["schedule"],
        "timezone": timezone,
        "payload": payload,
        "next_run_date": due,
        "metadata": without(body.get("metadata"), RESERVED_METADATA),
        "on_run_completed": (body.get("on_run_completed", "delete") if thread_id is None else None),
        "enabled": body.get("enabled", True),
        "created_at": now,
        "updated_at": now,
    }
    locks = services.engine.locks
    async with locks.hold(f"assistant {cron['assistant_id']}"), locks.hold(thread_id or cron_id):
        # Still there: what is deleted takes its crons with it.
        await _assistant_id(services, body["assistant_id"])
        if thread_id is not None:
            await _need_thread(services, thread_id)
        await services.storage.crons.insert(cron)
    services.scheduler.wake()
    return reply(cron)


async def _need_thread(services: Services, thread_id: str) -> None:
    if await services.storage.threads.get(thread_id) is None:
        raise fail(
            404,
            f"Thread with ID '{thread_id}' not found. Please verify the ID is correct and the"
            " thread hasn't been deleted or expired.",
        )


def _config(given: Any, cron_id: str) -> dict[str, Any]:
    config = dict(given or {})
    return {**config, "configurable": {**(config.get("configurable") or {}), "cron_id": cron_id}}


async def _assistant_id(services: Services, text: str) -> str:
    assistant_id = assistant_id_of(text) if text in services.graphs else text
    try:
        assistant_id = uuid_text(assistant_id, "")
    except Exception as error:  # No UUID: then there is none of that name.
        raise fail(404, f"Assistant '{text}' not found") from error
    if await services.storage.assistants.get(assistant_id) is None:
        raise fail(404, f"Assistant '{text}' not found")
    return assistant_id


def _timezone(name: str | None) -> str | None:
    if name is None:
        return None
    try:
        ZoneInfo(name)
    except (ValueError, OSError):  # Unknown names are KeyErrors that are ValueErrors, too.
        raise _no_timezone(name) from None
    except KeyError:
        raise _no_timezone(name) from None
    return name


def _no_timezone(name: str) -> Exception:
    return fail(
        422, f"Invalid timezone: '{name}'. Use IANA timezone format (e.g. 'America/New_York')."
    )


def _due(services: Services, schedule: str, timezone: str | None) -> str:
    try:
        return next_run_date(schedule, timezone, services.clock.now())
    except ValueError:
        raise fail(
            422,
            f"Invalid cron schedule: '{schedule}'. Reason: Invalid cron schedule. Ensure the"
            " schedule uses the standard cron format (minute hour day_of_month month day_of_week)."
            " Example: '*/5 * * * *' for every 5 minutes.",
        ) from None


def _check_webhook(services: Services, body: Document) -> None:
    if body.get("webhook"):
        services.webhooks.check(body["webhook"])


def _cron_id(request: ValidRequest) -> str:
    return uuid_text(request.path["cron_id"], "Invalid cron ID: must be a UUID")


async def get(request: ValidRequest) -> Response:
    """GET /runs/crons/{cron_id}"""
    cron = await request.services.storage.crons.get(_cron_id(request))
    if cron is None:
        raise fail(404)
    return reply(cron)


async def update(request: ValidRequest) -> Response:
    """PATCH /runs/crons/{cron_id}"""
    services = request.services
    cron_id = _cron_id(request)
    body = request.body
    if not body:
        raise fail(400, "Request body cannot be empty")
    async with services.engine.locks.hold(f"cron {cron_id}"):
        cron = await _update(services, cron_id, body)
    services.scheduler.wake()
    return reply(cron)


async def _update(services: Services, cron_id: str, body: Document) -> Document:
    """Change a cron and return it. The caller holds its lock."""
    cron = await services.storage.crons.get(cron_id)
    if cron is None:
        raise fail(404, f"Cron '{cron_id}' not found")
    _check_webhook(services, body)
    if "schedule" in body or "timezone" in body:
        cron["schedule"] = body.get("schedule", cron["schedule"])
        cron["timezone"] = _timezone(body.get("timezone", cron["timezone"]))
        cron["next_run_date"] = _due(services, cron["schedule"], cron["timezone"])
    for name in ("end_time", "enabled"):
        if name in body:
            cron[name] = body[name]
    if "on_run_completed" in body and cron["thread_id"] is None:
        cron["on_run_completed"] = body["on_run_completed"]
    if "metadata" in body:
        cron["metadata"].update(without(body["metadata"], RESERVED_METADATA))
    cron["payload"].update(body)
    if "config" in body:
        cron["payload"]["config"] = _config(body["config"], cron_id)
    cron["updated_at"] = services.clock.stamp()
    await services.storage.crons.put(cron)
    return cron


async def delete(request: ValidRequest) -> Response:
    """DELETE /runs/crons/{cron_id}"""
    services, cron_id = request.services, _cron_id(request)
    async with services.engine.locks.hold(f"cron {cron_id}"):
        if not await services.storage.crons.delete(cron_id):
            raise fail(404)
    return nothing()


async def search(request: ValidRequest) -> Response:
    """POST /runs/crons/search"""
    body = request.body
    limit, offset = int(body.get("limit", 10)), int(body.get("offset", 0))
    found = await request.services.storage.crons.search(
        **_filters(body),
        order_by=body.get("sort_by", "created_at"),
        descending=body.get("sort_order") != "asc",
        limit=limit + 1,
        offset=offset,
    )
    chosen = body.get("select")
    shown = [
        cron if chosen is None else {name: cron[name] for name in cron if name in chosen}
        for cron in found[:limit]
    ]
    return reply(shown, headers=page(offset, limit, len(shown), len(found) > limit))


async def count(request: ValidRequest) -> Response:
    """POST /runs/crons/count"""
    body = request.body
    return reply(await request.services.storage.crons.count(**_filters(body)))


def _filters(body: Document) -> dict[str, Any]:
    """Return what a search looks for, as `Documents.search` takes it."""
    where: dict[str, object] = {}
    if "assistant_id" in body:
        where["assistant_id"] = uuid_text(
            body["assistant_id"], "Invalid assistant ID: must be a UUID"
        )
    if "thread_id" in body:
        where["thread_id"] = uuid_text(body["thread_id"], _BAD_THREAD)
    if "enabled" in body:
        where["enabled"] = body["enabled"]
    return {"where": where, "contains": {"metadata": body.get("metadata") or {}}}
