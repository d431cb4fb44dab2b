"""A storage that encrypts the data of another one, the only place that applies an `Encryption`.

The layers below see encrypted values only, and the layers above see plain ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from langgraph_client.server.encryption.blocking import Blocking
from langgraph_client.server.encryption.cipher import Cipher
from langgraph_client.server.encryption.contexts import Contexts
from langgraph_client.server.encryption.documents import (
    EncryptedAnswers,
    EncryptedDeliveries,
    EncryptedDocuments,
    EncryptedEvents,
    EncryptedProtocolEvents,
    EncryptedResults,
    EncryptedRuns,
)
from langgraph_client.server.encryption.turns import DatabaseTurns
from langgraph_client.server.storage.protocol import (
    Document,
    Documents,
    EventStore,
    Mark,
    ProtocolEventStore,
    RunDocuments,
    Storage,
    ThreadStates,
    Transaction,
)

if TYPE_CHECKING:
    from langgraph.store.base import BaseStore

    from langgraph_client.server.encryption.saver import EncryptedSaver
    from langgraph_client.server.encryption.store import EncryptedStore


class _States:
    """The checkpoints of threads as a whole. See `storage.protocol.ThreadStates`."""

    def __init__(self, states: ThreadStates, turns: DatabaseTurns) -> None:
        self._states, self._turns = states, turns

    async def delete_thread(self, thread_id: str) -> None:
        """Delete all checkpoints of a thread."""
        async with self._turns.turn():
            await self._states.delete_thread(thread_id)

    async def forget_thread(self, thread_id: str) -> None:
        """Delete the checkpoints of a thread that are in a user's saver."""
        await self._states.forget_thread(thread_id)

    async def copy_thread(self, source: str, target: str) -> None:
        """Copy all checkpoints of a thread to another one; their ids stay."""
        async with self._turns.turn():
            await self._states.copy_thread(source, target)

    async def keep_latest(self, thread_id: str) -> None:
        """Delete all checkpoints of a thread except the latest."""
        async with self._turns.turn():
            await self._states.keep_latest(thread_id)

    async def latest(self, thread_id: str) -> str | None:
        """Return the id of a thread's latest checkpoint, those of subgraphs included."""
        async with self._turns.turn():
            return await self._states.latest(thread_id)

    async def mark(self, thread_id: str) -> Mark:
        """Return a mark of the current state of a thread, for `delete_run`."""
        async with self._turns.turn():
            return await self._states.mark(thread_id)

    async def delete_run(
        self, thread_id: str, run_id: str, mark: Mark = None, *, is_in_use: bool = False
    ) -> None:
        """Delete the checkpoints and writes of a run."""
        async with self._turns.turn():
            await self._states.delete_run(thread_id, run_id, mark, is_in_use=is_in_use)

    async def keeps_run(self, thread_id: str, run_id: str) -> bool:
        """Return whether there may still be something of a deleted run."""
        async with self._turns.turn():
            return await self._states.keeps_run(thread_id, run_id)

    async def size(self, thread_id: str) -> Document:
        """Return the sizes of a thread's state in its stored, encrypted form."""
        async with self._turns.turn():
            return await self._states.size(thread_id)


class EncryptedTransaction:
    """A transaction. See `storage.protocol.Transaction`.

    Args:
        inner: The transaction of the storage below.
        cipher: Encrypts and decrypts.
        contexts: The contexts to encrypt with.
        turns: Keeps other tasks out of a transaction.
    """

    def __init__(
        self, inner: Transaction, cipher: Cipher, contexts: Contexts, turns: DatabaseTurns
    ) -> None:
        self._inner = inner
        self._cipher, self._contexts, self._turns = cipher, contexts, turns

    @property
    def executor(self) -> object:
        """The object that executes statements."""
        return self._inner.executor

    def _documents(self, documents: Documents, kind: str) -> EncryptedDocuments:
        return EncryptedDocuments(documents, kind, self._cipher, self._contexts, self._turns)

    @property
    def assistants(self) -> Documents:
        """The assistants, each as its latest version."""
        return self._documents(self._inner.assistants, "assistant")

    @property
    def assistant_versions(self) -> Documents:
        """All versions of assistants."""
        return self._documents(self._inner.assistant_versions, "assistant")

    @property
    def threads(self) -> Documents:
        """The threads."""
        return self._documents(self._inner.threads, "thread")

    @property
    def runs(self) -> RunDocuments:
        """The runs."""
        return EncryptedRuns(self._inner.runs, self._cipher, self._contexts, self._turns)

    @property
    def crons(self) -> Documents:
        """The crons."""
        return self._documents(self._inner.crons, "cron")

    @property
    def thread_ttls(self) -> Documents:
        """The times to live of threads; nothing in them is secret."""
        return self._documents(self._inner.thread_ttls, "")

    @property
    def idempotency_keys(self) -> Documents:
        """The runs that were created with an `Idempotency-Key`; nothing in them is secret."""
        return self._documents(self._inner.idempotency_keys, "")

    @property
    def idempotency_answers(self) -> Documents:
        """The results of deleted runs that had such a key."""
        return EncryptedAnswers(
            self._inner.idempotency_answers, "", self._cipher, self._contexts, self._turns
        )

    @property
    def webhook_deliveries(self) -> Documents:
        """The pending deliveries to webhooks."""
        return EncryptedDeliveries(
            self._inner.webhook_deliveries, "webhook", self._cipher, self._contexts, self._turns
        )

    @property
    def run_controls(self) -> Documents:
        """The notes about runs that are not over; nothing in them is secret."""
        return self._documents(self._inner.run_controls, "")

    @property
    def events(self) -> EventStore:
        """The stored events."""
        return EncryptedEvents(self._inner.events, self._cipher, self._contexts, self._turns)

    @property
    def protocol_events(self) -> ProtocolEventStore:
        """The stored events of the v3 stream."""
        return EncryptedProtocolEvents(
            self._inner.protocol_events, self._cipher, self._contexts, self._turns
        )

    @property
    def states(self) -> ThreadStates:
        """The checkpoints as a whole."""
        return _States(self._inner.states, self._turns)

    async def delete_thread(self, thread_id: str, *, keep_events: bool = False) -> None:
        """Delete a thread with all that belongs to it."""
        async with self._turns.turn():
            await self._inner.delete_thread(thread_id, keep_events=keep_events)


