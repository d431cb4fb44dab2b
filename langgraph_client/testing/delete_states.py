"""Delete the states of threads wherever they are, in checkpointers of the test's own as well."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from langgraph_client.server.documents.threads import callers_thread_id, open_graph
from langgraph_client.server.graphs.protocol import HostedGraph, thread_config
from langgraph_client.server.services import Services
from langgraph_client.server.storage.protocol import Document

logger = logging.getLogger("langgraph_client.server")

_SECONDS = 5.0
"""How long checkpointers may take to forget all threads: less than what `Server.close` waits."""


async def delete_state(services: Services, graph: HostedGraph, thread: Document) -> None:
    """Delete a thread's state in the server's checkpointer, and in the graph's own if it has one.

    Args:
        services: The server's services.
        graph: The graph of the thread.
        thread: The thread's document.
    """
    await services.storage.states.delete_thread(thread["thread_id"])
    if graph.own_saver is not None:
        # Some checkpointers cannot delete threads. Then a new thread has a new id.
        with suppress(NotImplementedError):
            await graph.own_saver.adelete_thread(callers_thread_id(thread))


async def delete_threads(services: Services) -> None:
    """Delete the states of all threads. One that cannot be deleted is logged as a warning."""
    threads = await services.storage.threads.search(order_by="created_at")
    try:
        async with asyncio.timeout(_SECONDS):
            for thread in threads:
                await _delete_thread(services, thread)
    except TimeoutError:
        logger.warning("the states of the server's threads are not all deleted in time")


async def _delete_thread(services: Services, thread: Document) -> None:
    graph_id = str((thread["metadata"] or {}).get("graph_id"))
    if graph_id not in services.graphs:
        return
    config = thread_config(callers_thread_id(thread))
    try:
        async with open_graph(services, thread, graph_id, config) as graph:
            await delete_state(services, graph, thread)
    # It is the test's own graph or checkpointer that raises here, perhaps a TimeoutError. The limit
    # of all threads together is a cancellation here.
    except Exception:
        logger.warning(
            "the states of the server's threads are not all deleted: of thread %s",
            thread["thread_id"],
            exc_info=True,
        )
