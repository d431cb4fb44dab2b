"""Locks by name: one writer per thread, assistant, cron."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

from langgraph_client.server.errors import Unavailable

_SECONDS = 30.0
"""A holder awaits the storage, and at most a graph's update of its state."""


class Outer(Protocol):
    """Holds a lock among all processes; see `shared.Shared.locked`."""

    def __call__(self, key: str, *, lazily: bool = False) -> AbstractAsyncContextManager[Any]:
        """Hold the lock of a key."""
        ...


class KeyedLocks:
    """A lock for each key, which exists as long as somebody holds it or waits for it.

    Who needs several takes them in this order: an idempotency key, an assistant, a thread. A holder
    never waits for a run to be over: the end of a run is written under the lock of its thread.

    Args:
        outer: Holds a lock of the same name among all processes; None where there is only one.
    """

    def __init__(self, outer: Outer | None = None) -> None:
        self._outer = outer
        self._locks: dict[str, asyncio.Lock] = {}
        self._users: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._locks)

    @asynccontextmanager
    async def hold(
        self, key: str, *, lazily: bool = False, here: bool = False
    ) -> AsyncIterator[Any]:
        """Hold the lock of a key; read, decide and write within.

        Args:
            key: The key.
            lazily: Among processes, take the lock with the first thing that is done through
                `Storage.within` or `Storage.transaction`, and nothing before that.
            here: Among the requests of this process only: no other one can know the key yet.

        Returns:
            What `within` and `transaction` take, to use the connection of the lock; else None.

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
                if self._outer is None or here:
                    yield None
                else:
                    async with self._outer(key, lazily=lazily) as held:
                        yield held
            finally:
                lock.release()
        finally:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key], self._locks[key]
