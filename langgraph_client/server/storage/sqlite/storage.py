"""`protocol.Storage` in one SQLite file, or in memory."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from langgraph_client.models.fields import JsonMapping
from langgraph_client.server.clock import Clock
from langgraph_client.server.errors import Unavailable
from langgraph_client.server.options import StoreOptions
from langgraph_client.server.storage.protocol import Document
from langgraph_client.server.storage.script_states import ScriptStates
from langgraph_client.server.storage.sqlite.checkpoint_tables import CHECKPOINT_TABLES
from langgraph_client.server.storage.sqlite.database import Database
from langgraph_client.server.storage.sqlite.documents import Runs, Table
from langgraph_client.server.storage.sqlite.events import Events
from langgraph_client.server.storage.sqlite.protocol_events import ProtocolEventTable
from langgraph_client.server.storage.sqlite.script_states import ScriptStateTable
from langgraph_client.server.storage.sqlite.states import States

if TYPE_CHECKING:
    from langgraph_client.server.storage.sqlite.checkpoints import Checkpoints
    from langgraph_client.server.storage.sqlite.store import Store

_TIDY_PAUSE = 0.5
_STEP_PAUSE = 0.005
_OF_THREADS = (
    "runs",
    "crons",
    "thread_ttls",
    "run_controls",
    "protocol_events",
    "script_states",
    "threads",
)
# Not the versions of the tables, which belong to a file.
_TABLES = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    " AND name NOT LIKE '%_migrations'"
)
# New writes get greater numbers than those restored, and than all marks: a rollback finds by them
# what a run wrote.
_CONTINUE_NUMBERS = (
    "INSERT OR REPLACE INTO sqlite_sequence (rowid, name, seq)"
    " SELECT (SELECT rowid FROM sqlite_sequence WHERE name = 'checkpoint_writes'),"
    " 'checkpoint_writes', max(number) FROM ("
    "SELECT seq AS number FROM sqlite_sequence WHERE name = 'checkpoint_writes'"
    " UNION ALL SELECT number FROM replaced_writes"
    " UNION ALL SELECT CASE WHEN json_valid(doc) AND json_type(doc, '$.mark') = 'integer'"
    " THEN json_extract(doc, '$.mark') END FROM run_controls)"
    " HAVING max(number) IS NOT NULL"
)


class SqliteStorage:
    """One SQLite file, or memory. See `protocol.Storage`.

    Args:
        path: The file; in memory by default.
        clock: Gives times for the store's items and for the ids of scripted checkpoints.
        allow_types: With a file, the classes of which checkpoints may create objects.
        store: The options of the key-value store; None for the defaults.

    Raises:
        DatabaseFileError: The file cannot be opened, is not a database of this package, was
            written by a newer version of it, or is used by another server.
    """

    #: Only one process can use the file.
    shared = None
    executor = None

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        clock: Clock | None = None,
        allow_types: Iterable[type] = (),
        store: StoreOptions | None = None,
    ) -> None:
        clock = clock or Clock()
        self._tidying: asyncio.TimerHandle | None = None
        self._database = Database(path)
        try:
            self._make_tables()
            self.events = Events(self._database, self._tidy)
            self.protocol_events = ProtocolEventTable(self._database, self._tidy)
            self.script_states = ScriptStates(ScriptStateTable(self._database), clock)
            strict = path is not None
            self.checkpointer, self.store = _langgraph_parts(self._database, clock, strict, store)
            self.states = States(self._database, self.checkpointer, self.script_states, self._tidy)
            self.allow(allow_types)
            if store is None:  # Others have tables of their own.
                self._database.keep_tables()
            self._database.stop_blocking_waits()
        except BaseException:
            self._database.close()
            raise

    def _make_tables(self) -> None:
        database = self._database
        self.assistants = Table(
            database,
            "assistants",
            ("assistant_id", "graph_id", "name", "created_at", "updated_at"),
            apart=("metadata",),
        )
        self.assistant_versions = Table(
            database,
            "assistant_versions",
            ("assistant_id", "version"),
            apart=("metadata",),
            key_length=2,
        )
        self.threads = Table(
            database,
            "threads",
            ("thread_id", "status", "created_at", "updated_at", "state_updated_at"),
            apart=("metadata", "interrupts", "values"),
        )
        self.runs = Runs(
            database, "runs", ("run_id", "thread_id", "assistant_id", "status", "created_at")
        )
        self.crons = Table(
            database,
            "crons",
            ("cron_id", "assistant_id", "thread_id", "next_run_date", "created_at", "updated_at"),
            apart=("metadata",),
        )
        self.thread_ttls = Table(database, "thread_ttls", ("thread_id", "expires_at"))
        self.idempotency_keys = Table(database, "idempotency_keys", ("key", "created_at"))
        self.idempotency_answers = Table(database, "idempotency_answers", ("key", "created_at"))
        self.run_controls = Table(database, "run_controls", ("run_id", "thread_id"))
        self.webhook_deliveries = Table(
            database, "webhook_deliveries", ("run_id", "due_at"), apart=("body",)
        )
        self.assistants.index("graph_id")
        self.assistants.index("created_at")
        for columns in (["updated_at"], ["created_at"], ["state_updated_at"]):
            self.threads.index(*columns)
        self.threads.index("status", "updated_at")
        self.runs.index("thread_id", "created_at")
        self.runs.index("assistant_id")
        self.runs.index("status", "created_at", where="status IN ('pending', 'running')")
        for column in ("next_run_date", "assistant_id", "thread_id"):
            self.crons.index(column)
        self.thread_ttls.index("expires_at")
        self.idempotency_keys.index("created_at")
        self.idempotency_answers.index("created_at")
        self.run_controls.index("thread_id")
        self.webhook_deliveries.index("due_at")

    @asynccontextmanager
    async def transaction(self, held: object = None) -> AsyncIterator[SqliteStorage]:
        """Commit the writes of a transaction together, or none of them after an exception."""
        # No operation within yields to the event loop, so no other writer can come in between.
        is_outermost = await self._database.retry_while_busy(self._database.begin)
        with self._database.committing(is_outermost):
            yield self

    def within(self, held: object) -> SqliteStorage:
        """Return an object for reads under a lock."""
        return self

    async def delete_thread(self, thread_id: str, *, keep_events: bool = False) -> None:
        """Delete a thread with its runs, crons, events and state."""
        # Many events are deleted in steps, and before the rest: if the process is killed in
        # between, a thread without events remains, and not events that no thread leads to.
        if not keep_events and self.events.are_many(thread_id):
            await self.events.delete_thread(thread_id)
        tables = [*_OF_THREADS, *(() if self.checkpointer is None else CHECKPOINT_TABLES)]
        if not keep_events:
            tables.append("events")

        def write() -> None:
            with self._database.transaction() as cursor:
                for name in tables:
                    cursor.execute(f"DELETE FROM {name} WHERE thread_id = ?", (thread_id,))

        await self._database.retry_while_busy(write)
        self._tidy()

    def _tidy(self) -> None:
        """Return deleted space to the file system, a little later and in small steps."""
        if self._tidying is None:
            self._tidying = asyncio.get_running_loop().call_later(_TIDY_PAUSE, self._shrink_file)

    def _shrink_file(self) -> None:
        self._tidying = None
        try:
            more = self._database.shrink_file()
        except Unavailable:
            return  # The space can be returned after the next deletion.
        if more:
            self._tidying = asyncio.get_running_loop().call_later(_STEP_PAUSE, self._shrink_file)

    def allow(self, classes: Iterable[type]) -> None:
        """Allow stored checkpoints to create objects of these classes."""
        if self.checkpointer is not None:
            self.checkpointer.allow(classes)

    async def sweep_store(self) -> int:
        """Delete the expired items of the store. Return how many."""
        if self.store is None:
            return 0
        return int(await self._database.retry_while_busy(self.store.sweep))

    async def ping(self) -> None:
        """Return if the database answers."""
        self._database.row("SELECT 1")

    async def export(self) -> Document:
        """Return all stored data, as tables of JSON, for `restore`."""
        tables: Document = {}
        with self._database.reading() as cursor:
            for (name,) in cursor.execute(_TABLES).fetchall():
                cursor.execute(f'SELECT * FROM "{name}"')
                columns = [column[0] for column in cursor.description]
                rows = [[_to_json(value) for value in row] for row in cursor.fetchall()]
                if rows:
                    tables[name] = {"columns": columns, "rows": rows}
        return tables

    async def restore(self, tables: JsonMapping) -> None:
        """Replace all stored data.

        The new data comes from outside of this process. So from now on, checkpoints create only
        objects of allowed classes, also in memory.

        Raises:
            ValueError: The dump has a table or a column that this version does not know.
        """
        if self.checkpointer is not None:
            self.checkpointer.distrust()
        await self._database.retry_while_busy(lambda: self._restore(tables))

    def _restore(self, tables: JsonMapping) -> None:
        with self._database.transaction() as cursor:
            for (name,) in cursor.execute(_TABLES).fetchall():
                # A dump names only tables that had rows.
                cursor.execute(f"DELETE FROM {_quoted(name)}")
            for name, table in tables.items():
                if name.endswith("_migrations"):  # Earlier versions have exported them.
                    continue
                # These names become part of the SQL, so only existing ones are allowed.
                known = {row[1] for row in cursor.execute(f"PRAGMA table_info({_quoted(name)})")}
                unknown = [column for column in table["columns"] if column not in known]
                if not known or unknown:
                    kind, what = ("column", unknown[0]) if known else ("table", name)
                    raise ValueError(
                        f"the dump has a {kind} {what!r} that this version does not know"
                    )
                cursor.execute(f"DELETE FROM {_quoted(name)}")
                columns = ", ".join(map(_quoted, table["columns"]))
                placeholders = ", ".join("?" * len(table["columns"]))
                cursor.executemany(
                    f"INSERT INTO {_quoted(name)} ({columns}) VALUES ({placeholders})",
                    [[_from_json(value) for value in row] for row in table["rows"]],
                )
            if self.checkpointer is not None:
                cursor.execute(_CONTINUE_NUMBERS)

    async def close(self) -> None:
        """Close the database."""
        if self._tidying is not None:
            self._tidying.cancel()
        self._database.close()


def _langgraph_parts(
    database: Database, clock: Clock, strict: bool, store: StoreOptions | None
) -> tuple[Checkpoints | None, Store | None]:
    """Return checkpointer and store; None each where langgraph is not installed."""
    try:
        import langgraph.checkpoint.base
        import langgraph.store.sqlite  # noqa: F401
    except ImportError:
        return None, None
    from langgraph_client.server.storage.sqlite.checkpoints import Checkpoints
    from langgraph_client.server.storage.sqlite.store import Store

    return Checkpoints(database, strict=strict), Store(database, clock, store)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _to_json(value: object) -> object:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _from_json(value: object) -> object:
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value
