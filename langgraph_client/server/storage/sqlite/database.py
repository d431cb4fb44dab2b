"""The SQLite connection: open and lock a file, begin and commit, translate errors."""

from __future__ import annotations

import asyncio
import atexit
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from langgraph_client.server.errors import Unavailable
from langgraph_client.server.storage.sqlite.file_lock import FileLock, FileLockedError
from langgraph_client.server.storage.sqlite.json_conditions import install

_Result = TypeVar("_Result")

SCHEMA_VERSION = 1
APPLICATION_ID = 0x4C474353
"""The mark in the header of our files, so that another program's database is not used as one."""
_WAL_BYTES = 4_000_000
_VACUUM_PAGES = 64
_BUSY_SECONDS = 5.0
"""How many seconds a write waits for another process that holds the file."""
_BUSY_PAUSE = 0.01
"""The pause between two attempts: SQLite does not say when a file is free."""
_OF_THE_CALLER = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.NotSupportedError)


class DatabaseFileError(OSError):
    """The database file cannot be used. The message names the file and says what to do."""


class FileBusy(Unavailable):
    """Another process holds the file's write lock. A backup may do so for a moment."""


class DamagedJson(Unavailable):
    """A query has to look into a text that is not JSON."""


class Database:
    """One SQLite file, or memory, on one connection.

    A commit reaches the operating system before a call returns, so a killed process loses nothing
    that a client knows of. Statements are executed on the calling thread. Only writes may have to
    wait, for another process that writes to the file. The async methods wait without blocking the
    event loop.

    Args:
        path: The file; in memory by default.

    Raises:
        DatabaseFileError: The file cannot be opened, is not a database of this package, was
            written by a newer version of it, or is used by another server.
    """

    # The tables of the first database in memory, without rows. Creating them takes most of the
    # start of a server, and a test suite starts many servers. A copy takes a tenth of that time.
    _tables: ClassVar[sqlite3.Connection | None] = None
    _tables_lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        # A lock, because nodes in worker threads read and write checkpoints on this connection,
        # too. Reentrant, because transactions are nested.
        self.lock = threading.RLock()
        # The thread of the event loop, which must not sleep while another process has the file.
        self._home = threading.get_ident()
        self._file_lock: FileLock | None = None
        name = ":memory:"
        if path is not None and os.fspath(path) != name:
            name = os.fspath(path)
            self._file_lock = _lock(name)
        try:
            self.connection = _connect(name)
            self._is_in_memory = name == ":memory:"
            with self._tables_lock:
                if self._is_in_memory and self._tables is not None:
                    self._tables.backup(self.connection)
            install(self.connection)
        except BaseException:
            self._release()
            raise

    # Reading.

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Cursor]:
        """Give a cursor for reads. No other thread writes meanwhile.

        Raises:
            Unavailable: SQLite cannot read.
        """
        with self.lock, translated(), closing(self.connection.cursor()) as cursor:
            yield cursor

    def row(self, statement: str, values: Sequence[object] = ()) -> Any:
        """Return the first row that a query finds, or None. Texts are as those of `rows`."""
        return self._fetch(sqlite3.Cursor.fetchone, statement, values)

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        """Return the rows that a query finds.

        In a text that is not UTF-8, bytes that are wrong become surrogates, so that one such row
        does not hide the others. JSON with surrogates cannot be decoded.
        """
        return self._fetch(sqlite3.Cursor.fetchall, statement, values)

    def _fetch(
        self,
        fetch: Callable[[sqlite3.Cursor], _Result],
        statement: str,
        values: Sequence[object],
    ) -> _Result:
        with self.lock, translated():
            try:
                return fetch(self.connection.execute(statement, values))
            except sqlite3.OperationalError as error:
                if not _is_of_damaged_text(error):
                    raise
            # Only then: SQLite's own decoding is far quicker.
            self.connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
            try:
                return fetch(self.connection.execute(statement, values))
            finally:
                self.connection.text_factory = str

    # Writing.

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Cursor]:
        """Commit all writes together, or none of them after an exception.

        A transaction within another one is part of that one.

        Raises:
            Unavailable: SQLite cannot write. Nothing of the transaction is stored.
        """
        is_outermost = self.begin()
        with self.committing(is_outermost), closing(self.connection.cursor()) as cursor:
            yield cursor

    @contextmanager
    def committing(self, is_outermost: bool) -> Iterator[None]:
        """End a transaction that `begin` has begun, and release the lock."""
        with translated():
            try:
                yield
                # Within the `try`: a commit that fails, for example on a full disk, leaves the
                # transaction open. All later writes would become part of it.
                if is_outermost:
                    self.connection.execute("COMMIT")
            except BaseException:
                # After some errors, SQLite has rolled back by itself.
                if is_outermost and self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise
            finally:
                self.lock.release()

    def begin(self) -> bool:
        """Take the lock, and begin a transaction if none is open. Return whether it began one."""
        deadline = time.monotonic() + _BUSY_SECONDS
        while True:
            self.lock.acquire()
            try:
                if self.connection.in_transaction:
                    return False
                with translated():
                    self.connection.execute("BEGIN IMMEDIATE")
                # The lock stays held, and `committing` releases it. So a caller must enter that
                # next, without an await: other tasks of this thread would share the transaction.
                return True
            except BaseException as error:
                self.lock.release()
                # On the event loop this must not sleep; `retry_while_busy` waits there.
                is_home = threading.get_ident() == self._home
                if not isinstance(error, FileBusy) or is_home or time.monotonic() > deadline:
                    raise
            time.sleep(_BUSY_PAUSE)  # In a worker thread only, see above.

    def execute(self, statement: str, values: Sequence[object] = ()) -> int:
        """Execute one statement that writes. Return how many rows it changed."""
        if threading.get_ident() != self._home:
            with self.transaction() as cursor:  # It waits for other processes.
                return cursor.execute(statement, values).rowcount
        with self.lock, translated():
            return self.connection.execute(statement, values).rowcount

    async def retry_while_busy(self, write: Callable[[], _Result]) -> _Result:
        """Call a function that writes, and repeat it while another process holds the file.

        Raises:
            FileBusy: Another process held the file for five seconds.
        """
        deadline = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                return write()
            except FileBusy:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(_BUSY_PAUSE)

    async def write(self, statement: str, values: Sequence[object] = ()) -> int:
        """Execute one statement. Return how many rows it changed."""
        return await self.retry_while_busy(lambda: self.execute(statement, values))

    async def write_many(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        """Execute one statement for each row, in one transaction."""

        def write() -> None:
            with self.transaction() as cursor:
                cursor.executemany(statement, rows)

        await self.retry_while_busy(write)

    def stop_blocking_waits(self) -> None:
        """End the opening, during which SQLite itself waits for other processes.

        From now on SQLite reports a busy file at once, so that it does not block the loop. The
        methods that write do the waiting.
        """
        with translated():
            self.connection.execute("PRAGMA busy_timeout=0").fetchall()

    def keep_tables(self) -> None:
        """Let later databases in memory copy the tables of this one, which must have no rows."""
        with self._tables_lock:
            if self._is_in_memory and self._tables is None:
                tables = sqlite3.connect(":memory:", check_same_thread=False)
                self.connection.backup(tables)
                Database._tables = tables
                atexit.register(tables.close)  # Python 3.13 warns of a connection left open.

    async def pause(self) -> None:
        """Let other tasks run during long work, except within a transaction."""
        if not self.connection.in_transaction:
            await asyncio.sleep(0)

    # The file.

    def shrink_file(self) -> bool:
        """Return some deleted space to the file system. Return whether there is more.

        Each call moves a bounded number of pages, so that requests do not wait for long.
        """
        with self.lock, translated():
            # A transaction of this thread may be open, which the lock does not exclude: with an
            # `Encryption`, it waits for handlers.
            (free,) = self.connection.execute("PRAGMA freelist_count").fetchone()
            if not free or self.connection.in_transaction:
                return False
            # Each step of the statement moves one page; fetching all of them completes it.
            self.connection.execute(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})").fetchall()
            return bool(free > _VACUUM_PAGES)

    def close(self) -> None:
        """Close the connection and release the file. Safe to repeat."""
        with self.lock:
            self.connection.close()
            self._release()

    def _release(self) -> None:
        if self._file_lock is not None:
            self._file_lock.release()


