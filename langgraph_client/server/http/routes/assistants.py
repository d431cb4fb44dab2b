"""Assistants: create, read, change, delete, search, count, versions, drawings, schemas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from langgraph_client.server.graphs.protocol import Schemas
from langgraph_client.server.http.endpoint import ValidRequest
from langgraph_client.server.http.replies import fail, nothing, page, reply, uuid_text
from langgraph_client.server.http.schemas.bodies import check_config
from langgraph_client.server.runs.create_run import (
    BOTH_CONTEXTS,
    RESERVED_METADATA,
    assistant_id_of,
    without,
)
from langgraph_client.server.services import Services
from langgraph_client.server.storage.protocol import Document, Storage

_BAD_ID = "Invalid assistant ID: must be a UUID"
_IN_VERSION = (
    "assistant_id",
    "version",
    "graph_id",
    "config",
    "context",
    "metadata",
    "created_at",
    "name",
    "description",
)


def _id(request: ValidRequest) -> str:
    return uuid_text(request.path["assistant_id"], _BAD_ID)


def _need_graph(services: Services, graph_id: str) -> str:
    if graph_id not in services.graphs:
        known = sorted(services.graphs.names)
        raise fail(404, f"Graph '{graph_id}' not found. Expected one of: {known}")
    return graph_id


def _both(body: Mapping[str, Any]) -> tuple[Document, Document]:
    """Return config and context, each filled from the other."""
    config, context = dict(body.get("config") or {}), dict(body.get("context") or {})
    if context and config.get("configurable"):
        raise fail(400, BOTH_CONTEXTS)
    if context:
        config["configurable"] = context
    return config, context or dict(config.get("configurable") or {})


async def create(request: ValidRequest) -> Response:
    """POST /assistants"""
    services = request.services
    body = request.body
    check_config(body)
    assistant_id = services.clock.uuid4()
    if "assistant_id" in body:
        assistant_id = uuid_text(body["assistant_id"], _BAD_ID)
    graph_id = _need_graph(services, body["graph_id"])
    config, context = _both(body)
    now = services.clock.stamp()
    assistant = {
        "assistant_id": assistant_id,
        "graph_id": graph_id,
        "config": config,
        "context": context,
        "metadata": without(body.get("metadata"), RESERVED_METADATA),
        "name": body.get("name", "Untitled"),
        "created_at": now,
        "updated_at": now,
        "version": 1,
        "description": body.get("description"),
    }
    async with services.engine.locks.hold(f"assistant {assistant_id}"):
        there = await services.storage.assistants.get(assistant_id)
        if there is None:
            await store_version(services.storage, assistant, now)
            return reply(assistant)
    if body.get("if_exists") == "do_nothing":
        return reply(there)
    raise fail(409, f"Assistant {assistant_id} already exists")


async def store_version(storage: Storage, assistant: Document, created_at: str) -> None:
    """Write an assistant, and what it is now as one of its versions."""
    version = {key: assistant[key] for key in _IN_VERSION}
    async with storage.transaction() as transaction:
        await transaction.assistants.put(assistant)
        await transaction.assistant_versions.put({**version, "created_at": created_at})


async def get(request: ValidRequest) -> Response:
    """GET /assistants/{assistant_id}"""
    return reply(await _need(request))


async def _need(request: ValidRequest, detail: str = "Not Found") -> Document:
    assistant = await request.services.storage.assistants.get(_id(request))
    if assistant is None:
        raise fail(404, detail)
    return assistant


async def patch(request: ValidRequest) -> Response:
    """PATCH /assistants/{assistant_id}"""
    services = request.services
    assistant_id = _id(request)
    body = request.body
    check_config(body)
    async with services.engine.locks.hold(f"assistant {assistant_id}"):
        assistant = await _need(request, f"Assistant {assistant_id} not found")
        return reply(await _change(services, assistant, body))


async def _change(services: Services, assistant: Document, body: Mapping[str, Any]) -> Document:
    """Give an assistant a new version and return it. The caller holds its lock."""
    assistant_id = assistant["assistant_id"]
    config, context = _both(body)
    if "graph_id" in body:
        assistant["graph_id"] = _need_graph(services, body["graph_id"])
    if config:
        assistant["config"], assistant["context"] = config, context
    said = without(body.get("metadata"), RESERVED_METADATA)
    assistant["metadata"] = {**assistant["metadata"], **said}
    assistant.update({key: body[key] for key in ("name", "description") if key in body})
    now = services.clock.stamp()
    assistant["version"] = (await _versions(services, assistant_id))[0]["version"] + 1
    assistant["updated_at"] = now
    await store_version(services.storage, assistant, now)
    return assistant


async def _versions(
    services: Services, assistant_id: str, metadata: Document | None = None
) -> list[Document]:
    return await services.storage.assistant_versions.search(
        where={"assistant_id": assistant_id},
        contains={"metadata": metadata} if metadata else None,
        order_by="version",
        descending=True,
    )


async def delete(request: ValidRequest) -> Response:
    """DELETE /assistants/{assistant_id}"""
    services = request.services
    assistant_id = _id(request)
    await _need(request, f"Assistant with ID {assistant_id} not found")
    jobs = services.engine.jobs.values()
    mine = [job.run_id for job in jobs if job.run["assistant_id"] == assistant_id]
    await services.engine.cancel(mine, "interrupt", f"assistant {assistant_id} was deleted")
    if request.query["delete_threads"]:
        wanted = {"metadata": {"assistant_id": assistant_id}}
        for thread in await services.storage.threads.search(contains=wanted):
            await services.engine.delete_thread(thread["thread_id"])
    async with (
        services.engine.locks.hold(f"assistant {assistant_id}"),
        services.storage.transaction() as transaction,
    ):
        await transaction.assistants.delete(assistant_id)
        await transaction.assistant_versions.delete_where(assistant_id=assistant_id)
        await transaction.crons.delete_where(assistant_id=assistant_id)
    return nothing()


async def search(request: ValidRequest) -> Response:
    """POST /assistants/search"""
    services = request.services
    body = request.body
    limit, offset = int(body.get("limit", 10)), int(body.get("offset", 0))
    found = await services.storage.assistants.search(
        **_filters(services, body),
        order_by=body.get("sort_by", "created_at"),
        descending=body.get("sort_order") != "asc",
        limit=limit + 1,
        offset=offset,
    )
    chosen = body.get("select")
    shown = [
        one if chosen is None else {key: value for key, value in one.items() if key in chosen}
        for one in found[:limit]
    ]
    return reply(shown, headers=page(offset, limit, len(shown), len(found) > limit))


async def count(request: ValidRequest) -> Response:
    """POST /assistants/count"""
    services = request.services
    body = request.body
    return reply(await services.storage.assistants.count(**_filters(services, body)))


def _filters(services: Services, body: Document) -> dict[str, Any]:
    """Return what a search looks for, as `Documents.search` takes it."""
    filters: dict[str, Any] = {}
    if body.get("graph_id"):
        filters["where"] = {"graph_id": _need_graph(services, body["graph_id"])}
    if body.get("metadata"):
        filters["contains"] = {"metadata": body["metadata"]}
    if body.get("name"):
        filters["text"] = {"name": body["name"]}
    return filters


async def list_versions(request: ValidRequest) -> Response:
    """POST /assistants/{assistant_id}/versions"""
    services = request.services
    assistant_id = _id(request)
    body = request.body
    found = await _versions(services, assistant_id, body.get("metadata"))
    start = int(body.get("offset", 0))
    found = found[start : start + int(body.get("limit", 10))]
    if not found:
        raise fail(404, f"Assistant {assistant_id} not found")
    return reply(found)


async def set_latest(request: ValidRequest) -> Response:
    """POST /assistants/{assistant_id}/latest"""
    services = request.services
    assistant_id = _id(request)
    body = request.body
    number = body.get("version")
    async with services.engine.locks.hold(f"assistant {assistant_id}"):
        assistant = await _need(request, f"Assistant {assistant_id} not found")
        version = await services.storage.assistant_versions.get(assistant_id, number)
        if version is None:
            raise fail(404, f"Version {number} not found for assistant {assistant_id}")
        for key in ("version", "config", "metadata", "name", "description"):
            assistant[key] = version[key]
        assistant["updated_at"] = services.clock.stamp()
        await services.storage.assistants.put(assistant)
    return reply(assistant)


def _config(assistant: Document) -> Document:
    return dict(assistant["config"])


async def draw(request: ValidRequest) -> Response:
    """GET /assistants/{assistant_id}/graph"""
    services = request.services
    text = request.path["assistant_id"]
    assistant_id = assistant_id_of(text) if text in services.graphs else uuid_text(text, _BAD_ID)
    xray = request.query["xray"]
    assistant = await services.storage.assistants.get(assistant_id)
    if assistant is None:
        raise fail(404)
    graph_id = _need_graph(services, assistant["graph_id"])
    async with services.graphs.open(
        graph_id, _config(assistant), access="assistants.read"
    ) as graph:
        return reply(await graph.drawing(xray))


async def show_schemas(request: ValidRequest) -> Response:
    """GET /assistants/{assistant_id}/schemas"""
    services = request.services
    assistant = await _need(request)
    graph_id = _need_graph(services, assistant["graph_id"])
    async with services.graphs.open(
        graph_id, _config(assistant), access="assistants.read"
    ) as graph:
        return reply({"graph_id": graph_id, **_schemas(graph.schemas())})


async def show_subgraphs(request: ValidRequest) -> Response:
    """GET /assistants/{assistant_id}/subgraphs/{namespace}"""
    services = request.services
    assistant = await _need(request)
    recurse = request.query["recurse"]
    graph_id = _need_graph(services, assistant["graph_id"])
    async with services.graphs.open(
        graph_id, _config(assistant), access="assistants.read"
    ) as graph:
        found = await graph.subgraphs(request.path.get("namespace"), recurse)
        return reply({name: _schemas(below) for name, below in found.items()})


def _schemas(schemas: Schemas) -> Document:
    return {
        "input_schema": schemas.input,
        "output_schema": schemas.output,
        "state_schema": schemas.state,
        "config_schema": schemas.config,
        "context_schema": schemas.context,
    }
