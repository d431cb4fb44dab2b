"""One process for one database file: an advisory lock that ends with its owner."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt

    _FAR = 2**30  # Windows locks bytes against reading too, so not those that contain the pid.

    def _try_lock(file: IO[bytes]) -> None:
        os.lseek(file.fileno(), _FAR, os.SEEK_SET)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try_lock(file: IO[bytes]) -> None:
        # A record lock and not flock(): a forked child does not inherit it. Otherwise, a worker
        # process that outlives a killed server would keep the file locked.
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FileLockedError(Exception):
    """Another server has the file.

    Attributes:
        pid: The process that has it; None if that could not be read.
    """

    def __init__(self, pid: int | None) -> None:
        self.pid = pid
        super().__init__(f"locked by process {pid}")


_held: set[str] = set()
_guard = threading.Lock()


class FileLock:
    """Holds the lock of a database file until it is released or the process ends.

    The lock is taken on a file beside the database, which holds the owner's pid and is deleted on
    release. After a kill the file stays; the lock does not.

    Args:
        path: The database file.

    Raises:
        FileLockedError: Another server has it, in this process or another one.
        OSError: The lock file cannot be created.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.path.realpath(path) + "-lock"
        self._pid = os.getpid()
        # Record locks do not exclude their own process, and closing any descriptor of the file
        # releases them. So a second server in this process must not even open the lock file.
        with _guard:
            if self._path in _held:
                raise FileLockedError(os.getpid())
            self._file = _open_locked(self._path)
            _held.add(self._path)

    def release(self) -> None:
        """Release the lock. Safe to repeat."""
        with _guard:
            if self._file.closed:
                return
            _held.discard(self._path)
            # Not by a forked child, whose parent still has the lock; and not on Windows, where a
            # file that is open cannot be deleted.
            if sys.platform != "win32" and self._pid == os.getpid():
                # Deleted while it is locked. A process that has opened it meanwhile gets the lock
                # of a deleted file, notices it (`_is_same`), and tries again.
                Path(self._path).unlink(missing_ok=True)
            self._file.close()


def _open_locked(path: str) -> IO[bytes]:
    while True:
        file = open(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+b", buffering=0)  # noqa: SIM115
        try:
            try:
                _try_lock(file)
            except OSError as error:
                raise FileLockedError(_pid_in(file)) from error
            if _is_same(file, path):
                file.truncate(0)
                file.seek(0)
                file.write(str(os.getpid()).encode())
                return file
        except BaseException:
            file.close()
            raise
        file.close()  # Deleted by its owner between opening and locking: try the new one.


def _is_same(file: IO[bytes], path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _pid_in(file: IO[bytes]) -> int | None:
    file.seek(0)
    text = file.read(32).strip()
    return int(text) if text.isdigit() else None