class translated:  # noqa: N801 - as the context managers of contextlib
    """Translate errors of SQLite into `Unavailable`.

    Violated constraints and errors of the caller, such as a wrong number of parameters, are not
    translated. This is a class because it is entered for each statement: a generator would take
    twice as long.
    """

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, at: object
    ) -> None:
        """Translate the exception, if there is one."""
        if not isinstance(error, sqlite3.DatabaseError) or isinstance(error, _OF_THE_CALLER):
            return
        # The low byte is the kind of error; the others tell it in more detail.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        kind = FileBusy if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) else Unavailable
        if str(error) == "malformed JSON":
            kind = DamagedJson
        if _is_of_damaged_text(error):  # The message contains the text.
            detail = "the database cannot be used at the moment: a stored text is not UTF-8"
            raise Unavailable(detail, str(error)) from error
        raise kind(f"the database cannot be used at the moment: {error}") from error


def _is_of_damaged_text(error: sqlite3.DatabaseError) -> bool:
    return str(error).startswith("Could not decode to UTF-8")


def _lock(path: str) -> FileLock:
    try:
        return FileLock(path)
    except FileLockedError as error:
        owner = "another server" if error.pid is None else f"the server with process id {error.pid}"
        raise DatabaseFileError(
            f"{path} is in use by {owner}; stop that one, or use another file"
        ) from error
    except OSError as error:
        raise DatabaseFileError(f"{path} cannot be opened: {error.strerror}") from error


