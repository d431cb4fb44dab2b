"""The tables of checkpoints: rows in, rows out. The bytes are not interpreted here."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from langgraph_client.server.storage.checkpoint_links import (
    DELTA_COUNTERS,
    Key,
    Link,
    latest,
    needed,
)
from langgraph_client.server.storage.sqlite.database import Database
from langgraph_client.server.storage.sqlite.json_conditions import lenient_condition
from langgraph_client.server.storage.sqlite.value_parts import Packed, digests

_TABLES = (
    """CREATE TABLE IF NOT EXISTS checkpoints (
        thread_id TEXT NOT NULL, checkpoint_ns TEXT NOT NULL, checkpoint_id TEXT NOT NULL,
        parent_checkpoint_id TEXT, run_id TEXT, versions TEXT NOT NULL, metadata TEXT NOT NULL,
        type TEXT NOT NULL, checkpoint BLOB NOT NULL,
        PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id))""",
    "CREATE INDEX IF NOT EXISTS checkpoints_by_run ON checkpoints (run_id, thread_id)",
    # The values of channels: `versions` of a checkpoint says which.
    """CREATE TABLE IF NOT EXISTS checkpoint_channels (
        thread_id TEXT NOT NULL, checkpoint_ns TEXT NOT NULL, channel TEXT NOT NULL,
        version NOT NULL, type TEXT NOT NULL, value BLOB NOT NULL,
        PRIMARY KEY (thread_id, checkpoint_ns, channel, version))""",
    # AUTOINCREMENT: a number is never given twice, or a mark would not separate before and after.
    """CREATE TABLE IF NOT EXISTS checkpoint_writes (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        thread_id TEXT NOT NULL, checkpoint_ns TEXT NOT NULL, checkpoint_id TEXT NOT NULL,
        task_id TEXT NOT NULL, idx INTEGER NOT NULL, channel TEXT NOT NULL,
        task_path TEXT NOT NULL, type TEXT NOT NULL, value BLOB NOT NULL,
        UNIQUE (thread_id, checkpoint_ns, checkpoint_id, task_id, idx))""",
    # Earlier values of replaced writes, by which a rollback restores them.
    """CREATE TABLE IF NOT EXISTS replaced_writes (
        number INTEGER PRIMARY KEY,
        thread_id TEXT NOT NULL, checkpoint_ns TEXT NOT NULL, checkpoint_id TEXT NOT NULL,
        task_id TEXT NOT NULL, idx INTEGER NOT NULL, channel TEXT NOT NULL,
        task_path TEXT NOT NULL, type TEXT NOT NULL, value BLOB NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS replaced_writes_by_thread ON replaced_writes (thread_id, number)",
    """CREATE TABLE IF NOT EXISTS checkpoint_parts (
        thread_id TEXT NOT NULL, digest BLOB NOT NULL, type TEXT NOT NULL, data BLOB NOT NULL,
        PRIMARY KEY (thread_id, digest))""",
)
CHECKPOINT_TABLES = (
    "checkpoints",
    "checkpoint_channels",
    "checkpoint_writes",
    "replaced_writes",
    "checkpoint_parts",
)
_WRITE = (
    "number, thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, task_path, type, value"
)
_CHECKPOINT = (
    "SELECT thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, run_id, versions,"
    " metadata, type, checkpoint FROM checkpoints"
)
_DIGESTS_PER_QUERY = 500
"""Older versions of SQLite take at most 999 parameters."""
_MAX_INTEGER = 2**63 - 1


class CheckpointRow(NamedTuple):
    """A checkpoint without the values of its channels."""

    thread_id: str
    namespace: str
    checkpoint_id: str
    parent_checkpoint_id: str | None
    run_id: str | None
    versions: str
    metadata: str
    type: str
    checkpoint: bytes


class WriteRow(NamedTuple):
    """A write of a task to one channel."""

    task_id: str
    idx: int
    channel: str
    task_path: str
    type: str
    value: bytes


