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
    FIRST_RUN_ID,
    LEASE_SECONDS,
    Follower,
    ResultCipher,
    RunResult,
    Standing,
)

logger = logging.getLogger("langgraph_client.server")

CHANNEL = "langgraph_client"
_LOCK_CLASS = 76714353
"""The class of the advisory locks by which processes show that they live."""
_SILENCE = "2 seconds"
"""After this time without a renewal, a process that has lost its lock too counts as dead. The lock
is lost with the connection, so a killed process is noticed long before its leases end."""
_RESULTS_AGE = "10 minutes"
_RECONNECT_SECONDS = 0.5
"""The pause after the connection that listens was lost."""
_COLLECT_SECONDS = 0.003
"""For how long messages are collected, to be sent in one transaction."""
# Just after a start of PostgreSQL, no process was able to renew for a while: all count as alive.
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
    """The leases of the processes that share a database, and their messages.

    Args:
        connections: The connections of this process.
        epochs: A dict for the epochs of its leases, by thread.
        listen_url: The URL for the connection that listens. It must not lead through a pooler in
            transaction mode. None for the URL of `connections`.
    """

    def __init__(
        self, connections: Connections, epochs: dict[str, int], listen_url: str | None = None
    ) -> None:
        self.process_id = str(uuid.uuid4())
        #: The table of threads. Their documents are read in the same query as their leases.
        self.threads: Table
        #: Whether there are tables for the checkpoints of graphs, which have marks.
        self.has_checkpoint_tables = False
        self.epochs = epochs
        self._connections = connections
        self._listen_url = listen_url or connections.url
        self._lock_number = random.SystemRandom().getrandbits(31)
        self._outbox: dict[tuple[str, str], None] = {}
        self._sending: asyncio.Task[None] | None = None
        self.listening = asyncio.Event()
        #: When the last successful renewal was sent, and not when its reply came: the database may
        #: have counted from any moment between the two.
        self._renewed = time.monotonic()
        #: Called with a thread after events of it were written.
        self.written: Callable[[str], None] = lambda thread_id: None
        #: Encrypts results; None to keep them as they are.
        self.result_cipher: ResultCipher | None = None

    @property
    def is_over(self) -> bool:
        """Whether the leases of this process have ended by its own clock. Needs no query."""
        return time.monotonic() - self._renewed > LEASE_SECONDS

    def connection_numbers(self) -> dict[str, int]:
        """Return how many connections are allowed, in use, idle, and waited for."""
        return self._connections.numbers()

    # Processes.

    async def join(self) -> None:
        """Register this process, or renew its leases."""
        sent = time.monotonic()
        await self._connections.execute(
            "INSERT INTO processes VALUES (%s, now(), now() + make_interval(secs => %s), %s)"
            " ON CONFLICT (process_id) DO UPDATE SET renewed_at = excluded.renewed_at,"
            " expires_at = excluded.expires_at",
            (self.process_id, LEASE_SECONDS, self._lock_number),
        )
        self._renewed = sent

    async def leave(self) -> None:
        """Release all leases, and unregister this process."""
        if self._sending is not None:
            await self._sending
        async with self._connections.transaction() as transaction:
            for table in ("leases", "followers", "processes"):
                await transaction.execute(
                    f"DELETE FROM {table} WHERE process_id = %s", (self.process_id,)
                )
            await transaction.execute("SELECT pg_notify(%s, 'work ')", (CHANNEL,))
        self.epochs.clear()

    async def is_alive(self, process_id: str) -> bool:
        """Return whether a process is one of those that share the database now."""
        if process_id == self.process_id:  # Even if it was too busy to renew in time.
            return True
        row = await self._connections.row(
            f"SELECT 1 FROM processes p WHERE p.process_id = %s AND {_ALIVE}", (process_id,)
        )
        return row is not None

    async def renew(self) -> dict[str, int]:
        """Renew the leases of this process. Return their epochs, by thread."""
        await self.join()
        rows = await self._connections.rows(
            "SELECT thread_id, epoch FROM leases WHERE process_id = %s", (self.process_id,)
        )
        return {row[0]: row[1] for row in rows}

    async def sweep(self) -> None:
        """Delete the entries of dead processes, and old results with their events."""
        await self._connections.execute(
            "DELETE FROM followers WHERE NOT EXISTS (SELECT 1 FROM processes p"
            f" WHERE p.process_id = followers.process_id AND {_ALIVE})"
        )
        await self._connections.execute(
            "WITH old AS (DELETE FROM run_results WHERE created_at < now()"
            f" - interval '{_RESULTS_AGE}' RETURNING run_id) DELETE FROM events USING old"
            " WHERE events.run_id = old.run_id"
            " AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.run_id = old.run_id)"
        )
        await self._connections.execute(
            "DELETE FROM events WHERE run_id < %s"
            f" AND ms < extract(epoch FROM now() - interval '{_RESULTS_AGE}') * 1000",
            (FIRST_RUN_ID,),
        )
        await self._connections.execute("DELETE FROM deletions WHERE expires_at < now()")
        await self._connections.execute(
            "DELETE FROM processes p WHERE expires_at < now() - interval '1 minute'"
            " AND NOT EXISTS (SELECT 1 FROM leases WHERE leases.process_id = p.process_id)"
        )

    # Messages.

    def notify(self, kind: str, name: str) -> None:
        """Send a message to the processes that listen. Does not wait.

        The messages of a few milliseconds are sent in one transaction, because each transaction
        with a NOTIFY takes a lock over all commits.
        """
        self._outbox[kind, name] = None
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())

    async def _send(self) -> None:
        try:
            while self._outbox:
                await asyncio.sleep(_COLLECT_SECONDS)
                messages = [f"{kind} {name}" for kind, name in self._outbox]
                self._outbox.clear()
                with suppress(Unavailable):  # Followers also read the database each second.
                    await self._connections.execute(
                        "SELECT pg_notify(%s, a) FROM unnest(%s::text[]) AS a", (CHANNEL, messages)
                    )
        finally:
            # No await since the last look at the outbox: a later message starts a new task.
            self._sending = None

    async def listen(self, on_message: Callable[[str, str], Awaitable[None]]) -> None:
        """Call `on_message` for each message until cancelled; with `all` if some may be lost."""
        options = {**self._connections.options, "prepare_threshold": None}
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._listen_url, **options
                ) as connection:
                    # By this lock, other processes see at once when this one is killed.
                    lock = f"SELECT pg_advisory_lock({_LOCK_CLASS}, {self._lock_number})"
                    await connection.execute(lock.encode())
                    await connection.execute(f"LISTEN {CHANNEL}".encode())
                    self.listening.set()
                    await on_message("all", "")
                    async for message in connection.notifies():
                        kind, _, name = message.payload.partition(" ")
                        await on_message(kind, name)
            except psycopg.Error as error:
                logger.error("messages of the database are missed: %s", error)
            await asyncio.sleep(_RECONNECT_SECONDS)

    def locked(
        self, key: str, *, lazily: bool = False, level: int = -1
    ) -> AbstractAsyncContextManager[Batch]:
        """Hold a lock across all processes."""
        return self._connections.locked(key, lazily=lazily, level=level)

    # Leases.

    def owns(self, thread_id: str) -> bool:
        """Return whether this process has the lease of a thread, as far as it knows."""
        return self.epochs.get(thread_id, 0) > 0

    async def take(self, thread_id: str) -> int | None:
        """Take the lease of a thread, unless a living process has it. Return the epoch."""
        row = await self._connections.row(
            # Our own lease is taken again with a new epoch, so that nodes of an earlier run here
            # that still work in threads are fenced.
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
        """Take the leases of threads with runs that are due and that no process executes.

        It waits for no lease that another transaction has locked: such a transaction, as that of a
        deletion, may wait for the runs that are locked here. It is tried again soon.
        """
        rows = await self._connections.rows(
            "WITH due AS (SELECT r.thread_id, r.created_at FROM runs r"
            " WHERE r.status IN ('pending', 'running') AND r.created_at <= %s"
            " AND NOT EXISTS (SELECT 1 FROM leases JOIN processes p USING (process_id)"
            # This process's own are not free, even if it was too busy to renew in time.
            f" WHERE leases.thread_id = r.thread_id AND (p.process_id = %s OR {_ALIVE}))"
            " ORDER BY r.created_at LIMIT %s FOR UPDATE OF r SKIP LOCKED),"
            " old AS (SELECT thread_id FROM leases WHERE thread_id IN (SELECT thread_id FROM due)"
            " FOR UPDATE SKIP LOCKED),"
            " threads AS (SELECT thread_id, min(created_at) AS due_at FROM due"
            " WHERE thread_id IN (SELECT thread_id FROM old) OR NOT EXISTS"
            " (SELECT 1 FROM leases WHERE leases.thread_id = due.thread_id) GROUP BY thread_id),"
            # In one order, so that two processes that claim do not wait for each other.
            " taken AS (INSERT INTO leases AS held (thread_id, process_id, epoch)"
            " SELECT thread_id, %s, nextval('lease_epochs') FROM"
            " (SELECT thread_id FROM threads ORDER BY thread_id) AS ordered"
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
        """Release a lease."""
        epoch = self.epochs.pop(thread_id, None)
        if epoch is not None:
            await self._connections.execute(
                "DELETE FROM leases WHERE thread_id = %s AND epoch = %s", (thread_id, epoch)
            )

    async def holder(self, thread_id: str) -> str | None:
        """Return the living process that has the lease of a thread."""
        row = await self._connections.row(
            "SELECT process_id FROM leases JOIN processes p USING (process_id)"
            f" WHERE thread_id = %s AND {_ALIVE}",
            (thread_id,),
        )
        return row[0] if row else None

    def check(self, transaction: Transaction, thread_id: str) -> None:
        """Make a transaction fail with `Fenced` if this process does not hold a thread's lease."""
        # Without a lease, -1: no row has it, so the fence refuses the write.
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
        """Allow runs on a thread again."""
        await self._connections.execute("DELETE FROM deletions WHERE thread_id = %s", (thread_id,))

    def revoke(self, transaction: Transaction, thread_id: str) -> None:
        """Revoke the lease of a thread, whichever process holds it, as part of a transaction."""
        _batch(transaction).require("lc_revoke(%s)", (thread_id,))

    async def is_deleted(self, transaction: Transaction, thread_id: str) -> bool:
        """Return whether a thread is being deleted; its document is read in the same query."""
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
        """Return columns about a thread. The transaction keeps its document for the next read."""
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
        """Return the state of a thread whose lease this process does not hold."""
        # By a value and not by the column of `threads`, whose collation does not match the index.
        mark, marked = "0", list[object]()
        if self.has_checkpoint_tables:
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
        """Return whether a thread has other runs than this one that are not over."""
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
        """Note the epoch of a lease that a committed transaction has taken."""
        # `take_within` gave the transaction its first condition, so its value is the first one.
        self.epochs[thread_id] = int(_batch(transaction).returned[0])

    def release_within(self, transaction: Transaction, thread_id: str) -> int:
        """Release a lease as part of a transaction."""
        # Removed before the release: a renewal in between would not find the lease in the
        # database, and take it for lost.
        epoch = self.epochs.pop(thread_id, -1)
        _batch(transaction).require("lc_release(%s, %s)", (thread_id, epoch))
        return epoch

    # Followers.

    async def follow(self, thread_id: str, *, protocol: bool = False) -> None:
        """Ask the process that holds a thread to store its events and to send messages."""
        kind = "protocol" if protocol else ""
        await self._connections.execute(_FOLLOW, (thread_id, kind, self.process_id))

    async def follow_within(self, transaction: Transaction, thread_id: str) -> None:
        """Ask the next holder of a thread for the same, as part of a transaction."""
        place = Place("followers", thread_id)
        await _batch(transaction).write(_FOLLOW, (thread_id, "", self.process_id), place=place)

    async def unfollow(self, thread_id: str) -> None:
        """Withdraw the request of `follow`."""
        await self._connections.execute(
            "DELETE FROM followers WHERE thread_id = %s AND process_id = %s",
            (thread_id, self.process_id),
        )

    async def followers(self, thread_id: str) -> list[Follower]:
        """Return the other processes that follow a thread."""
        rows = await self._connections.rows(
            "SELECT process_id, kind FROM followers WHERE thread_id = %s AND process_id <> %s",
            (thread_id, self.process_id),
        )
        return [Follower(row[0], row[1] == "protocol") for row in rows]

    async def put_result(self, transaction: Transaction, result: RunResult) -> None:
        """Store the result of a run for the processes that follow it."""
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
        """Return the stored results of runs, by run id."""
        rows = await self._connections.rows(
            "SELECT run_id, doc FROM run_results WHERE run_id = ANY(%s)", ([*run_ids],)
        )
        results: dict[str, RunResult] = {}
        for run_id, text in rows:
            document: dict[str, Any] = decode(text)
            error = document["error"]
            error_bytes = None if error is None else error.encode()
            results[run_id] = RunResult(document["run"], document["result"], error_bytes)
            if self.result_cipher is not None:
                results[run_id] = await self.result_cipher.decrypted(results[run_id])
        return results


def _batch(transaction: Transaction) -> Batch:
    batch: Batch = transaction.executor
    return batch
