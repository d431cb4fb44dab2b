"""The documents of crons: create, change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from langgraph_client.models.fields import JsonMapping, JsonObject
from langgraph_client.server.auth.users import USER_FIELDS, User, user_fields
from langgraph_client.server.background.cron_schedule import NeverDueError
from langgraph_client.server.background.scheduler import next_run_date
from langgraph_client.server.documents.filters import containment
from langgraph_client.server.errors import Invalid, NotFound, Refused
from langgraph_client.server.reserved_keys import RESERVED_CONFIGURABLE, RESERVED_METADATA, without
from langgraph_client.server.runs.run_document import (
    CRON_ID,
    assistant_id_of,
    canonical_uuid,
    check_contexts,
)
from langgraph_client.server.services import Services
from langgraph_client.server.storage.protocol import Document

_MAX_SCHEDULE = 1000
"""The most characters of a schedule: the time to find its next date grows with its length."""


async def create(
    services: Services,
    thread_id: str | None,
    body: JsonMapping,
    user: User | None = None,
    cron_id: str | None = None,
) -> Document:
    """Create a cron, for a thread or for a new thread each time, and return it.

    Args:
        services: The server.
        thread_id: The thread.
        body: The request.
        user: Whose it is: its runs are this user's.
        cron_id: Its id; None for a new one.

    Raises:
        NotFound: The thread or the assistant does not exist.
        Invalid: The schedule, the time zone or the webhook is invalid.
        Refused: It has both a context and a configurable, so no run could start; or the schedule
            is never due.
    """
    if thread_id is not None:
        await _need_thread(services, thread_id)
    timezone = _timezone(body.get("timezone"))
    due = _due(services, body["schedule"], timezone)
    _check_webhook(services, body)
    check_contexts(body)
    cron_id, now = cron_id or services.clock.uuid7(), services.clock.stamp()
    payload = {**body, "assistant_id": await _assistant_id(services, body["assistant_id"])}
    payload["config"] = _config(body.get("config"), cron_id, user_fields(user))
    cron = {
        "cron_id": cron_id,
        "assistant_id": payload["assistant_id"],
        "thread_id": thread_id,
        "user_id": "" if user is None else user.identity,
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
        # Checked again under the locks: deleting an assistant or a thread deletes its crons.
        await _assistant_id(services, body["assistant_id"])
        if thread_id is not None:
            await _need_thread(services, thread_id)
        await services.storage.crons.insert(cron)
    services.scheduler.wake()
    return cron


async def change(services: Services, cron_id: str, body: JsonMapping) -> Document:
    """Change a cron and return it.

    Raises:
        Refused: The body has no field, the cron would have both a context and a configurable, or
            its schedule is never due.
        NotFound: The cron does not exist.
        Invalid: The schedule, the time zone or the webhook is invalid.
    """
    if not body:
        raise Refused("Request body cannot be empty")
    async with services.engine.locks.hold(f"cron {cron_id}"):
        cron = await services.storage.crons.get(cron_id)
        if cron is None:
            raise NotFound(f"Cron '{cron_id}' not found")
        _check_webhook(services, body)
        if "schedule" in body or "timezone" in body:
            cron["schedule"] = body.get("schedule", cron["schedule"])
            cron["timezone"] = _timezone(body.get("timezone", cron["timezone"]))
            cron["next_run_date"] = _due(services, cron["schedule"], cron["timezone"])
        cron.update({key: body[key] for key in ("end_time", "enabled") if key in body})
        if "on_run_completed" in body and cron["thread_id"] is None:
            cron["on_run_completed"] = body["on_run_completed"]
        if "metadata" in body:
            cron["metadata"].update(without(body["metadata"], RESERVED_METADATA))
        before = (cron["payload"]["config"].get("configurable") or {}).items()
        user_keys = {key: value for key, value in before if key in USER_FIELDS}
        cron["payload"].update(body)
        if "config" in body:
            cron["payload"]["config"] = _config(body["config"], cron_id, user_keys)
        check_contexts(cron["payload"])
        cron["updated_at"] = services.clock.stamp()
        if not await services.storage.crons.replace(cron):  # It was deleted with its thread.
            raise NotFound(f"Cron '{cron_id}' not found")
    services.scheduler.wake()
    return cron


async def delete(services: Services, cron_id: str) -> None:
    """Delete a cron.

    Raises:
        NotFound: There is none.
    """
    async with services.engine.locks.hold(f"cron {cron_id}"):
        if not await services.storage.crons.delete(cron_id):
            raise NotFound("Not Found")


def filters(body: Mapping[str, object]) -> JsonObject:
    """Return the filters of a search for `Documents.search`.

    Raises:
        Invalid: An id is not a UUID, or the filter has too many values.
    """
    where: dict[str, object] = {}
    for key, kind in (("assistant_id", "assistant"), ("thread_id", "thread")):
        if key in body:
            where[key] = canonical_uuid(body[key], f"Invalid {kind} ID: must be a UUID")
    if "enabled" in body:
        where["enabled"] = body["enabled"]
    return {"where": where, "contains": containment({"metadata": body.get("metadata") or {}})}


def _config(given: Any, cron_id: str, user_keys: Mapping[str, object]) -> dict[str, object]:
    """Return the config of a cron's runs, with the cron's id and its owner."""
    config = dict(given or {})
    configurable = without(config.get("configurable"), RESERVED_CONFIGURABLE)
    return {**config, "configurable": {**configurable, CRON_ID: cron_id, **user_keys}}


async def _need_thread(services: Services, thread_id: str) -> None:
    if await services.storage.threads.get(thread_id) is None:
        raise NotFound(
            f"Thread with ID '{thread_id}' not found. Please verify the ID is correct and the"
            " thread hasn't been deleted or expired."
        )


async def visible(services: Services, body: Mapping[str, object]) -> dict[str, object]:
    """Return the filters of a search, without crons of threads that the caller may not see."""
    search_filters = filters(body)
    documents = await services.storage.crons.search(
        **search_filters, fields=("cron_id", "thread_id")
    )
    threads = list({cron["thread_id"] for cron in documents} - {None})
    seen = {None} | {
        thread["thread_id"]
        for thread in await services.storage.threads.search(
            where={"thread_id": threads}, fields=("thread_id",)
        )
    }
    shown = [cron["cron_id"] for cron in documents if cron["thread_id"] in seen]
    return {**search_filters, "where": {**search_filters["where"], "cron_id": shown}}


async def _assistant_id(services: Services, text: str) -> str:
    assistant_id = assistant_id_of(text) if text in services.graphs else text
    try:
        assistant_id = canonical_uuid(assistant_id, "")
    except Invalid as error:  # Neither a graph nor a UUID, so no assistant can have this id.
        raise NotFound(f"Assistant '{text}' not found") from error
    if await services.storage.assistants.get(assistant_id) is None:
        raise NotFound(f"Assistant '{text}' not found")
    return assistant_id


def _timezone(name: str | None) -> str | None:
    if name is None:
        return None
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Invalid(
            f"Invalid timezone: '{name}'. Use IANA timezone format (e.g. 'America/New_York')."
        ) from None
    return name


def _due(services: Services, schedule: str, timezone: str | None) -> str:
    try:
        if len(schedule) > _MAX_SCHEDULE:
            raise ValueError("the schedule is too long")
        return next_run_date(schedule, timezone, services.clock.now())
    except NeverDueError as error:
        raise Refused(f"failed to find next date: {error}") from None
    except ValueError:
        raise Invalid(
            f"Invalid cron schedule: '{schedule}'. Reason: Invalid cron schedule. Ensure the"
            " schedule uses the standard cron format (minute hour day_of_month month day_of_week)."
            " Example: '*/5 * * * *' for every 5 minutes."
        ) from None


def _check_webhook(services: Services, body: JsonMapping) -> None:
    if body.get("webhook"):
        services.webhooks.check(body["webhook"])
