"""Interim storage until server/storage.py is here."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from langgraph_client.server.clock import EventId
from langgraph_client.server.log import Event


class Table:
    def __init__(self, storage: Storage, name: str, key: str) -> None:
        self.s, self.name, self.key = storage, name, key
        storage.connection.execute(
            f"CREATE TABLE IF NOT EXISTS {name} (id TEXT PRIMARY KEY, thread_id TEXT, status TEXT, created_at TEXT, doc TEXT)"
        )

    def get(self, id: str) -> dict[str, Any] | None:
        row = self.s.connection.execute(f"SELECT doc FROM {self.name} WHERE id=?", (id,)).fetchone()
        return json.loads(row[0]) if row else None

    def put(self, doc: dict[str, Any]) -> None:
        self.s.connection.execute(
            f"INSERT OR REPLACE INTO {self.name} VALUES (?,?,?,?,?)",
            (
                doc[self.key],
                doc.get("thread_id"),
                doc.get("status"),
                doc.get("created_at"),
                json.dumps(doc),
            ),
        )

    insert = put

    def delete(self, id: str) -> bool:
        return self.s.connection.execute(f"DELETE FROM {self.name} WHERE id=?", (id,)).rowcount > 0

    def unfinished(self) -> list[dict[str, Any]]:
        rows = self.s.connection.execute(
            f"SELECT doc FROM {self.name} WHERE status IN ('pending','running') ORDER BY created_at, id"
        )
        return [json.loads(r[0]) for r in rows]

    def of_thread(self, thread_id: str) -> list[dict[str, Any]]:
        rows = self.s.connection.execute(
            f"SELECT doc FROM {self.name} WHERE thread_id=? ORDER BY created_at DESC, id DESC",
            (thread_id,),
        )
        return [json.loads(r[0]) for r in rows]


class Events:
    def __init__(self, storage: Storage) -> None:
        self.c = storage.connection
        self.s = storage
        self.c.execute(
            "CREATE TABLE IF NOT EXISTS events (ms INTEGER, seq INTEGER, thread_id TEXT, run_id TEXT, name TEXT, data BLOB, PRIMARY KEY (run_id, ms, seq)) WITHOUT ROWID"
        )
        self.c.execute("CREATE INDEX IF NOT EXISTS events_by_thread ON events (thread_id, ms, seq)")

    def add(self, thread_id: str, run_id: str, events: list[Event]) -> None:
        with self.s.transaction():
            self.c.executemany(
                "INSERT INTO events VALUES (?,?,?,?,?,?)",
                [(*e.id, thread_id, run_id, e.name, e.data) for e in events],
            )

    def _rows(self, where: str, value: str, after: EventId, limit: int) -> list[Event]:
        rows = self.c.execute(
            f"SELECT ms, seq, name, data FROM events WHERE {where}=? AND (ms, seq) > (?, ?) ORDER BY ms, seq LIMIT ?",
            (value, *after, limit),
        )
        return [Event((ms, seq), name, data) for ms, seq, name, data in rows]

    def of_run(self, run_id: str, after: EventId, limit: int, without: str = "") -> list[Event]:
        return [e for e in self._rows("run_id", run_id, after, limit) if e.name != without]

    def of_thread(self, thread_id: str, after: EventId, limit: int) -> list[Event]:
        return self._rows("thread_id", thread_id, after, limit)

    def last_id(self) -> EventId:
        row = self.c.execute("SELECT MAX(ms) FROM events").fetchone()
        return (row[0] or 0, 2**31)


class Storage:
    def __init__(self, path: Any = None) -> None:
        self.connection = sqlite3.connect(
            str(path or ":memory:"), check_same_thread=False, isolation_level=None
        )
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.execute("PRAGMA synchronous=NORMAL")
        self.lock = threading.RLock()
        self.threads = Table(self, "threads", "thread_id")
        self.runs = Table(self, "runs", "run_id")
        self.assistants = Table(self, "assistants", "assistant_id")
        self.events = Events(self)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self.lock:
            if self.connection.in_transaction:
                yield
                return
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.connection.rollback()
                raise
            self.connection.commit()

    def close(self) -> None:
        self.connection.close()
