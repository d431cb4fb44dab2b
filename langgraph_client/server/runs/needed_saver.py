"""Whether a graph's own checkpointer is needed to delete, copy or prune a thread."""

from __future__ import annotations

from langgraph_client.server.storage.protocol import Transaction


async def needs_own_saver(storage: Transaction, thread_id: str) -> bool:
    """Return whether the checkpointer of a thread's graph may have states of the thread.

    It may if the server has none, unless the thread never had any; and if several graphs ran on the
    thread, for one may be stored by the server and another not. If its factory fails then, a
    deletion must fail, too: the states would still be there.

    Args:
        storage: The storage, or a transaction.
        thread_id: The thread.
    """
    runs = await storage.runs.search(where={"thread_id": thread_id}, fields=("metadata",))
    if await storage.states.latest(thread_id) is not None:
        return len({str(run["metadata"].get("graph_id")) for run in runs}) > 1
    thread = await storage.threads.get(thread_id)
    return bool(runs) or (thread is not None and thread.get("values") is not None)
