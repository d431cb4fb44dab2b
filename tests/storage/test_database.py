"""A database file: who may use it, what is one, and what happens when it cannot be written."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.base import empty_checkpoint

from langgraph_client.server.errors import Unavailable
from langgraph_client.server.storage.sqlite.database import Database, DatabaseFileError
from langgraph_client.server.storage.sqlite.storage import SqliteStorage

_HOLDER = """
import sys, time
from langgraph_client.server.storage.sqlite.database import Database
database = Database(sys.argv[1])
print("open", flush=True)
time.sleep(60)
"""


def test_a_second_server_is_refused_by_name(tmp_path: Path) -> None:
    """Who opens a file that another process has is told the file and the process, and at once."""
    path = tmp_path / "one.db"
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(path)], stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(DatabaseFileError, match=rf"one\.db is in use by.* {holder.pid};"):
            Database(path)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    Database(path).close()  # The lock ended with its owner.


def test_a_second_server_in_this_process_is_refused(tmp_path: Path) -> None:
    """The same holds within one process, by whatever name the file is opened, until it closes."""
    path = tmp_path / "one.db"
    first = Database(path)
    (tmp_path / "other").symlink_to(tmp_path)
    with pytest.raises(DatabaseFileError, match=f"process id {os.getpid()}"):
        Database(tmp_path / "other" / "one.db")
    with pytest.raises(DatabaseFileError):
        Database(path)  # The failed attempt has not dropped the first one's lock.
    first.close()
    Database(path).close()
    assert sorted(os.listdir(tmp_path)) == ["one.db", "other"]


def test_a_child_does_not_keep_the_lock(tmp_path: Path) -> None:
    """A child that a killed server has forked does not keep its file from the next one."""
    program = f"""
import os, sys, time
from langgraph_client.server.storage.sqlite.database import Database
database = Database({str(tmp_path / "one.db")!r})
if os.fork() == 0:
    time.sleep(60)
    os._exit(0)
print("forked", flush=True)
time.sleep(60)
"""
    server = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert server.stdout is not None
    try:
        assert server.stdout.readline() == "forked\n"
        server.kill()
        server.wait()
        Database(tmp_path / "one.db").close()
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.stdout.close()


def test_a_child_that_closes_does_not_unlock_its_parent(tmp_path: Path) -> None:
    """A forked child that closes what it inherited leaves the lock to its parent."""
    program = f"""
import os
from langgraph_client.server.storage.sqlite.file_lock import FileLock, FileLockedError
lock = FileLock({str(tmp_path / "one.db")!r})
child = os.fork()
if child == 0:
    lock.release()
    os._exit(0)
os.waitpid(child, 0)
print("closed", flush=True)
input()
"""
    server = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with server:
        assert server.stdout is not None
        assert server.stdout.readline() == "closed\n"
        with pytest.raises(DatabaseFileError, match=str(server.pid)):
            Database(tmp_path / "one.db")
        server.kill()


def _text(path: Path) -> None:
    path.write_text("no database " * 500)


def _other_program(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE bookmarks (url)")
    connection.close()


def _newer(path: Path) -> None:
    Database(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (_text, "is not a database"),
        (_other_program, "database of another program"),
        (_newer, "schema version 99"),
        (Path.mkdir, "Is a directory"),
    ],
)
def test_a_file_of_somebody_else_is_not_touched(tmp_path: Path, make: object, says: str) -> None:
    """What is no file of ours is refused in one line that names it, and stays as it was."""
    assert callable(make)
    path = tmp_path / "other.db"
    make(path)
    before = None if path.is_dir() else path.read_bytes()
    with pytest.raises(DatabaseFileError, match=says) as caught:
        SqliteStorage(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert before is None or path.read_bytes() == before
    assert os.listdir(tmp_path) == ["other.db"]


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    """A path that leads nowhere is one line, too."""
    with pytest.raises(DatabaseFileError, match="No such file or directory"):
        SqliteStorage(tmp_path / "no" / "such" / "x.db")


def test_memory_is_never_locked() -> None:
    """Servers in memory do not know each other."""
    for path in (None, ":memory:"):
        first, second = Database(path), Database(path)
        first.close()
        second.close()


def _fill(database: Database) -> None:
    (pages,) = database.row("PRAGMA page_count")
    database.row(f"PRAGMA max_page_count = {pages + 3}")


def _empty(database: Database) -> None:
    database.row("PRAGMA max_page_count = 1000000")


def test_a_full_disk_leaves_the_database_usable(tmp_path: Path) -> None:
    """What cannot be written is an `Unavailable` and nothing of it is kept; later it can be."""
    database = Database(tmp_path / "full.db")
    database.execute("CREATE TABLE numbers (number, filling)")
    _fill(database)

    def write() -> None:
        with database.transaction() as cursor:
            cursor.execute("INSERT INTO numbers VALUES (1, '')")
            cursor.execute("INSERT INTO numbers VALUES (2, ?)", ("x" * 100_000,))

    with pytest.raises(Unavailable, match="full"):
        write()
    with pytest.raises(Unavailable):
        database.execute("INSERT INTO numbers VALUES (3, ?)", ("x" * 100_000,))
    assert not database.connection.in_transaction
    assert database.rows("SELECT number FROM numbers") == []
    _empty(database)
    database.execute("INSERT INTO numbers VALUES (4, ?)", ("x" * 100_000,))
    assert database.rows("SELECT number FROM numbers") == [(4,)]
    database.close()


def test_an_error_does_not_quote_a_stored_text() -> None:
    """It may be of another user. The log has SQLite's message, the answer does not."""
    database = Database()
    database.execute("CREATE TABLE texts (text)")
    database.execute("INSERT INTO texts VALUES (CAST('secret' || x'ff' AS TEXT))")
    with pytest.raises(Unavailable) as caught, database.reading() as cursor:
        cursor.execute("SELECT text FROM texts").fetchall()
    assert "secret" not in caught.value.detail
    assert "secret" in caught.value.cause
    assert database.row("SELECT text FROM texts") == ("secret\udcff",)
    database.close()


