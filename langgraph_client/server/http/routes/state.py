"""The state of a thread: read, at a checkpoint, its history, update."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from starlette.responses import Response

from langgraph_client.models.fields import JsonMapping, JsonObject
from langgraph_client.server.documents import threads
from langgraph_client.server.documents.filters import containment
from langgraph_client.server.encoding import encode_blanked
from langgraph_client.server.errors import Conflict, Denied, Invalid, NotFound, Unavailable
from langgraph_client.server.graphs.protocol import HostedGraph, thread_config
from langgraph_client.server.graphs.state_documents import (
    CHECKPOINT_IDS,
    EMPTY_STATE,
    Enclose,
    checkpoint_of,
    state_document,
)
from langgraph_client.server.http.endpoint import ValidRequest
from langgraph_client.server.http.remote_graph_headers import (
    envelope_header,
    graph_and_thread,
    reads_envelopes,
    refusal,
)
from langgraph_client.server.http.replies import encoded_reply, http_error, reply
from langgraph_client.server.runs.run_document import (
    canonical_uuid,
    named_checkpoint,
    new_thread,
    note_config,
)
from langgraph_client.server.storage.protocol import Document
from langgraph_client.server.typed_values import enclosed
from langgraph_client.server.user_code import exceptions_only, raised_by_user
from langgraph_client.thread_ids import GIVEN_ID
from langgraph_client.values import ERROR_HEADER, open_envelope


async def _thread(request: ValidRequest) -> Document:
    thread_id = canonical_uuid(request.path["thread_id"], "Invalid thread ID: must be a UUID")
    return await threads.need(request.services, thread_id)


async def _thread_to_read(request: ValidRequest) -> Document:
    """Return a thread; for a RemoteGraph, also one that only the graph's checkpointer has."""
    thread_id = canonical_uuid(request.path["thread_id"], "Invalid thread ID: must be a UUID")
    thread = await request.services.storage.threads.get(thread_id)
    if thread is not None and thread["metadata"].get("graph_id") is not None:
        return _of_assistant(thread, await _asked_assistant(request))
    asked = graph_and_thread(request.headers)
    # With an `Auth`, a thread without a document belongs to no user, so nobody may read it.
    if asked is None or request.thread_conditions is not None:
        return thread or await threads.need(request.services, thread_id)
    assistant = await request.services.runs.readable_assistant(asked[0])
    metadata = {GIVEN_ID: asked[1], "graph_id": assistant["graph_id"]}
    thread = thread or new_thread(thread_id, request.services.clock.stamp())
    thread["metadata"] = {**metadata, **thread["metadata"]}
    note_config(thread, assistant, {})
    return thread


async def _asked_assistant(request: ValidRequest) -> Document | None:
    """Return the assistant of the RemoteGraph that asks; None if it is deleted or not the caller's.

    `Auth` is asked, so it must be called without a lock.
    """
    asked = graph_and_thread(request.headers)
    if asked is None:
        return None
    try:
        return await request.services.runs.readable_assistant(asked[0])
    except (Invalid, NotFound):  # It was deleted, and its threads can be read still.
        return None
    except Denied as denied:
        if denied.status >= 500:  # The application's handler has failed.
            raise
        return None


def _of_assistant(thread: Document, assistant: Document | None) -> Document:
    """Return a thread with the graph and the settings of the assistant of a RemoteGraph.

    The graph of a thread is the one that ran last. As with local graphs that share a checkpointer,
    each of several graphs on one thread reads and writes its own channels.
    """
    if assistant is None or thread["metadata"].get("graph_id") is None:
        return thread
    thread = dict(thread)
    note_config(thread, assistant, {})
    if assistant["graph_id"] != thread["metadata"]["graph_id"]:
        own = {name: assistant[name] for name in ("graph_id", "assistant_id")}
        thread["metadata"] = {**thread["metadata"], **own}
    return thread


def _config(thread: Document, checkpoint: Mapping[str, object] | None = None) -> JsonObject:
    given = {key: value for key, value in (checkpoint or {}).items() if key in CHECKPOINT_IDS}
    return thread_config(threads.callers_thread_id(thread), given)


def _enclosing(request: ValidRequest, graph: HostedGraph) -> Enclose | None:
    if not reads_envelopes(request.headers):
        return None
    return partial(enclosed, has_message_documents=graph.has_message_documents)


async def _read(request: ValidRequest, checkpoint: JsonMapping | None, deep: bool) -> Response:
    thread = await _thread_to_read(request)
    graph_id = thread["metadata"].get("graph_id")
    asked_for = (checkpoint or {}).get("checkpoint_id")
    if graph_id is None:
        return reply(EMPTY_STATE)
    config = _config(thread, checkpoint)
    if asked_for is not None and "checkpoint_ns" not in (checkpoint or {}):
        del config["configurable"]["checkpoint_ns"]  # It would be part of the response.
    async with threads.open_graph(request.services, thread, graph_id, config) as graph:
        try:
            state = await graph.aget_state(config, subgraphs=deep)
        except Exception as error:  # Mostly a ValueError: the subgraph does not exist.
            raise refusal(request.headers, error) or error from None
        shown = state_document(state, asked_for, enclose=_enclosing(request, graph))
        return reply(shown, headers=envelope_header(request.headers))


