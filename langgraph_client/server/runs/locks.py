"""Locks by name: one writer per thread, assistant and cron."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from langgraph_client.server.errors import LockTimeout

_SECONDS = 30.0
"""How long to wait for a lock. A holder waits for the storage, and at most for a state update."""


_LEVELS = {"answers": 0, "idempotency": 1, "assistant": 1}
"""The levels of locks that are held while others are taken, by the first word of the key."""
_INNERMOST = 2


class Outer(Protocol):
    """Holds a lock across all processes; see `shared.Shared.locked`."""

    def __call__(
        self, key: str, *, lazily: bool = False, level: int = -1
    ) -> AbstractAsyncContextManager[object]:
        """Hold the lock of a key."""
        ...


class KeyedLocks:
    """A lock for each key. It exists while it is held or waited for.

    To avoid deadlocks, several locks must be taken in this order: answers to interrupts, then
    idempotency key or assistant, then one of the others, such as that of a thread. And a holder
    must never wait for the end of a run, because that end is written under the lock of its thread.

    Args:
        outer: Holds a lock of the same name across all processes; None for a single process.
        seconds: How long to wait for a lock within this process.
    """

    def __init__(self, outer: Outer | None = None, *, seconds: float = _SECONDS) -> None:
        self._outer = outer
        self._seconds = seconds
        self._locks: dict[str, asyncio.Lock] = {}
        self._users: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._locks)

    @asynccontextmanager
    async def hold(
        self, key: str, *, lazily: bool = False, here: bool = False
    ) -> AsyncIterator[object]:
        """Hold the lock of a key; read, decide and write within.

        Args:
            key: The key.
            lazily: Whether to take the lock of the other processes only with the first use of
                `Storage.within` or `Storage.transaction`, which saves a round trip.
            here: Whether to lock within this process only, because no other one can know the key.

        Returns:
            The argument for `within` and `transaction`, so that they use the connection that holds
            the lock; None for a single process.

        Raises:
            LockTimeout: Another request has held the lock for too long.
        """
        lock = self._locks.setdefault(key, asyncio.Lock())
        # Waiting requests count as users: the lock must not be replaced while they wait for it.
        self._users[key] = self._users.get(key, 0) + 1
        try:
            # Not `lock.locked()`: a lock that was just released is free, but `acquire` waits for
            # the request that was woken.
            if self._users[key] > 1:
                try:
                    async with asyncio.timeout(self._seconds):
                        await lock.acquire()
                except TimeoutError:
                    raise LockTimeout(f"Another request holds {key}; try again") from None
            else:
                await lock.acquire()
            try:
                # The lock of this process first: so its requests wait here, and do not each occupy
                # a connection of the database.
                if self._outer is None or here:
                    yield None
                else:
                    level = _LEVELS.get(key.partition(" ")[0], _INNERMOST)
                    async with self._outer(key, lazily=lazily, level=level) as held:
                        yield held
            finally:
                lock.release()
        finally:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key], self._locks[key]
