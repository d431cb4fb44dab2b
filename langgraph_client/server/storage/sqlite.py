"""JSON documents in one SQLite connection: assistants, threads, runs, crons, and kept events.

Each table has the document as JSON and, beside it, the columns that are searched and sorted by. All
calls are blocking and short, and made on the server's loop; nothing is handed to another thread. A
commit reaches the operating system before a call returns, so that a killed process loses nothing
that was answered.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from langgraph_client.server.clock import EventId
from langgraph_client.server.encoding import decode, encode
from langgraph_client.server.runs.event_log import Event

Document = dict[str, Any]
SCHEMA_VERSION = 1


class Storage:
    """One SQLite file, or memory.

    Args:
        path: The file; in memory by default.

    Raises:
        ValueError: The file was written by a newer version of this package.
        sqlite3.Error: It cannot be opened, or is no SQLite file.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.connection = sqlite3.connect(
            os.fspath(path) if path is not None else ":memory:",
            check_same_thread=False,
            isolation_level=None,
        )
        # Reentrant: checkpoints and the store share it. A node in a worker thread may read a
        # checkpoint while the loop is within a transaction.
        self.lock = threading.RLock()
        try:
            self.connection.execute("PRAGMA journal_mode=WAL")
            self.connection.execute("PRAGMA synchronous=NORMAL")
            self._check_version(path)
            self._make_tables()
        except BaseException:
            self.connection.close()
            raise

    def _check_version(self, path: object) -> None:
        (version,) = self.connection.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise ValueError(
                f"{path} has schema version {version}, this package knows {SCHEMA_VERSION}; "
                "use the version that wrote the file, or a newer one"
            )
        self.connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _make_tables(self) -> None:
        self.assistants = Table(
            self, "assistants", ("assistant_id", "graph_id", "name", "created_at", "updated_at")
        )
        self.assistant_versions = Table(
            self, "assistant_versions", ("assistant_id", "version"), key_length=2
        )
        self.threads = Table(
            self, "threads", ("thread_id", "status", "created_at", "updated_at", "state_updated_at")
        )
        self.runs = Runs(
            self, "runs", ("run_id", "thread_id", "assistant_id", "status", "created_at")
        )
        self.crons = Table(
            self,
            "crons",
            ("cron_id", "assistant_id", "thread_id", "next_run_date", "created_at", "updated_at"),
        )
        self.thread_ttls = Table(self, "thread_ttls", ("thread_id", "expires_at"))
        self.events = Events(self)
        for table, columns in (
            ("assistants", "graph_id"),
            ("assistants", "created_at"),
            ("threads", "updated_at"),
            ("threads", "created_at"),
            ("threads", "state_updated_at"),
            ("threads", "status, updated_at"),
            ("runs", "thread_id, created_at"),
            ("runs", "assistant_id"),
            ("crons", "next_run_date"),
            ("crons", "assistant_id"),
            ("crons", "thread_id"),
            ("thread_ttls", "expires_at"),
        ):
            name = f"{table}_by_{columns.replace(', ', '_')}"
            self.connection.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({columns})")
        self.connection.execute(
            "CREATE INDEX IF NOT EXISTS runs_unfinished ON runs (created_at)"
            " WHERE status IN ('pending', 'running')"
        )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what is written within together, or, on an exception, not at all."""
        with self.lock:
            if self.connection.in_transaction:
                yield
                return
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.connection.rollback()
                raise
            self.connection.commit()

    def delete_thread(self, thread_id: str) -> bool:
        """Delete a thread with its runs, crons and kept events. Returns whether it was there."""
        with self.transaction():
            for table in ("runs", "crons", "events", "thread_ttls"):
                self.connection.execute(f"DELETE FROM {table} WHERE thread_id = ?", (thread_id,))
            return self.threads.delete(thread_id)

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


class Table:
    """Documents of one kind.

    Args:
        storage: Where.
        name: The table's name.
        columns: The fields that are searched and sorted by; the first are the key.
        key_length: How many of them are.
    """

    def __init__(
        self, storage: Storage, name: str, columns: Sequence[str], *, key_length: int = 1
    ) -> None:
        self._storage = storage
        self._connection = storage.connection
        self._name = name
        self._columns = tuple(columns)
        self._key = " AND ".join(f"{column} = ?" for column in columns[:key_length])
        key = ", ".join(columns[:key_length])
        self._connection.execute(
            f"CREATE TABLE IF NOT EXISTS {name} ({', '.join(columns)}, doc BLOB NOT NULL,"
            f" PRIMARY KEY ({key}))"
        )
        marks = ", ".join("?" * (len(columns) + 1))
        self._insert = f"INSERT INTO {name} ({', '.join(columns)}, doc) VALUES ({marks})"
        self._put = self._insert.replace("INSERT", "INSERT OR REPLACE", 1)

    def insert(self, document: Document) -> None:
        """Add a document. Raises sqlite3.IntegrityError if its key is taken."""
        self._write(self._insert, document)

    def put(self, document: Document) -> None:
        """Add a document, or replace the one with its key."""
        self._write(self._put, document)

    def _write(self, statement: str, document: Document) -> None:
        row = [document.get(column) for column in self._columns]
        with self._storage.lock:
            self._connection.execute(statement, (*row, encode(document)))

    def get(self, *key: object) -> Document | None:
        """Return a document by its key."""
        with self._storage.lock:
            found = self._connection.execute(
                f"SELECT doc FROM {self._name} WHERE {self._key}", key
            ).fetchone()
        return None if found is None else decode(found[0])

    def delete(self, *key: object) -> bool:
        """Delete a document by its key. Returns whether it was there."""
        with self._storage.lock:
            done = self._connection.execute(f"DELETE FROM {self._name} WHERE {self._key}", key)
        return done.rowcount > 0

    def delete_where(self, **columns: object) -> int:
        """Delete the documents whose columns have these values. Returns how many."""
        where, values = self._where(columns)
        with self._storage.lock:
            done = self._connection.execute(f"DELETE FROM {self._name}{where}", values)
        return done.rowcount

    def search(
        self,
        *,
        where: Mapping[str, object] | None = None,
        fits: Callable[[Document], bool] | None = None,
        order: str = "",
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Document]:
        """Return documents.

        Args:
            where: Values that columns must have; a list means any of them. Uses indexes.
            fits: What else a document must be; looked at one by one, in order, until there are
                enough.
            order: The SQL order, such as `updated_at DESC`. Ties are broken by the key.
            limit: How many.
            offset: How many to pass over.
        """
        condition, values = self._where(where or {})
        query = f"SELECT doc FROM {self._name}{condition}"
        direction = "DESC" if order.endswith(" DESC") else "ASC"
        key = self._columns[0]
        query += f" ORDER BY {order}, {key} {direction}" if order else f" ORDER BY {key}"
        if fits is None:
            query += " LIMIT ? OFFSET ?"
            values += (-1 if limit is None else limit, offset)
        found: list[Document] = []
        with self._storage.lock:
            for (text,) in self._connection.execute(query, values):
                document = decode(text)
                if fits is None:
                    found.append(document)
                elif fits(document):
                    if offset > 0:
                        offset -= 1
                    elif limit is not None and len(found) >= limit:
                        break
                    else:
                        found.append(document)
        return found

    def count(
        self,
        *,
        where: Mapping[str, object] | None = None,
        fits: Callable[[Document], bool] | None = None,
    ) -> int:
        """Return how many documents there are."""
        if fits is not None:
            return len(self.search(where=where, fits=fits))
        condition, values = self._where(where or {})
        with self._storage.lock:
            row = self._connection.execute(
                f"SELECT COUNT(*) FROM {self._name}{condition}", values
            ).fetchone()
        return int(row[0])

    def _where(self, wanted: Mapping[str, object]) -> tuple[str, tuple[object, ...]]:
        parts: list[str] = []
        values: list[object] = []
        for column, value in wanted.items():
            if isinstance(value, (list, tuple)):
                parts.append(f"{column} IN ({', '.join('?' * len(value))})")
                values += value
            else:
                parts.append(f"{column} = ?")
                values.append(value)
        return (f" WHERE {' AND '.join(parts)}" if parts else ""), tuple(values)


class Runs(Table):
    """The runs."""

    def unfinished(self) -> list[Document]:
        """Return the runs that are pending or running, oldest first."""
        return self.search(where={"status": ("pending", "running")}, order="created_at")

    def of_thread(
        self, thread_id: str, *, status: str | None = None, limit: int = -1, offset: int = 0
    ) -> list[Document]:
        """Return the runs of a thread, newest first."""
        where = {"thread_id": thread_id, **({"status": status} if status else {})}
        return self.search(where=where, order="created_at DESC", limit=limit, offset=offset)


class Events:
    """The kept events of resumable runs, in the order of their ids."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._connection = storage.connection
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS events (run_id TEXT NOT NULL, ms INTEGER NOT NULL,"
            " seq INTEGER NOT NULL, thread_id TEXT NOT NULL, name TEXT NOT NULL,"
            " data BLOB NOT NULL, PRIMARY KEY (run_id, ms, seq)) WITHOUT ROWID"
        )
        for name, columns in (("thread", "thread_id, ms, seq"), ("time", "ms, seq")):
            self._connection.execute(
                f"CREATE INDEX IF NOT EXISTS events_by_{name} ON events ({columns})"
            )

    def add(self, thread_id: str, run_id: str, events: Sequence[Event]) -> None:
        """Write events, in one transaction."""
        rows = [(run_id, *event.id, thread_id, event.name, event.data) for event in events]
        with self._storage.transaction():
            self._connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", rows)

    def of_run(self, run_id: str, after: EventId, limit: int, without: str = "") -> list[Event]:
        """Return events of a run after an id, but those of one name."""
        return self._select("run_id = ? AND name != ?", (run_id, without), after, limit)

    def of_thread(self, thread_id: str, after: EventId, limit: int) -> list[Event]:
        """Return events of all runs of a thread after an id."""
        return self._select("thread_id = ?", (thread_id,), after, limit)

    def _select(
        self, where: str, values: tuple[str, ...], after: EventId, limit: int
    ) -> list[Event]:
        with self._storage.lock:
            rows = self._connection.execute(
                f"SELECT ms, seq, name, data FROM events WHERE {where} AND (ms, seq) > (?, ?)"
                " ORDER BY ms, seq LIMIT ?",
                (*values, *after, limit),
            ).fetchall()
        return [Event((ms, seq), name, data) for ms, seq, name, data in rows]

    def delete_run(self, run_id: str) -> None:
        """Delete the events of a run."""
        with self._storage.lock:
            self._connection.execute("DELETE FROM events WHERE run_id = ?", (run_id,))

    def last_id(self) -> EventId:
        """Return the greatest id there is."""
        with self._storage.lock:
            row = self._connection.execute(
                "SELECT ms, seq FROM events ORDER BY ms DESC, seq DESC LIMIT 1"
            ).fetchone()
        return (row[0], row[1]) if row else (0, 0)


def contains(document: Any, wanted: Any) -> bool:
    """Whether a JSON value contains another: objects by their keys, at every depth; lists by
    items; anything else by equality."""
    if isinstance(wanted, dict):
        return isinstance(document, dict) and all(
            key in document and contains(document[key], value) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(document, list) and all(
            any(contains(item, one) for item in document) for one in wanted
        )
    return bool(document == wanted and isinstance(document, bool) == isinstance(wanted, bool))
