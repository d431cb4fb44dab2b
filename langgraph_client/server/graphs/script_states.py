"""The checkpoints of scripted graphs: JSON rows in the server's SQLite connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from langgraph_client.server.clock import Clock
from langgraph_client.server.encoding import decode, encode


@dataclass(frozen=True)
class Saved:
    """One checkpoint: the state, and the step that is next (None: the script is over)."""

    parent: str | None
    values: dict[str, Any]
    at: int | None
    metadata: dict[str, Any]
    id: str = ""
    created_at: str = ""


class ScriptStates:
    """Keeps the states of scripted graphs, by thread."""

    def __init__(self, connection: sqlite3.Connection, lock: Any, clock: Clock) -> None:
        self._connection = connection
        self._lock = lock
        self.clock = clock
        connection.execute(
            "CREATE TABLE IF NOT EXISTS script_states (thread_id TEXT NOT NULL, id TEXT NOT NULL,"
            " run_id TEXT, doc BLOB NOT NULL, PRIMARY KEY (thread_id, id)) WITHOUT ROWID"
        )

    def put(self, thread_id: str, saved: Saved) -> Saved:
        """Write a state; return it with its id."""
        with self._lock:
            milliseconds, number = self.clock.event_id()
            # Sorts by time, as checkpoint ids do.
            text = f"{milliseconds:012x}7{number & 0xFFF:03x}8{number >> 12 & 0xFFF:03x}"
            made = f"{text}{self.clock.uuid4()[-12:]}"
            checkpoint_id = "-".join((made[:8], made[8:12], made[12:16], made[16:20], made[20:]))
            saved = replace(saved, id=checkpoint_id, created_at=self.clock.stamp())
            row = (thread_id, checkpoint_id, saved.metadata.get("run_id"), encode(saved))
            self._connection.execute("INSERT INTO script_states VALUES (?, ?, ?, ?)", row)
        # As it will be read: what JSON cannot hold shows at once.
        return Saved(**decode(row[3]))

    def get(self, thread_id: str, checkpoint_id: str | None = None) -> Saved | None:
        """Return a state, the latest one by default."""
        query = "SELECT doc FROM script_states WHERE thread_id = ?"
        with self._lock:
            if checkpoint_id is not None:
                query += " AND id = ?"
                found = self._connection.execute(query, (thread_id, checkpoint_id)).fetchone()
            else:
                query += " ORDER BY id DESC LIMIT 1"
                found = self._connection.execute(query, (thread_id,)).fetchone()
        return Saved(**decode(found[0])) if found else None

    def history(self, thread_id: str, before: str | None = None) -> Iterator[Saved]:
        """Return the states of a thread, newest first."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT doc FROM script_states WHERE thread_id = ? AND id < ? ORDER BY id DESC",
                (thread_id, before or "g"),
            ).fetchall()
        return (Saved(**decode(row[0])) for row in rows)

    def delete_run(self, thread_id: str, run_id: str) -> None:
        """Delete the states that a run left."""
        with self._lock:
            self._connection.execute(
                "DELETE FROM script_states WHERE thread_id = ? AND run_id = ?", (thread_id, run_id)
            )

    def delete_thread(self, thread_id: str) -> None:
        """Delete all states of a thread."""
        with self._lock:
            self._connection.execute("DELETE FROM script_states WHERE thread_id = ?", (thread_id,))

    def prune(self, thread_id: str) -> None:
        """Delete all states of a thread but the latest."""
        with self._lock:
            self._connection.execute(
                "DELETE FROM script_states WHERE thread_id = ? AND id <"
                " (SELECT MAX(id) FROM script_states WHERE thread_id = ?)",
                (thread_id, thread_id),
            )

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy all states of a thread; their ids stay."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO script_states SELECT ?, id, run_id, doc FROM script_states"
                " WHERE thread_id = ?",
                (target_thread_id, source_thread_id),
            )
