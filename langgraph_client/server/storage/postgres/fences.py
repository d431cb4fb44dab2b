"""Fences: a process that has lost the lease of a thread must not write for its runs any more."""

from __future__ import annotations

from langgraph_client.server.storage.shared import Fenced


def fence_of(thread_id: str, epoch: int | None) -> tuple[str, list[object]]:
    """Return a part of a statement that has one row if this process may write for a thread.

    Args:
        thread_id: The thread.
        epoch: The epoch of the lease under which the write is made. None if the write belongs to no
            run: then it is protected by the thread's lock.
    """
    if epoch is None:
        return "fence AS (SELECT 1)", []
    # With FOR SHARE, a process that takes the lease over waits until this statement has ended.
    condition = "SELECT 1 FROM leases WHERE thread_id = %s AND epoch = %s FOR SHARE"
    return f"fence AS MATERIALIZED ({condition})", [thread_id, epoch]


def check_fence(written: int, thread_id: str) -> None:
    """Check that a statement with a fence has written something.

    Raises:
        Fenced: It has not.
    """
    if not written:
        raise Fenced(f"another process executes the runs of thread {thread_id}")
