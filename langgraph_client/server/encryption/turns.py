"""Keep other tasks out of a transaction while it waits for a handler."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar


class _Turn:
    """One turn; tasks that were started within it are part of it until it ends."""

    def __init__(self) -> None:
        self.is_open = True


_current_turn: ContextVar[_Turn | None] = ContextVar("langgraph_client_storage_turn", default=None)


class DatabaseTurns:
    """Lets one caller at a time use a database of a single connection.

    A transaction on a single connection must await nothing except the database. Otherwise the
    writes of another task would become part of it. But handlers of an `Encryption` may wait for a
    network. So no other task may use the database during that time.

    Args:
        is_needed: False for a database with a connection for each transaction.
    """

    def __init__(self, is_needed: bool) -> None:
        self._lock = asyncio.Lock() if is_needed else None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn and hold it. Within a turn, the same turn continues."""
        current = _current_turn.get()
        if self._lock is None or (current is not None and current.is_open):
            yield
            return
        async with self._lock:
            own_turn = _Turn()
            # Not reset: tasks that were started within it share the turn until it ends.
            _current_turn.set(own_turn)
            try:
                yield
            finally:
                own_turn.is_open = False
