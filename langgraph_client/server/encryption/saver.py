"""A checkpointer that encrypts the data of another one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_metadata,
)

from langgraph_client.models.fields import JsonObject
from langgraph_client.server.encryption.blocking import Blocking
from langgraph_client.server.encryption.cipher import Cipher, Context, is_sealed
from langgraph_client.server.encryption.contexts import Contexts
from langgraph_client.server.encryption.turns import DatabaseTurns
from langgraph_client.server.graphs.run_scope import current_run
from langgraph_client.server.request_context import encryption_context

_PLACE = ("thread_id", "checkpoint_ns", "checkpoint_id")
Writes = Sequence[tuple[str, Any]]


class EncryptedSaver(BaseCheckpointSaver[Any]):
    """Passes values to another checkpointer as encrypted bytes, and encrypts the metadata.

    The names of channels, nodes, threads and runs are not encrypted.

    Args:
        saver: Stores the checkpoints.
        cipher: Encrypts and decrypts.
        contexts: The contexts of runs.
        turns: Keeps other tasks out of a transaction.
        blocking: Runs handlers for blocking methods.
    """

    def __init__(
        self,
        saver: BaseCheckpointSaver[Any],
        cipher: Cipher,
        contexts: Contexts,
        turns: DatabaseTurns,
        blocking: Blocking,
    ) -> None:
        super().__init__(serde=saver.serde)
        self._saver = saver
        self._cipher, self._contexts = cipher, contexts
        self._turns, self._blocking = turns, blocking

    @property
    def config_specs(self) -> list[object]:
        """The saver's config specs."""
        return self._saver.config_specs

    def get_next_version(self, current: object, channel: None) -> object:
        """Return the next version of a channel, by the saver's rule."""
        return self._saver.get_next_version(current, channel)

    def with_allowlist(self, extra_allowlist: Any) -> EncryptedSaver:
        """Return a wrapper of a saver that also creates objects of these classes."""
        saver = self._saver.with_allowlist(extra_allowlist)
        return EncryptedSaver(saver, self._cipher, self._contexts, self._turns, self._blocking)

    # One value.

    async def _context(self) -> Context:
        run = current_run.get()
        if run is not None and run.run_id is not None:
            return await self._contexts.of("run", run.run_id)
        return encryption_context.get() or {}

    async def _sealed(self, value: object, context: Context) -> object:
        if not self._cipher.has_blob:
            return value
        kind, data = self._saver.serde.dumps_typed(value)
        plain = kind.encode() + b"\0" + data
        return await self._cipher.sealed("checkpoint", "blob", plain, context)

    async def _unsealed(self, value: object) -> Any:
        if not is_sealed(value) or not self._cipher.has_blob:
            return value
        plain = await self._cipher.unsealed("checkpoint", "blob", value)
        kind, _, data = plain.partition(b"\0")
        return self._saver.serde.loads_typed((kind.decode(), data))

    async def _shown(self, item: CheckpointTuple) -> CheckpointTuple:
        values = item.checkpoint["channel_values"]
        checkpoint = {
            **item.checkpoint,
            "channel_values": {name: await self._unsealed(values[name]) for name in values},
        }
        writes = [
            (task_id, channel, await self._unsealed(value))
            for task_id, channel, value in item.pending_writes or ()
        ]
        metadata = await self._cipher.decrypted("checkpoint", "metadata", item.metadata)
        return item._replace(
            checkpoint=cast(Checkpoint, checkpoint),
            metadata=metadata,
            pending_writes=None if item.pending_writes is None else writes,
        )

    # Reading.

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return one checkpoint."""
        item = self._saver.get_tuple(config)
        return None if item is None else self._blocking.run(self._shown(item))

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return one checkpoint."""
        async with self._turns.turn():
            item = await self._saver.aget_tuple(config)
        return None if item is None else await self._shown(item)

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: JsonObject | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Return checkpoints, newest first; `filter` compares with the stored, encrypted values."""
        for item in self._saver.list(config, filter=filter, before=before, limit=limit):
            yield self._blocking.run(self._shown(item))

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, object] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Return checkpoints, newest first; `filter` compares with the stored, encrypted values."""
        items = self._saver.alist(config, filter=filter, before=before, limit=limit)
        while True:
            async with self._turns.turn():
                try:  # No `anext` with a default: CPython 3.11.7 crashed in it while a loop closed.
                    item = await anext(items)
                except StopAsyncIteration:
                    return
            yield await self._shown(item)

    # Writing.

    async def _stored_form(
        self, config: RunnableConfig, checkpoint: Checkpoint, metadata: CheckpointMetadata
    ) -> tuple[RunnableConfig, Checkpoint, CheckpointMetadata]:
        """Return a checkpoint in its stored form.

        Savers copy fields of the config into the metadata, in plain text. To prevent that, these
        fields are copied here before the encryption, and removed from the saver's config.
        """
        context = await self._context()
        whole = dict(get_checkpoint_metadata(config, metadata))
        encrypted = await self._cipher.encrypted("checkpoint", "metadata", whole, context)
        values = checkpoint["channel_values"]
        sealed = {name: await self._sealed(values[name], context) for name in values}
        kept = {**checkpoint, "channel_values": sealed}
        return _place(config), cast(Checkpoint, kept), cast(CheckpointMetadata, encrypted)

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Write a checkpoint."""
        kept = self._blocking.run(self._stored_form(config, checkpoint, metadata))
        return self._saver.put(*kept, new_versions)

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Write a checkpoint."""
        kept = await self._stored_form(config, checkpoint, metadata)
        async with self._turns.turn():
            return await self._saver.aput(*kept, new_versions)

    async def _stored_writes(self, writes: Writes) -> Writes:
        context = await self._context()
        return [(channel, await self._sealed(value, context)) for channel, value in writes]

    def put_writes(
        self, config: RunnableConfig, writes: Writes, task_id: str, task_path: str = ""
    ) -> None:
        """Store the writes of a task."""
        kept = self._blocking.run(self._stored_writes(writes))
        self._saver.put_writes(_place(config), kept, task_id, task_path)

    async def aput_writes(
        self, config: RunnableConfig, writes: Writes, task_id: str, task_path: str = ""
    ) -> None:
        """Store the writes of a task."""
        kept = await self._stored_writes(writes)
        async with self._turns.turn():
            await self._saver.aput_writes(_place(config), kept, task_id, task_path)

    # Whole threads.

    def delete_thread(self, thread_id: str) -> None:
        """Delete a thread's checkpoints."""
        self._saver.delete_thread(thread_id)

    async def adelete_thread(self, thread_id: str) -> None:
        """Delete a thread's checkpoints."""
        async with self._turns.turn():
            await self._saver.adelete_thread(thread_id)

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy a thread's checkpoints."""
        self._saver.copy_thread(source_thread_id, target_thread_id)

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy a thread's checkpoints."""
        async with self._turns.turn():
            await self._saver.acopy_thread(source_thread_id, target_thread_id)

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints of runs."""
        self._saver.delete_for_runs(run_ids)

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints of runs."""
        async with self._turns.turn():
            await self._saver.adelete_for_runs(run_ids)

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Delete checkpoints of threads."""
        self._saver.prune(thread_ids, strategy=strategy)

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Delete checkpoints of threads."""
        async with self._turns.turn():
            await self._saver.aprune(thread_ids, strategy=strategy)


def _place(config: RunnableConfig) -> RunnableConfig:
    configurable = config.get("configurable") or {}
    return {"configurable": {name: configurable[name] for name in _PLACE if name in configurable}}
