"""The documents of threads: create, change, copy, prune, and what follows from their state."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import TYPE_CHECKING

from langgraph_client.models.fields import JsonMapping, JsonObject
from langgraph_client.server.documents.filters import containment
from langgraph_client.server.errors import (
    Conflict,
    Hidden,
    Invalid,
    NotFound,
    Refused,
    ServerError,
    Unavailable,
    raised_by_checkpointer,
)
from langgraph_client.server.graphs.protocol import Access, HostedGraph, StateUpdate, thread_config
from langgraph_client.server.graphs.state_documents import CHECKPOINT_IDS
from langgraph_client.server.request_context import with_request_headers
from langgraph_client.server.reserved_keys import RESERVED_CONFIGURABLE, RESERVED_METADATA, without
from langgraph_client.server.runs.graph_runner import thread_fields
from langgraph_client.server.runs.needed_saver import needs_own_saver
from langgraph_client.server.runs.run_document import (
    canonical_uuid,
    new_thread,
    with_assistants_config,
)
from langgraph_client.server.services import Services
from langgraph_client.server.storage.checkpoint_links import DELTA_COUNTERS
from langgraph_client.server.storage.protocol import Document, KeyTaken
from langgraph_client.server.user_code import exceptions_only
from langgraph_client.thread_ids import GIVEN_ID, given_thread_id
from langgraph_client.values import Allowed, open_envelope

if TYPE_CHECKING:
    from langgraph_client.server.graphs.hosted_saver import HostedSaver

#: Keys in a checkpoint's metadata by which the server or langgraph decides something.
_INTERNAL_METADATA = {"run_id", DELTA_COUNTERS}
_CHECKPOINT_KEYS = set(CHECKPOINT_IDS)
_SAVER_SECONDS = 300.0
"""How long a graph's own checkpointer may take to copy or prune a thread."""
_CLEANUP_SECONDS = 10.0
"""How long it may take to delete a copy that failed."""


class WithoutStateError(Exception):
    """A thread was created, but it has no graph that could write its state."""


