"""langgraph's checkpoints in PostgreSQL, in the tables of `langgraph-checkpoint-postgres`.

The rows are those of the library's savers, so both can read each other's. Two things differ. Each
write is one statement, which also checks that this process still holds the thread's lease. And no
work is passed to worker threads: they belong to the nodes of graphs, which may occupy all of them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeAlias

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_id,
)
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg import AsyncCursor, Cursor
from psycopg.rows import DictRow, dict_row

from langgraph_client.server.storage.checkpoint_configs import (
    config_of,
    full_metadata,
    ids_in,
    metadata_json,
)
from langgraph_client.server.storage.postgres.connections import Connections, translated
from langgraph_client.server.storage.postgres.fences import check_fence, fence_of
from langgraph_client.server.storage.postgres.pools import BlockingPool
from langgraph_client.server.storage.postgres.schema import WRITE
from langgraph_client.server.storage.serializer import names_of, serializer

_Values: TypeAlias = list[object]
_PAGE = 20
"""How many checkpoints are decoded before other tasks may run."""
_INLINE = (str, int, float, bool, type(None))


class Checkpoints(AsyncPostgresSaver):
    """A checkpoint saver over the server's own connections.

    Args:
        connections: The connections of this process.
        blocking: Connections for graphs that call the blocking methods.
        epoch_of: Returns the epoch of this process's lease of a thread; None if it has none.
    """

    def __init__(
        self,
        connections: Connections,
        blocking: BlockingPool,
        epoch_of: Callable[[str], int | None],
    ) -> None:
        # The library's own connection is never used: every statement goes through `_cursor`.
        super().__init__(None, serde=serializer(strict=True))  # type: ignore[arg-type]
        self._connections = connections
        self._blocking = blocking
        self._epoch_of = epoch_of
        self._allowed: set[tuple[str, str]] = set()

    def allow(self, classes: Iterable[type]) -> None:
        """Allow stored values to create objects of these classes."""
        added = names_of(classes) - self._allowed
        if added:  # Mostly none: each use of a factory allows the classes of its graph.
            self._allowed |= added
            self.serde = serializer(strict=True).with_msgpack_allowlist(self._allowed)

    @asynccontextmanager
    async def _cursor(self, *, pipeline: bool = False) -> AsyncIterator[AsyncCursor[DictRow]]:
        # The library's own method takes a lock for all threads, so that a pool would be useless.
        with translated():
            async with (
                self._connections.pool.connection() as connection,
                connection.cursor(binary=True, row_factory=dict_row) as cursor,
            ):
                if pipeline:
                    async with connection.transaction():
                        yield cursor
                else:
                    yield cursor

    async def setup(self) -> None:
        """Make the tables."""
        with translated():
            async with self._connections.pool.connection() as connection:
                await AsyncPostgresSaver(connection).setup()  # type: ignore[arg-type]

    # Reading.

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return one checkpoint: the one that the config names, or the latest of the thread."""
        statement, values = self._one(config)
        async with self._cursor() as cursor:
            await cursor.execute(statement, values, binary=True)
            row = await cursor.fetchone()
        return None if row is None else self._named(self._tuple(row), config)

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Blocking twin of `aget_tuple`."""
        statement, values = self._one(config)
        rows = self._blocking_rows(statement, values)
        return self._named(self._tuple(rows[0]), config) if rows else None

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """List checkpoints, newest first. Other tasks may run between the items."""
        statement, values = self._many(config, filter, before, limit)
        # All rows first: the caller may take any time between the items, and would keep the
        # connection.
        rows: list[DictRow] = []
        async with self._cursor() as cursor:
            await cursor.execute(statement, values, binary=True)
            while page := await cursor.fetchmany(_PAGE):
                rows += page
                await asyncio.sleep(0)
        for row in rows:
            yield self._tuple(row)
            await asyncio.sleep(0)

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """List checkpoints, newest first, from a thread or in place."""
        statement, values = self._many(config, filter, before, limit)
        for row in self._blocking_rows(statement, values):
            yield self._tuple(row)

    def _one(self, config: RunnableConfig) -> tuple[bytes, _Values]:
        place = ids_in(config)
        key = [str(place["thread_id"]), place.get("checkpoint_ns", "")]
        where = "WHERE thread_id = %s AND checkpoint_ns = %s"
        if checkpoint_id := get_checkpoint_id(config):
            return f"{self.SELECT_SQL}{where} AND checkpoint_id = %s".encode(), [
                *key,
                checkpoint_id,
            ]
        return f"{self.SELECT_SQL}{where} ORDER BY checkpoint_id DESC LIMIT 1".encode(), key

    def _many(
        self,
        config: RunnableConfig | None,
        filter: dict[str, Any] | None,
        before: RunnableConfig | None,
        limit: int | None,
    ) -> tuple[bytes, _Values]:
        where, values = self._search_where(config, filter, before)
        statement = f"{self.SELECT_SQL}{where} ORDER BY checkpoint_id DESC"
        if limit is not None:
            return f"{statement} LIMIT %s".encode(), [*values, limit]
        return statement.encode(), [*values]

    def _named(self, found: CheckpointTuple, config: RunnableConfig) -> CheckpointTuple:
        # A config that names a checkpoint comes back as it is: the protocol shows whether the
        # request had a namespace.
        return found._replace(config=config) if get_checkpoint_id(config) else found

    def _tuple(self, row: Mapping[str, Any]) -> CheckpointTuple:
        checkpoint: Any = {
            **row["checkpoint"],
            "channel_values": {
                **(row["checkpoint"].get("channel_values") or {}),
                **self._load_blobs(row["channel_values"]),
            },
        }
        place = (row["thread_id"], row["checkpoint_ns"])
        parent = row["parent_checkpoint_id"]
        return CheckpointTuple(
            config_of(*place, row["checkpoint_id"]),
            checkpoint,
            row["metadata"],
            config_of(*place, parent) if parent else None,
            self._load_writes(row["pending_writes"]),
        )

    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, Any]:
        """Return the writes to channels, in a blocking call."""
        saver = _BlockingReader(self._blocking, self.serde)
        return saver.get_delta_channel_history(config=config, channels=channels)

    def _blocking_rows(self, statement: bytes, values: Sequence[Any]) -> Sequence[DictRow]:
        with (
            translated(),
            self._blocking.connection() as connection,
            connection.cursor(binary=True, row_factory=dict_row) as cursor,
        ):
            cursor.execute(statement, values, binary=True)
            return cursor.fetchall()

    # Writing.

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Write a checkpoint, and the channels that have a new version. Return its config."""
        statement, values = self._put(config, checkpoint, metadata, new_versions)
        written = await self._connections.execute(statement, values)
        return self._put_result(config, checkpoint, written)

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Blocking twin of `aput`."""
        statement, values = self._put(config, checkpoint, metadata, new_versions)
        written = self._blocking_write(statement, values)
        return self._put_result(config, checkpoint, written)

    def _put_result(
        self, config: RunnableConfig, checkpoint: Checkpoint, written: int
    ) -> RunnableConfig:
        ids = ids_in(config)
        thread_id = str(ids["thread_id"])
        check_fence(written, thread_id)
        return config_of(thread_id, ids.get("checkpoint_ns", ""), checkpoint["id"])

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Store the writes of a task, as pending writes of a checkpoint."""
        # The number of rows is not checked: with ON CONFLICT DO NOTHING, zero is normal. A process
        # that has lost the lease notices it at the next checkpoint.
        if writes:
            statement, values = self._put_writes(config, writes, task_id, task_path)
            await self._connections.execute(statement, values)

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Blocking twin of `aput_writes`."""
        if writes:
            statement, values = self._put_writes(config, writes, task_id, task_path)
            self._blocking_write(statement, values)

    def _blocking_write(self, statement: str, values: Sequence[Any]) -> int:
        with translated(), self._blocking.connection() as connection:
            return int(connection.execute(statement.encode(), values).rowcount)

    def _put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> tuple[str, _Values]:
        place = ids_in(config)
        thread_id, namespace = str(place["thread_id"]), place.get("checkpoint_ns", "")
        inline, blobs = _divided(checkpoint["channel_values"])
        rows = [
            (name, str(version), *self.serde.dumps_typed(blobs[name]))
            for name, version in new_versions.items()
            if name in blobs
        ]
        all_metadata = full_metadata(config, metadata)
        fence, values = fence_of(thread_id, self._epoch_of(thread_id))
        statement = (
            f"WITH {fence}, blobs AS (INSERT INTO checkpoint_blobs"
            " (thread_id, checkpoint_ns, channel, version, type, blob)"
            " SELECT %s, %s, a.* FROM fence,"
            " unnest(%s::text[], %s::text[], %s::text[], %s::bytea[]) AS a"
            " ON CONFLICT (thread_id, checkpoint_ns, channel, version) DO NOTHING)"
            " INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id,"
            " parent_checkpoint_id, checkpoint, metadata)"
            " SELECT %s, %s, %s, %s, %s::jsonb, lc_jsonb(%s) FROM fence"
            " ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id) DO UPDATE SET"
            " checkpoint = excluded.checkpoint, metadata = excluded.metadata"
        )
        values += [thread_id, namespace, *([row[i] for row in rows] for i in range(4))]
        values += [thread_id, namespace, checkpoint["id"], place.get("checkpoint_id")]
        values += [
            json.dumps({**checkpoint, "channel_values": inline}),
            metadata_json(all_metadata),
        ]
        return statement, values

    def _put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str,
    ) -> tuple[str, _Values]:
        place = ids_in(config)
        thread_id, namespace = str(place["thread_id"]), place.get("checkpoint_ns", "")
        # If several writes have the same number, the last one counts, as in single statements.
        rows = {
            WRITES_IDX_MAP.get(channel, index): (channel, *self.serde.dumps_typed(value))
            for index, (channel, value) in enumerate(writes)
        }
        replace = all(channel in WRITES_IDX_MAP for channel, _ in writes)
        conflict = (
            "UPDATE SET channel = excluded.channel, type = excluded.type, blob = excluded.blob,"
            " written = excluded.written"
            if replace
            else "NOTHING"
        )
        fence, values = fence_of(thread_id, self._epoch_of(thread_id))
        key = [thread_id, namespace, place["checkpoint_id"], task_id]
        keep = ""
        if replace:  # The earlier rows are kept apart: a rollback restores them.
            keep = (
                f", kept AS (INSERT INTO replaced_writes ({WRITE}) SELECT {WRITE}"
                " FROM checkpoint_writes, fence WHERE thread_id = %s AND checkpoint_ns = %s"
                " AND checkpoint_id = %s AND task_id = %s AND idx = ANY(%s::integer[])"
                " ON CONFLICT DO NOTHING)"
            )
            values += [*key, list_of(rows)]
        statement = (
            f"WITH {fence}{keep} INSERT INTO checkpoint_writes (thread_id, checkpoint_ns,"
            " checkpoint_id, task_id, task_path, idx, channel, type, blob)"
            " SELECT %s, %s, %s, %s, %s, a.* FROM fence,"
            " unnest(%s::integer[], %s::text[], %s::text[], %s::bytea[]) AS a"
            " ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)"
            f" DO {conflict}"
        )
        values += [*key, task_path, list_of(rows)]
        values += [[row[i] for row in rows.values()] for i in range(3)]
        return statement, values


class _BlockingReader(PostgresSaver):
    """The library's blocking saver, over connections of the server."""

    def __init__(self, blocking: BlockingPool, serde: Any) -> None:
        super().__init__(None, serde=serde)  # type: ignore[arg-type]
        self._pool = blocking

    @contextmanager
    def _cursor(self, *, pipeline: bool = False) -> Iterator[Cursor[DictRow]]:
        with (
            translated(),
            self._pool.connection() as connection,
            connection.cursor(binary=True, row_factory=dict_row) as cursor,
        ):
            yield cursor


def list_of(rows: Mapping[int, Any]) -> Sequence[int]:
    """Return the keys. This is a function because within a saver, `list` is a method."""
    return [*rows]


def _divided(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Divide values into those stored in the checkpoint, as JSON, and those stored in rows."""
    from langgraph.checkpoint.serde.types import _DeltaSnapshot

    inline: dict[str, Any] = {}
    blobs: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, _DeltaSnapshot):
            blobs[name], inline[name] = value, True
        elif type(value) in _INLINE and _is_plain(value):
            inline[name] = value
        else:
            blobs[name] = value
    return inline, blobs


def _is_plain(value: Any) -> bool:
    """Return whether jsonb returns a value unchanged."""
    if isinstance(value, str):
        return "\x00" not in value and value.isprintable()
    # jsonb returns 1e16 as an integer, and has no NaN.
    return not isinstance(value, float)
