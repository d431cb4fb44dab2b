"""langgraph's key-value store over the server's own connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Self

from langgraph.store.base import BaseStore, Item, Op, PutOp, Result, SearchOp
from langgraph.store.postgres import AsyncPostgresStore, PostgresStore
from psycopg import AsyncCursor, Cursor
from psycopg.pq import Format
from psycopg.rows import DictRow, dict_row

from langgraph_client.server.clock import Clock
from langgraph_client.server.options import StoreIndex, StoreOptions
from langgraph_client.server.storage.embeddings import PreparedEmbeddings
from langgraph_client.server.storage.item_filter import as_one_condition
from langgraph_client.server.storage.postgres.connections import Connections, translated
from langgraph_client.server.storage.postgres.item_conditions import item_condition
from langgraph_client.server.storage.postgres.pools import BlockingPool


def _timed(query: Any, clock: Clock) -> Any:
    """Return a query that takes the time from the server's clock, if that is not the system's."""
    if type(clock) is Clock:
        return query
    now = f"'{clock.now().isoformat()}'::timestamptz"
    text = query if isinstance(query, str) else query.decode()
    return text.replace("NOW()", now).replace("CURRENT_TIMESTAMP", now)


def _index_config(index: StoreIndex, embeddings: PreparedEmbeddings) -> Any:
    """Return the configuration of semantic search in the form of langgraph's store."""
    config: dict[str, Any] = {"dims": index.dims, "embed": embeddings}
    if index.fields:
        config["fields"] = [*index.fields]
    return config


def _all_in_order(queries: Any, search_ops: Sequence[tuple[int, SearchOp]]) -> Any:
    """Return queries of langgraph's store for whole pages, in the protocol's order."""
    searches, embedded = queries
    newest = "ORDER BY store.updated_at DESC"
    # All items of a batch have one time. With both parts of the key the order is always the same,
    # so that pages neither skip nor repeat items.
    oldest = "ORDER BY store.created_at, store.key, store.prefix"
    changed = []
    for (sql, params, *rest), (_, op) in zip(searches, search_ops, strict=True):
        if "neg_score" in sql:
            # The first limit counts embeddings, of which an item may have several. langgraph
            # computes it from the length of a page, and forgets the pages before.
            *before, inner, limit, offset = params
            per_item = inner // max(op.limit, 1) + 1
            params = [*before, inner + op.offset * per_item, limit, offset]
        changed.append((sql.replace(newest, oldest), params, *rest))
    return changed, embedded


def _one_condition(search_ops: Any) -> list[tuple[int, SearchOp]]:
    return [(index, as_one_condition(op)) for index, op in search_ops]


def _without_old_vectors(queries: Any, put_ops: Sequence[tuple[int, PutOp]]) -> Any:
    # If an item is written again without an indexed field, langgraph's store keeps the field's
    # embedding, and would find the item by its old text.
    written, embedded = queries
    prefixes = [".".join(op.namespace) for _, op in put_ops]
    items = (prefixes, [op.key for _, op in put_ops])
    forget = (
        "DELETE FROM store_vectors"
        " WHERE (prefix, key) IN (SELECT * FROM unnest(%s::text[], %s::text[]))"
    )
    return [(forget, items), *written], embedded


def _as_written(results: list[Result]) -> list[Result]:
    """Return results with items that were created when they were last written.

    So it is on the real server. The column keeps the first time, which orders the pages.
    """
    for result in results:
        for item in result if isinstance(result, list) else [result]:
            if isinstance(item, Item):
                item.created_at = item.updated_at
    return results


class _Cursor(Cursor[DictRow]):
    clock: Clock

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        return super().execute(_timed(query, self.clock), params, **options)


class _AsyncCursor(AsyncCursor[DictRow]):
    clock: Clock

    async def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        return await super().execute(_timed(query, self.clock), params, **options)


class BlockingStore(PostgresStore):
    """The blocking half, for plain nodes."""

    def __init__(self, pool: BlockingPool, clock: Clock, index: Any, ttl: Any) -> None:
        super().__init__(None, index=index, ttl=ttl)  # type: ignore[arg-type]
        self._pool = pool
        self._clock = clock

    @contextmanager
    def _cursor(self, *, pipeline: bool = False) -> Iterator[Cursor[DictRow]]:
        with (
            translated(),
            self._pool.connection() as connection,
            connection.transaction(),
            _Cursor(connection, row_factory=dict_row) as cursor,
        ):
            cursor.format = Format.BINARY
            cursor.clock = self._clock
            yield cursor

    def _prepare_batch_search_queries(self, search_ops: Any) -> Any:
        searches = _one_condition(search_ops)
        return _all_in_order(super()._prepare_batch_search_queries(searches), searches)

    def _get_filter_condition(self, key: str, op: str, value: Any) -> tuple[str, list[Any]]:
        return item_condition(value)  # the whole filter: see `as_one_condition`

    def _prepare_batch_PUT_queries(  # noqa: N802  # langgraph's name
        self, put_ops: Sequence[tuple[int, PutOp]]
    ) -> Any:
        queries = super()._prepare_batch_PUT_queries(put_ops)
        return _without_old_vectors(queries, put_ops) if self.index_config else queries


