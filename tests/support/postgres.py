"""A PostgreSQL cluster of the tests' own, on loopback, in a temporary directory."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import psycopg

from tests.support.free_port import free_port

_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "listen_addresses": "127.0.0.1",
    "autovacuum": "off",
    "max_wal_size": "1GB",
}


def binaries() -> Path | None:
    """Return where PostgreSQL's programs are; None where it is not installed."""
    if found := shutil.which("pg_ctl"):
        return Path(found).resolve().parent
    for path in sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True):
        if os.path.exists(f"{path}/initdb"):
            return Path(path)
    return None


class Cluster:
    """One running PostgreSQL. Databases are copies of a template that has the schema already."""

    def __init__(self, **settings: str) -> None:
        found = binaries()
        if found is None:
            raise RuntimeError("PostgreSQL is not installed")
        self._bin = found
        self._settings = {**_SETTINGS, **settings}
        self._home = Path(tempfile.mkdtemp(prefix=f"lgpg-{os.getpid()}-", dir="/tmp"))
        self._template: str | None = None
        self.port = free_port()
        if os.geteuid() == 0:  # initdb refuses root.
            shutil.chown(self._home, "postgres", "postgres")
        self._run("initdb", "-D", "data", "-U", "postgres", "-A", "trust", "--no-sync",
                  "-E", "UTF8", "--locale", "C.UTF-8")  # fmt: skip
        self.start()

    def _run(self, program: str, *arguments: str) -> None:
        as_other = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        command = [*(as_other if os.geteuid() == 0 else []), str(self._bin / program), *arguments]
        done = subprocess.run(
            command, cwd=self._home, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=300
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr.decode()}")

    def start(self) -> None:
        """Start the server, and wait until it takes connections."""
        options = " ".join(f"-c {name}={value}" for name, value in self._settings.items())
        options += f" -c port={self.port} -c unix_socket_directories={self._home}"
        self._run("pg_ctl", "-D", "data", "-o", options, "-w", "-l", "log", "start")

    @property
    def process_id(self) -> int:
        """The id of the server's first process."""
        return int((self._home / "data" / "postmaster.pid").read_text().split()[0])

    def stop(self, mode: str = "fast") -> None:
        """Stop the server."""
        self._run("pg_ctl", "-D", "data", "-m", mode, "-w", "stop")

    def close(self) -> None:
        """Stop the server, and delete everything."""
        try:
            self.stop("immediate")
        finally:
            shutil.rmtree(self._home, ignore_errors=True)

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Carry out a statement. Returns its rows."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def empty(self) -> str:
        """Return the URL of a new database without any table."""
        name = f"t{uuid.uuid4().hex[:12]}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def fresh(self) -> str:
        """Return the URL of a new database that has the schema."""
        if self._template is None:
            import asyncio

            from langgraph_client.server.storage.postgres.storage import open_postgres

            url = self.empty()

            async def migrate() -> None:
                await (await open_postgres(url)).close()

            asyncio.run(migrate())
            self._template = url.rpartition("/")[2]
        name = f"t{uuid.uuid4().hex[:12]}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {self._template}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Delete a database."""
        self.execute(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")


def _stop_abandoned() -> None:
    """Stop the clusters of test processes that were killed, and delete their files."""
    for home in Path("/tmp").glob("lgpg-*-*"):
        try:
            os.kill(int(home.name.split("-")[1]), 0)
        except ProcessLookupError:
            with contextlib.suppress(OSError, ValueError):  # Another may be doing the same.
                process = int((home / "data" / "postmaster.pid").read_text().split()[0])
                os.kill(process, signal.SIGQUIT)
            shutil.rmtree(home, ignore_errors=True)
        except (OSError, ValueError):
            continue  # It belongs to another user, or to something else.


_own: Cluster | None = None


def cluster() -> Cluster:
    """Return the cluster of this test process; it is started when it is asked for first."""
    global _own
    if _own is None:
        import atexit

        _stop_abandoned()
        _own = Cluster()
        atexit.register(_own.close)
    return _own


_lock = threading.Lock()


def arguments() -> list[str]:
    """Return the arguments for a new database; none unless the environment has STORAGE=postgres."""
    if os.environ.get("STORAGE") != "postgres":
        return []
    with _lock:
        return ["--db", cluster().fresh()]


def has_pgbouncer() -> bool:
    """Whether PgBouncer is installed."""
    return shutil.which("pgbouncer") is not None


class Bouncer:
    """A PgBouncer in transaction mode in front of a cluster.

    Args:
        postgres: The cluster.
        size: How many connections it has to a database, at most.
    """

    def __init__(self, postgres: Cluster, size: int) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="lgpb-", dir="/tmp"))
        self.port = free_port()
        settings = {
            "listen_addr": "127.0.0.1",
            "listen_port": self.port,
            "unix_socket_dir": "",
            "auth_type": "any",
            "pool_mode": "transaction",
            "default_pool_size": size,
            "max_client_conn": 500,
            "ignore_startup_parameters": "extra_float_digits",
            "admin_users": "postgres",
        }
        lines = [
            "[databases]",
            f"* = host=127.0.0.1 port={postgres.port} user=postgres",
            "[pgbouncer]",
            *(f"{name} = {value}" for name, value in settings.items()),
        ]
        config = self._home / "pgbouncer.ini"
        config.write_text("\n".join(lines) + "\n")
        command = ["pgbouncer", str(config)]
        if os.geteuid() == 0:  # It refuses root.
            shutil.chown(self._home, "postgres", "postgres")
            command[1:1] = ["--user", "postgres"]
        self._log = (self._home / "log").open("wb")
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log)
        try:
            self._wait()
        except BaseException:
            self.close()
            raise

    def _wait(self) -> None:
        for _ in range(1200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.05)  # It does not say when it listens.
        raise RuntimeError(f"PgBouncer does not start: {(self._home / 'log').read_text()}")

    def url(self, direct: str) -> str:
        """Return the URL by which a database is reached through it."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{direct.rpartition('/')[2]}"

    def server_connections(self, direct: str) -> int:
        """Return how many connections it has to a database."""
        admin = f"postgresql://postgres@127.0.0.1:{self.port}/pgbouncer"
        with psycopg.Connection.connect(admin, autocommit=True, prepare_threshold=None) as one:
            cursor = psycopg.ClientCursor(one).execute("SHOW SERVERS")
            names = [column.name for column in cursor.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        return sum(row["database"] == direct.rpartition("/")[2] for row in rows)

    def close(self) -> None:
        """Stop it."""
        self._process.terminate()
        self._process.wait(60)
        self._log.close()
        shutil.rmtree(self._home, ignore_errors=True)
