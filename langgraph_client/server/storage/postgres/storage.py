"""`protocol.Storage` in a PostgreSQL database that several processes may share."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import psycopg

from langgraph_client.server.clock import Clock
from langgraph_client.server.errors import StartError
from langgraph_client.server.options import StoreOptions
from langgraph_client.server.storage.postgres.connections import Batch, Connections, Executor
from langgraph_client.server.storage.postgres.documents import Runs, Table
from langgraph_client.server.storage.postgres.events import Events
from langgraph_client.server.storage.postgres.leases import Leases
from langgraph_client.server.storage.postgres.protocol_events import ProtocolEventTable
from langgraph_client.server.storage.postgres.schema import REPLACED_WRITES, migrate
from langgraph_client.server.storage.postgres.script_states import ScriptStateTable
from langgraph_client.server.storage.postgres.states import States
from langgraph_client.server.storage.protocol import Document
from langgraph_client.server.storage.script_states import ScriptStates
from langgraph_client.server.storage.shared import epoch_of_run

_OWN = ("schema_migrations", "processes", "leases", "deletions", "followers", "run_results")
"""Tables that a dump leaves out: they describe the running processes, not the stored data."""
_STORED = (
    "assistants",
    "assistant_versions",
    "threads",
    "runs",
    "crons",
    "thread_ttls",
    "idempotency_keys",
    "idempotency_answers",
    "run_controls",
    "webhook_deliveries",
    "events",
    "protocol_events",
    "script_states",
)
_OF_LANGGRAPH = (
    "checkpoints",
    "checkpoint_blobs",
    "checkpoint_writes",
    "replaced_writes",
    "store",  # With its rows, PostgreSQL deletes those of `store_vectors`.
)
"""The tables that `restore` empties. By name, because others may have tables in this database."""
_CONTINUE_NUMBERS = """
SELECT setval(pg_get_serial_sequence('checkpoint_writes', 'written'), max(written)) FROM
(SELECT written FROM checkpoint_writes UNION ALL SELECT written FROM replaced_writes
UNION ALL SELECT (control ->> 'mark')::bigint FROM
(SELECT CASE WHEN lc_is_json(doc) THEN lc_jsonb(doc) END AS control FROM run_controls) AS controls
WHERE jsonb_typeof(control -> 'mark') = 'number') AS restored WHERE written > 0
"""
"""New writes get greater numbers than those restored, and than all marks: a rollback finds by them
what a run wrote."""


class Tables:
    """The documents, events and states, over the pool or within a transaction.

    Args:
        executor: Executes statements.
        has_checkpoints: Whether langgraph's tables exist.
        damaged: The keys of damaged rows of each table, as far as known.
        leases: The leases of this process, by which statements outside of a transaction are
            checked.
    """

    def __init__(
        self,
        executor: Executor,
        has_checkpoints: bool,
        damaged: dict[str, set[str]],
        leases: Leases | None = None,
    ) -> None:
        self.executor = executor
        self.damaged = damaged

        def table(name: str, columns: str, *apart: str, key_length: int = 1) -> Table:
            return Table(
                executor,
                name,
                columns.split(),
                apart=apart,
                key_length=key_length,
                damaged=damaged,
            )

        self.assistants = table(
            "assistants", "assistant_id graph_id name created_at updated_at", "metadata"
        )
        self.assistant_versions = table(
            "assistant_versions", "assistant_id version", "metadata", key_length=2
        )
        self.threads = table(
            "threads",
            "thread_id status created_at updated_at state_updated_at",
            "metadata",
            "interrupts",
            "values",
        )
        self.runs = Runs(
            executor,
            "runs",
            ("run_id", "thread_id", "assistant_id", "status", "created_at"),
            damaged=damaged,
        )
        self.crons = table(
            "crons",
            "cron_id assistant_id thread_id next_run_date created_at updated_at",
            "metadata",
        )
        self.thread_ttls = table("thread_ttls", "thread_id expires_at")
        self.idempotency_keys = table("idempotency_keys", "key created_at")
        self.idempotency_answers = table("idempotency_answers", "key created_at")
        self.run_controls = table("run_controls", "run_id thread_id")
        self.webhook_deliveries = table("webhook_deliveries", "run_id due_at", "body")
        self.events = Events(executor, leases)
        self.protocol_events = ProtocolEventTable(executor, leases)
        self.states = States(executor, has_checkpoints)


class PostgresTransaction(Tables):
    """The same within a transaction; see `protocol.Transaction`.

    Args:
        batch: Executes statements.
        has_checkpoints: Whether langgraph's tables exist.
        damaged: The keys of damaged rows of each table, as far as known.
    """

    def __init__(
        self,
        batch: Batch,
        has_checkpoints: bool,
        damaged: dict[str, set[str]],
    ) -> None:
        super().__init__(batch, has_checkpoints, damaged)
        self._batch = batch
        self._has_checkpoints = has_checkpoints

    async def delete_thread(self, thread_id: str, *, keep_events: bool = False) -> None:
        """Delete a thread with its runs, crons, events and state, at the end of the transaction.

        What the same transaction writes must not be part of the thread.
        """
        values = (thread_id, keep_events, self._has_checkpoints)
        self._batch.require("lc_delete_thread(%s, %s, %s)", values)


class PostgresStorage(Tables):
    """A PostgreSQL database; see `protocol.Storage`. Made by `open_postgres`."""

    def __init__(
        self,
        clock: Clock,
        connections: Connections,
        store: StoreOptions | None,
        listen_url: str | None,
    ) -> None:
        self.connections = connections
        #: The epochs of the leases that this process holds, by thread.
        self.epochs: dict[str, int] = {}
        self.shared = Leases(connections, self.epochs, listen_url)
        rows = ScriptStateTable(connections.blocking, self._epoch_of)
        self.script_states = ScriptStates(rows, clock)
        self.checkpointer, self.store = self._langgraph_parts(clock, store)
        self.shared.has_checkpoint_tables = self.checkpointer is not None
        super().__init__(connections, self.checkpointer is not None, {}, self.shared)
        self.shared.threads = self.threads

    def _epoch_of(self, thread_id: str) -> int | None:
        return epoch_of_run(thread_id, self.epochs)

    def _langgraph_parts(self, clock: Clock, store: StoreOptions | None) -> tuple[Any, Any]:
        """Return checkpointer and store; None each where langgraph's are not installed."""
        try:
            import langgraph.checkpoint.postgres.aio
            import langgraph.store.postgres  # noqa: F401
        except ImportError:
            return None, None
        from langgraph_client.server.storage.postgres.checkpoints import Checkpoints
        from langgraph_client.server.storage.postgres.store import Store

        checkpoints = Checkpoints(self.connections, self.connections.blocking, self._epoch_of)
        return checkpoints, Store(self.connections, self.connections.blocking, clock, store)

    async def set_up(self) -> None:
        """Bring the tables up to date; one process at a time."""
        await migrate(self.connections)
        if self.checkpointer is None:
            return
        async with self.connections.locked_for_changes("langgraph tables"):
            await self.checkpointer.setup()
            try:
                await self.store.setup()
            except psycopg.errors.FeatureNotSupported as error:
                raise StartError(
                    f"the index of the store needs more of PostgreSQL: {error.diag.message_primary}"
                ) from error
            row = await self.connections.row(
                "SELECT 1 FROM pg_attribute WHERE attname = 'written'"
                " AND attrelid = 'checkpoint_writes'::regclass"
            )
            if row is None:  # By its number, a rollback finds a run's writes to older checkpoints.
                await self.connections.execute(
                    "ALTER TABLE checkpoint_writes ADD COLUMN written bigserial"
                )
            await self.connections.execute(REPLACED_WRITES)

    @asynccontextmanager
    async def transaction(self, held: Any = None) -> AsyncIterator[PostgresTransaction]:
        """Commit the writes of a transaction together, or none of them after an exception."""
        async with self.connections.transaction(held) as batch:
            yield self._over(batch)

    def within(self, held: Any) -> PostgresTransaction | PostgresStorage:
        """Return the tables for reads under a lock, on the lock's connection."""
        if held is None:
            return self
        return self._over(held)

    def _over(self, batch: Batch) -> PostgresTransaction:
        has_checkpoints = self.checkpointer is not None
        return PostgresTransaction(batch, has_checkpoints, self.damaged)

    async def delete_thread(self, thread_id: str, *, keep_events: bool = False) -> None:
        """Delete a thread with all that belongs to it, together."""
        async with self.transaction() as transaction:
            await transaction.delete_thread(thread_id, keep_events=keep_events)

    def allow(self, classes: Iterable[type]) -> None:
        """Allow stored checkpoints to create objects of these classes."""
        if self.checkpointer is not None:
            self.checkpointer.allow(classes)

    async def sweep_store(self) -> int:
        """Delete the expired items of the store. Return how many."""
        return 0 if self.store is None else int(await self.store.sweep())

    async def ping(self) -> None:
        """Return if the database answers."""
        await self.connections.row("SELECT 1")

    async def export(self) -> Document:
        """Return all stored data, as tables of JSON, for `restore`."""
        tables: Document = {}
        async with self.connections.transaction() as transaction:
            # All queries see the same data, although others write between them.
            await transaction.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            for (name,) in await transaction.rows(
                "SELECT relname FROM pg_class WHERE relkind = 'r'"
                " AND relnamespace = current_schema()::regnamespace ORDER BY 1"
            ):
                if name in _OWN or name.endswith("_migrations"):
                    continue
                columns = [row[0] for row in await transaction.rows(_COLUMNS, (name,))]
                rows = await transaction.rows(
                    f"SELECT {', '.join(map(_quoted, columns))} FROM {name}"
                )
                if rows:
                    shown = [[_to_json(value) for value in row] for row in rows]
                    tables[name] = {"columns": columns, "rows": shown}
        return tables

    async def restore(self, tables: Mapping[str, Any]) -> None:
        """Replace all stored data.

        Raises:
            ValueError: The dump has a table or a column that this version does not know.
        """
        async with self.connections.transaction() as transaction:
            # A dump names only tables that had rows.
            for name in (*_STORED, *(_OF_LANGGRAPH if self.checkpointer is not None else ())):
                await transaction.execute(f"DELETE FROM {name}")
            for name, table in tables.items():
                kinds: dict[str, str] = dict(await transaction.rows(_COLUMNS, (name,)))
                unknown = [column for column in table["columns"] if column not in kinds]
                if not kinds or unknown:
                    kind, what = ("column", unknown[0]) if kinds else ("table", name)
                    raise ValueError(
                        f"the dump has a {kind} {what!r} that this version does not know"
                    )
                await transaction.execute(f"DELETE FROM {_quoted(name)}")
                columns = ", ".join(map(_quoted, table["columns"]))
                marks = ", ".join(f"%s::{kinds[column]}" for column in table["columns"])
                for row in table["rows"]:
                    await transaction.execute(
                        f"INSERT INTO {_quoted(name)} ({columns}) VALUES ({marks})",
                        [_from_json(value) for value in row],
                    )
            if self.checkpointer is not None:
                await transaction.execute(_CONTINUE_NUMBERS)

    async def close(self) -> None:
        """Close the connections."""
        await self.connections.close()


_COLUMNS = (
    "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
    " WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
)


async def open_postgres(
    url: str,
    *,
    clock: Clock | None = None,
    allow_types: Iterable[type] = (),
    store: StoreOptions | None = None,
    listen_url: str | None = None,
) -> PostgresStorage:
    """Connect to a database, and bring its tables up to date.

    Args:
        url: The URL of the database.
        clock: Gives times; None for the system's clock.
        allow_types: Classes of which checkpoints may create objects.
        store: The options of the key-value store; None for the defaults.
        listen_url: The URL for the connection that receives messages, if `url` leads to a pooler in
            transaction mode; None for `url`.

    Raises:
        DatabaseError: The database cannot be used.
    """
    connections = Connections(url, direct=listen_url is None)
    await connections.open()
    try:
        storage = PostgresStorage(clock or Clock(), connections, store, listen_url)
        try:
            await storage.set_up()
            storage.allow(allow_types)
        except BaseException:
            await storage.close()
            raise
    except BaseException:
        await connections.close()
        raise
    return storage


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _to_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, (dict, list)):
        return json.dumps(value)
    return value if isinstance(value, (str, int, float, type(None))) else str(value)


def _from_json(value: Any) -> Any:
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value
