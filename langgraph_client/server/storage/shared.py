"""What the engine asks of a database that several processes share.

A process holds a lease for each thread whose runs it carries out. A lease has an epoch, greater
with each holder. Whoever writes on behalf of a run checks the epoch within the same transaction, so
a process that was paused for longer than its lease lasts writes nothing when it wakes up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from typing import Any, NamedTuple, Protocol

from langgraph_client.server.clock import EventId
from langgraph_client.server.storage.protocol import Document, Mark, Transaction

LEASE_SECONDS = 10.0
"""How long a process that does not renew its leases keeps them."""
RENEWAL_SECONDS = 1.0
DELETION_SECONDS = 120.0
"""How long runs are refused on a thread whose deletion neither ends nor is given up: its process is
gone. Longer than a deletion takes."""
NO_RUN = ""
"""The run of kept events that belong to a thread only. They are kept for some minutes."""


run_lease: ContextVar[tuple[str, int] | None] = ContextVar(
    "langgraph_client_run_lease", default=None
)
"""The thread of the run that the present task or thread belongs to, and the epoch of the lease by
which it was started. A node in a worker thread may go on when its run is over and the thread is
somebody else's, or this process's once more."""


def epoch_of_run(thread_id: str, epochs: Mapping[str, int]) -> int | None:
    """Return the epoch that what a graph writes is to be checked by; None if it belongs to no run.

    Args:
        thread_id: What it is written for.
        epochs: The epochs of the leases that this process holds, by thread.
    """
    lease = run_lease.get()
    if lease is not None and lease[0] == thread_id:
        return lease[1]
    return epochs.get(thread_id)


class Fenced(Exception):
    """Another process has taken over the thread: what this one would write is not written."""


class RunResult(NamedTuple):
    """What became of a run, for processes that do not carry it out."""

    run: Document
    result: Any
    #: The event by which its readers learn of an error; None if there was none.
    error: bytes | None


class ResultCipher(Protocol):
    """Encrypts results of runs on their way into the database."""

    async def encrypted(self, result: RunResult) -> RunResult:
        """Return a result as it is to be kept."""
        ...

    async def decrypted(self, kept: RunResult) -> RunResult:
        """Return a result as it was."""
        ...


class Follower(NamedTuple):
    """A process that wants to know what happens on a thread."""

    process_id: str
    #: Whether it reads the v3 events.
    protocol: bool


class Standing(NamedTuple):
    """What there is of a thread that a process wants to take over."""

    #: The epoch of its lease, if somebody has it or has died with it.
    epoch: int | None
    #: Whether no living process has the lease.
    is_free: bool
    #: Whether it has runs that are not over.
    has_runs: bool
    #: Whether another process follows it.
    is_followed: bool
    #: Whether it is being deleted.
    is_deleted: bool
    #: The id of its last kept event; (0, 0) if there is none.
    last: EventId
    #: The present moment of its state, see `ThreadStates.mark`.
    mark: Mark


class Shared(Protocol):
    """The leases, and what processes tell each other."""

    process_id: str
    #: The epochs of the leases that this process holds, by thread.
    epochs: dict[str, int]
    #: Set once this process hears messages, and others see that it is there.
    listening: asyncio.Event
    #: Called with a thread after this process wrote events of it.
    written: Callable[[str], None]
    #: Encrypts the results of runs; None to keep them as they are.
    result_cipher: ResultCipher | None

    @property
    def is_over(self) -> bool:
        """Whether the leases of this process are over, by its own clock; asks nobody."""
        ...

    def connection_numbers(self) -> dict[str, int]:
        """Return how many connections there may be, are in use, idle, and waited for."""
        ...

    async def join(self) -> None:
        """Become one of the processes."""
        ...

    async def leave(self) -> None:
        """Give everything back, and be none of them."""
        ...

    async def renew(self) -> dict[str, int]:
        """Say that this process is alive. Returns the leases that it holds, by thread."""
        ...

    def listen(self, heard: Callable[[str, str], Awaitable[None]]) -> Awaitable[None]:
        """Call for each message of another process, until cancelled; `all` after a break."""
        ...

    def tell(self, kind: str, name: str) -> None:
        """Send a message to the processes that listen; does not wait."""
        ...

    def locked(self, key: str, *, lazily: bool = False) -> AbstractAsyncContextManager[Any]:
        """Hold a lock that no other process holds meanwhile.

        Args:
            key: What it is called.
            lazily: Take it with the first thing that is done by `Storage.within` or `transaction`.

        Returns:
            What these take, for what is to be done on the lock's own connection.
        """
        ...

    # Leases.

    async def take(self, thread_id: str) -> int | None:
        """Take the lease of a thread, unless a living process has it. Returns the epoch."""
        ...

    async def claim(self, before: str, limit: int) -> list[tuple[str, int]]:
        """Take the leases of threads with runs that are due and nobody carries out.

        Args:
            before: Runs that were due by then; as runs say when they were created.
            limit: How many at most.

        Returns:
            Threads and epochs, those with the oldest runs first.
        """
        ...

    async def release(self, thread_id: str) -> None:
        """Give a lease back."""
        ...

    async def owner(self, thread_id: str) -> str | None:
        """Return the living process that has the lease of a thread."""
        ...

    def check(self, transaction: Transaction, thread_id: str) -> None:
        """Let a transaction fail with `Fenced` if this process has no lease of a thread."""
        ...

    # Deletions.

    async def begin_deletion(self, thread_id: str) -> bool:
        """Refuse runs on a thread from here on. The caller holds its lock.

        Returns:
            False if it is being deleted already.
        """
        ...

    async def give_up_deletion(self, thread_id: str) -> None:
        """Let there be runs on a thread again, as it is not deleted."""
        ...

    def revoke(self, transaction: Transaction, thread_id: str) -> None:
        """Take the lease of a thread from whoever has it, as part of a transaction that deletes.

        What was written with the lease before is deleted, too; later it writes nothing any more.
        """
        ...

    async def is_deleted(self, transaction: Transaction, thread_id: str) -> bool:
        """Return whether a thread is being deleted.

        The thread's document is read with it, as by `standing`.
        """
        ...

    # Threads that may be taken over.

    async def standing(self, transaction: Transaction, thread_id: str) -> Standing | None:
        """Return what there is of a thread that this process has no lease of.

        The thread's document is read with it: the transaction has it when it is asked for next.

        Returns:
            None if there is no thread.
        """
        ...

    async def has_others(self, transaction: Transaction, thread_id: str, run_id: str) -> bool:
        """Return whether a thread has runs that are not over besides one.

        The thread's document is read with it, as by `standing`.
        """
        ...

    def take_within(self, transaction: Transaction, thread_id: str, epoch: int | None) -> None:
        """Take the lease of a thread as part of a transaction; `note_taken` is to be called then.

        Args:
            transaction: Fails with `Fenced` if another process was faster.
            thread_id: The thread.
            epoch: The epoch of the lease whose process is dead; None if there is no lease.
        """
        ...

    def note_taken(self, transaction: Transaction, thread_id: str) -> None:
        """Note the epoch of a lease that a transaction has taken, which is committed."""
        ...

    def release_within(self, transaction: Transaction, thread_id: str) -> int:
        """Give a lease back as part of a transaction, which fails with `Fenced` if it is lost.

        Returns:
            Its epoch, which is forgotten at once. Who catches another error puts it back.
        """
        ...

    # Followers.

    async def follow(self, thread_id: str, *, protocol: bool = False) -> None:
        """Ask the process that has a thread to write down what happens, and to say so."""
        ...

    async def follow_within(self, transaction: Transaction, thread_id: str) -> None:
        """Ask the next process that has a thread for the same, as part of a transaction."""
        ...

    async def unfollow(self, thread_id: str) -> None:
        """Take that back."""
        ...

    async def followers(self, thread_id: str) -> list[Follower]:
        """Return who follows a thread, this process left out."""
        ...

    async def put_result(self, transaction: Transaction, result: RunResult) -> None:
        """Keep what became of a run for those who follow it."""
        ...

    async def results(self, run_ids: Iterable[str]) -> dict[str, RunResult]:
        """Return what became of runs, as far as it is kept."""
        ...

    async def sweep(self) -> None:
        """Delete what dead processes and old results left."""
        ...
