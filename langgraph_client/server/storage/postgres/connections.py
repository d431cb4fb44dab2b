"""The connections to PostgreSQL: pools, transactions, locks, and the translation of errors."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, NamedTuple, Protocol, TypeAlias

import psycopg
from psycopg.pq import TransactionStatus

from langgraph_client.server.errors import Deadlock, Invalid, TooLarge, Unavailable
from langgraph_client.server.storage.postgres.pools import BlockingPool, Connection, Pool
from langgraph_client.server.storage.protocol import KeyTaken
from langgraph_client.server.storage.shared import Fenced

logger = logging.getLogger("langgraph_client.server")

Row: TypeAlias = tuple[Any, ...]

_CONNECT_SECONDS = 5
"""How many seconds opening a connection may take; libpq takes whole numbers only."""
_LOCK_TIMEOUT = "30s"
"""How long a statement waits for a lock, as a setting of PostgreSQL."""
_CHANGES_SECONDS = 600.0
"""How long to wait for another process that changes tables; a large index takes its time."""
FENCED = "LC001"
"""The code of the error that `lc_fence` and `lc_release` raise."""
_BLOCKING = 2
"""How many connections there are for blocking calls."""
_STATEMENTS = 8
"""How many connections there are for statements and transactions."""
_LOCKS = (4, 8, 8)
"""How many connections there are for locks, for each level from the outermost one.

