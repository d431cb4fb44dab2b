"""langgraph's key-value store in the server's own SQLite connection: one writer, one file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from langgraph.store.base import Op, Result
from langgraph.store.sqlite import SqliteStore


class Store(SqliteStore):
    """langgraph's SQLite store, on a connection that is shared with documents and checkpoints.

    The async methods work in place, as those of `Checkpoints` do.
    """

    def __init__(self, connection: sqlite3.Connection, lock: Any) -> None:
        super().__init__(connection)
        self.lock = lock  # reentrant, and the one that guards the other tables
        self.setup()

    @contextmanager
    def _cursor(self, *, transaction: bool = True) -> Iterator[sqlite3.Cursor]:
        with self.lock:
            outermost = transaction and not self.conn.in_transaction
            if outermost:
                self.conn.execute("BEGIN IMMEDIATE")
            cursor = self.conn.cursor()
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

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Carry out operations, in place."""
        return self.batch(ops)