def test_an_error_within_a_transaction_undoes_all_of_it() -> None:
    """A transaction is kept as a whole or not at all, also the nested ones in it."""
    database = Database()
    database.execute("CREATE TABLE numbers (number)")

    def write() -> None:
        with database.transaction():
            database.execute("INSERT INTO numbers VALUES (1)")
            with database.transaction() as cursor:
                cursor.execute("INSERT INTO numbers VALUES (2)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert database.rows("SELECT * FROM numbers") == []
    database.close()


async def test_waiting_for_another_process_blocks_nobody(tmp_path: Path) -> None:
    """While another process holds the write lock, reading works, the loop runs, writing waits."""
    path = tmp_path / "shared.db"
    storage = SqliteStorage(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    writing = asyncio.create_task(storage.thread_ttls.put({"thread_id": "t", "expires_at": ""}))
    await asyncio.sleep(0)
    assert await storage.thread_ttls.get("t") is None
    assert time.monotonic() - began < 10
    assert not writing.done()
    other.execute("COMMIT")
    await writing
    assert await storage.thread_ttls.get("t") is not None
    other.close()
    await storage.close()


@pytest.mark.parametrize(
    "write",
    [
        lambda storage: storage.checkpointer.aprune(["t"]),
        lambda storage: storage.checkpointer.acopy_thread("t", "u"),
        lambda storage: storage.checkpointer.adelete_for_runs(["r"]),
        lambda storage: storage.restore({}),
    ],
    ids=["prune", "copy", "delete runs", "restore"],
)
async def test_every_write_waits_for_another_process(
    tmp_path: Path, write: Callable[[Any], Awaitable[None]]
) -> None:
    """Those of whole threads and of all data, too."""
    storage: Any = SqliteStorage(tmp_path / "shared.db")
    config = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
    await storage.checkpointer.aput(config, empty_checkpoint(), {"run_id": "r"}, {})
    with closing(sqlite3.connect(tmp_path / "shared.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        writing = asyncio.ensure_future(write(storage))
        await asyncio.sleep(0)
        assert not writing.done()
        other.execute("COMMIT")
        await writing
    await storage.close()


def test_a_worker_thread_waits_without_the_lock(tmp_path: Path) -> None:
    """A worker thread that waits for another process does not keep the loop from reading."""
    path = tmp_path / "shared.db"
    database = Database(path)
    database.execute("CREATE TABLE numbers (number)")
    database.stop_blocking_waits()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    worker = threading.Thread(target=database.execute, args=("INSERT INTO numbers VALUES (1)",))
    worker.start()
    assert database.rows("SELECT * FROM numbers") == []
    other.execute("COMMIT")
    worker.join(60)
    assert database.rows("SELECT * FROM numbers") == [(1,)]
    other.close()
    database.close()


def test_the_write_ahead_log_is_bounded(tmp_path: Path) -> None:
    """After one large transaction the log goes back to its size."""
    path = tmp_path / "state.db"
    database = Database(path)
    database.execute("CREATE TABLE numbers (number, filling)")
    with database.transaction() as cursor:
        cursor.executemany(
            "INSERT INTO numbers VALUES (?, ?)", [(number, "x" * 100_000) for number in range(300)]
        )
    log = tmp_path / "state.db-wal"
    assert log.stat().st_size > 20_000_000
    for number in range(3):
        database.execute("INSERT INTO numbers VALUES (?, '')", (number,))
    assert log.stat().st_size <= 4_000_000
    database.close()
