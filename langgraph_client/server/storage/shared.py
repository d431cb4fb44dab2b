"""The interface of a database that several server processes share.

A process holds a lease for each thread whose runs it executes. A lease has an epoch, which
increases with each holder. Every write for a run checks the epoch in the same transaction (a
fence). So a process that was paused for longer than its lease writes nothing when it continues.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from typing import NamedTuple, Protocol

from langgraph_client.server.clock import EventId
from langgraph_client.server.storage.protocol import Document, Mark, Transaction

LEASE_SECONDS = 10.0
"""How long a lease lasts if its process does not renew it."""
RENEWAL_SECONDS = 1.0
DELETION_SECONDS = 120.0
"""How long runs are refused on a thread whose deletion neither ends nor is given up: its process is
gone. Longer than a deletion takes."""
FIRST_RUN_ID = "0"
"""Stored events with a run id before this one belong to a thread only. They are stored for some
minutes."""


run_lease: ContextVar[tuple[str, int] | None] = ContextVar(
    "langgraph_client_run_lease", default=None
)
"""The thread of the run that the current task or worker thread belongs to, and the epoch of the
lease under which the run was started. A node in a worker thread may go on after its run has ended.
By then another process may hold the lease, or this process again with a new epoch: in both cases
the node must not write."""


def no_run(thread_id: str) -> str:
    """Return the run id of stored events that belong to a thread and to no run of it.

    It is different for each thread, because run id and event id are the key of an event, and two
    processes may give the same event id.
    """
    return f" {thread_id}"


def epoch_of_run(thread_id: str, epochs: Mapping[str, int]) -> int | None:
    """Return the epoch by which to check a write of a graph; None if it belongs to no run.

    Args:
        thread_id: The thread that is written.
        epochs: The epochs of the leases that this process holds, by thread.
    """
    lease = run_lease.get()
    if lease is not None and lease[0] == thread_id:
        return lease[1]
    return epochs.get(thread_id)


class Fenced(Exception):
    """Another process has taken over the thread, so a write of this process was refused."""


class RunResult(NamedTuple):
    """The result of a run, for processes that do not execute it."""

    run: Document
    result: object
    #: The data of the `error` event for its readers; None without an error.
    error: bytes | None


class ResultCipher(Protocol):
    """Encrypts results of runs for the database."""

    async def encrypted(self, result: RunResult) -> RunResult:
        """Return a result in the form that is stored."""
        ...

    async def decrypted(self, kept: RunResult) -> RunResult:
        """Return a result from its stored form."""
        ...


class Follower(NamedTuple):
    """A process that reads the events of a thread."""

    process_id: str
    #: Whether it reads the v3 events.
    protocol: bool


class Standing(NamedTuple):
    """The state of a thread that a process wants to take over."""

    #: The epoch of its lease, whose process may be dead; None if there is no lease.
    epoch: int | None
    #: Whether no living process has the lease.
    is_free: bool
    #: Whether it has runs that are not over.
    has_runs: bool
    #: Whether another process follows it.
    is_followed: bool
    #: Whether it is being deleted.
    is_deleted: bool
    #: The id of its last stored event; (0, 0) if there is none.
    last: EventId
    #: A mark of its current state; see `ThreadStates.mark`.
    mark: Mark


class Shared(Protocol):
    """The leases, and the messages between processes."""

    process_id: str
    #: The epochs of the leases that this process holds, by thread.
    epochs: dict[str, int]
    #: Set when this process receives messages, and the others know that it exists.
    listening: asyncio.Event
    #: Called with a thread's id after this process has stored events of it.
    written: Callable[[str], None]
    #: Encrypts the results of runs; None to store them without encryption.
    result_cipher: ResultCipher | None

    @property
    def is_over(self) -> bool:
        """Return whether this process's leases have ended, by its own clock, without a query."""
        ...

    def connection_numbers(self) -> dict[str, int]:
        """Return how many connections are allowed, in use, idle, and waited for."""
        ...

    async def join(self) -> None:
        """Register this process."""
        ...

    async def leave(self) -> None:
        """Release all leases, and unregister this process."""
        ...

    async def is_alive(self, process_id: str) -> bool:
        """Return whether a process is one of those that share the database now."""
        ...

    async def renew(self) -> dict[str, int]:
        """Renew the leases of this process. Return the epochs of those that it holds, by thread."""
        ...

    def listen(self, on_message: Callable[[str, str], Awaitable[None]]) -> Awaitable[None]:
        """Call `on_message` for each message of another process, until cancelled.

        After an interruption it is called with `all`, because messages may have been lost.
        """
        ...

    def notify(self, kind: str, name: str) -> None:
        """Send a message to the other processes, without waiting for it."""
        ...

    def locked(
        self, key: str, *, lazily: bool = False, level: int = -1
    ) -> AbstractAsyncContextManager[object]:
        """Hold a lock across all processes.

        Args:
            key: The lock's name.
            lazily: Whether to take it only with the first use of `Storage.within` or `transaction`,
                which saves a round trip.
            level: How deep it may be within other locks, 0 for the outermost; -1 if no other lock
                is taken within it.

        Returns:
            The argument for these two, so that they use the connection that holds the lock.
        """
        ...

    # Leases.

    def owns(self, thread_id: str) -> bool:
        """Whether this process has the lease of a thread, as far as it knows."""
        ...

    async def take(self, thread_id: str) -> int | None:
        """Take the lease of a thread and return its epoch; None if a living process has it."""
        ...

    async def claim(self, before: str, limit: int) -> list[tuple[str, int]]:
        """Take the leases of threads with runs that are due and that no process executes.

        Args:
            before: Only runs that were due at this time, in the format of a run's `created_at`.
            limit: The most leases to take.

        Returns:
            Thread ids and epochs, those with the oldest runs first.
        """
        ...

    async def release(self, thread_id: str) -> None:
        """Release a lease."""
        ...

    async def holder(self, thread_id: str) -> str | None:
        """Return the living process that has the lease of a thread; None if there is none."""
        ...

    def check(self, transaction: Transaction, thread_id: str) -> None:
        """Make a transaction fail with `Fenced` if this process does not have a thread's lease."""
        ...

    # Deletions.

    async def begin_deletion(self, thread_id: str) -> bool:
        """Refuse runs on a thread from here on. The caller holds its lock.

        Returns:
            False if it is being deleted already.
        """
        ...

    async def give_up_deletion(self, thread_id: str) -> None:
        """Allow runs on a thread again, because it is not deleted."""
        ...

    def revoke(self, transaction: Transaction, thread_id: str) -> None:
        """Revoke the lease of a thread, whichever process holds it, in a transaction that deletes.

        What its holder has written before is deleted with the thread. Later it cannot write.
        """
        ...

    async def is_deleted(self, transaction: Transaction, thread_id: str) -> bool:
        """Return whether a thread is being deleted.

        The thread's document is read with it, as by `standing`.
        """
        ...

    # Threads that may be taken over.

    async def standing(self, transaction: Transaction, thread_id: str) -> Standing | None:
        """Return the state of a thread whose lease this process does not have.

        The thread's document is read in the same query, and the transaction keeps it for the next
        read, which saves a round trip.

        Returns:
            None if the thread does not exist.
        """
        ...

    async def has_others(self, transaction: Transaction, thread_id: str, run_id: str) -> bool:
        """Return whether a thread has other runs than this one that are not over.

        The thread's document is read in the same query, as by `standing`.
        """
        ...

    def take_within(self, transaction: Transaction, thread_id: str, epoch: int | None) -> None:
        """Take the lease of a thread as part of a transaction. Call `note_taken` after the commit.

        Args:
            transaction: The transaction. It fails with `Fenced` if another process was faster.
            thread_id: The thread.
            epoch: The epoch of the lease of a dead process; None if there is no lease.
        """
        ...

    def note_taken(self, transaction: Transaction, thread_id: str) -> None:
        """Note the epoch of a lease that a committed transaction has taken."""
        ...

    def release_within(self, transaction: Transaction, thread_id: str) -> int:
        """Release a lease as part of a transaction, which fails with `Fenced` if it is lost.

        Returns:
            The lease's epoch, which is removed from `epochs` at once. If the transaction fails with
            another error, the caller must put it back.
        """
        ...

    # Followers.

    async def follow(self, thread_id: str, *, protocol: bool = False) -> None:
        """Ask the process that has a thread's lease to store its events and to send messages."""
        ...

    async def follow_within(self, transaction: Transaction, thread_id: str) -> None:
        """Ask the next holder of a thread's lease for the same, as part of a transaction."""
        ...

    async def unfollow(self, thread_id: str) -> None:
        """Withdraw the request of `follow`."""
        ...

    async def followers(self, thread_id: str) -> list[Follower]:
        """Return the other processes that follow a thread."""
        ...

    async def put_result(self, transaction: Transaction, result: RunResult) -> None:
        """Store the result of a run for the processes that follow it."""
        ...

    async def results(self, run_ids: Iterable[str]) -> dict[str, RunResult]:
        """Return the stored results of runs, by run id."""
        ...

    async def sweep(self) -> None:
        """Delete old results, and the entries of dead processes."""
        ...
