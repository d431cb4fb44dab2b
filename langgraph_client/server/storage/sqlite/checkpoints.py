"""langgraph's checkpoints in the server's own SQLite connection: one writer, one file.

The async methods call the blocking ones on the event loop. A statement takes some tens of
microseconds; to pass it to a thread would take longer, and could conflict with another writer.

A checkpoint's row does not contain the values of its channels. Each version of a value has its own
row, because most channels do not change from step to step. Large parts of values are stored once
per thread (`value_parts`).
"""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_id,
)

from langgraph_client.models.fields import JsonObject
from langgraph_client.server.storage.checkpoint_configs import (
    config_of,
    full_metadata,
    ids_in,
    metadata_json,
)
from langgraph_client.server.storage.serializer import names_of, serializer
from langgraph_client.server.storage.sqlite.checkpoint_tables import (
    CheckpointRow,
    CheckpointTables,
    Sizes,
    WriteRow,
)
from langgraph_client.server.storage.sqlite.database import Database
from langgraph_client.server.storage.sqlite.value_parts import Packed, pack, unpack

# Not the global generator of `random`: a node that seeds it expects the same numbers each time.
_RANDOM = random.SystemRandom()


class Checkpoints(BaseCheckpointSaver[str]):
    """A checkpoint saver on a connection that is shared with the documents.

    Nothing is pickled. A value that MessagePack cannot encode makes the run fail, with its name.

    Args:
        database: The shared connection.
        strict: Whether to create only objects of allowed classes from stored values: of langgraph,
            langchain, and those passed to `allow`. It is for a file, which others may have changed.
            Objects of other classes are returned as the plain data that was stored.
    """

    def __init__(self, database: Database, *, strict: bool) -> None:
        self._strict = strict
        self._allowed: set[tuple[str, str]] = set()
        super().__init__(serde=serializer(strict=strict))
        self._tables = CheckpointTables(database)
        self._database = database

    def allow(self, classes: Iterable[type]) -> None:
        """Allow objects of these classes to be created from stored values."""
        added = names_of(classes) - self._allowed
        if added:  # Mostly none: each use of a factory allows the classes of its graph.
            self._allowed |= added
            self._renew_serializer()

    def distrust(self) -> None:
        """Be strict from now on, because stored values were written outside of this process."""
        self._strict = True
        self._renew_serializer()

    def _renew_serializer(self) -> None:
        self.serde = serializer(strict=self._strict).with_msgpack_allowlist(self._allowed)

    # Reading.

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return one checkpoint: the one that the config names, or the latest of the thread."""
        where = ids_in(config)
        thread_id, namespace = str(where["thread_id"]), where.get("checkpoint_ns", "")
        # Together, or another thread could delete the checkpoint between the reads.
        with self._database.reading():
            row = self._tables.checkpoint(thread_id, namespace, get_checkpoint_id(config))
            if row is None:
                return None
            result = self._tuple(row, {})
        # As in langgraph's own savers, a config with a checkpoint is returned unchanged. The
        # protocol's reply shows whether the request had a namespace.
        return result._replace(config=config) if get_checkpoint_id(config) else result

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, object] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """List checkpoints, newest first.

        Args:
            config: The thread, and optionally a namespace and a checkpoint; None for all threads.
            filter: What the metadata must contain.
            before: Only checkpoints that are older than this one.
            limit: How many, at most.
        """
        where = ids_in(config) if config is not None else {}
        rows = self._tables.checkpoints(
            thread_id=str(where["thread_id"]) if where else None,
            namespace=where.get("checkpoint_ns"),
            checkpoint_id=get_checkpoint_id(config) if config is not None else None,
            before=get_checkpoint_id(before) if before is not None else None,
            contains=filter or {},
            limit=limit,
        )
        known: dict[bytes, tuple[str, bytes]] = {}
        for row in rows:
            # Between the items, others may delete checkpoints, but not within one.
            with self._database.reading():
                if not self._tables.checkpoint(row.thread_id, row.namespace, row.checkpoint_id):
                    continue
                item = self._tuple(row, known)
            yield item

    def _tuple(self, row: CheckpointRow, known: dict[bytes, tuple[str, bytes]]) -> CheckpointTuple:
        """Return a checkpoint with its values and writes, under the lock.

        Args:
            row: The checkpoint, which was read under the same lock.
            known: The parts that were read before. New ones are added, for the next checkpoint.
        """

        def find(digests: list[bytes]) -> list[tuple[str, bytes]]:
            missing = [digest for digest in digests if digest not in known]
            known.update(self._tables.parts(row.thread_id, missing))
            return [known[digest] for digest in digests]

        stored = self._tables.channels(row.thread_id, row.namespace, row.versions)
        values = {channel: unpack(form, data, self.serde, find) for channel, form, data in stored}
        writes = [
            (write.task_id, write.channel, unpack(write.type, write.value, self.serde, find))
            for write in self._tables.writes(row.thread_id, row.namespace, row.checkpoint_id)
        ]
        checkpoint = self.serde.loads_typed((row.type, row.checkpoint))
        checkpoint.update(channel_versions=json.loads(row.versions), channel_values=values)
        parent = row.parent_checkpoint_id
        return CheckpointTuple(
            config_of(row.thread_id, row.namespace, row.checkpoint_id),
            checkpoint,
            json.loads(row.metadata),
            config_of(row.thread_id, row.namespace, parent) if parent else None,
            writes,
        )

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return one checkpoint, in place."""
        return self.get_tuple(config)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, object] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """List checkpoints, newest first.

        The lock is not held between the items, and other tasks may run there.
        """
        for item in self.list(config, filter=filter, before=before, limit=limit):
            yield item
            await self._database.pause()

    # Writing.

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Write a checkpoint, and the channels that have a new version. Return its config."""
        where = ids_in(config)
        thread_id, namespace = str(where["thread_id"]), where.get("checkpoint_ns", "")
        rest: JsonObject = dict(checkpoint)
        values, versions = rest.pop("channel_values"), rest.pop("channel_versions")
        channels = [
            (channel, version, pack(values[channel], self.serde))
            for channel, version in new_versions.items()
            if channel in values
        ]
        all_metadata = full_metadata(config, metadata)
        row = CheckpointRow(
            thread_id,
            namespace,
            checkpoint["id"],
            where.get("checkpoint_id"),
            all_metadata.get("run_id"),
            json.dumps(versions),
            metadata_json(all_metadata),
            *self.serde.dumps_typed(rest),
        )
        self._tables.put(row, channels)
        return config_of(thread_id, namespace, checkpoint["id"])

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Write a checkpoint. Return its config."""
        return await self._database.retry_while_busy(
            lambda: self.put(config, checkpoint, metadata, new_versions)
        )

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, object]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Store the writes of a task, as pending writes of a checkpoint.

        Existing writes of the task stay; its errors, interrupts and responses are replaced.
        """
        where = ids_in(config)
        rows: list[WriteRow] = []
        parts: list[Packed] = []
        for index, (channel, value) in enumerate(writes):
            packed = pack(value, self.serde)
            parts.append(packed)
            number = WRITES_IDX_MAP.get(channel, index)
            rows.append(WriteRow(task_id, number, channel, task_path, packed.type, packed.data))
        replace = all(channel in WRITES_IDX_MAP for channel, _ in writes)
        key = (str(where["thread_id"]), where.get("checkpoint_ns", ""), where["checkpoint_id"])
        self._tables.put_writes(key, rows, parts, replace=replace)

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, object]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Async twin of `put_writes`."""
        await self._database.retry_while_busy(
            lambda: self.put_writes(config, writes, task_id, task_path)
        )

    def get_next_version(self, current: str | None, channel: None) -> str:
        """Return a version after this one.

        Two steps that begin at the same checkpoint must not give their versions the same name, so
        a random number is part of it.
        """
        number = 0 if current is None else int(str(current).split(".")[0])
        return f"{number + 1:032}.{_RANDOM.random():016}"

    # Whole threads and runs.

    def delete_thread(self, thread_id: str) -> None:
        """Delete a thread's checkpoints."""
        self._tables.delete_thread(str(thread_id))

    async def adelete_thread(self, thread_id: str) -> None:
        """Delete a thread's checkpoints, in place."""
        await self._database.retry_while_busy(lambda: self.delete_thread(thread_id))

    def latest(self, thread_id: str) -> str | None:
        """Return the id of a thread's latest checkpoint, in any namespace."""
        return self._tables.latest(thread_id)

    def mark(self) -> int:
        """Return a mark behind all writes made so far, for `delete_run`."""
        return self._tables.last_write()

    def delete_run(self, thread_id: str, run_id: str, mark: int | None = None) -> None:
        """Delete the checkpoints of a run and their writes.

        Args:
            thread_id: The run's thread.
            run_id: The run.
            mark: Also undo the writes to older checkpoints after this mark, such as the response to
                an interrupt.
        """
        self._tables.delete_run(thread_id, run_id, mark)

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints of runs, and their writes."""
        for run_id in run_ids:
            for thread_id in self._tables.threads_of(run_id):
                self.delete_run(thread_id, run_id)

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints of runs, in place."""
        await self._database.retry_while_busy(lambda: self.delete_for_runs(run_ids))

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy all checkpoints and writes of a thread; their ids stay."""
        self._tables.copy_thread(source_thread_id, target_thread_id)

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy a thread's checkpoints, in place."""
        await self._database.retry_while_busy(
            lambda: self.copy_thread(source_thread_id, target_thread_id)
        )

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Delete checkpoints of threads.

        Args:
            thread_ids: The threads.
            strategy: `delete` for all of them, `keep_latest` for all but the newest of each
                namespace. What a newest one cannot be read without, stays as well: the
                checkpoints since the last snapshot of a delta channel.
        """
        for thread_id in thread_ids:
            if strategy == "delete":
                self.delete_thread(thread_id)
            else:
                self._tables.keep_latest(thread_id)

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Delete checkpoints of threads, in place."""
        await self._database.retry_while_busy(lambda: self.prune(thread_ids, strategy=strategy))

    def sizes(self, thread_id: str) -> Sizes:
        """Return the sizes of a thread's checkpoints, values and writes."""
        return self._tables.sizes(thread_id)
