"""Locks by name: one writer per thread, assistant, cron."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from langgraph_client.server.errors import Unavailable

_SECONDS = 30.0
"""A holder awaits the storage, and at most a graph's update of its state."""


class KeyedLocks:
    """A lock for each key, which exists as long as somebody holds it or waits for it.

    Who needs several takes them in this order: an idempotency key, an assistant, a thread. A holder
    never waits for a run to be over: the end of a run is written under the lock of its thread.

    Args:
        outer: Holds a lock of the same name among all processes; None where there is only one.
    """

    def __init__(
        self, outer: Callable[[str], AbstractAsyncContextManager[None]] | None = None
    ) -> None:
        self._outer = outer
        self._locks: dict[str, asyncio.Lock] = {}
        self._users: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._locks)

    @asynccontextmanager
    async def hold(self, key: str) -> AsyncIterator[None]:
        """Hold the lock of a key; read, decide and write within.

        Raises:
            Unavailable: Another request has held it for too long.
        """
        lock = self._locks.setdefault(key, asyncio.Lock())
        self._users[key] = self._users.get(key, 0) + 1
        try:
            if lock.locked():
                try:
                    async with asyncio.timeout(_SECONDS):
                        await lock.acquire()
                except TimeoutError:
                    raise Unavailable(f"Another request holds {key}; try again") from None
            else:
                await lock.acquire()
            try:
                if self._outer is None:
                    yield
                else:
                    async with self._outer(key):
                        yield
            finally:
                lock.release()
        finally:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key], self._locks[key]