Each level has its own pool: a holder of an outer lock waits for a connection of an inner level, so
with one pool for all, holders of outer locks could take all connections and wait for ever.
"""


class DatabaseError(OSError):
    """The database cannot be used. The message contains no password."""


class Executor(Protocol):
    """Executes statements: over the pool, or on one connection within a transaction."""

    async def rows(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        """Return the rows of a query."""
        ...

    async def row(self, statement: str, values: Sequence[object] = ()) -> Row | None:
        """Return the first row of a query; None if there is none."""
        ...

    async def execute(self, statement: str, values: Sequence[object] = ()) -> int:
        """Execute a statement that writes. Return how many rows it changed."""
        ...

    async def write(
        self, statement: str, values: Sequence[object] = (), *, place: Place | None = None
    ) -> None:
        """Execute a statement whose result is not needed; a transaction may delay it.

        Args:
            statement: An INSERT, UPDATE or DELETE.
            values: Its values.
            place: The row that it changes; None if it must be executed now.
        """
        ...


class Place(NamedTuple):
    """The row that a statement changes. With the key None, it may change any row of the table."""

    table: str
    key: object = None
    deletes: bool = False


@contextmanager
def translated() -> Iterator[None]:
    """Translate errors of psycopg.

    Raises:
        Fenced: A statement was refused because the process does not hold the thread's lease.
        KeyTaken: There is a document with this key already.
        TooLarge: A value is larger than the database accepts, such as a key of an index.
        Invalid: A value is none that the database has, such as a text with a NUL.
        Deadlock: The transaction and another one waited for each other.
        Unavailable: The connection or the database failed.
    """
    try:
        yield
    except psycopg.errors.UniqueViolation as error:
        raise KeyTaken(f"{error.diag.table_name}: {error.diag.message_detail}") from None
    except psycopg.errors.ProgramLimitExceeded as error:  # It is an OperationalError, too.
        raise TooLarge(f"PostgreSQL refuses a value: {_text(error)}") from error
    except psycopg.DataError as error:
        raise Invalid(f"PostgreSQL refuses a value: {_text(error)}") from error
    except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure) as error:
        raise Deadlock("The database is busy with conflicting changes", _text(error)) from error
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise Unavailable("The database does not answer", _text(error)) from error
    except (psycopg.errors.DiskFull, psycopg.errors.ReadOnlySqlTransaction) as error:
        raise Unavailable("The database cannot be written", _text(error)) from error
    except psycopg.DatabaseError as error:
        if error.sqlstate == FENCED:
            raise Fenced("another process executes the runs of the thread") from None
        raise


def _text(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


class Batch:
    """Statements that are committed together, on one connection.

    A round trip costs this process and PostgreSQL several times as much as most statements. So
    writes are collected and sent as one statement: before the next read, or at the end. If nothing
    was read, that statement is the whole transaction, without BEGIN and COMMIT.

    All parts of one statement see the database as it was before it, and must not change a row
    twice. A write that would do so is sent after the others.

    Args:
        connection: A connection in autocommit mode.
        lock: The number of an advisory lock to take before the first read or write; None for none.
    """

    def __init__(self, connection: Connection, lock: int | None = None) -> None:
        self._connection = connection
        self._lock = lock
        self._begun = False
        self._writes: list[tuple[str, Sequence[object]]] = []
        self._places: list[Place] = []
        self._conditions: list[tuple[str, Sequence[object]]] = []
        self._known: dict[tuple[str, tuple[object, ...]], tuple[Row | None]] = {}
        #: The values of the expressions given to `require`, after the last writes.
        self.returned: Row = ()

    # As an `Executor`.

    async def rows(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        """Return the rows of a query."""
        await self._ready()
        # As bytes, because psycopg's types accept literal text only. Without values, None: psycopg
        # then looks for no placeholders.
        with translated():
            cursor = await self._connection.execute(statement.encode(), values or None)
            return await cursor.fetchall()

    async def row(self, statement: str, values: Sequence[object] = ()) -> Row | None:
        """Return the first row of a query; None if there is none."""
        # A row that was read ahead serves one read. The next one must see the database.
        known = self._known.pop((statement, tuple(values)), None)
        if known is not None:
            return known[0]
        await self._ready()
        with translated():
            cursor = await self._connection.execute(statement.encode(), values or None)
            return await cursor.fetchone()

    async def execute(self, statement: str, values: Sequence[object] = ()) -> int:
        """Execute a statement that writes, now."""
        # Rows that were read ahead may be out of date after a write.
        self._known.clear()
        await self._ready()
        with translated():
            return (await self._connection.execute(statement.encode(), values or None)).rowcount

    async def write(
        self, statement: str, values: Sequence[object] = (), *, place: Place | None = None
    ) -> None:
        """Collect a statement that writes; without a place, execute it now."""
        if place is None:
            await self.execute(statement, values)
            return
        self._known.clear()
        if any(_meet(place, other) for other in self._places):
            await self._ready()
        self._places.append(place)
        self._writes.append((statement, values))

    def know(self, statement: str, values: Sequence[object], row: Row | None) -> None:
        """Keep a row that was read ahead, as the result of the next call of `row` with a statement.

        Args:
            statement: The statement.
            values: Its values.
            row: The row. It is forgotten with the next write.
        """
        self._known[statement, tuple(values)] = (row,)

    def require(self, expression: str, values: Sequence[object] = ()) -> None:
        """Evaluate an expression together with the last writes; if it fails, nothing is written."""
        self._conditions.append((expression, values))

    # Sending.

    async def begin(self) -> None:
        """Begin the transaction and take the lock, if that is not done yet."""
        if self._begun:
            return
        begin = "BEGIN"
        if self._lock is not None:
            begin += (
                f"; SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}';"
                f" SELECT pg_advisory_xact_lock({self._lock})"
            )
        # Before the statement: if it fails or is cancelled, the transaction may be open.
        self._begun = True
        with translated():
            await self._connection.execute(begin.encode())

    async def _ready(self) -> None:
        await self.begin()
        # Conditions wait for the last statement. If one fails there, all of it is rolled back.
        conditions, self._conditions = self._conditions, []
        await self._send()
        self._conditions = conditions

    async def _send(self) -> None:
        """Execute the collected writes, as one statement."""
        if not self._writes and not self._conditions:
            return
        parts, expressions, values = [], [], list[object]()
        for number, (text, given) in enumerate(self._writes):
            parts.append(f"w{number} AS ({text})")
            values += given
        if self._lock is not None and not self._begun:
            # PostgreSQL evaluates this before the parts that write, which it executes at the end.
            expressions.append(f"set_config('lock_timeout', '{_LOCK_TIMEOUT}', true)")
            expressions.append("pg_advisory_xact_lock(%s)")
            values.append(self._lock)
        skipped = len(expressions)
        for text, given in self._conditions:
            expressions.append(text)
            values += given
        statement = f"SELECT {', '.join(expressions) or '1'}"
        if parts:
            statement = f"WITH {', '.join(parts)} {statement}"
        self._writes, self._conditions, self._places = [], [], []
        with translated():
            cursor = await self._connection.execute(statement.encode(), values or None)
            row = await cursor.fetchone()
        self.returned = () if row is None else row[skipped:]

    async def commit(self) -> None:
        """Execute the collected writes, and end the transaction."""
        await self._send()
        if self._begun:
            with translated():
                await self._connection.execute(b"COMMIT")
            self._begun = False
        self._lock = None  # It has ended with the transaction.

    async def roll_back(self) -> None:
        """Undo everything. If the connection is in no state for that, its pool closes it."""
        self._writes, self._conditions, self._places = [], [], []
        if self._begun and not self._connection.closed:
            with suppress(psycopg.Error):
                await self._connection.execute(b"ROLLBACK")
        self._begun = False


class Connections:
    """The connections of one process.

    A process has at most eight connections for its statements, twenty for the locks that it holds
    across statements, one for `LISTEN` and two for blocking calls. The pools are separate to avoid
    a deadlock: the holder of a lock may wait for a lock of the next levels or for a connection for
    statements, but the user of such a connection never waits for a lock.

    Args:
        url: The URL of the database.
        direct: Whether the connections go to PostgreSQL itself, not through a pooler that gives
            each transaction another connection.
    """

    def __init__(self, url: str, *, direct: bool = True) -> None:
        self.url = url
        self.options: dict[str, Any] = {"autocommit": True, "connect_timeout": _CONNECT_SECONDS}
        # Behind a pooler in transaction mode, the next statement may be sent to another connection,
        # which does not know the prepared statement.
        self.options["prepare_threshold"] = 3 if direct else None
        self.pool = Pool(url, _STATEMENTS, self.options)
        self.blocking = BlockingPool(url, _BLOCKING, self.options)
        self._locks = [Pool(url, number, self.options, wait=30.0) for number in _LOCKS]

    async def open(self) -> None:
        """Connect.

        Raises:
            DatabaseError: The database does not exist, or refuses this user.
        """
        try:
            probe = await psycopg.AsyncConnection.connect(self.url, **self.options)
        except psycopg.Error as error:
            raise DatabaseError(f"the database cannot be used: {_text(error)}") from None
        await probe.close()

    async def close(self) -> None:
        """Close all connections."""
        self.blocking.close()
        for locks in self._locks:
            await locks.close()
        await self.pool.close()

    def numbers(self) -> dict[str, int]:
        """Return how many connections are allowed, in use, idle, and waited for."""
        pool = self.pool
        return {
            "max": pool.size,
            "active": pool.in_use,
            "idle": pool.idle,
            "waiting": pool.waiting,
        }

    # Statements outside of a transaction.

    async def rows(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        """Return the rows of a query."""
        with translated():
            async with self.pool.connection() as connection:
                cursor = await connection.execute(statement.encode(), values or None)
                return await cursor.fetchall()

    async def row(self, statement: str, values: Sequence[object] = ()) -> Row | None:
        """Return the first row of a query; None if there is none."""
        with translated():
            async with self.pool.connection() as connection:
                cursor = await connection.execute(statement.encode(), values or None)
                return await cursor.fetchone()

    async def execute(self, statement: str, values: Sequence[object] = ()) -> int:
        """Execute a statement that writes. Return how many rows it changed."""
        with translated():
            async with self.pool.connection() as connection:
                return (await connection.execute(statement.encode(), values or None)).rowcount

    async def write(
        self, statement: str, values: Sequence[object] = (), *, place: Place | None = None
    ) -> None:
        """Execute a statement that writes."""
        await self.execute(statement, values)

    # Transactions and locks.

    @asynccontextmanager
    async def transaction(self, held: Batch | None = None) -> AsyncIterator[Batch]:
        """Commit the statements of a batch together, or none of them after an exception.

        Args:
            held: The value of `locked`, to use the connection of the lock. The lock ends with the
                transaction.
        """
        if held is not None:
            async with _committed(held):
                yield held
            return
        with translated():
            async with self.pool.connection() as connection, _committed(Batch(connection)) as batch:
                yield batch

    @asynccontextmanager
    async def locked(
        self, key: str, *, lazily: bool = False, level: int = -1
    ) -> AsyncIterator[Batch]:
        """Hold the lock of a key across all processes.

        The lock belongs to a transaction: behind a pooler in transaction mode, a lock of the
        session could be lost.

        Args:
            key: The key.
            lazily: Whether to take the lock only with the first statement of the batch, which saves
                a round trip.
            level: The pool of its connection: 0 for the outermost locks, -1 for those within which
                no other lock is taken.

        Raises:
            Unavailable: Another process holds it for too long, or the database does not answer.
        """
        with translated():
            async with self._locks[level].connection() as connection:
                held = Batch(connection, lock_number(key))
                try:
                    if not lazily:
                        await held.begin()
                    yield held
                finally:
                    await _end(connection)

    @asynccontextmanager
    async def locked_for_changes(
        self, key: str, wait: float = _CHANGES_SECONDS
    ) -> AsyncIterator[None]:
        """Hold a lock while tables are changed.

        The lock is polled. Waiting for it within a statement would block the holder's
        `CREATE INDEX CONCURRENTLY`, which waits for the end of all statements.

        Args:
            key: The lock's name.
            wait: How many seconds to wait for it.

        Raises:
            Unavailable: Another process holds it for too long, or the database does not answer.
        """
        deadline = time.monotonic() + wait
        ask = f"BEGIN; SELECT pg_try_advisory_xact_lock({lock_number(key)})".encode()
        with translated():
            async with self._locks[-1].connection() as connection:
                while True:
                    cursor = await connection.execute(ask)
                    # The first result is that of BEGIN.
                    cursor.nextset()
                    row = await cursor.fetchone()
                    if row is not None and row[0]:
                        break
                    await connection.execute(b"ROLLBACK")
                    if time.monotonic() > deadline:
                        raise Unavailable(
                            f"Another server has been changing the tables for {wait:g} s"
                        )
                    await asyncio.sleep(0.1)  # Polled, for the reason above.
                try:
                    yield
                finally:
                    await _end(connection)


def _meet(one: Place, other: Place) -> bool:
    """Return whether two writes may change the same row, so that their order matters."""
    if one.table != other.table or (one.deletes and other.deletes):
        return False
    return one.key is None or other.key is None or one.key == other.key


@asynccontextmanager
async def _committed(batch: Batch) -> AsyncIterator[Batch]:
    """Commit a batch at the end, or undo it on an exception."""
    try:
        yield batch
        await batch.commit()
    except asyncio.CancelledError:
        raise  # The pool closes a connection that is not idle, which undoes the transaction.
    except BaseException:
        await batch.roll_back()
        raise


async def _end(connection: Connection) -> None:
    """End the transaction of a lock, also if it failed or the holder is cancelled.

    Writes on its connection are committed already, or must be undone.
    """
    if connection.pgconn.transaction_status == TransactionStatus.IDLE:
        return
    # Shielded: a cancelled holder must release the lock before the connection is used again.
    ending = asyncio.ensure_future(connection.execute(b"ROLLBACK"))
    try:
        await asyncio.shield(ending)
    except asyncio.CancelledError:
        await asyncio.wait([ending])
        raise
    except psycopg.Error:
        await connection.close()  # PostgreSQL releases the lock with it. The pool opens a new one.


def lock_number(key: str) -> int:
    """Return the number of a key's advisory lock, the same in all processes."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), signed=True)
