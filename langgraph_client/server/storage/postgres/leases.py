"""`shared.Shared` in PostgreSQL: leases, messages by NOTIFY, followers."""

from __future__ import annotations

import asyncio
import logging
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any

import psycopg

from langgraph_client.server.encoding import decode, encode
from langgraph_client.server.errors import Unavailable
from langgraph_client.server.storage.postgres.connections import Batch, Connections, Place, Row
from langgraph_client.server.storage.postgres.documents import Table
from langgraph_client.server.storage.protocol import Transaction
from langgraph_client.server.storage.shared import (
    DELETION_SECONDS,
    LEASE_SECONDS,
    NO_RUN,
    Fenced,
    Follower,
    ResultCipher,
    RunResult,
    Standing,
)

logger = logging.getLogger("langgraph_client.server")

CHANNEL = "langgraph_client"
_LOCK_CLASS = 76714353
"""The class of the advisory locks that say that a process is there."""
_SILENCE = "2 seconds"
"""A process without its lock that has not renewed for so long is dead: its connection is gone."""
_RESULTS = "10 minutes"
_PAUSE = 0.5
_SEND_PAUSE = 0.003
# Just after PostgreSQL has started, nobody could renew anything for a while: all are alive.
_ALIVE = (
    "(pg_postmaster_start_time() > now() - interval '5 seconds'"
    f" OR p.expires_at > now() AND (p.renewed_at > now() - interval '{_SILENCE}' OR EXISTS"
    f" (SELECT 1 FROM pg_locks l WHERE l.locktype = 'advisory' AND l.classid = {_LOCK_CLASS}"
    " AND l.objid = p.lock_number AND l.objsubid = 2 AND l.granted)))"
)
_IS_DELETED = (
    "EXISTS (SELECT 1 FROM deletions d WHERE d.thread_id = threads.thread_id"
    " AND d.expires_at > now())"
)
_FOLLOW = "INSERT INTO followers VALUES (%s, '', %s, %s) ON CONFLICT DO NOTHING"


