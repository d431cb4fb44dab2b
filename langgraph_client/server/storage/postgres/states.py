"""The checkpoints of whole threads, of compiled and of scripted graphs."""

from __future__ import annotations

from collections.abc import Collection

from langgraph_client.server.storage.checkpoint_links import (
    DELTA_COUNTERS,
    Key,
    Link,
    latest,
    needed,
)
from langgraph_client.server.storage.postgres.connections import Executor, Place
from langgraph_client.server.storage.postgres.schema import WRITE
from langgraph_client.server.storage.protocol import Document, Mark
from langgraph_client.server.storage.state_size import scripted_channels, size_document

_TABLES = ("checkpoints", "checkpoint_blobs", "checkpoint_writes", "replaced_writes")


class States:
    """See `protocol.ThreadStates`.

    Args:
        executor: Executes statements.
        has_checkpoints: Whether langgraph's tables exist.
    """

    def __init__(self, executor: Executor, has_checkpoints: bool) -> None:
        self._executor = executor
        self._has_checkpoints = has_checkpoints

    async def delete_thread(self, thread_id: str) -> None:
        """Delete all checkpoints of a thread."""
        tables = ("script_states", *_TABLES) if self._has_checkpoints else ("script_states",)
        for table in tables:
            await self._executor.write(
                f"DELETE FROM {table} WHERE thread_id = %s",
                (thread_id,),
                place=Place(table, deletes=True),
            )

    async def forget_thread(self, thread_id: str) -> None:
        """Do nothing: all checkpoints are in this database."""

    async def copy_thread(self, source: str, target: str) -> None:
        """Copy all checkpoints of a thread to another one; their ids stay."""
        execute = self._executor.execute
        await execute(
            "INSERT INTO script_states SELECT %s, id, run_id, doc FROM script_states"
            " WHERE thread_id = %s",
            (target, source),
        )
        if not self._has_checkpoints:
            return
        await execute(
            "INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id,"
            " parent_checkpoint_id, type, checkpoint, metadata)"
            " SELECT %s, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint,"
            " metadata || jsonb_build_object('thread_id', %s::text)"
            " FROM checkpoints WHERE thread_id = %s",
            (target, target, source),
        )
        for table, columns in (
            ("checkpoint_blobs", "checkpoint_ns, channel, version, type, blob"),
            (
                "checkpoint_writes",
                "checkpoint_ns, checkpoint_id, task_id, idx, channel, type, blob, task_path",
            ),
        ):
            await execute(
                f"INSERT INTO {table} (thread_id, {columns})"
                f" SELECT %s, {columns} FROM {table} WHERE thread_id = %s",
                (target, source),
            )

    async def keep_latest(self, thread_id: str) -> None:
        """Delete all checkpoints of a thread except the latest of each namespace.

        Checkpoints that are needed to read the latest one stay, too: for a delta channel, those
        since its last snapshot.
        """
        await self._executor.execute(
            "DELETE FROM script_states WHERE thread_id = %s AND id <"
            " (SELECT max(id) FROM script_states WHERE thread_id = %s)",
            (thread_id, thread_id),
        )
        if not self._has_checkpoints:
            return
        links = await self._links(thread_id)
        if await self._delete(thread_id, links.keys() - needed(links, latest(links))):
            await self._collect(thread_id)

    async def _links(self, thread_id: str) -> dict[Key, Link]:
        """Return how the checkpoints of a thread are connected."""
        rows = await self._executor.rows(
            "SELECT checkpoint_ns, checkpoint_id, parent_checkpoint_id,"
            # Metadata of any form may be there: langgraph's own are objects.
            f" ARRAY(SELECT jsonb_object_keys(CASE jsonb_typeof(metadata -> '{DELTA_COUNTERS}')"
            f" WHEN 'object' THEN metadata -> '{DELTA_COUNTERS}' END)),"
            " ARRAY(SELECT jsonb_object_keys(nullif(checkpoint -> 'channel_values', 'null')))"
            " FROM checkpoints WHERE thread_id = %s",
            (thread_id,),
        )
        return {(row[0], row[1]): Link(*row[2:]) for row in rows}

    async def _delete(self, thread_id: str, keys: Collection[Key]) -> int:
        """Delete checkpoints. Return how many."""
        if not keys:
            return 0
        return await self._executor.execute(
            "DELETE FROM checkpoints WHERE thread_id = %s AND (checkpoint_ns, checkpoint_id)"
            " IN (SELECT * FROM unnest(%s::text[], %s::text[]))",
            (thread_id, [ns for ns, _ in keys], [checkpoint_id for _, checkpoint_id in keys]),
        )

    async def _collect(self, thread_id: str) -> None:
        """Delete the writes and values that no remaining checkpoint of a thread refers to."""
        for table in ("checkpoint_writes", "replaced_writes"):
            await self._executor.execute(
                f"DELETE FROM {table} w WHERE thread_id = %s AND NOT EXISTS"
                " (SELECT 1 FROM checkpoints c WHERE c.thread_id = w.thread_id"
                " AND c.checkpoint_ns = w.checkpoint_ns AND c.checkpoint_id = w.checkpoint_id)",
                (thread_id,),
            )
        await self._executor.execute(
            "DELETE FROM checkpoint_blobs b WHERE thread_id = %s AND NOT EXISTS"
            " (SELECT 1 FROM checkpoints c WHERE c.thread_id = b.thread_id"
            " AND c.checkpoint_ns = b.checkpoint_ns"
            " AND c.checkpoint -> 'channel_versions' ->> b.channel = b.version)",
            (thread_id,),
        )

    async def latest(self, thread_id: str) -> str | None:
        """Return the id of a thread's latest checkpoint, those of subgraphs included."""
        tables = "SELECT id FROM script_states WHERE thread_id = %s"
        values = [thread_id]
        if self._has_checkpoints:
            tables += " UNION ALL SELECT checkpoint_id FROM checkpoints WHERE thread_id = %s"
            values.append(thread_id)
        row = await self._executor.row(f"SELECT max(id) FROM ({tables}) AS a (id)", values)
        return row[0] if row else None

    async def mark(self, thread_id: str) -> Mark:
        """Return a mark of the current state of a thread, for `delete_run`."""
        if not self._has_checkpoints:
            return None
        row = await self._executor.row(
            "SELECT coalesce(max(written), 0) FROM checkpoint_writes WHERE thread_id = %s",
            (thread_id,),
        )
        return row[0] if row else 0

    async def keeps_run(self, thread_id: str, run_id: str) -> bool:
        """Return False: `delete_run` deletes all that a run has written."""
        return False

    async def delete_run(
        self, thread_id: str, run_id: str, mark: Mark = None, *, is_in_use: bool = False
    ) -> None:
        """Delete the checkpoints and writes of a run, except those later ones are read through."""
        await self._executor.execute(
            "DELETE FROM script_states WHERE thread_id = %s AND run_id = %s", (thread_id, run_id)
        )
        if not self._has_checkpoints:
            return
        rows = await self._executor.rows(
            "SELECT checkpoint_ns, checkpoint_id FROM checkpoints"
            " WHERE thread_id = %s AND metadata ->> 'run_id' = %s",
            (thread_id, run_id),
        )
        gone: set[Key] = {(namespace, checkpoint_id) for namespace, checkpoint_id in rows}
        if gone:
            links = await self._links(thread_id)
            gone -= needed(links, links.keys() - gone)
        changed = await self._delete(thread_id, gone)
        if mark is not None:
            changed += await self._undo_writes(thread_id, mark)
        if changed:
            await self._collect(thread_id)

    async def _undo_writes(self, thread_id: str, mark: int) -> int:
        """Delete the writes after a mark, and restore those that they replaced."""
        changed = 0
        for table in ("checkpoint_writes", "replaced_writes"):
            changed += await self._executor.execute(
                f"DELETE FROM {table} WHERE thread_id = %s AND written > %s", (thread_id, mark)
            )
        # The last of several comes first, and the others are ignored.
        await self._executor.execute(
            f"INSERT INTO checkpoint_writes ({WRITE}) SELECT {WRITE} FROM replaced_writes"
            " WHERE thread_id = %s ORDER BY written DESC ON CONFLICT DO NOTHING",
            (thread_id,),
        )
        return changed

    async def size(self, thread_id: str) -> Document:
        """Return the numbers and sizes of a thread's checkpoints, values and writes."""
        # Not by `ScriptStates`, which would block the event loop.
        rows = await self._executor.rows(
            "SELECT doc FROM script_states WHERE thread_id = %s ORDER BY id DESC", (thread_id,)
        )
        states = [row[0] for row in rows]
        count, total = len(states), sum(map(len, states))
        size, channels = total, scripted_channels(states)
        writes = (0, 0)
        if self._has_checkpoints:
            row = await self._executor.row(
                "SELECT count(*), coalesce(sum(length(checkpoint::text) + length(metadata::text)),"
                " 0) FROM checkpoints WHERE thread_id = %s",
                (thread_id,),
            )
            if row:
                count, size, total = count + row[0], size + int(row[1]), total + int(row[1])
            for name, length in await self._executor.rows(
                "SELECT v.key, coalesce(length(b.blob), length((c.values -> v.key)::text), 0)"
                " FROM (SELECT DISTINCT ON (checkpoint_ns, key, value) checkpoint_ns, key, value,"
                " checkpoint -> 'channel_values' AS values FROM checkpoints,"
                " jsonb_each_text(checkpoint -> 'channel_versions') WHERE thread_id = %s) AS c"
                " CROSS JOIN LATERAL (SELECT c.key, c.value) AS v LEFT JOIN checkpoint_blobs b"
                " ON b.thread_id = %s AND b.checkpoint_ns = c.checkpoint_ns"
                " AND b.channel = v.key AND b.version = v.value",
                (thread_id, thread_id),
            ):
                channels.setdefault(name, []).append(length)
                total += length
            row = await self._executor.row(
                "SELECT count(*), coalesce(sum(length(blob)), 0) FROM checkpoint_writes"
                " WHERE thread_id = %s",
                (thread_id,),
            )
            if row:
                writes = (row[0], int(row[1]))
                total += writes[1]
        return size_document(
            thread_id,
            total=total,
            checkpoints=(count, size),
            channels=channels,
            writes=writes,
        )
