"""The rows of `storage.script_states`: checkpoints of scripted graphs, as JSON.

Scripted graphs are for tests, and read their states in blocking calls. So all these statements
block, and use the connections for blocking calls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from langgraph_client.server.storage.postgres.connections import Row, translated
from langgraph_client.server.storage.postgres.fences import check_fence, fence_of
from langgraph_client.server.storage.postgres.pools import BlockingPool


class ScriptStateTable:
    """States by thread and id; ids sort by time.

    Args:
        pool: Blocking connections.
        epoch_of: Returns the epoch of this process's lease of a thread; None if it has none.
    """

    def __init__(self, pool: BlockingPool, epoch_of: Callable[[str], int | None]) -> None:
        self._pool = pool
        self._epoch_of = epoch_of

    def _rows(self, statement: str, values: Sequence[object]) -> list[Row]:
        with translated(), self._pool.connection() as connection:
            return [tuple(row) for row in connection.execute(statement.encode(), values)]

    def _write(self, statement: str, values: Sequence[object]) -> int:
        with translated(), self._pool.connection() as connection:
            return int(connection.execute(statement.encode(), values).rowcount)

    async def put(self, thread_id: str, state_id: str, run_id: str | None, text: bytes) -> None:
        """Write a state."""
        fence, values = fence_of(thread_id, self._epoch_of(thread_id))
        written = self._write(
            f"WITH {fence} INSERT INTO script_states SELECT %s, %s, %s, %s FROM fence",
            (*values, thread_id, state_id, run_id, text),
        )
        check_fence(written, thread_id)

    def get(self, thread_id: str, state_id: str | None) -> bytes | None:
        """Return a state by its id, or the latest one."""
        query = "SELECT doc FROM script_states WHERE thread_id = %s"
        values: tuple[str, ...] = (thread_id,)
        if state_id is not None:
            query, values = f"{query} AND id = %s", (thread_id, state_id)
        rows = self._rows(f"{query} ORDER BY id DESC LIMIT 1", values)
        return rows[0][0] if rows else None

    def history(self, thread_id: str, before: str | None) -> list[bytes]:
        """Return the states of a thread, newest first; those before an id if one is given."""
        query = "SELECT doc FROM script_states WHERE thread_id = %s"
        values: tuple[str, ...] = (thread_id,)
        if before is not None:
            query, values = f"{query} AND id < %s", (thread_id, before)
        return [row[0] for row in self._rows(f"{query} ORDER BY id DESC", values)]

    def delete_run(self, thread_id: str, run_id: str) -> None:
        """Delete the states of a run."""
        self._write(
            "DELETE FROM script_states WHERE thread_id = %s AND run_id = %s", (thread_id, run_id)
        )

    def delete_thread(self, thread_id: str) -> None:
        """Delete all states of a thread."""
        self._write("DELETE FROM script_states WHERE thread_id = %s", (thread_id,))

    def prune(self, thread_id: str) -> None:
        """Delete all states of a thread except the latest."""
        self._write(
            "DELETE FROM script_states WHERE thread_id = %s AND id <"
            " (SELECT max(id) FROM script_states WHERE thread_id = %s)",
            (thread_id, thread_id),
        )

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy all states of a thread; their ids stay."""
        self._write(
            "INSERT INTO script_states SELECT %s, id, run_id, doc FROM script_states"
            " WHERE thread_id = %s",
            (target_thread_id, source_thread_id),
        )