class StateRefusedError(Refused):
    """A graph refused an update of its state.

    Attributes:
        error: The exception that it raised.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


async def need(services: Services, thread_id: str) -> Document:
    """Return a thread.

    Raises:
        NotFound: There is none.
    """
    thread = await services.storage.threads.get(thread_id)
    if thread is None:
        raise NotFound(f"Thread with ID {thread_id} not found")
    return thread


async def create(
    services: Services, thread_id: str, body: JsonMapping, *, typed_values: bool = False
) -> Document:
    """Create a thread and return it; return an existing one if the body allows that.

    `typed_values` is for a RemoteGraph: the values of supersteps may be in envelopes, and
    supersteps are written to an existing thread too, by the graph of the request.

    Raises:
        Conflict: A thread with this id exists.
        WithoutStateError: The thread was created, but it has no graph for its state, or one that is
            not hosted. For a RemoteGraph, that is `Refused` or `NotFound`.
        StateRefusedError: The thread was created, but its graph refused the state.
    """
    thread = new_thread(thread_id, services.clock.stamp())
    thread["metadata"] = without(body.get("metadata"), RESERVED_METADATA)
    async with services.engine.locks.hold(thread_id):
        try:
            existing = await services.storage.threads.get(thread_id)
        except Hidden:
            raise Conflict(f"Thread with ID {thread_id} already exists") from None
        if existing is None:
            ttl = services.thread_ttl.new_document(thread_id, body.get("ttl"))
            async with services.storage.transaction() as transaction:
                await transaction.threads.insert(thread)
                if ttl is not None:
                    await transaction.thread_ttls.put(ttl)
            if ttl is not None:
                services.thread_ttl.wake()
            if body.get("supersteps"):
                try:
                    await _apply_supersteps(
                        services, thread, thread["metadata"], body, typed_values
                    )
                except (NotFound, Refused) as error:
                    if typed_values or isinstance(error, StateRefusedError):
                        raise
                    raise WithoutStateError(
                        f"Thread {thread_id} was created, but there were problems updating the"
                        f" state: {error.detail}"
                    ) from None
            return thread
        if typed_values and body.get("supersteps") and body.get("if_exists") == "do_nothing":
            if busy := await services.engine.busy(thread_id):
                raise Conflict(f"Thread {thread_id} has in-flight runs: {busy}")
            await _apply_supersteps(services, existing, thread["metadata"], body, typed_values)
            return existing
    if body.get("if_exists") == "do_nothing":
        return existing
    raise Conflict(f"Thread with ID {thread_id} already exists")


async def _apply_supersteps(
    services: Services,
    thread: Document,
    requested_metadata: JsonMapping,
    body: JsonMapping,
    typed_values: bool,
) -> None:
    """Give a thread its state, one superstep of updates after the other.

    The graph is that of the requested metadata, or else the thread's own one.
    """
    supersteps, own_config = body["supersteps"], body.get("config")
    graph_id = requested_metadata.get("graph_id") or thread["metadata"].get("graph_id")
    if not graph_id:
        raise without_graph(thread["thread_id"])
    config = {**thread_config(callers_thread_id(thread)), "metadata": {"graph_id": graph_id}}
    async with open_graph(services, thread, graph_id, config, "threads.update") as graph:
        try:
            if typed_values:
                config = with_own_config(config, own_config, graph.classes)
            steps = [
                [
                    StateUpdate(
                        update["as_node"],
                        open_envelope(update.get("values"), graph.classes),
                        update.get("command"),
                        update.get("task_id") if typed_values else None,
                    )
                    for update in step["updates"]
                ]
                for step in supersteps
            ]
            with exceptions_only():
                await graph.abulk_update_state(config, steps)
        except Unavailable:  # Of the database or the checkpointer: the values may be right.
            raise
        except Exception as error:  # Reducers are user code: any error means invalid values.
            raise StateRefusedError(error) from None
        await store_state(services, thread, graph, graph_id)


def without_graph(thread_id: str) -> Refused:
    """Return the error for a write to the state of a thread that has no graph."""
    return Refused(
        f"Thread {thread_id} has no graph yet: start a run on it, or set `graph_id` in its metadata"
    )


def with_own_config(config: JsonObject, given: object, allowed: Allowed) -> JsonObject:
    """Return the config of a RemoteGraph's update: its caller's, as in a local graph.

    Args:
        config: The config with thread and checkpoint, which the caller's cannot replace.
        given: `configurable` and `metadata` of the caller, with values that may be in envelopes.
        allowed: The classes of which objects may be created, by name.

    Raises:
        ValueError: `given` is no config, or an envelope does not fit its value.
    """
    own: dict[str, JsonObject] = {}
    for section in ("configurable", "metadata"):
        items = given.get(section) or {} if isinstance(given, dict) else given or {}
        if not isinstance(items, dict):
            raise ValueError(f"config.{section} must be an object")
        own[section] = {key: open_envelope(item, allowed) for key, item in items.items()}
    reserved = RESERVED_CONFIGURABLE | _CHECKPOINT_KEYS | _INTERNAL_METADATA
    configurable = {
        key: value
        for key, value in without(own["configurable"], reserved).items()
        if not key.startswith(("__pregel_", "langgraph_auth_"))
    }
    return {
        "configurable": {**configurable, **config["configurable"]},
        "metadata": without(own["metadata"], _INTERNAL_METADATA),
    }


def callers_thread_id(thread: Document) -> str:
    """Return the caller's id of a thread, which graphs use."""
    return given_thread_id(thread["metadata"], thread["thread_id"])


def open_graph(
    services: Services,
    thread: Document,
    graph_id: str,
    config: JsonObject,
    access: Access = "threads.read",
) -> AbstractAsyncContextManager[HostedGraph]:
    """Return a graph for the state of a thread, to be entered.

    Args:
        services: The server.
        thread: The thread's document, which has the settings of its assistant.
        graph_id: The name of its graph, or of another one that reads or writes its state.
        config: The config with the ids of the thread and perhaps of a checkpoint.
        access: The purpose, for a factory.

    Raises:
        NotFound: It is not hosted.
    """
    given = with_request_headers(with_assistants_config(thread, config))
    return services.graphs.open(graph_id, given, access=access)


