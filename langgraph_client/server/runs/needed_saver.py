"""What deleting, copying or pruning a thread must know about it, however damaged its rows are."""

from __future__ import annotations

import logging

from langgraph_client.models.fields import JsonObject
from langgraph_client.server.errors import CheckpointerUnavailable, Invalid, Unavailable
from langgraph_client.server.storage.protocol import UNFINISHED, Document, Transaction

logger = logging.getLogger("langgraph_client.server")


async def needs_own_saver(storage: Transaction, thread_id: str) -> bool:
    """Return whether the checkpointer of a thread's graph may have states of the thread.

    It may if the server has none, unless the thread never had any, for instance because the factory
    of its graph has always failed; and if several graphs ran on the thread, for one may be stored
    by the server and another not. If its factory fails then, a deletion must fail, too: the states
    would still be there.

    Args:
        storage: The storage. Not the transaction of a lock, which an unreadable run would abort.
        thread_id: The thread.
    """
    if await _has_states(storage, thread_id):
        try:
            return len(await storage.runs.graph_ids(thread_id)) > 1
        except Invalid:  # The graph of an unreadable run may be another one.
            return True
    if await storage.run_controls.count(where={"thread_id": thread_id}):
        return True  # Of a run that is not over, or that may have written a state.
    if await storage.runs.count(where={"thread_id": thread_id, "status": UNFINISHED}):
        return True
    try:
        thread = await storage.threads.get_stored(thread_id)
    except ValueError:  # Its JSON is damaged.
        return True
    return thread is not None and thread.get("values") is not None


async def _has_states(storage: Transaction, thread_id: str) -> bool:
    """Return whether the server has states of a thread."""
    try:
        return await storage.states.latest(thread_id) is not None
    except CheckpointerUnavailable:  # There is one, which cannot be read.
        return True


async def thread_to_forget(storage: Transaction, thread_id: str) -> Document | None:
    """Return a thread whose state is to be deleted, as far as it can be read; None without one.

    An unreadable thread must not be one that nobody can delete. Its graph's own checkpointer needs
    only the names of the graph and of the thread, which are never encrypted.

    Args:
        storage: The storage, or a transaction.
        thread_id: The thread.
    """
    try:
        return await storage.threads.get(thread_id)
    except (ValueError, Unavailable) as error:
        reason = type(error).__name__
    metadata: JsonObject = {}
    try:
        stored = await storage.threads.get_stored(thread_id)
        metadata = {} if stored is None else stored["metadata"]
    except ValueError:
        logger.error(
            "thread %s is deleted, although it cannot be read (%s). If its graph has a checkpointer"
            " of its own, the thread's state stays there",
            thread_id,
            reason,
        )
    else:
        logger.warning("thread %s is deleted, although it cannot be read: %s", thread_id, reason)
    return {"thread_id": thread_id, "metadata": metadata, "config": {}}