class Leases:
    """What the processes that share a database have of it and tell each other.

    Args:
        connections: The connections of this process.
        epochs: Where the epochs of its leases are noted.
        listen_url: Where to listen; not through a pooler in transaction mode.
    """

    def __init__(
        self, connections: Connections, epochs: dict[str, int], listen_url: str | None = None
    ) -> None:
        self.process_id = str(uuid.uuid4())
        #: The threads, which are read together with what is asked about them.
        self.threads: Table
        #: Whether there are checkpoints of graphs, which have marks.
        self.marks = False
        self.epochs = epochs
        self._connections = connections
        self._listen_url = listen_url or connections.url
        self._lock_number = random.SystemRandom().getrandbits(31)
        self._outbox: dict[tuple[str, str], None] = {}
        self._sending: asyncio.Task[None] | None = None
        self.listening = asyncio.Event()
        #: When the last renewal was sent that arrived.
        self._renewed = time.monotonic()
        #: Called with a thread after events of it were written.
        self.written: Callable[[str], None] = lambda thread_id: None
        #: Encrypts results; None to keep them as they are.
        self.result_cipher: ResultCipher | None = None

    @property
    def is_over(self) -> bool:
        """Whether the leases of this process are over, by its own clock; asks nobody."""
        return time.monotonic() - self._renewed > LEASE_SECONDS

    def connection_numbers(self) -> dict[str, int]:
        """Return how many connections there may be, are in use, idle, and waited for."""
        return self._connections.numbers()

    # Being one of the processes.

    async def join(self) -> None:
        """Become one of the processes."""
        sent = time.monotonic()
        await self._connections.execute(
            "INSERT INTO processes VALUES (%s, now(), now() + make_interval(secs => %s), %s)"
            " ON CONFLICT (process_id) DO UPDATE SET renewed_at = excluded.renewed_at,"
            " expires_at = excluded.expires_at",
            (self.process_id, LEASE_SECONDS, self._lock_number),
        )
        self._renewed = sent

    async def leave(self) -> None:
        """Give everything back, and be none of them."""
        if self._sending is not None:
            await self._sending
        async with self._connections.transaction() as one:
            for table in ("leases", "followers", "processes"):
                await one.execute(f"DELETE FROM {table} WHERE process_id = %s", (self.process_id,))
            await one.execute("SELECT pg_notify(%s, 'work ')", (CHANNEL,))
        self.epochs.clear()

    async def renew(self) -> dict[str, int]:
        """Say that this process is alive. Returns the leases that it holds, by thread."""
        await self.join()
        rows = await self._connections.rows(
            "SELECT thread_id, epoch FROM leases WHERE process_id = %s", (self.process_id,)
        )
        return {row[0]: row[1] for row in rows}

    async def sweep(self) -> None:
        """Delete what dead processes and old results left."""
        await self._connections.execute(
            "DELETE FROM followers WHERE NOT EXISTS (SELECT 1 FROM processes p"
            f" WHERE p.process_id = followers.process_id AND {_ALIVE})"
        )
        await self._connections.execute(
            "WITH old AS (DELETE FROM run_results WHERE created_at < now()"
            f" - interval '{_RESULTS}' RETURNING run_id) DELETE FROM events USING old"
            " WHERE events.run_id = old.run_id"
            " AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.run_id = old.run_id)"
        )
        await self._connections.execute(
            "DELETE FROM events WHERE run_id = %s"
            f" AND ms < extract(epoch FROM now() - interval '{_RESULTS}') * 1000",
            (NO_RUN,),
        )
        await self._connections.execute("DELETE FROM deletions WHERE expires_at < now()")
        await self._connections.execute(
            "DELETE FROM processes p WHERE expires_at < now() - interval '1 minute'"
            " AND NOT EXISTS (SELECT 1 FROM leases WHERE leases.process_id = p.process_id)"
        )

    # Messages.

    def tell(self, kind: str, name: str) -> None:
        """Send a message to the processes that listen; does not wait.

        Those of a few milliseconds go together: each NOTIFY takes a lock of all commits.
        """
        self._outbox[kind, name] = None
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())

    async def _send(self) -> None:
        try:
            while self._outbox:
                await asyncio.sleep(_SEND_PAUSE)
                messages = [f"{kind} {name}" for kind, name in self._outbox]
                self._outbox.clear()
                with suppress(Unavailable):  # Who follows looks each second.
                    await self._connections.execute(
                        "SELECT pg_notify(%s, a) FROM unnest(%s::text[]) AS a", (CHANNEL, messages)
                    )
        finally:
            self._sending = None

    async def listen(self, heard: Callable[[str, str], Awaitable[None]]) -> None:
        """Call for each message, until cancelled; `all` whenever some may have been missed."""
        options = {**self._connections.options, "prepare_threshold": None}
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._listen_url, **options
                ) as connection:
                    # Others see by this lock at once when the process is gone.
                    lock = f"SELECT pg_advisory_lock({_LOCK_CLASS}, {self._lock_number})"
                    await connection.execute(lock.encode())
                    await connection.execute(f"LISTEN {CHANNEL}".encode())
                    self.listening.set()
                    await heard("all", "")
                    async for message in connection.notifies():
                        kind, _, name = message.payload.partition(" ")
                        await heard(kind, name)
            except psycopg.Error as error:
                logger.error("messages of the database are missed: %s", error)
            await asyncio.sleep(_PAUSE)

    def locked(self, key: str, *, lazily: bool = False) -> AbstractAsyncContextManager[Batch]:
        """Hold a lock that no other process holds meanwhile."""
        return self._connections.locked(key, lazily=lazily)

    # Leases.

    def owns(self, thread_id: str) -> bool:
        """Whether this process has the lease of a thread, as far as it knows."""
        return self.epochs.get(thread_id, 0) > 0

    async def take(self, thread_id: str) -> int | None:
        """Take the lease of a thread, unless a living process has it. Returns the epoch."""
        row = await self._connections.row(
            "INSERT INTO leases AS held (thread_id, process_id, epoch)"
            " VALUES (%s, %s, nextval('lease_epochs'))"
            " ON CONFLICT (thread_id) DO UPDATE SET process_id = excluded.process_id,"
            " epoch = excluded.epoch WHERE held.process_id = excluded.process_id OR NOT EXISTS"
            f" (SELECT 1 FROM processes p WHERE p.process_id = held.process_id AND {_ALIVE})"
            " RETURNING epoch",
            (thread_id, self.process_id),
        )
        if row is None:
            return None
        self.epochs[thread_id] = row[0]
        return int(row[0])

    async def claim(self, before: str, limit: int) -> list[tuple[str, int]]:
        """Take the leases of threads with runs that are due and nobody carries out."""
        rows = await self._connections.rows(
            "WITH due AS (SELECT r.thread_id, r.created_at FROM runs r"
            " WHERE r.status IN ('pending', 'running') AND r.created_at <= %s"
            " AND NOT EXISTS (SELECT 1 FROM leases JOIN processes p USING (process_id)"
            # Its own are not free, even if it was too busy to say that it is there.
            f" WHERE leases.thread_id = r.thread_id AND (p.process_id = %s OR {_ALIVE}))"
            " ORDER BY r.created_at LIMIT %s FOR UPDATE OF r SKIP LOCKED),"
            " threads AS (SELECT thread_id, min(created_at) AS due_at FROM due GROUP BY thread_id),"
            " taken AS (INSERT INTO leases AS held (thread_id, process_id, epoch)"
            " SELECT thread_id, %s, nextval('lease_epochs') FROM threads"
            " ON CONFLICT (thread_id) DO UPDATE SET process_id = excluded.process_id,"
            " epoch = excluded.epoch WHERE held.process_id <> excluded.process_id AND NOT EXISTS"
            f" (SELECT 1 FROM processes p WHERE p.process_id = held.process_id AND {_ALIVE})"
            " RETURNING thread_id, epoch)"
            " SELECT taken.thread_id, epoch FROM taken JOIN threads USING (thread_id)"
            " ORDER BY due_at",
            (before, self.process_id, limit, self.process_id),
        )
        return [(row[0], row[1]) for row in rows]

    async def release(self, thread_id: str) -> None:
        """Give a lease back."""
        epoch = self.epochs.pop(thread_id, None)
        if epoch is not None:
            await self._connections.execute(
                "DELETE FROM leases WHERE thread_id = %s AND epoch = %s", (thread_id, epoch)
            )

    async def owner(self, thread_id: str) -> str | None:
        """Return the living process that has the lease of a thread."""
        row = await self._connections.row(
            "SELECT process_id FROM leases JOIN processes p USING (process_id)"
            f" WHERE thread_id = %s AND {_ALIVE}",
            (thread_id,),
        )
        return row[0] if row else None

    def check(self, transaction: Transaction, thread_id: str) -> None:
        """Make sure that a transaction is part of this process's lease."""
        epoch = self.epochs.get(thread_id, -1)
        _batch(transaction).require("lc_fence(%s, %s)", (thread_id, epoch))

    # Deletions.

    async def begin_deletion(self, thread_id: str) -> bool:
        """Refuse runs on a thread from here on, unless it is being deleted already."""
        row = await self._connections.row(
            "INSERT INTO deletions AS begun VALUES (%s, now() + make_interval(secs => %s))"
            " ON CONFLICT (thread_id) DO UPDATE SET expires_at = excluded.expires_at"
            " WHERE begun.expires_at < now() RETURNING 1",
            (thread_id, DELETION_SECONDS),
        )
        return row is not None

    async def give_up_deletion(self, thread_id: str) -> None:
        """Let there be runs on a thread again."""
        await self._connections.execute("DELETE FROM deletions WHERE thread_id = %s", (thread_id,))

    def revoke(self, transaction: Transaction, thread_id: str) -> None:
        """Take the lease of a thread from whoever has it, as part of a transaction."""
        _batch(transaction).require("lc_revoke(%s)", (thread_id,))

    async def is_deleted(self, transaction: Transaction, thread_id: str) -> bool:
        """Return whether a thread is being deleted, and leave its document for the next read."""
        row = await self._read_thread(transaction, thread_id, _IS_DELETED)
        return row is not None and bool(row[0])

    async def _read_thread(
        self,
        transaction: Transaction,
        thread_id: str,
        columns: str,
        joined: str = "",
        values: Sequence[object] = (),
    ) -> Row | None:
        """Return something about a thread, and leave its document with the transaction."""
        batch, threads = _batch(transaction), self.threads
        row = await batch.row(
            f"SELECT {columns}, {threads.selected} FROM threads{joined}"
            " WHERE threads.thread_id = %s",
            (*values, thread_id),
        )
        count = threads.selected.count(",") + 1
        batch.know(threads.get_statement, (thread_id,), row and row[-count:])
        return row and row[:-count]

    async def standing(self, transaction: Transaction, thread_id: str) -> Standing | None:
        """Return what there is of a thread that this process has no lease of."""
        # Not by the column of `threads`: its collation would not match the index.
        mark, marked = "0", list[object]()
        if self.marks:
            mark = "(SELECT coalesce(max(written), 0) FROM checkpoint_writes WHERE thread_id = %s)"
            marked = [thread_id]
        row = await self._read_thread(
            transaction,
            thread_id,
            "l.epoch, l.epoch IS NULL OR NOT EXISTS (SELECT 1 FROM processes p"
            f" WHERE p.process_id = l.process_id AND {_ALIVE}),"
            " EXISTS (SELECT 1 FROM runs r WHERE r.thread_id = threads.thread_id"
            " AND r.status IN ('pending', 'running')),"
            " EXISTS (SELECT 1 FROM followers f WHERE f.thread_id = threads.thread_id"
            f" AND f.process_id <> %s), {_IS_DELETED}, coalesce(e.ms, 0), coalesce(e.seq, 0),"
            f" {mark}",
            " LEFT JOIN leases l ON l.thread_id = threads.thread_id LEFT JOIN LATERAL"
            " (SELECT ms, seq FROM events WHERE events.thread_id = threads.thread_id"
            " ORDER BY ms DESC, seq DESC LIMIT 1) AS e ON true",
            (self.process_id, *marked),
        )
        if row is None:
            return None
        epoch, is_free, has_runs, is_followed, is_deleted, ms, seq, present = row
        return Standing(epoch, is_free, has_runs, is_followed, is_deleted, (ms, seq), present)

    async def has_others(self, transaction: Transaction, thread_id: str, run_id: str) -> bool:
        """Return whether a thread has runs that are not over besides one."""
        row = await self._read_thread(
            transaction,
            thread_id,
            "EXISTS (SELECT 1 FROM runs r WHERE r.thread_id = threads.thread_id"
            " AND r.status IN ('pending', 'running') AND r.run_id <> %s)",
            values=(run_id,),
        )
        return row is not None and bool(row[0])

    def take_within(self, transaction: Transaction, thread_id: str, epoch: int | None) -> None:
        """Take the lease of a thread as part of a transaction."""
        _batch(transaction).require("lc_take(%s, %s, %s)", (thread_id, self.process_id, epoch))

    def note_taken(self, transaction: Transaction, thread_id: str) -> None:
        """Note the epoch of a lease that a transaction has taken, which is committed."""
        self.epochs[thread_id] = int(_batch(transaction).returned[0])

    def release_within(self, transaction: Transaction, thread_id: str) -> int:
        """Give a lease back as part of a transaction."""
        # Forgotten before it is given back: who finds it missing would take it for lost.
        epoch = self.epochs.pop(thread_id, -1)
        _batch(transaction).require("lc_release(%s, %s)", (thread_id, epoch))
        return epoch

    # Followers.

    async def follow(self, thread_id: str, *, protocol: bool = False) -> None:
        """Ask the process that has a thread to write down what happens, and to say so."""
        kind = "protocol" if protocol else ""
        await self._connections.execute(_FOLLOW, (thread_id, kind, self.process_id))

    async def follow_within(self, transaction: Transaction, thread_id: str) -> None:
        """Ask the next process that has a thread for the same, as part of a transaction."""
        place = Place("followers", thread_id)
        await _batch(transaction).write(_FOLLOW, (thread_id, "", self.process_id), place=place)

    async def unfollow(self, thread_id: str) -> None:
        """Take that back."""
        await self._connections.execute(
            "DELETE FROM followers WHERE thread_id = %s AND process_id = %s",
            (thread_id, self.process_id),
        )

    async def followers(self, thread_id: str) -> list[Follower]:
        """Return who follows a thread, this process left out."""
        rows = await self._connections.rows(
            "SELECT process_id, kind FROM followers WHERE thread_id = %s AND process_id <> %s",
            (thread_id, self.process_id),
        )
        return [Follower(row[0], row[1] == "protocol") for row in rows]

    async def put_result(self, transaction: Transaction, result: RunResult) -> None:
        """Keep what became of a run for those who follow it."""
        if self.result_cipher is not None:
            result = await self.result_cipher.encrypted(result)
        error = None if result.error is None else result.error.decode()
        text = encode({"run": result.run, "result": result.result, "error": error}).decode()
        await _batch(transaction).write(
            "INSERT INTO run_results (run_id, doc) VALUES (%s, %s)"
            " ON CONFLICT (run_id) DO UPDATE SET doc = excluded.doc",
            (result.run["run_id"], text),
            place=Place("run_results", result.run["run_id"]),
        )

    async def results(self, run_ids: Iterable[str]) -> dict[str, RunResult]:
        """Return what became of runs, as far as it is kept."""
        rows = await self._connections.rows(
            "SELECT run_id, doc FROM run_results WHERE run_id = ANY(%s)", ([*run_ids],)
        )
        found: dict[str, RunResult] = {}
        for run_id, text in rows:
            document: dict[str, Any] = decode(text)
            error = document["error"]
            told = None if error is None else error.encode()
            found[run_id] = RunResult(document["run"], document["result"], told)
            if self.result_cipher is not None:
                found[run_id] = await self.result_cipher.decrypted(found[run_id])
        return found


def fence_of(leases: Leases | None, thread_id: str) -> tuple[str, list[object]]:
    """Return a part of a statement that has one row if this process may write for a thread.

    If it has no lease of the thread, it writes by the thread's lock, and not for a run.
    """
    epoch = None if leases is None else leases.epochs.get(thread_id)
    if epoch is None:
        return "fence AS (SELECT 1)", []
    # Whoever takes the lease over waits for this row until the statement has ended.
    condition = "SELECT 1 FROM leases WHERE thread_id = %s AND epoch = %s FOR SHARE"
    return f"fence AS MATERIALIZED ({condition})", [thread_id, epoch]


def told(leases: Leases | None, thread_id: str, written: int) -> None:
    """Tell those who follow a thread that something of it was written.

    Raises:
        Fenced: Nothing was: another process has the thread.
    """
    if not written:
        raise Fenced(f"another process carries out the runs of thread {thread_id}")
    if leases is not None:
        leases.written(thread_id)


def _batch(transaction: Transaction) -> Batch:
    batch: Batch = transaction.executor
    return batch