async def read(request: ValidRequest) -> Response:
    """GET /threads/{thread_id}/state."""
    return await _read(request, None, request.query["subgraphs"])


async def read_at(request: ValidRequest) -> Response:
    """GET /threads/{thread_id}/state/{checkpoint_id}."""
    place = {"checkpoint_id": request.path["checkpoint_id"]}
    return await _read(request, place, request.query["subgraphs"])


async def read_checkpoint(request: ValidRequest) -> Response:
    """POST /threads/{thread_id}/state/checkpoint."""
    body = request.body
    return await _read(request, body["checkpoint"], bool(body.get("subgraphs")))


async def history(request: ValidRequest) -> Response:
    """GET /threads/{thread_id}/history."""
    query = request.query
    return await _history(request, query["limit"], query["before"] or None, None, None)


async def search_history(request: ValidRequest) -> Response:
    """POST /threads/{thread_id}/history."""
    body = request.body
    before = (body.get("before") or {}).get("configurable") or body.get("before") or {}
    if not isinstance(before, dict):
        raise Invalid("before.configurable must be an object")
    limit = int(body.get("limit", 1))
    wanted = containment(body.get("metadata") or {})
    return await _history(
        request, limit, before.get("checkpoint_id"), wanted, body.get("checkpoint")
    )


async def _history(
    request: ValidRequest,
    limit: int,
    before: str | None,
    metadata: dict[str, object] | None,
    checkpoint: dict[str, object] | None,
) -> Response:
    thread = await _thread_to_read(request)
    graph_id = thread["metadata"].get("graph_id")
    if graph_id is None or limit < 1:
        return reply([])
    config = _config(thread, checkpoint)
    end = None if before is None else {"configurable": {"checkpoint_id": str(before)}}
    async with threads.open_graph(request.services, thread, graph_id, config) as graph:
        found = graph.aget_state_history(
            config, limit=min(limit, 1000), before=end, filter=metadata or None
        )
        try:
            enclose = _enclosing(request, graph)
            # Each by itself: other requests would wait until a long history is encoded as a whole.
            shown = [
                encode_blanked(state_document(state, enclose=enclose)) async for state in found
            ]
            return encoded_reply(b"[%b]" % b",".join(shown), 200, envelope_header(request.headers))
        except Exception as error:  # Mostly a ValueError: no such subgraph, or an invalid filter.
            raise refusal(request.headers, error) or error from None


async def update(request: ValidRequest) -> Response:
    """POST /threads/{thread_id}/state."""
    services = request.services
    thread_id = (await _thread(request))["thread_id"]
    assistant = await _asked_assistant(request)
    # Read once more under the lock: a run may have changed the thread before it was taken.
    async with services.engine.locks.hold(thread_id):
        place, shown = await _update(request, await _thread(request), assistant)
        await services.engine.announce(
            thread_id, "state_update", {"state": shown, "thread_id": thread_id}
        )
    return reply(
        {"checkpoint": place, "configurable": place, "checkpoint_id": place["checkpoint_id"]}
    )


async def _update(
    request: ValidRequest, thread: Document, assistant: Document | None
) -> tuple[Document, Document]:
    """Write to a thread's state; return the new checkpoint and the new state.

    The caller holds the thread's lock, so that no run starts meanwhile.
    """
    services = request.services
    body = request.body
    thread_id = thread["thread_id"]
    if busy := await services.engine.busy(thread_id):
        raise Conflict(f"Thread {thread_id} has in-flight runs: {busy}")
    asked = _of_assistant(thread, assistant)
    graph_id = asked["metadata"].get("graph_id")
    if graph_id is None:
        raise threads.without_graph(thread_id)
    config = {**_config(thread, named_checkpoint(body)), "metadata": {"graph_id": graph_id}}
    async with threads.open_graph(services, asked, graph_id, config, "threads.update") as graph:
        try:
            values = body.get("values")
            if reads_envelopes(request.headers):
                values = open_envelope(values, graph.classes)
                config = threads.with_own_config(config, body.get("config"), graph.classes)
            with exceptions_only():
                made = await graph.aupdate_state(config, values, body.get("as_node"))
        except Unavailable:  # Of the database or the checkpointer: the values may be right.
            raise
        except Exception as error:  # Reducers are user code and may raise anything.
            kind = type(raised_by_user(error)).__name__
            told = {ERROR_HEADER: kind} if reads_envelopes(request.headers) else None
            raise http_error(400, str(error), told) from None
        latest = await threads.store_state(services, thread, graph, graph_id)
    return checkpoint_of(made) or {}, state_document(latest)
