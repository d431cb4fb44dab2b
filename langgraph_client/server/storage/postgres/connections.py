"""The connections to PostgreSQL: pools, transactions, locks, and errors turned into ours."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Protocol, TypeAlias

import psycopg

from langgraph_client.server.errors import Unavailable
from langgraph_client.server.storage.postgres.pools import BlockingPool, Connection, Pool

logger = logging.getLogger("langgraph_client.server")

Row: TypeAlias = tuple[Any, ...]

_CONNECT = 5
"""How long opening a connection may take, in seconds; whole ones only."""
_LOCK_WAIT = "30s"
_CHANGES_WAIT = 600.0  # Seconds; an index over a large table takes its time.
_BLOCKING = 2
"""How many connections blocking calls have."""


class DatabaseError(OSError):
    """The database cannot be used. The text says what to do, and has no password."""


class Executor(Protocol):
    """What carries out single statements: the pool, or one connection within a transaction."""

    async def rows(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        """Return the rows that a statement gives."""
        ...

    async def row(self, statement: str, values: Sequence[object] = ()) -> Row | None:
        """Return the first row that a statement gives."""
        ...

    async def execute(self, statement: str, values: Sequence[object] = ()) -> int:
        """Carry out a statement that writes. Returns how many rows it changed."""
        ...


@contextmanager
def translated() -> Iterator[None]:
    """Turn what is wrong with the connection or the database into `Unavailable`."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise Unavailable(f"The database does not answer: {_text(error)}") from error
    except (psycopg.errors.DiskFull, psycopg.errors.ReadOnlySqlTransaction) as error:
        raise Unavailable(f"The database cannot be written: {_text(error)}") from error


def _text(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


class OneConnection:
    """Statements on one connection, as part of its transaction."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def rows(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        """Return the rows that a statement gives."""
        with translated():
            cursor = await self.connection.execute(statement.encode(), values or None)
            return await cursor.fetchall()

    async def row(self, statement: str, values: Sequence[object] = ()) -> Row | None:
        """Return the first row that a statement gives."""
        with translated():
            cursor = await self.connection.execute(statement.encode(), values or None)
            return await cursor.fetchone()

    async def execute(self, statement: str, values: Sequence[object] = ()) -> int:
        """Carry out a statement that writes."""
        with translated():
            return (await self.connection.execute(statement.encode(), values or None)).rowcount


class Connections:
    """The connections of one process.

    A process has at most `size` connections for its statements, `locks` for the locks that it holds
    across statements, one for `LISTEN` and two for blocking calls. Who holds a lock may wait for a
    statement's connection, and who has one of these never waits for a lock: so they cannot wait for
    each other.

    Args:
        url: Where the database is.
        size: How many connections for statements.
        locks: How many for locks.
        direct: Whether the connections go to PostgreSQL itself, not through a pooler that gives
            each transaction another connection.
    """

    def __init__(self, url: str, *, size: int = 10, locks: int = 6, direct: bool = True) -> None:
        self.url = url
        self.options: dict[str, Any] = {"autocommit": True, "connect_timeout": _CONNECT}
        # Behind a pooler in transaction mode the next statement may meet another connection.
        self.options["prepare_threshold"] = 3 if direct else None
        self.pool = Pool(url, size, self.options)
        self.blocking = BlockingPool(url, _BLOCKING, self.options)
        self._locks = Pool(url, locks, self.options, wait=30.0)

    async def open(self) -> None:
        """Connect.

        Raises:
            DatabaseError: There is no such database, or it does not let this user in.
        """
        try:
            probe = await psycopg.AsyncConnection.connect(self.url, **self.options)
        except psycopg.Error as error:
            raise DatabaseError(f"the database cannot be used: {_text(error)}") from None
        await probe.close()

    async def close(self) -> None:
        """Close all connections."""
        self.blocking.close()
        await self._locks.close()
        await self.pool.close()

    def numbers(self) -> dict[str, int]:
        """Return how many connections there are, are free, and how many statements wait."""
        pool = self.pool
        return {
            "max": pool.size,
            "active": pool.in_use,
            "idle": pool.idle,
            "waiting": pool.waiting,
        }

    # Statements of their own.

    async def rows(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        """Return the rows that a statement gives."""
        with translated():
            async with self.pool.connection() as connection:
                cursor = await connection.execute(statement.encode(), values or None)
                return await cursor.fetchall()

    async def row(self, statement: str, values: Sequence[object] = ()) -> Row | None:
        """Return the first row that a statement gives."""
        with translated():
            async with self.pool.connection() as connection:
                cursor = await connection.execute(statement.encode(), values or None)
                return await cursor.fetchone()

    async def execute(self, statement: str, values: Sequence[object] = ()) -> int:
        """Carry out a statement that writes."""
        with translated():
            async with self.pool.connection() as connection:
                return (await connection.execute(statement.encode(), values or None)).rowcount

    # Several.

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[OneConnection]:
        """Commit what is done through the given value together, or on an exception nothing."""
        with translated():
            async with self.pool.connection() as connection, connection.transaction():
                yield OneConnection(connection)

    @asynccontextmanager
    async def locked(self, key: str) -> AsyncIterator[None]:
        """Hold the lock of a key, which no other process holds meanwhile.

        It belongs to a transaction, so that a pooler in transaction mode does not lose it.

        Raises:
            Unavailable: Another process holds it for too long, or the database is away.
        """
        number = lock_number(key)
        with translated():
            async with self._locks.connection() as connection:
                begin = (
                    f"BEGIN; SET LOCAL lock_timeout = '{_LOCK_WAIT}';"
                    f" SELECT pg_advisory_xact_lock({number})"
                )
                try:
                    await connection.execute(begin.encode())
                    yield
                finally:
                    await _end(connection)

    @asynccontextmanager
    async def locked_for_changes(self, key: str) -> AsyncIterator[None]:
        """Hold a lock while tables change.

        Who waits here asks again and again: one that waited within a statement would hold up
        `CREATE INDEX CONCURRENTLY`, which waits for all statements.

        Raises:
            Unavailable: Another process changes them for too long, or the database is away.
        """
        deadline = time.monotonic() + _CHANGES_WAIT
        ask = f"BEGIN; SELECT pg_try_advisory_xact_lock({lock_number(key)})".encode()
        with translated():
            async with self._locks.connection() as connection:
                while True:
                    cursor = await connection.execute(ask)
                    cursor.nextset()
                    row = await cursor.fetchone()
                    if row is not None and row[0]:
                        break
                    await connection.execute(b"ROLLBACK")
                    if time.monotonic() > deadline:
                        raise Unavailable(
                            f"Another server has been changing the tables for {_CHANGES_WAIT:g} s"
                        )
                    await asyncio.sleep(0.1)  # Asked again, for the reason above.
                try:
                    yield
                finally:
                    await _end(connection)


async def _end(connection: Connection) -> None:
    """End the transaction of a lock, also if it failed or the holder is cancelled."""
    ending = asyncio.ensure_future(connection.execute(b"COMMIT"))
    try:
        await asyncio.shield(ending)
    except asyncio.CancelledError:
        await asyncio.wait([ending])
        raise
    except psycopg.Error:
        await connection.close()  # The pool makes another one; the lock is gone with this one.


def lock_number(key: str) -> int:
    """Return the number by which PostgreSQL knows a lock."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), signed=True)