class AwaitedStore(AsyncPostgresStore):
    """The async half."""

    def __init__(self, connections: Connections, clock: Clock, index: Any, ttl: Any) -> None:
        super().__init__(None, index=index, ttl=ttl)  # type: ignore[arg-type]
        self._connections = connections
        self._clock = clock

    @asynccontextmanager
    async def _cursor(self, *, pipeline: bool = False) -> AsyncIterator[AsyncCursor[DictRow]]:
        with translated():
            async with (
                self._connections.pool.connection() as connection,
                connection.transaction(),  # The operations of a batch belong together.
                _AsyncCursor(connection, row_factory=dict_row) as cursor,
            ):
                cursor.format = Format.BINARY
                cursor.clock = self._clock
                yield cursor

    def _prepare_batch_search_queries(self, search_ops: Any) -> Any:
        searches = _one_condition(search_ops)
        return _all_in_order(super()._prepare_batch_search_queries(searches), searches)

    def _get_filter_condition(self, key: str, op: str, value: Any) -> tuple[str, list[Any]]:
        return item_condition(value)  # the whole filter: see `as_one_condition`

    def _prepare_batch_PUT_queries(  # noqa: N802  # langgraph's name
        self, put_ops: Sequence[tuple[int, PutOp]]
    ) -> Any:
        queries = super()._prepare_batch_PUT_queries(put_ops)
        return _without_old_vectors(queries, put_ops) if self.index_config else queries


class Store(BaseStore):
    """langgraph's store. Expired items are never returned. Create it on the server's loop.

    Args:
        connections: The connections of this process.
        blocking: Connections for nodes that call the blocking methods.
        clock: Gives times in tests; otherwise PostgreSQL's own clock is used.
        options: The store's options; None for the defaults. Semantic search needs the extension
            pgvector.
    """

    supports_ttl = True

    def __init__(
        self,
        connections: Connections,
        blocking: BlockingPool,
        clock: Clock,
        options: StoreOptions | None,
    ) -> None:
        options = options or StoreOptions()
        self._prepared: PreparedEmbeddings | None = None
        index = None
        if options.index is not None:
            self._prepared = PreparedEmbeddings(options.index)
            index = _index_config(options.index, self._prepared)
        #: The defaults, where methods of langgraph's base class look for them.
        self.ttl_config: Any = {
            "omit_expired": True,
            "refresh_on_read": options.refresh_on_read,
            "default_ttl": options.default_ttl,
        }
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._index = index
        self._awaited = AwaitedStore(connections, clock, index, self.ttl_config)
        self._blocking = BlockingStore(blocking, clock, index, self.ttl_config)

    async def setup(self) -> None:
        """Create the tables. Not in a transaction, because some statements cannot be in one."""
        with translated():
            async with self._connections.pool.connection() as connection:
                store = AsyncPostgresStore(connection, index=self._index)  # type: ignore[arg-type]
                await store.setup()

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Blocking twin of `abatch`."""
        if self._prepared is None:
            return _as_written(self._blocking.batch(ops))
        operations = list(ops)
        texts = self._prepared.texts(operations)
        with self._prepared.prepared(texts, self._prepared.compute(texts)):
            return _as_written(self._blocking.batch(operations))

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Execute operations together."""
        if asyncio.get_running_loop() is not self._loop:
            # A blocking node has a loop of its own (`asyncio.run`). The connections of the async
            # half belong to the server's.
            return await asyncio.to_thread(self.batch, ops)
        if self._prepared is None:
            return _as_written(await self._awaited.abatch(ops))
        operations = list(ops)
        texts = self._prepared.texts(operations)
        with self._prepared.prepared(texts, await self._prepared.acompute(texts)):
            return _as_written(await self._awaited.abatch(operations))

    async def sweep(self) -> int:
        """Delete the expired items. Return how many."""
        return await self._awaited.sweep_ttl()