async def store_state(
    services: Services, thread: Document, graph: HostedGraph, graph_id: str
) -> object:
    """Update a thread's document after an update by a graph; return the state as that graph has it.

    If the graph is not the thread's own one, the thread keeps its graph, and the document shows the
    state as its graph has it. The caller must hold the thread's lock.
    """
    config = thread_config(callers_thread_id(thread))
    latest = shown = await graph.aget_state(config)
    own_id = thread["metadata"].get("graph_id")
    if not own_id:
        thread["metadata"]["graph_id"] = graph_id
    elif own_id != graph_id and own_id in services.graphs:
        async with open_graph(services, thread, own_id, config) as own:
            shown = await own.aget_state(config)
    now = services.clock.stamp()
    thread.update(thread_fields(shown, shown.values), updated_at=now, state_updated_at=now)
    await services.storage.threads.put(thread)
    return latest


async def change(services: Services, thread_id: str, body: JsonMapping) -> Document:
    """Change a thread's metadata and time to live, and return it.

    Raises:
        NotFound: There is none.
    """
    async with services.engine.locks.hold(thread_id):
        try:
            thread = await services.storage.threads.get(thread_id)
        except Hidden:
            thread = None
        if thread is None:
            raise NotFound("Not Found")
        # The caller's id must not change: the thread's state is stored under it.
        changes = without(body.get("metadata"), RESERVED_METADATA | {GIVEN_ID})
        thread["metadata"] = {**thread["metadata"], **changes}
        thread["updated_at"] = services.clock.stamp()
        ttl = services.thread_ttl.new_document(thread_id, body["ttl"]) if "ttl" in body else None
        async with services.storage.transaction() as transaction:
            await transaction.threads.put(thread)
            if ttl is not None:
                await transaction.thread_ttls.put(ttl)
        if ttl is not None:
            services.thread_ttl.wake()
    return thread


async def copy(
    services: Services,
    source_id: str,
    *,
    thread_id: str | None = None,
    metadata: JsonMapping | None = None,
) -> Document:
    """Copy a thread with its state, and return the copy.

    Args:
        services: The server.
        source_id: The thread.
        thread_id: The id of the copy; a new one by default.
        metadata: Metadata of the copy in addition to the thread's.

    Raises:
        Conflict: The thread does not exist. The protocol uses this status.
        Unavailable: The checkpointer that its graph was compiled with raised an error.
    """
    copied = new_thread(thread_id or services.clock.uuid4(), services.clock.stamp())
    del copied["values"]
    async with services.engine.locks.hold(source_id):
        try:
            source = await services.storage.threads.get(source_id)
        except Hidden:
            source = None
        if source is None:
            raise Conflict("Conflict")
        copied["metadata"] = {**source["metadata"], **(metadata or {})}
        # The real server's copies have none, and a factory that needs them cannot open such a copy.
        if settings := source["config"].get("configurable"):
            copied["config"] = {"configurable": settings}
        ttl = services.thread_ttl.new_document(copied["thread_id"])
        try:
            async with services.storage.transaction() as transaction:
                await transaction.threads.insert(copied)
                # Of a server with a checkpointer, the states are copied after the commit.
                await transaction.states.copy_thread(source_id, copied["thread_id"])
                if ttl is not None:
                    await transaction.thread_ttls.put(ttl)
            # Not within the transaction, which would block other writers.
            async with _own_saver(services, source) as saver:
                if saver is not None:
                    await _copy_own(saver, callers_thread_id(source), callers_thread_id(copied))
        except KeyTaken:  # By another thread, which stays.
            raise
        except BaseException:
            await _remove_copy(services, copied)
            raise
    if ttl is not None:
        services.thread_ttl.wake()  # After the commit: the sweep must find it.
    return copied


async def _remove_copy(services: Services, copied: Document) -> None:
    with suppress(Hidden):  # The id is that of another user's thread.
        stored = await services.storage.threads.get(copied["thread_id"])
        # The caller may have given the id of a thread that exists.
        if stored is not None and stored["created_at"] == copied["created_at"]:
            await services.storage.delete_thread(copied["thread_id"])


