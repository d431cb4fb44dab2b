"""The rows of `storage.script_states`: checkpoints of scripted graphs, as JSON."""

from __future__ import annotations

from langgraph_client.server.storage.sqlite.database import Database


class ScriptStateTable:
    """States by thread and id; ids sort by time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.execute(
            "CREATE TABLE IF NOT EXISTS script_states (thread_id TEXT NOT NULL, id TEXT NOT NULL,"
            " run_id TEXT, doc BLOB NOT NULL, PRIMARY KEY (thread_id, id))"
        )

    async def put(self, thread_id: str, state_id: str, run_id: str | None, text: bytes) -> None:
        """Write a state."""
        row = (thread_id, state_id, run_id, text)
        await self._database.write("INSERT INTO script_states VALUES (?, ?, ?, ?)", row)

    def get(self, thread_id: str, state_id: str | None) -> bytes | None:
        """Return a state by its id, or the latest one."""
        query = "SELECT doc FROM script_states WHERE thread_id = ?"
        values: tuple[str, ...] = (thread_id,)
        if state_id is not None:
            query, values = f"{query} AND id = ?", (thread_id, state_id)
        row = self._database.row(f"{query} ORDER BY id DESC LIMIT 1", values)
        return None if row is None else row[0]

    def history(self, thread_id: str, before: str | None) -> list[bytes]:
        """Return the states of a thread, newest first; those before an id if one is given."""
        query = "SELECT doc FROM script_states WHERE thread_id = ?"
        values: tuple[str, ...] = (thread_id,)
        if before is not None:
            query, values = f"{query} AND id < ?", (thread_id, before)
        return [row[0] for row in self._database.rows(f"{query} ORDER BY id DESC", values)]

    def delete_run(self, thread_id: str, run_id: str) -> None:
        """Delete the states that a run left."""
        self._database.execute(
            "DELETE FROM script_states WHERE thread_id = ? AND run_id = ?", (thread_id, run_id)
        )

    def delete_thread(self, thread_id: str) -> None:
        """Delete all states of a thread."""
        self._database.execute("DELETE FROM script_states WHERE thread_id = ?", (thread_id,))

    def prune(self, thread_id: str) -> None:
        """Delete all states of a thread but the latest."""
        self._database.execute(
            "DELETE FROM script_states WHERE thread_id = ? AND id <"
            " (SELECT MAX(id) FROM script_states WHERE thread_id = ?)",
            (thread_id, thread_id),
        )

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy all states of a thread; their ids stay."""
        self._database.execute(
            "INSERT INTO script_states SELECT ?, id, run_id, doc FROM script_states"
            " WHERE thread_id = ?",
            (target_thread_id, source_thread_id),
        )
