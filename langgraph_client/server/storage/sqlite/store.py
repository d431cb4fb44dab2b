"""langgraph's key-value store in the server's own SQLite connection: one writer, one file."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from langgraph.store.base import GetOp, Op, PutOp, Result, SearchOp, TTLConfig
from langgraph.store.sqlite import SqliteStore
from langgraph.store.sqlite.base import SqliteIndexConfig

from langgraph_client.server.clock import Clock
from langgraph_client.server.encoding import decode
from langgraph_client.server.errors import Unreadable
from langgraph_client.server.options import StoreOptions
from langgraph_client.server.storage.embeddings import PreparedEmbeddings
from langgraph_client.server.storage.item_filter import as_one_condition
from langgraph_client.server.storage.sqlite.database import Database, translated
from langgraph_client.server.storage.sqlite.item_conditions import (
    install_item_filter,
    item_condition,
)
from langgraph_client.server.storage.sqlite.vectors import install_distance

logger = logging.getLogger("langgraph_client.server")


class _Damaged(dict[str, Any]):
    """Stands for a value that cannot be read."""


class Store(SqliteStore):
    """langgraph's SQLite store, on a connection that is shared with documents and checkpoints.

    The async methods call the blocking ones on the event loop, as those of `Checkpoints` do. Times
    are those of the server's clock. Expired items are never returned. Reading an item starts its
    time to live again, unless the request says otherwise.

    Args:
        database: The database.
        clock: Gives times.
        options: The options of the index and of the times to live.

    Raises:
        StartError: The model for embeddings does not exist.
    """

    def __init__(
        self, database: Database, clock: Clock, options: StoreOptions | None = None
    ) -> None:
        options = options or StoreOptions()
        self._prepared: PreparedEmbeddings | None = None
        index: SqliteIndexConfig | None = None
        if options.index is not None:
            self._prepared = PreparedEmbeddings(options.index)
            index = {  # type: ignore[assignment]  # langgraph's own key, which its type lacks
                "dims": options.index.dims,
                "embed": self._prepared,
                "fields": list(options.index.fields),
                "text_fields": list(options.index.fields),
            }
        ttl = TTLConfig(refresh_on_read=options.refresh_on_read, default_ttl=options.default_ttl)
        super().__init__(database.connection, deserializer=_loaded, index=index, ttl=ttl)
        self._damaged: set[tuple[tuple[str, ...], str]] = set()
        # The lock of all tables of this connection; it is reentrant.
        self.lock = database.lock  # type: ignore[assignment]
        self._database = database
        self._clock = clock
        with translated():
            self.setup()

    def setup(self) -> None:
        """Make the tables."""
        install_item_filter(self.conn)
        # With an index, langgraph's setup loads an extension, which many builds of Python cannot.
        config, self.index_config = self.index_config, None
        super().setup()
        self.index_config = config
        if config is not None:
            install_distance(self.conn)
            for statement in self.VECTOR_MIGRATIONS:
                self.conn.execute(statement)

    @contextmanager
    def _cursor(self, *, transaction: bool = True) -> Iterator[sqlite3.Cursor]:
        guard = self._database.transaction() if transaction else self._database.reading()
        with guard as cursor:
            yield cursor

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Execute operations, all or none."""
        operations = list(ops)
        if self._prepared is None:
            return self._execute(operations)
        texts = self._prepared.texts(operations)
        with self._prepared.prepared(texts, self._prepared.compute(texts)):
            return self._execute(operations)

    def _execute(self, operations: list[Op]) -> list[Result]:
        with self._cursor():
            # langgraph's store would return items whose time is over until they are deleted.
            if self._is_any_over():
                self.sweep()
            self._forget_vectors(operations)
            # langgraph's store takes the time from the system's clock. `_keep_time` writes that
            # of the server's.
            results = super().batch([_without_ttl(op) for op in operations])
            for op, result in _in_effect(operations, results):
                self._keep_time(op, result)
        return results

    def _batch_get_ops(self, get_ops: Any, results: list[Result], cur: sqlite3.Cursor) -> None:
        super()._batch_get_ops(get_ops, results, cur)
        for index, op in get_ops:
            if _is_damaged(results[index]):
                place = "/".join((*op.namespace, op.key))
                detail = f"The item {place} of the store is damaged: it can only be deleted"
                raise Unreadable(f"{detail}, or restored from a backup")

    def _batch_search_ops(
        self, search_ops: Any, results: list[Result], cur: sqlite3.Cursor
    ) -> None:
        super()._batch_search_ops(search_ops, results, cur)
        found = [item for index, _ in search_ops for item in _items(results[index])]
        if damaged := [item for item in found if _is_damaged(item)]:
            for item in damaged:
                self._note_damage(item.namespace, item.key)
            # Once more, without them: so pages stay full.
            super()._batch_search_ops(search_ops, results, cur)

    def _note_damage(self, namespace: tuple[str, ...], key: str) -> None:
        if (namespace, key) not in self._damaged:
            self._damaged.add((namespace, key))
            place = "/".join((*namespace, key))
            logger.error("The item %s of the store is damaged, and is left out", place)

    def _prepare_batch_search_queries(self, search_ops: Any) -> Any:
        # The condition also leaves out damaged items. Without any, it would only take time.
        always = bool(self._damaged)
        searches = [(index, as_one_condition(op, always=always)) for index, op in search_ops]
        queries, embedded = super()._prepare_batch_search_queries(searches)
        return [_all_in_order(sql, params, *rest) for sql, params, *rest in queries], embedded

    def _get_filter_condition(self, key: str, op: str, value: Any) -> tuple[str, list[Any]]:
        return item_condition(value)  # the whole filter: see `as_one_condition`

    def _prepare_batch_PUT_queries(self, put_ops: Any) -> Any:  # noqa: N802  # langgraph's name
        queries, embedded = super()._prepare_batch_PUT_queries(put_ops)
        return [(_in_its_place(sql), params) for sql, params in queries], embedded

    def _keep_time(self, op: Op, result: Any) -> None:
        if isinstance(op, PutOp):
            self._damaged.discard((op.namespace, op.key))
        if isinstance(op, PutOp) and op.value is not None:
            now = self._after(0)
            self.conn.execute(
                "UPDATE store SET created_at = ?, updated_at = ? WHERE prefix = ? AND key = ?",
                (now, now, ".".join(op.namespace), op.key),
            )
            if op.ttl is not None:
                self._give(op.namespace, op.key, op.ttl)
        elif isinstance(op, GetOp) and op.refresh_ttl and result is not None:
            self._refresh(op.namespace, op.key)
        elif isinstance(op, SearchOp) and op.refresh_ttl:
            for item in result or ():
                self._refresh(item.namespace, item.key)

    def _forget_vectors(self, operations: list[Op]) -> None:
        """Delete the embeddings of items that are replaced or deleted, which langgraph's keeps.

        Otherwise, an item that is replaced by one with other fields would be found by its old text.
        """
        if self._prepared is not None:
            self.conn.executemany(
                "DELETE FROM store_vectors WHERE prefix = ? AND key = ?",
                [(".".join(op.namespace), op.key) for op in operations if isinstance(op, PutOp)],
            )

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Execute operations on this thread, once their embeddings are computed."""
        operations = list(ops)
        if self._prepared is None:
            return await self._database.retry_while_busy(lambda: self._execute(operations))
        texts = self._prepared.texts(operations)
        with self._prepared.prepared(texts, await self._prepared.acompute(texts)):
            return await self._database.retry_while_busy(lambda: self._execute(operations))

    def sweep(self) -> int:
        """Delete the items whose time is over. Return how many."""
        with self._cursor() as cursor:
            cursor.execute("DELETE FROM store WHERE expires_at <= ?", (self._after(0),))
            deleted = cursor.rowcount
            if self._prepared is not None and deleted:
                cursor.execute(
                    "DELETE FROM store_vectors WHERE NOT EXISTS (SELECT 1 FROM store"
                    " WHERE store.prefix = store_vectors.prefix AND store.key = store_vectors.key)"
                )
            return deleted

    def _is_any_over(self) -> bool:
        query = "SELECT 1 FROM store WHERE expires_at <= ? LIMIT 1"  # by an index
        return self.conn.execute(query, (self._after(0),)).fetchone() is not None

    def _give(self, namespace: tuple[str, ...], key: str, minutes: float) -> None:
        self.conn.execute(
            "UPDATE store SET ttl_minutes = ?, expires_at = ? WHERE prefix = ? AND key = ?",
            (minutes, self._after(minutes), ".".join(namespace), key),
        )

    def _refresh(self, namespace: tuple[str, ...], key: str) -> None:
        row = self.conn.execute(
            "SELECT ttl_minutes FROM store"
            " WHERE prefix = ? AND key = ? AND ttl_minutes IS NOT NULL",
            (".".join(namespace), key),
        ).fetchone()
        if row:
            self._give(namespace, key, row[0])

    def _after(self, minutes: float) -> str:
        end = self._clock.now() + timedelta(minutes=minutes)
        return end.isoformat(" ", timespec="microseconds")


def _loaded(text: Any) -> dict[str, Any]:
    try:
        value = decode(text)
    except ValueError:
        return _Damaged()
    return value if isinstance(value, dict) else _Damaged()


def _is_damaged(item: Any) -> bool:
    return item is not None and isinstance(item.value, _Damaged)


def _items(result: Any) -> list[Any]:
    return result or []


def _without_ttl(op: Op) -> Op:
    if isinstance(op, PutOp):
        return op._replace(ttl=None)
    if isinstance(op, (GetOp, SearchOp)):
        return op._replace(refresh_ttl=False)
    return op


def _in_effect(ops: list[Op], results: list[Result]) -> Iterator[tuple[Op, Result]]:
    """Yield operations with their results, without the writes that a later one replaces."""
    last = {(op.namespace, op.key): op for op in ops if isinstance(op, PutOp)}
    for op, result in zip(ops, results, strict=True):
        if not isinstance(op, PutOp) or last[op.namespace, op.key] is op:
            yield op, result


def _all_in_order(sql: str, params: list[Any], *rest: Any) -> tuple[Any, ...]:
    """Return a query of langgraph's store that lists all items, in the protocol's order."""
    if "scored" in sql:
        # Its first limit counts embeddings, of which an item may have several, and forgets the
        # offset. The distance is computed for all of them in any case.
        *before, _, limit, offset = params
        return (sql, [*before, -1, limit, offset], *rest)
    return (sql.replace(" ORDER BY updated_at DESC", " ORDER BY rowid"), params, *rest)


def _in_its_place(sql: str) -> str:
    """Return a query for writing that keeps the place of an item that is there already.

    A page of a search would otherwise miss items when one of an earlier page is written again.
    """
    head = "INSERT OR REPLACE INTO store ("
    if head not in sql:
        return sql
    columns = ("value", "created_at", "updated_at", "expires_at", "ttl_minutes")
    changes = ", ".join(f"{column} = excluded.{column}" for column in columns)
    update = f" ON CONFLICT (prefix, key) DO UPDATE SET {changes}"
    return sql.replace(head, "INSERT INTO store (") + update
