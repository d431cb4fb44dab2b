"""JSON documents in one SQLite connection: assistants, threads, runs, crons, and kept events.

Each table has the document as JSON and, beside it, the columns that are searched and sorted by. The
async methods run their short statements in place, on the server's loop. A commit reaches the
operating system before a call returns, so that a killed process loses nothing that was answered.
"""

from __future__ import annotations

import base64
import os
import sqlite3
import threading
from collections.abc import (
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from langgraph_client.server.clock import Clock, EventId
from langgraph_client.server.encoding import decode, encode
from langgraph_client.server.errors import Unavailable
from langgraph_client.server.graphs.script_states import ScriptStates
from langgraph_client.server.storage.protocol import Document, Event, KeyTaken, Mark
from langgraph_client.server.storage.sizes import thread_size

SCHEMA_VERSION = 1
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"


class SqliteStorage:
    """One SQLite file, or memory. See `protocol.Storage`.

    Args:
        path: The file; in memory by default.
        clock: Time, for the store's items and the ids of scripted checkpoints.
        allow_types: With a file, classes that may be made out of checkpoints.

    Raises:
        ValueError: The file was written by a newer version of this package.
        sqlite3.Error: It cannot be opened, or is no SQLite file.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        clock: Clock | None = None,
        allow_types: Iterable[type] = (),
    ) -> None:
        clock = clock or Clock()
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
            self.script_states = ScriptStates(self.connection, self.lock, clock)
            self.checkpointer, self.store = _langgraph_parts(self, clock, path is not None)
            self.allow(allow_types)
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
        self.idempotency_keys = Table(self, "idempotency_keys", ("key", "created_at"))
        self.events = Events(self)
        self.states = States(self)
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
            ("idempotency_keys", "created_at"),
        ):
            name = f"{table}_by_{columns.replace(', ', '_')}"
            self.connection.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({columns})")
        self.connection.execute(
            "CREATE INDEX IF NOT EXISTS runs_unfinished ON runs (created_at)"
            " WHERE status IN ('pending', 'running')"
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[SqliteStorage]:
        """Commit what is written within together, or, on an exception, not at all."""
        # Nothing that is awaited within gives up the loop, so no other writer comes in between.
        with self.writing():
            yield self

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Commit what is written within together; `transaction` for the statements in here."""
        with self.lock, _translated():
            if self.connection.in_transaction:
                yield
                return
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.connection.commit()
            except BaseException:
                if self.connection.in_transaction:  # a full disk may have rolled back by itself
                    self.connection.rollback()
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give the connection for a single statement."""
        with self.lock, _translated():
            yield self.connection

    async def delete_thread(self, thread_id: str) -> bool:
        """Delete a thread with its runs, crons, events and state. Returns whether it existed."""
        with self.writing():
            for table in ("runs", "crons", "events", "thread_ttls"):
                self.connection.execute(f"DELETE FROM {table} WHERE thread_id = ?", (thread_id,))
            await self.states.delete_thread(thread_id)
            return await self.threads.delete(thread_id)

    def allow(self, classes: Iterable[type]) -> None:
        """Allow classes to be made out of stored checkpoints."""
        if self.checkpointer is not None:
            self.checkpointer.allow(classes)

    async def sweep_store(self) -> int:
        """Delete the store's items whose time is over. Returns how many."""
        if self.store is None:
            return 0
        with _translated():
            return int(self.store.sweep())

    async def ping(self) -> None:
        """Return if the database answers."""
        with self.reading() as connection:
            connection.execute("SELECT 1").fetchone()

    async def export(self) -> Document:
        """Return all that is kept, as tables of JSON, for `restore`."""
        found: Document = {}
        with self.reading() as connection:
            for (name,) in connection.execute(_TABLES).fetchall():
                cursor = connection.execute(f'SELECT * FROM "{name}"')
                columns = [column[0] for column in cursor.description]
                rows = [[_to_json(value) for value in row] for row in cursor.fetchall()]
                if rows:
                    found[name] = {"columns": columns, "rows": rows}
        return found

    async def restore(self, tables: Mapping[str, Any]) -> None:
        """Replace all that is kept. Raises ValueError for a table that is not known."""
        with self.writing():
            known = {row[0] for row in self.connection.execute(_TABLES)}
            for name, table in tables.items():
                if name not in known:
                    raise ValueError(
                        f"the dump has a table {name!r} that this version does not know"
                    )
                self.connection.execute(f'DELETE FROM "{name}"')
                columns = ", ".join(f'"{column}"' for column in table["columns"])
                marks = ", ".join("?" * len(table["columns"]))
                self.connection.executemany(
                    f'INSERT INTO "{name}" ({columns}) VALUES ({marks})',
                    [[_from_json(value) for value in row] for row in table["rows"]],
                )

    async def close(self) -> None:
        """Close the connection."""
        self.connection.close()


@contextmanager
def _translated() -> Iterator[None]:
    """Raise what is wrong with the disk or the file as `Unavailable`."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise Unavailable(f"The storage is not available: {error}") from error


def _langgraph_parts(storage: SqliteStorage, clock: Clock, strict: bool) -> tuple[Any, Any]:
    """Return checkpointer and store; None each where langgraph is not installed."""
    try:
        import langgraph.checkpoint.sqlite
        import langgraph.store.sqlite  # noqa: F401
    except ImportError:
        return None, None
    from langgraph_client.server.storage.checkpoints import Checkpoints
    from langgraph_client.server.storage.store import Store

    connection, lock = storage.connection, storage.lock
    return Checkpoints(connection, lock, strict=strict), Store(connection, lock, clock)


def _to_json(value: Any) -> Any:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _from_json(value: Any) -> Any:
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value


class States:
    """The checkpoints of threads: those of compiled graphs and those of scripted ones."""

    def __init__(self, storage: SqliteStorage) -> None:
        self._storage = storage

    async def delete_thread(self, thread_id: str) -> None:
        """Delete all checkpoints of a thread."""
        with self._storage.writing():
            self._storage.script_states.delete_thread(thread_id)
            if self._storage.checkpointer is not None:
                self._storage.checkpointer.delete_thread(thread_id)

    async def copy_thread(self, source: str, target: str) -> None:
        """Copy all checkpoints of a thread to another one; their ids stay."""
        with self._storage.writing():
            self._storage.script_states.copy_thread(source, target)
            if self._storage.checkpointer is not None:
                self._storage.checkpointer.copy_thread(source, target)

    async def keep_latest(self, thread_id: str) -> None:
        """Delete all checkpoints of a thread but the latest."""
        with self._storage.writing():
            self._storage.script_states.prune(thread_id)
            if self._storage.checkpointer is not None:
                self._storage.checkpointer.prune([thread_id], strategy="keep_latest")

    async def mark(self, thread_id: str) -> Mark:
        """Return the present moment, for `delete_run`."""
        if self._storage.checkpointer is None:
            return None
        with _translated():
            return self._storage.checkpointer.mark()

    async def delete_run(self, thread_id: str, run_id: str, mark: Mark = None) -> None:
        """Delete what a run left in its thread's state."""
        with self._storage.writing():
            self._storage.script_states.delete_run(thread_id, run_id)
            if self._storage.checkpointer is not None:
                self._storage.checkpointer.delete_run(thread_id, run_id, mark)

    async def size(self, thread_id: str) -> Document:
        """Return what a thread's state takes."""
        with _translated():
            return thread_size(
                self._storage.connection,
                self._storage.lock,
                self._storage.checkpointer,
                self._storage.script_states,
                thread_id,
            )


class Table:
    """Documents of one kind.

    Args:
        storage: Where.
        name: The table's name.
        columns: The fields that are searched and sorted by; the first are the key.
        key_length: How many of them are.
    """

    def __init__(
        self, storage: SqliteStorage, name: str, columns: Sequence[str], *, key_length: int = 1
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

    async def insert(self, document: Document) -> None:
        """Add a document. Raises KeyTaken if there is one with its key."""
        try:
            self._write(self._insert, document)
        except sqlite3.IntegrityError:
            key = document[self._columns[0]]
            raise KeyTaken(f"{self._name}: {key} exists already") from None

    async def put(self, document: Document) -> None:
        """Add a document, or replace the one with its key."""
        self._write(self._put, document)

    def _write(self, statement: str, document: Document) -> None:
        row = [document.get(column) for column in self._columns]
        with self._storage.reading() as connection:
            connection.execute(statement, (*row, encode(document)))

    async def get(self, *key: object) -> Document | None:
        """Return a document by its key."""
        with self._storage.reading() as connection:
            found = connection.execute(
                f"SELECT doc FROM {self._name} WHERE {self._key}", key
            ).fetchone()
        return None if found is None else decode(found[0])

    async def delete(self, *key: object) -> bool:
        """Delete a document by its key. Returns whether it existed."""
        with self._storage.reading() as connection:
            done = connection.execute(f"DELETE FROM {self._name} WHERE {self._key}", key)
        return done.rowcount > 0

    async def delete_where(self, **fields: object) -> int:
        """Delete the documents whose fields have these values. Returns how many."""
        where, values = self._where(fields)
        with self._storage.reading() as connection:
            done = connection.execute(f"DELETE FROM {self._name}{where}", values)
        return done.rowcount

    async def search(
        self,
        *,
        where: Mapping[str, object] | None = None,
        contains: Mapping[str, Any] | None = None,
        text: Mapping[str, str] | None = None,
        order_by: str | None = None,
        descending: bool = False,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Document]:
        """Return documents; see `protocol.Documents.search`."""
        condition, values = self._where(where or {})
        query = f"SELECT doc FROM {self._name}{condition}"
        direction = "DESC" if descending else "ASC"
        key = f"{self._columns[0]} {direction}"
        query += f" ORDER BY {self._order(order_by)} {direction}, {key}" if order_by else ""
        query += "" if order_by else f" ORDER BY {key}"
        fits = _filter(contains, text)
        if fits is None:
            query += " LIMIT ? OFFSET ?"
            values += (-1 if limit is None else limit, offset)
        found: list[Document] = []
        with self._storage.reading() as connection:
            for (line,) in connection.execute(query, values):
                document = decode(line)
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

    async def count(
        self,
        *,
        where: Mapping[str, object] | None = None,
        contains: Mapping[str, Any] | None = None,
        text: Mapping[str, str] | None = None,
    ) -> int:
        """Return how many documents there are."""
        if contains or text:
            return len(await self.search(where=where, contains=contains, text=text))
        condition, values = self._where(where or {})
        with self._storage.reading() as connection:
            row = connection.execute(
                f"SELECT COUNT(*) FROM {self._name}{condition}", values
            ).fetchone()
        return int(row[0])

    def _where(self, wanted: Mapping[str, object]) -> tuple[str, tuple[object, ...]]:
        parts: list[str] = []
        values: list[object] = []
        for field, value in wanted.items():
            column = self._column(field)
            if isinstance(value, (list, tuple)):
                parts.append(f"{column} IN ({', '.join('?' * len(value))})")
                values += value
            else:
                parts.append(f"{column} = ?")
                values.append(value)
        return (f" WHERE {' AND '.join(parts)}" if parts else ""), tuple(values)

    def _column(self, field: str) -> str:
        """Return the column of a field, or the expression that reads it from the document."""
        if not field.isidentifier():
            raise ValueError(f"{field!r} is not the name of a field")
        return field if field in self._columns else f"json_extract(CAST(doc AS TEXT), '$.{field}')"

    def _order(self, field: str) -> str:
        column = self._column(field)
        return f"{column} COLLATE NOCASE" if field in _WITHOUT_CASE else column


_WITHOUT_CASE = ("name", "graph_id")


class Runs(Table):
    """The runs."""

    async def unfinished(self) -> list[Document]:
        """Return the runs that are pending or running, oldest first."""
        return await self.search(where={"status": ("pending", "running")}, order_by="created_at")


class Events:
    """The kept events of resumable runs, in the order of their ids."""

    def __init__(self, storage: SqliteStorage) -> None:
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

    async def add(self, thread_id: str, run_id: str, events: Sequence[Event]) -> None:
        """Write events, in one transaction."""
        rows = [(run_id, *event.id, thread_id, event.name, event.data) for event in events]
        with self._storage.writing():
            self._connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", rows)

    async def of_run(
        self, run_id: str, after: EventId, limit: int, without: str = ""
    ) -> list[Event]:
        """Return events of a run after an id, without those of one name."""
        return self._select("run_id = ? AND name != ?", (run_id, without), after, limit)

    async def of_thread(self, thread_id: str, after: EventId, limit: int) -> list[Event]:
        """Return events of all runs of a thread after an id."""
        return self._select("thread_id = ?", (thread_id,), after, limit)

    def _select(
        self, where: str, values: tuple[str, ...], after: EventId, limit: int
    ) -> list[Event]:
        with self._storage.reading() as connection:
            rows = connection.execute(
                f"SELECT ms, seq, name, data FROM events WHERE {where} AND (ms, seq) > (?, ?)"
                " ORDER BY ms, seq LIMIT ?",
                (*values, *after, limit),
            ).fetchall()
        return [Event((ms, seq), name, data) for ms, seq, name, data in rows]

    async def delete_run(self, run_id: str) -> None:
        """Delete the events of a run."""
        with self._storage.reading() as connection:
            connection.execute("DELETE FROM events WHERE run_id = ?", (run_id,))

    async def delete_ended(self, name: str, before_ms: int, limit: int) -> int:
        """Delete all events of runs that have an event of this name before a time."""
        with self._storage.writing():
            ended = self._connection.execute(
                "SELECT run_id FROM events WHERE ms < ? AND name = ? LIMIT ?",
                (before_ms, name, limit),
            ).fetchall()
            self._connection.executemany("DELETE FROM events WHERE run_id = ?", ended)
        return len(ended)

    async def last_id(self) -> EventId:
        """Return the greatest id there is."""
        with self._storage.reading() as connection:
            row = connection.execute(
                "SELECT ms, seq FROM events ORDER BY ms DESC, seq DESC LIMIT 1"
            ).fetchone()
        return (row[0], row[1]) if row else (0, 0)


def _filter(
    contained: Mapping[str, Any] | None, text: Mapping[str, str] | None
) -> Callable[[Document], bool] | None:
    """Return what decides whether a document has this JSON and these texts; None for all."""
    if not contained and not text:
        return None
    parts = {field: value.lower() for field, value in (text or {}).items()}

    def fits(document: Document) -> bool:
        return contains(document, dict(contained or {})) and all(
            part in str(document.get(field) or "").lower() for field, part in parts.items()
        )

    return fits


def contains(document: Any, wanted: Any) -> bool:
    """Return whether a JSON value contains another; see `protocol.Documents.search`."""
    if isinstance(wanted, dict):
        return isinstance(document, dict) and all(
            key in document and contains(document[key], value) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(document, list) and all(
            any(contains(item, one) for item in document) for one in wanted
        )
    return bool(document == wanted and isinstance(document, bool) == isinstance(wanted, bool))