async def _copy_own(saver: HostedSaver, source: str, copied: str) -> None:
    try:
        await saver.acopy_thread(source, copied)
    except BaseException:
        with suppress(NotImplementedError, TimeoutError):
            async with asyncio.timeout(_CLEANUP_SECONDS):
                await saver.adelete_thread(copied)
        raise


@asynccontextmanager
async def _own_saver(services: Services, thread: Document) -> AsyncIterator[HostedSaver | None]:
    """Open the checkpointer that a thread's graph was compiled with; None if the server has it.

    Raises:
        Unavailable: The graph or its checkpointer raised an error, or took too long.
    """
    graph_id = thread["metadata"].get("graph_id")
    if graph_id not in services.graphs:
        yield None
        return
    config = {**thread_config(callers_thread_id(thread)), "metadata": {"graph_id": graph_id}}
    given = with_request_headers(with_assistants_config(thread, config))
    try:
        is_needed = await needs_own_saver(services.storage, thread["thread_id"])
        # With a limit: the caller holds the thread's lock.
        async with (
            asyncio.timeout(_SAVER_SECONDS),
            services.graphs.open_own_saver(graph_id, given, is_needed=is_needed) as saver,
        ):
            yield saver
    except Exception as raised:  # Of the graph's factory, or the saver's database.
        error = raised_by_checkpointer(raised)
        if isinstance(error, ServerError):
            raise
        raise Unavailable(
            f"the checkpointer of graph {graph_id!r}: {type(error).__name__}", str(error)
        ) from error


async def prune(
    services: Services, thread_ids: Iterable[str], *, keep_latest: bool, need_all: bool
) -> int:
    """Delete threads, or all but their latest state. Return how many were pruned.

    With `keep_latest`, a thread with a run that is not over is left alone: the run may be rolled
    back to an older state, or start from it.

    Args:
        services: The server.
        thread_ids: The threads.
        keep_latest: Whether to keep the latest states.
        need_all: Whether all of them must exist. If not, missing ones are ignored.

    Raises:
        NotFound: One does not exist, or the caller may not access it.
        Invalid: A checkpointer cannot prune. Nothing is pruned of
            this thread and of those after it.
        Unavailable: Such a checkpointer raised an error.
    """
    wanted = list(dict.fromkeys(thread_ids))
    storage = services.storage
    # Counted, not read: also a thread that cannot be read can be deleted.
    existing_ids = [
        thread_id
        for thread_id in wanted
        if await storage.threads.count(where={"thread_id": thread_id})
    ]
    if need_all and len(existing_ids) < len(wanted):
        raise NotFound("At least one thread not found or not authorized")
    pruned = 0
    for thread_id in existing_ids:
        if not keep_latest:
            pruned += await services.engine.stopper.delete_thread(thread_id)
            continue
        async with services.engine.locks.hold(thread_id):
            threads = await storage.threads.search(
                where={"thread_id": thread_id}, fields=("thread_id", "metadata", "config")
            )
            if threads and not await services.engine.busy(thread_id):
                await _prune_own(services, threads[0])
                await storage.states.keep_latest(thread_id)
                pruned += 1
    return pruned


async def _prune_own(services: Services, thread: Document) -> None:
    async with _own_saver(services, thread) as saver:
        if saver is not None:
            try:
                await saver.aprune([callers_thread_id(thread)], strategy="keep_latest")
            except NotImplementedError:
                graph_id = thread["metadata"]["graph_id"]
                raise Invalid(
                    f"The checkpointer of graph '{graph_id}' cannot prune thread"
                    f" {thread['thread_id']}"
                ) from None


def filters(body: JsonMapping) -> JsonObject:
    """Return the filters of a search for `Documents.search`.

    Raises:
        Refused: An id is not a UUID.
        Invalid: The filter has too many values.
    """
    where: dict[str, object] = {}
    if "status" in body:
        where["status"] = body["status"]
    if body.get("ids"):
        where["thread_id"] = [
            canonical_uuid(text, f"Invalid thread ID {text}", Refused) for text in body["ids"]
        ]
    wanted = {key: body[key] for key in ("metadata", "values") if body.get(key)}
    return {"where": where, "contains": containment(wanted)}