def _connect(path: str) -> sqlite3.Connection:
    is_new = path == ":memory:" or _check_header(path)
    try:
        # With another isolation level, Python itself would begin a transaction before a write, and
        # nothing here would commit it.
        connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    except sqlite3.Error as error:
        raise DatabaseFileError(f"{path} cannot be opened: {error}") from error
    try:
        if is_new:
            # The first of these works only while the file is empty.
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("PRAGMA journal_mode=WAL").fetchall()
        # In WAL mode with NORMAL, commits do not wait for the disk. A power failure may undo the
        # last ones; the end of the process undoes none.
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(f"PRAGMA journal_size_limit={_WAL_BYTES}").fetchall()
    except sqlite3.Error as error:
        connection.close()
        raise DatabaseFileError(f"{path} cannot be used: {error}") from error
    return connection


def _check_header(path: str) -> bool:
    """Return whether a file is new. Reads the header without SQLite, which might write.

    Raises:
        DatabaseFileError: The file exists and is not a database of this package.
    """
    try:
        with Path(path).open("rb") as file:
            header = file.read(100)
    except FileNotFoundError:
        return True
    except OSError as error:
        raise DatabaseFileError(f"{path} cannot be opened: {error.strerror}") from error
    if not header:
        return True
    if not header.startswith(b"SQLite format 3\0") or len(header) < 100:
        raise DatabaseFileError(f"{path} is not a database; name another file, or a new one")
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise DatabaseFileError(
            f"{path} is a database of another program; name another file, or a new one"
        )
    version = int.from_bytes(header[60:64], "big")
    if version > SCHEMA_VERSION:
        raise DatabaseFileError(
            f"{path} has schema version {version}, this package reads up to {SCHEMA_VERSION}; "
            "use the version that wrote the file, or a newer one"
        )
    return False
