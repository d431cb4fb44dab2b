"""Threads: create, read, change, delete, search, count, copy, prune."""

from __future__ import annotations

from starlette.responses import Response

from langgraph_client.server.documents import extract, threads
from langgraph_client.server.errors import NotFound, Refused
from langgraph_client.server.http.endpoint import ValidRequest
from langgraph_client.server.http.remote_graph_headers import reads_envelopes, refusal
from langgraph_client.server.http.replies import empty, reply
from langgraph_client.server.http.schemas.threads import FIELDS
from langgraph_client.server.http.search import search_page
from langgraph_client.server.runs.run_document import canonical_uuid
from langgraph_client.server.storage.protocol import Document

_BAD_ID = "Invalid thread ID: must be a UUID"


def _id(request: ValidRequest) -> str:
    return canonical_uuid(request.path["thread_id"], _BAD_ID)


async def create(request: ValidRequest) -> Response:
    """POST /threads."""
    given_id = request.body.get("thread_id")
    thread_id = (
        request.services.clock.uuid7() if given_id is None else canonical_uuid(given_id, _BAD_ID)
    )
    typed_values = reads_envelopes(request.headers)
    try:
        return reply(
            await threads.create(
                request.services, thread_id, request.body, typed_values=typed_values
            )
        )
    except threads.WithoutStateError as error:
        return reply({"detail": str(error)}, 201)
    except threads.StateRefusedError as refused:
        raise refusal(request.headers, refused.error, 400) or refused from None


async def get(request: ValidRequest) -> Response:
    """GET /threads/{thread_id}."""
    thread = await threads.need(request.services, _id(request))
    if "ttl" in request.query["include"]:
        thread["ttl"] = await request.services.thread_ttl.of(thread["thread_id"])
    return reply(thread)


async def patch(request: ValidRequest) -> Response:
    """PATCH /threads/{thread_id}."""
    thread = await threads.change(request.services, _id(request), request.body)
    return empty() if "return=minimal" in request.headers.get("prefer", "") else reply(thread)


async def delete(request: ValidRequest) -> Response:
    """DELETE /threads/{thread_id}."""
    thread_id, services = _id(request), request.services
    # Not by reading it: a thread whose row is damaged must not be one that nobody can delete.
    exists = await services.storage.threads.count(where={"thread_id": thread_id})
    if not exists or not await services.engine.stopper.delete_thread(thread_id):
        raise NotFound(f"Thread with ID {thread_id} not found")
    return empty()


async def search(request: ValidRequest) -> Response:
    """POST /threads/search."""
    paths = extract.parse(request.body.get("extract") or {}, FIELDS)
    return await search_page(
        request.services.storage.threads,
        request.body,
        threads.filters(request.body),
        "updated_at",
        frozenset(str(path[0]) for path in paths.values()),
        lambda thread: (
            {"extracted": {alias: extract.follow(thread, path) for alias, path in paths.items()}}
            if paths
            else {}
        ),
    )


async def count(request: ValidRequest) -> Response:
    """POST /threads/count."""
    return reply(await request.services.storage.threads.count(**threads.filters(request.body)))


async def copy(request: ValidRequest) -> Response:
    """POST /threads/{thread_id}/copy."""
    bad_id = "badly formed hexadecimal UUID string"
    thread_id = canonical_uuid(request.path["thread_id"], bad_id, Refused)
    options: Document = request.body or {}  # From a handler of `Auth`; clients send no body.
    return reply(await threads.copy(request.services, thread_id, **options))


async def prune(request: ValidRequest) -> Response:
    """POST /threads/prune."""
    ids = [canonical_uuid(text, _BAD_ID) for text in request.body["thread_ids"]]
    keep_latest = request.body.get("strategy", "delete") == "keep_latest"
    # With a filter of `Auth`, a missing thread must get the response of a hidden one: 404.
    need_all = request.thread_conditions is not None
    pruned = await threads.prune(request.services, ids, keep_latest=keep_latest, need_all=need_all)
    return reply({"pruned_count": pruned})


async def storage(request: ValidRequest) -> Response:
    """GET /threads/{thread_id}/storage."""
    thread = await threads.need(request.services, _id(request))
    return reply(await request.services.storage.states.size(thread["thread_id"]))
