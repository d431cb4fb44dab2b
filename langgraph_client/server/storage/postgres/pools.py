"""Pools of connections: bounded, opened on demand, without tasks or threads of their own.

Why not `psycopg_pool`: its pool opens connections in tasks of its own. While the database is down,
a request waits there for the whole `timeout` and then gets a `PoolTimeout` without the reason,
because the tasks repeat the attempt with growing pauses (seen with 3.3.3: 5 s; here, the refused
connection is raised at once). Leases must be lost, and requests refused, as soon as that is known.
Its `AsyncNullConnectionPool` raises at once, but keeps no connection. Each pool also has four tasks
or threads, and this process needs five pools: the holders of locks need their own ones.
"""

from __future__ import annotations

import asyncio
import select
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeAlias

import psycopg
from psycopg.pq import TransactionStatus

from langgraph_client.server.errors import Unavailable

Connection: TypeAlias = psycopg.AsyncConnection[tuple[Any, ...]]
BlockingConnection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_FREE_SECONDS = 5.0
"""How many seconds to wait for a free connection."""


class Pool:
    """Connections for one event loop.

    Args:
        url: The URL of the database.
        size: The most connections.
        options: The options for opening a connection.
        wait: How many seconds to wait for a free connection.
    """

    def __init__(
        self, url: str, size: int, options: dict[str, Any], wait: float = _FREE_SECONDS
    ) -> None:
        self.size = size
        self.in_use = 0
        self.waiting = 0
        self._url = url
        self._options = options
        self._wait = wait
        self._idle: list[Connection] = []
        self._room = asyncio.Semaphore(size)
        self._closed = False

    @property
    def idle(self) -> int:
        """How many connections are open and not in use."""
        return len(self._idle)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Give a connection. It returns to the pool afterwards, unless it cannot be used again.

        Raises:
            Unavailable: No connection becomes free in time, or the pool is closed.
        """
        await self._enter()
        connection: Connection | None = None
        try:
            self.in_use += 1
            connection = await self._take()
            yield connection
        finally:
            self.in_use -= 1
            # A connection whose closing fails or is cancelled must not keep its place in the pool.
            try:
                if connection is not None:
                    await self._give_back(connection)
            finally:
                self._room.release()

    async def _enter(self) -> None:
        if self._closed:
            raise Unavailable("The database is closed")
        if not self._room.locked():
            await self._room.acquire()  # Does not wait.
            return
        self.waiting += 1
        try:
            async with asyncio.timeout(self._wait):
                await self._room.acquire()
        except TimeoutError:
            raise Unavailable("All connections to the database are in use; try again") from None
        finally:
            self.waiting -= 1

    async def _take(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if is_usable(connection):
                return connection
            await connection.close()
        return await psycopg.AsyncConnection.connect(self._url, **self._options)

    async def _give_back(self, connection: Connection) -> None:
        # A connection that was cancelled within a statement or a transaction cannot be used again.
        if self._closed or not _is_idle(connection):
            await connection.close()
        else:
            self._idle.append(connection)

    async def close(self) -> None:
        """Close all that are not in use; the others are closed when they come back."""
        self._closed = True
        while self._idle:
            await self._idle.pop().close()


class BlockingPool:
    """Connections for blocking calls, from any thread."""

    def __init__(self, url: str, size: int, options: dict[str, Any]) -> None:
        self._url = url
        self._options = options
        self._idle: list[BlockingConnection] = []
        self._room = threading.BoundedSemaphore(size)
        self._closed = False

    @contextmanager
    def connection(self) -> Iterator[BlockingConnection]:
        """Give a connection. It returns to the pool afterwards, unless it cannot be used again."""
        if not self._room.acquire(timeout=_FREE_SECONDS):
            raise Unavailable("All connections to the database are in use; try again")
        connection: BlockingConnection | None = None
        try:
            connection = self._take()
            yield connection
        finally:
            if connection is not None:
                if self._closed or not _is_idle(connection):
                    connection.close()
                else:
                    self._idle.append(connection)
            self._room.release()

    def _take(self) -> BlockingConnection:
        if self._closed:
            raise Unavailable("The database is closed")
        while (connection := self._idle_one()) is not None:
            if is_usable(connection):
                return connection
            connection.close()
        return psycopg.Connection.connect(self._url, **self._options)

    def _idle_one(self) -> BlockingConnection | None:
        try:
            return self._idle.pop()  # Not after a look: another thread could take it in between.
        except IndexError:
            return None

    def close(self) -> None:
        """Close all that are not in use; the others are closed when they come back."""
        self._closed = True
        while (connection := self._idle_one()) is not None:
            connection.close()


def is_usable(connection: Connection | BlockingConnection) -> bool:
    """Return whether an idle connection looks alive, without a query.

    An idle connection has nothing to read, except the last message of a server that has stopped.
    """
    if connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return not poll.poll(0)


def _is_idle(connection: Connection | BlockingConnection) -> bool:
    return not connection.closed and connection.pgconn.transaction_status == TransactionStatus.IDLE
