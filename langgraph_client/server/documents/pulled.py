"""Store a thread that was read from another server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from langgraph_client.server.documents.threads import open_graph, store_state
from langgraph_client.server.errors import Conflict, Refused
from langgraph_client.server.graphs.protocol import HostedGraph, thread_config
from langgraph_client.server.services import Services
from langgraph_client.server.storage.protocol import Document

_KEPT = ("metadata", "config", "created_at", "error", "values", "interrupts")


async def store_pulled_thread(
    services: Services,
    thread: Document,
    histories: Mapping[str, Sequence[Document]],
    runs: Sequence[Document],
    items: Sequence[Document],
) -> list[str]:
    """Store a thread, its states, its finished runs, and items of the store.

    Returns:
        Descriptions of information that is missing in the states, one sentence each.

    Raises:
        Conflict: A thread with this id exists, or a run with the id of one of its runs.
        NotFound: The thread's graph is not hosted.
        Refused: The thread has no graph, its graph here is another one, or its items have no
            store.
    """
    thread_id, graph_id = thread["thread_id"], thread["metadata"].get("graph_id")
    if histories and not graph_id:
        raise Refused(f"thread {thread_id} has no graph_id in its metadata")
    store = services.store
    if items and store is None:
        raise Refused(
            "this server has no store for the thread's items, because langgraph is missing"
        )
    async with services.engine.locks.hold(thread_id):
        if await services.storage.threads.get(thread_id) is not None:
            raise Conflict(f"Thread with ID {thread_id} already exists")
        missing: list[str] = []
        try:
            if histories:
                config = thread_config(thread_id)
                async with open_graph(
                    services, thread, graph_id, config, "threads.update"
                ) as graph:
                    missing = await _write(services, graph, thread, histories)
            else:
                await services.storage.threads.insert(dict(thread))
            for run in runs:
                await services.storage.runs.insert({**run, "thread_id": thread_id})
            await _restore_fields(services, thread)
            if (ttl := services.thread_ttl.new_document(thread_id)) is not None:
                await services.storage.thread_ttls.put(ttl)
                services.thread_ttl.wake()
        except BaseException:
            await services.storage.delete_thread(thread_id)
            raise
    if store is not None:
        for item in items:
            await store.aput(tuple(item["namespace"]), item["key"], item["value"])
    return missing


async def _write(
    services: Services,
    graph: HostedGraph,
    thread: Document,
    histories: Mapping[str, Sequence[Document]],
) -> list[str]:
    """Write the thread with its states. After a failure, delete them in the graph's own saver."""
    try:
        missing = await graph.awrite_history(thread["thread_id"], histories)
        await services.storage.threads.insert(dict(thread))
        await store_state(services, dict(thread), graph, thread["metadata"]["graph_id"])
    except BaseException:
        if graph.own_saver is not None:
            with suppress(NotImplementedError):
                await graph.own_saver.adelete_thread(thread["thread_id"])
        raise
    return missing


async def _restore_fields(services: Services, thread: Document) -> None:
    """Restore the thread's own fields, such as the error of its last run."""
    kept = await services.storage.threads.get(thread["thread_id"])
    assert kept is not None  # It was inserted under the lock.
    kept.update({name: thread[name] for name in _KEPT if name in thread})
    if thread["status"] != "busy":  # A running run goes on on the other server only.
        kept["status"] = thread["status"]
    for name in ("updated_at", "state_updated_at"):
        kept[name] = thread.get(name) or kept[name]
    await services.storage.threads.put(kept)
