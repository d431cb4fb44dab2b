"""Checkpoints in the server's own SQLite connection: one writer, one file.

The async methods call the blocking ones in place. A statement takes some tens of microseconds;
handing it to a thread would take longer and could meet another writer.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    EXCLUDED_METADATA_KEYS,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver

_TABLES = ("checkpoints", "writes")


class Checkpoints(SqliteSaver):
    """langgraph's SQLite saver, on a connection that is shared with the documents.

    Nothing is pickled: what msgpack cannot hold makes the run fail, by name.

    Args:
        connection: The shared connection.
        lock: The one that guards it.
        strict: Make only the classes that are allowed out of what is stored: langgraph's and
            langchain's own, and those given to `allow`. For a file, which somebody else may have
            written to; what is not allowed comes back as the plain data it was stored as.
    """

    def __init__(self, connection: sqlite3.Connection, lock: Any, *, strict: bool) -> None:
        self._strict = strict
        known: Literal[True] | None = None if strict else True
        self._serde = JsonPlusSerializer(pickle_fallback=False, allowed_msgpack_modules=known)
        super().__init__(connection, serde=self._serde)
        # Reentrant, and the one that guards the documents' transactions: a node in a worker
        # thread may read a checkpoint while the loop writes a document.
        self.lock: threading.RLock = lock  # type: ignore[assignment]
        self.setup()
        connection.execute(
            "CREATE INDEX IF NOT EXISTS checkpoints_by_run ON checkpoints"
            " (thread_id, json_extract(CAST(metadata AS TEXT), '$.run_id'))"
        )

    def allow(self, classes: Iterable[type]) -> None:
        """Allow classes to be made out of what is stored."""
        if self._strict:
            self.serde = self._serde = self._serde.with_msgpack_allowlist(classes)

    @contextmanager
    def cursor(self, transaction: bool = True) -> Iterator[sqlite3.Cursor]:
        """Give a cursor; with `transaction` what it writes is committed together."""
        with self.lock:
            cursor = self.conn.cursor()
            outermost = transaction and not self.conn.in_transaction
            if outermost:
                cursor.execute("BEGIN IMMEDIATE")
            try:
                yield cursor
            except BaseException:
                if outermost:
                    self.conn.rollback()
                raise
            else:
                if outermost:
                    self.conn.commit()
            finally:
                cursor.close()

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return one checkpoint, in place."""
        return self.get_tuple(config)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """List checkpoints, newest first. The lock is not held between the items."""
        for item in list(self.list(config, filter=filter, before=before, limit=limit)):
            yield item

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Write a checkpoint, in place."""
        # langgraph leaves out of a checkpoint's metadata where the run that made it began and in
        # which task of its parent; the protocol shows both.
        said: dict[str, Any] = config.get("metadata") or {}
        placed = {key: said[key] for key in EXCLUDED_METADATA_KEYS if said.get(key)}
        where: dict[str, Any] = config.get("configurable") or {}
        if where.get("checkpoint_ns") and where.get("checkpoint_map"):
            placed["checkpoint_map"] = where["checkpoint_map"]
        shown: Any = {**placed, **metadata}
        return self.put(config, checkpoint, shown, new_versions)

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Write what a task wrote, in place."""
        self.put_writes(config, writes, task_id, task_path)

    async def adelete_thread(self, thread_id: str) -> None:
        """Delete a thread's checkpoints, in place."""
        self.delete_thread(thread_id)

    def has(self, thread_id: str) -> bool:
        """Whether a thread has any checkpoint."""
        with self.cursor(transaction=False) as cursor:
            cursor.execute("SELECT 1 FROM checkpoints WHERE thread_id = ? LIMIT 1", (thread_id,))
            return cursor.fetchone() is not None

    def mark(self) -> int:
        """Return a mark behind all writes made so far, for `delete_run`."""
        with self.cursor(transaction=False) as cursor:
            cursor.execute("SELECT COALESCE(MAX(rowid), 0) FROM writes")
            return int(cursor.fetchone()[0])

    def delete_run(self, thread_id: str, run_id: str, mark: int | None = None) -> None:
        """Delete what a run left: its checkpoints and their writes.

        Args:
            thread_id: The run's thread.
            run_id: The run.
            mark: Also delete what was written to older checkpoints after this mark, such as the
                answer to an interrupt.
        """
        with self.cursor() as cursor:
            cursor.execute(
                "SELECT checkpoint_ns, checkpoint_id FROM checkpoints WHERE thread_id = ?"
                " AND json_extract(CAST(metadata AS TEXT), '$.run_id') = ?",
                (thread_id, run_id),
            )
            keys = [(thread_id, *row) for row in cursor.fetchall()]
            for table in _TABLES:
                cursor.executemany(
                    f"DELETE FROM {table}"
                    " WHERE thread_id = ? AND checkpoint_ns = ? AND checkpoint_id = ?",
                    keys,
                )
            if mark is not None:
                cursor.execute(
                    "DELETE FROM writes WHERE thread_id = ? AND rowid > ?", (thread_id, mark)
                )

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy all checkpoints and writes of a thread; their ids stay."""
        with self.cursor() as cursor:
            cursor.execute(
                "INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id,"
                " parent_checkpoint_id, type, checkpoint, metadata)"
                " SELECT ?, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint,"
                " CAST(json_set(CAST(metadata AS TEXT), '$.thread_id', ?) AS BLOB)"
                " FROM checkpoints WHERE thread_id = ?",
                (target_thread_id, target_thread_id, source_thread_id),
            )
            cursor.execute(
                "INSERT INTO writes (thread_id, checkpoint_ns, checkpoint_id, task_id, task_path,"
                " idx, channel, type, value)"
                " SELECT ?, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type,"
                " value FROM writes WHERE thread_id = ?",
                (target_thread_id, source_thread_id),
            )

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy a thread's checkpoints, in place."""
        self.copy_thread(source_thread_id, target_thread_id)

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Delete checkpoints of threads.

        Args:
            thread_ids: The threads.
            strategy: `delete` for all of them, `keep_latest` for all but the newest of each
                namespace.
        """
        for thread_id in thread_ids:
            if strategy == "delete":
                self.delete_thread(thread_id)
                continue
            with self.cursor() as cursor:
                for table in _TABLES:
                    cursor.execute(
                        f"DELETE FROM {table} WHERE thread_id = ? AND checkpoint_id <"
                        " (SELECT MAX(c.checkpoint_id) FROM checkpoints c"
                        f" WHERE c.thread_id = {table}.thread_id"
                        f" AND c.checkpoint_ns = {table}.checkpoint_ns)",
                        (thread_id,),
                    )