class Sizes(NamedTuple):
    """The numbers and sizes of a thread's rows.

    Attributes:
        checkpoints: The number of checkpoints, and their bytes without values.
        channels: The bytes of each version of each channel.
        writes: The number of writes, and their bytes.
        total: The bytes on disk, where equal parts are stored once.
    """

    checkpoints: tuple[int, int]
    channels: dict[str, list[int]]
    writes: tuple[int, int]
    total: int


class CheckpointTables:
    """Reads and writes the rows of checkpoints."""

    def __init__(self, database: Database) -> None:
        self._database = database
        for statement in _TABLES:
            database.execute(statement)

    # Reading.

    def checkpoint(
        self, thread_id: str, namespace: str, checkpoint_id: str | None
    ) -> CheckpointRow | None:
        """Return a checkpoint by its id, or the latest one of a namespace."""
        query = f"{_CHECKPOINT} WHERE thread_id = ? AND checkpoint_ns = ?"
        values: tuple[str, ...] = (thread_id, namespace)
        if checkpoint_id:
            query, values = f"{query} AND checkpoint_id = ?", (*values, checkpoint_id)
        row = self._database.row(f"{query} ORDER BY checkpoint_id DESC LIMIT 1", values)
        return None if row is None else CheckpointRow(*row)

    def checkpoints(
        self,
        *,
        thread_id: str | None,
        namespace: str | None,
        checkpoint_id: str | None,
        before: str | None,
        contains: Mapping[str, object],
        limit: int | None,
    ) -> list[CheckpointRow]:
        """Return the checkpoints that all conditions hold for, newest first."""
        conditions = ["1"]
        values: list[object] = []
        for condition, value in (
            ("thread_id = ?", thread_id),
            ("checkpoint_ns = ?", namespace),
            ("checkpoint_id = ?", checkpoint_id),
            ("checkpoint_id < ?", before),
        ):
            if value is not None:
                conditions.append(condition)
                values.append(value)
        if contains:
            condition, parameters = lenient_condition("metadata", contains)
            conditions.append(condition)
            values += parameters
        values.append(_MAX_INTEGER if limit is None else max(0, min(limit, _MAX_INTEGER)))
        where = " AND ".join(conditions)
        query = f"{_CHECKPOINT} WHERE {where} ORDER BY checkpoint_id DESC LIMIT ?"
        return [CheckpointRow(*row) for row in self._database.rows(query, values)]

    def channels(
        self, thread_id: str, namespace: str, versions: str
    ) -> list[tuple[str, str, bytes]]:
        """Return channel, type and value of versions, given as JSON; only of those with a value."""
        # CROSS JOIN keeps the order of the tables: one look-up for each channel.
        return self._database.rows(
            "SELECT c.channel, c.type, c.value FROM json_each(?) v CROSS JOIN checkpoint_channels c"
            " ON c.channel = v.key AND c.version = v.value"
            " WHERE c.thread_id = ? AND c.checkpoint_ns = ?",
            (versions, thread_id, namespace),
        )

    def writes(self, thread_id: str, namespace: str, checkpoint_id: str) -> list[WriteRow]:
        """Return the pending writes of a checkpoint, in the order in which they are applied."""
        rows = self._database.rows(
            "SELECT task_id, idx, channel, task_path, type, value FROM checkpoint_writes"
            " WHERE thread_id = ? AND checkpoint_ns = ? AND checkpoint_id = ?"
            " ORDER BY task_path, task_id, idx",
            (thread_id, namespace, checkpoint_id),
        )
        return [WriteRow(*row) for row in rows]

    def parts(self, thread_id: str, wanted: Sequence[bytes]) -> dict[bytes, tuple[str, bytes]]:
        """Return type and data of parts, by their digests."""
        parts: dict[bytes, tuple[str, bytes]] = {}
        for start in range(0, len(wanted), _DIGESTS_PER_QUERY):
            page = wanted[start : start + _DIGESTS_PER_QUERY]
            rows = self._database.rows(
                "SELECT digest, type, data FROM checkpoint_parts WHERE thread_id = ?"
                f" AND digest IN ({', '.join('?' * len(page))})",
                (thread_id, *page),
            )
            parts.update({digest: (form, data) for digest, form, data in rows})
        return parts

    def threads_of(self, run_id: str) -> list[str]:
        """Return the threads that have checkpoints of a run."""
        query = "SELECT DISTINCT thread_id FROM checkpoints WHERE run_id = ?"
        return [row[0] for row in self._database.rows(query, (run_id,))]

    def latest(self, thread_id: str) -> str | None:
        """Return the greatest id of a thread's checkpoints."""
        query = "SELECT MAX(checkpoint_id) FROM checkpoints WHERE thread_id = ?"
        latest: str | None = self._database.row(query, (thread_id,))[0]
        return latest

    def last_write(self) -> int:
        """Return the number of the last write that was made."""
        query = "SELECT seq FROM sqlite_sequence WHERE name = 'checkpoint_writes'"
        row = self._database.row(query)
        return int(row[0]) if row else 0

    # Writing.

    def put(self, row: CheckpointRow, channels: Sequence[tuple[str, object, Packed]]) -> None:
        """Write a checkpoint and versions of channels, each by name, version and value."""
        with self._database.transaction() as cursor:
            _put_parts(cursor, row.thread_id, (packed for _, _, packed in channels))
            cursor.executemany(
                "INSERT OR REPLACE INTO checkpoint_channels VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (row.thread_id, row.namespace, channel, version, packed.type, packed.data)
                    for channel, version, packed in channels
                ],
            )
            cursor.execute(
                "INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row
            )

    def put_writes(
        self,
        key: tuple[str, str, str],
        rows: Sequence[WriteRow],
        packed: Iterable[Packed],
        *,
        replace: bool,
    ) -> None:
        """Store the writes of a task.

        Args:
            key: Thread, namespace and checkpoint.
            rows: The rows.
            packed: The values in them.
            replace: Whether to replace existing rows; otherwise they stay. Replaced ones are kept
                apart, for `delete_run`.
        """
        # REPLACE gives the row a new number, by which `_undo_writes` finds it behind an older mark.
        verb = "REPLACE" if replace else "IGNORE"
        with self._database.transaction() as cursor:
            _put_parts(cursor, key[0], packed)
            if replace:
                cursor.executemany(
                    f"INSERT OR IGNORE INTO replaced_writes ({_WRITE})"
                    f" SELECT {_WRITE} FROM checkpoint_writes WHERE thread_id = ?"
                    " AND checkpoint_ns = ? AND checkpoint_id = ? AND task_id = ? AND idx = ?",
                    [(*key, row.task_id, row.idx) for row in rows],
                )
            cursor.executemany(
                f"INSERT OR {verb} INTO checkpoint_writes (thread_id, checkpoint_ns, checkpoint_id,"
                " task_id, idx, channel, task_path, type, value)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(*key, *row) for row in rows],
            )

    # Deleting and copying.

    def delete_thread(self, thread_id: str) -> None:
        """Delete all rows of a thread."""
        with self._database.transaction() as cursor:
            for name in CHECKPOINT_TABLES:
                cursor.execute(f"DELETE FROM {name} WHERE thread_id = ?", (thread_id,))

    def delete_run(self, thread_id: str, run_id: str, mark: int | None) -> None:
        """Delete the checkpoints of a run and, with a mark, undo all writes after it.

        Checkpoints that later ones are read through stay.
        """
        with self._database.transaction() as cursor:
            query = (
                "SELECT checkpoint_ns, checkpoint_id FROM checkpoints"
                " WHERE thread_id = ? AND run_id = ?"
            )
            gone: set[Key] = set(cursor.execute(query, (thread_id, run_id)))
            if gone:
                links = self._links(cursor, thread_id)
                gone -= needed(links, links.keys() - gone)
            changed = self._delete(cursor, thread_id, gone)
            if mark is not None:
                changed += self._undo_writes(cursor, thread_id, mark)
            if changed:
                self._collect(thread_id)

    def _undo_writes(self, cursor: sqlite3.Cursor, thread_id: str, mark: int) -> int:
        """Delete the writes after a mark, and restore those that they replaced."""
        changed = 0
        for name in ("checkpoint_writes", "replaced_writes"):
            done = cursor.execute(
                f"DELETE FROM {name} WHERE thread_id = ? AND number > ?", (thread_id, mark)
            )
            changed += done.rowcount
        # The last of several comes first, and the others are ignored.
        cursor.execute(
            f"INSERT OR IGNORE INTO checkpoint_writes ({_WRITE}) SELECT {_WRITE}"
            " FROM replaced_writes WHERE thread_id = ? ORDER BY number DESC",
            (thread_id,),
        )
        return changed

    def keep_latest(self, thread_id: str) -> None:
        """Delete all checkpoints but the latest of each namespace and what these need."""
        with self._database.transaction() as cursor:
            links = self._links(cursor, thread_id)
            self._delete(cursor, thread_id, links.keys() - needed(links, latest(links)))
            self._collect(thread_id)

    def _links(self, cursor: sqlite3.Cursor, thread_id: str) -> dict[Key, Link]:
        """Return how the checkpoints of a thread are connected."""
        rows = cursor.execute(
            # Metadata of any form may be there: langgraph's own are objects.
            "SELECT checkpoint_ns, checkpoint_id, parent_checkpoint_id, CASE WHEN"
            f" json_valid(metadata) AND json_type(metadata, '$.{DELTA_COUNTERS}') = 'object'"
            f" THEN json_extract(metadata, '$.{DELTA_COUNTERS}') END"
            " FROM checkpoints WHERE thread_id = ?",
            (thread_id,),
        ).fetchall()
        deltas = {row[:2]: set(json.loads(row[3] or "{}")) for row in rows}
        stored: dict[Key, set[str]] = {}
        if names := set().union(*deltas.values()):
            for namespace, number, name in cursor.execute(
                "SELECT c.checkpoint_ns, c.checkpoint_id, v.key FROM checkpoints c,"
                " json_each(c.versions) v CROSS JOIN checkpoint_channels s"
                " ON s.thread_id = c.thread_id AND s.checkpoint_ns = c.checkpoint_ns"
                " AND s.channel = v.key AND s.version = v.value"
                " WHERE c.thread_id = ? AND v.key IN (SELECT value FROM json_each(?))",
                (thread_id, json.dumps(sorted(names))),
            ):
                stored.setdefault((namespace, number), set()).add(name)
        return {row[:2]: Link(row[2], deltas[row[:2]], stored.get(row[:2], ())) for row in rows}

    def _delete(self, cursor: sqlite3.Cursor, thread_id: str, keys: Collection[Key]) -> int:
        """Delete checkpoints. Return how many."""
        cursor.executemany(
            "DELETE FROM checkpoints WHERE thread_id = ? AND checkpoint_ns = ?"
            " AND checkpoint_id = ?",
            [(thread_id, *key) for key in keys],
        )
        return len(keys)

    def _collect(self, thread_id: str) -> None:
        """Delete the rows that no remaining checkpoint of a thread refers to."""
        with self._database.transaction() as cursor:
            for name in ("checkpoint_writes", "replaced_writes"):
                cursor.execute(
                    f"DELETE FROM {name} WHERE thread_id = ?"
                    " AND (checkpoint_ns, checkpoint_id) NOT IN"
                    " (SELECT checkpoint_ns, checkpoint_id FROM checkpoints WHERE thread_id = ?)",
                    (thread_id, thread_id),
                )
            cursor.execute(
                "DELETE FROM checkpoint_channels WHERE thread_id = ?"
                " AND (checkpoint_ns, channel, version) NOT IN"
                " (SELECT c.checkpoint_ns, v.key, v.value"
                " FROM checkpoints c, json_each(c.versions) v WHERE c.thread_id = ?)",
                (thread_id, thread_id),
            )
            used: set[bytes] = set()
            for name in ("checkpoint_channels", "checkpoint_writes", "replaced_writes"):
                query = f"SELECT type, value FROM {name} WHERE thread_id = ?"
                for form, value in cursor.execute(query, (thread_id,)):
                    used.update(digests(form, value))
            query = "SELECT digest FROM checkpoint_parts WHERE thread_id = ?"
            stored = cursor.execute(query, (thread_id,)).fetchall()
            cursor.executemany(
                "DELETE FROM checkpoint_parts WHERE thread_id = ? AND digest = ?",
                [(thread_id, digest) for (digest,) in stored if digest not in used],
            )

    def copy_thread(self, source: str, target: str) -> None:
        """Copy all rows of a thread; the metadata of the copies names the new thread."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "INSERT INTO checkpoints SELECT ?, checkpoint_ns, checkpoint_id,"
                " parent_checkpoint_id, run_id, versions, CASE WHEN json_valid(metadata) THEN"
                " json_set(metadata, '$.thread_id', ?) ELSE metadata END,"
                " type, checkpoint FROM checkpoints WHERE thread_id = ?",
                (target, target, source),
            )
            cursor.execute(
                "INSERT INTO checkpoint_channels SELECT ?, checkpoint_ns, channel, version, type,"
                " value FROM checkpoint_channels WHERE thread_id = ?",
                (target, source),
            )
            # Not `replaced_writes`: only a rollback of the run that replaced them restores them.
            # The copy has no runs yet.
            columns = "checkpoint_ns, checkpoint_id, task_id, idx, channel, task_path, type, value"
            cursor.execute(
                f"INSERT INTO checkpoint_writes (thread_id, {columns})"
                f" SELECT ?, {columns} FROM checkpoint_writes WHERE thread_id = ? ORDER BY number",
                (target, source),
            )
            cursor.execute(
                "INSERT OR IGNORE INTO checkpoint_parts SELECT ?, digest, type, data"
                " FROM checkpoint_parts WHERE thread_id = ?",
                (target, source),
            )

    def sizes(self, thread_id: str) -> Sizes:
        """Return the sizes of a thread's rows."""
        with self._database.reading() as cursor:
            count, size = cursor.execute(
                "SELECT COUNT(*), COALESCE(SUM(LENGTH(checkpoint) + LENGTH(metadata)"
                " + LENGTH(versions)), 0) FROM checkpoints WHERE thread_id = ?",
                (thread_id,),
            ).fetchone()
            parts: dict[bytes, int] = dict(
                cursor.execute(
                    "SELECT digest, LENGTH(data) FROM checkpoint_parts WHERE thread_id = ?",
                    (thread_id,),
                )
            )
            total = size + sum(parts.values())
            stored: dict[tuple[str, str, object], int] = {}
            query = (
                "SELECT checkpoint_ns, channel, version, type, value FROM checkpoint_channels"
                " WHERE thread_id = ?"
            )
            for namespace, channel, version, form, value in cursor.execute(query, (thread_id,)):
                total += len(value)
                stored[namespace, channel, version] = _size(form, value, parts)
            writes = []
            query = "SELECT type, value FROM checkpoint_writes WHERE thread_id = ?"
            for form, value in cursor.execute(query, (thread_id,)):
                total += len(value)
                writes.append(_size(form, value, parts))
            # Versions without a value, such as those of triggers, have no row of their own.
            versions = cursor.execute(
                "SELECT DISTINCT c.checkpoint_ns, v.key, v.value"
                " FROM checkpoints c, json_each(c.versions) v WHERE c.thread_id = ?",
                (thread_id,),
            ).fetchall()
        channels: dict[str, list[int]] = {}
        for namespace, channel, version in versions:
            found = stored.get((namespace, channel, version), 0)
            channels.setdefault(channel, []).append(found)
        return Sizes((count, size), channels, (len(writes), sum(writes)), total)


def _put_parts(cursor: sqlite3.Cursor, thread_id: str, packed: Iterable[Packed]) -> None:
    rows = [(thread_id, *part) for value in packed for part in value.parts]
    if rows:
        cursor.executemany("INSERT OR IGNORE INTO checkpoint_parts VALUES (?, ?, ?, ?)", rows)


def _size(form: str, value: bytes, parts: Mapping[bytes, int]) -> int:
    """Return how long a value is, whether it is in its row or in parts."""
    names = digests(form, value)
    return sum(parts.get(name, 0) for name in names) if names else len(value)
