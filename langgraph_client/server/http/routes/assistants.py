"""Assistants: create, read, change, delete, search, count, versions, drawings, schemas."""

from __future__ import annotations

from starlette.responses import Response

from langgraph_client.server.documents import assistants
from langgraph_client.server.errors import NotFound
from langgraph_client.server.graphs.protocol import Schemas
from langgraph_client.server.http.endpoint import ValidRequest
from langgraph_client.server.http.remote_graph_headers import reads_envelopes
from langgraph_client.server.http.replies import empty, reply
from langgraph_client.server.http.schemas.bodies import check_config
from langgraph_client.server.http.search import search_page
from langgraph_client.server.request_context import with_request_headers
from langgraph_client.server.runs.run_document import assistant_id_of, canonical_uuid
from langgraph_client.server.storage.protocol import Document

_BAD_ID = "Invalid assistant ID: must be a UUID"


def _id(request: ValidRequest) -> str:
    return canonical_uuid(request.path["assistant_id"], _BAD_ID)


async def create(request: ValidRequest) -> Response:
    """POST /assistants."""
    check_config(request.body)
    given_id = request.body.get("assistant_id")
    assistant_id = (
        request.services.clock.uuid4() if given_id is None else canonical_uuid(given_id, _BAD_ID)
    )
    return reply(await assistants.create(request.services, assistant_id, request.body))


async def get(request: ValidRequest) -> Response:
    """GET /assistants/{assistant_id}."""
    return reply(await assistants.need(request.services, _id(request)))


async def patch(request: ValidRequest) -> Response:
    """PATCH /assistants/{assistant_id}."""
    assistant_id = _id(request)
    check_config(request.body)
    return reply(await assistants.change(request.services, assistant_id, request.body))


async def delete(request: ValidRequest) -> Response:
    """DELETE /assistants/{assistant_id}."""
    with_threads = request.query["delete_threads"]
    await assistants.delete(request.services, _id(request), with_threads=with_threads)
    return empty()


async def search(request: ValidRequest) -> Response:
    """POST /assistants/search."""
    filters = assistants.filters(request.services, request.body)
    return await search_page(request.services.storage.assistants, request.body, filters)


async def count(request: ValidRequest) -> Response:
    """POST /assistants/count."""
    filters = assistants.filters(request.services, request.body)
    return reply(await request.services.storage.assistants.count(**filters))


async def list_versions(request: ValidRequest) -> Response:
    """POST /assistants/{assistant_id}/versions."""
    assistant_id, body = _id(request), request.body
    shown = await assistants.versions(
        request.services,
        assistant_id,
        body.get("metadata"),
        limit=int(body.get("limit", 10)),
        offset=int(body.get("offset", 0)),
    )
    if not shown:
        raise NotFound(f"Assistant {assistant_id} not found")
    return reply(shown)


async def set_latest(request: ValidRequest) -> Response:
    """POST /assistants/{assistant_id}/latest."""
    number = request.body.get("version")
    return reply(await assistants.set_latest(request.services, _id(request), number))


async def draw(request: ValidRequest) -> Response:
    """GET /assistants/{assistant_id}/graph."""
    services = request.services
    text = request.path["assistant_id"]
    assistant_id = (
        assistant_id_of(text) if text in services.graphs else canonical_uuid(text, _BAD_ID)
    )
    xray = request.query["xray"]
    assistant = await assistants.need(services, assistant_id)
    graph_id = assistant["graph_id"]
    async with services.graphs.open(
        graph_id, with_request_headers(assistant["config"]), access="assistants.read"
    ) as graph:
        drawing = await graph.drawing(xray)
    return reply(drawing if reads_envelopes(request.headers) else _without_classes(drawing))


def _without_classes(drawing: Document) -> Document:
    """Return a drawing in the protocol's form, in which nodes have no classes."""

    def shown(node: Document) -> Document:
        data = node.get("data")
        if not isinstance(data, dict):
            return node
        return {**node, "data": {key: value for key, value in data.items() if key != "id"}}

    return {**drawing, "nodes": [shown(node) for node in drawing["nodes"]]}


async def show_schemas(request: ValidRequest) -> Response:
    """GET /assistants/{assistant_id}/schemas."""
    services = request.services
    assistant = await assistants.need(services, _id(request))
    graph_id = assistant["graph_id"]
    async with services.graphs.open(
        graph_id, with_request_headers(assistant["config"]), access="assistants.read"
    ) as graph:
        return reply({"graph_id": graph_id, **_schemas(graph.schemas())})


async def show_subgraphs(request: ValidRequest) -> Response:
    """GET /assistants/{assistant_id}/subgraphs/{namespace}."""
    services = request.services
    assistant = await assistants.need(services, _id(request))
    recurse = request.query["recurse"]
    graph_id = assistant["graph_id"]
    async with services.graphs.open(
        graph_id, with_request_headers(assistant["config"]), access="assistants.read"
    ) as graph:
        subgraphs = await graph.subgraphs(request.path.get("namespace"), recurse)
        return reply({name: _schemas(schemas) for name, schemas in subgraphs.items()})


def _schemas(schemas: Schemas) -> Document:
    return {
        "input_schema": schemas.input,
        "output_schema": schemas.output,
        "state_schema": schemas.state,
        "config_schema": schemas.config,
        "context_schema": schemas.context,
    }
