"""Crons: runs that are started on a schedule."""

from __future__ import annotations

from starlette.responses import Response

from langgraph_client.models.fields import JsonObject
from langgraph_client.server.documents import crons
from langgraph_client.server.errors import NotFound
from langgraph_client.server.http.endpoint import ValidRequest
from langgraph_client.server.http.replies import empty, reply
from langgraph_client.server.http.schemas.crons import CREATE, UPDATE, named
from langgraph_client.server.http.search import search_page
from langgraph_client.server.runs.run_document import canonical_uuid


def _id(request: ValidRequest) -> str:
    return canonical_uuid(request.path["cron_id"], "Invalid cron ID: must be a UUID")


async def create(request: ValidRequest) -> Response:
    """POST /runs/crons, POST /threads/{thread_id}/runs/crons."""
    thread_id = request.path.get("thread_id")
    if thread_id is not None:
        thread_id = canonical_uuid(thread_id, "Invalid thread ID: must be a UUID")
    user = None if request.caller is None else request.caller.user
    body = named(request.body, CREATE)
    return reply(await crons.create(request.services, thread_id, body, user, request.new_id))


async def get(request: ValidRequest) -> Response:
    """GET /runs/crons/{cron_id}."""
    cron = await request.services.storage.crons.get(_id(request))
    if cron is None:
        raise NotFound("Not Found")
    return reply(cron)


async def update(request: ValidRequest) -> Response:
    """PATCH /runs/crons/{cron_id}."""
    body = named(request.body, UPDATE)
    return reply(await crons.change(request.services, _id(request), body))


async def delete(request: ValidRequest) -> Response:
    """DELETE /runs/crons/{cron_id}."""
    await crons.delete(request.services, _id(request))
    return empty()


async def search(request: ValidRequest) -> Response:
    """POST /runs/crons/search."""
    filters = await _filters(request)
    return await search_page(request.services.storage.crons, request.body, filters)


async def count(request: ValidRequest) -> Response:
    """POST /runs/crons/count."""
    return reply(await request.services.storage.crons.count(**await _filters(request)))


async def _filters(request: ValidRequest) -> JsonObject:
    if request.thread_conditions is None:
        return crons.filters(request.body)
    return await crons.visible(request.services, request.body)