class EncryptedStorage(EncryptedTransaction):
    """A storage that encrypts. See `storage.protocol.Storage`. Create it on the server's loop.

    Args:
        storage: Stores the encrypted data; it is closed with this one.
        cipher: Encrypts and decrypts.
    """

    def __init__(self, storage: Storage, cipher: Cipher) -> None:
        contexts = Contexts(
            {
                "assistant": storage.assistants.get,
                "thread": storage.threads.get,
                "run": storage.runs.get,
                "cron": storage.crons.get,
            }
        )
        # SQLite has one connection for all; see `DatabaseTurns`.
        turns = DatabaseTurns(storage.shared is None)
        super().__init__(storage, cipher, contexts, turns)
        self._storage = storage
        self.cipher = cipher
        self._blocking = Blocking(asyncio.get_running_loop())
        self.shared = storage.shared
        if storage.shared is not None:
            storage.shared.result_cipher = EncryptedResults(cipher, contexts)
        # Scripted graphs store their states without encryption, so `check` refuses them.
        self.script_states = storage.script_states
        self.checkpointer: EncryptedSaver | None = None
        if storage.checkpointer is not None:
            from langgraph_client.server.encryption.saver import EncryptedSaver

            self.checkpointer = EncryptedSaver(
                storage.checkpointer, cipher, contexts, turns, self._blocking
            )
        self.store = None if storage.store is None else self.encrypted_store(storage.store)

    def encrypted_store(self, store: BaseStore) -> EncryptedStore:
        """Return a store that encrypts the data of another one."""
        from langgraph_client.server.encryption.store import EncryptedStore

        return EncryptedStore(store, self._cipher, self._contexts, self._turns, self._blocking)

    async def context_of_run(self, run_id: str) -> Mapping[str, object]:
        """Return the context of the request that created a run."""
        return await self._contexts.of("run", run_id)

    async def context_of_cron(self, cron_id: str) -> Mapping[str, object]:
        """Return the context of the request that created a cron."""
        return await self._contexts.of("cron", cron_id)

    @asynccontextmanager
    async def transaction(self, held: object = None) -> AsyncIterator[EncryptedTransaction]:
        """Commit the writes of a transaction together, or none of them after an exception."""
        # The turn first: SQLite's own lock does not exclude other tasks of the same thread.
        async with self._turns.turn(), self._storage.transaction(held) as inner:
            yield EncryptedTransaction(inner, self._cipher, self._contexts, self._turns)

    def within(self, held: object) -> EncryptedTransaction:
        """Return the tables for reads under a lock."""
        inner = self._storage.within(held)
        return EncryptedTransaction(inner, self._cipher, self._contexts, self._turns)

    def allow(self, classes: Iterable[type]) -> None:
        """Allow stored checkpoints to create objects of these classes."""
        self._storage.allow(classes)

    async def sweep_store(self) -> int:
        """Delete the expired items of the store. Return how many."""
        async with self._turns.turn():
            return await self._storage.sweep_store()

    async def ping(self) -> None:
        """Return if the database answers."""
        await self._storage.ping()

    async def export(self) -> Document:
        """Return all stored data in its encrypted form, for `restore`."""
        async with self._turns.turn():
            return await self._storage.export()

    async def restore(self, tables: Mapping[str, object]) -> None:
        """Replace all stored data by a return value of `export`."""
        async with self._turns.turn():
            await self._storage.restore(tables)

    async def close(self) -> None:
        """Close the database."""
        await self._storage.close()
