"""A storage that encrypts what another one keeps: the one place where an `Encryption` is honoured.

Whatever is below sees encrypted values only, whatever is above plain ones.
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
from langgraph_client.server.encryption.turns import Turns
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

    def __init__(self, states: ThreadStates, turns: Turns) -> None:
        self._states, self._turns = states, turns

    async def delete_thread(self, thread_id: str) -> None:
        """Delete all checkpoints of a thread."""
        async with self._turns.one():
            await self._states.delete_thread(thread_id)

    async def copy_thread(self, source: str, target: str) -> None:
        """Copy all checkpoints of a thread to another one; their ids stay."""
        async with self._turns.one():
            await self._states.copy_thread(source, target)

    async def keep_latest(self, thread_id: str) -> None:
        """Delete all checkpoints of a thread but the latest."""
        async with self._turns.one():
            await self._states.keep_latest(thread_id)

    async def latest(self, thread_id: str) -> str | None:
        """Return the id of a thread's latest checkpoint, those of subgraphs included."""
        async with self._turns.one():
            return await self._states.latest(thread_id)

    async def mark(self, thread_id: str) -> Mark:
        """Return the present moment of a thread's state, for `delete_run`."""
        async with self._turns.one():
            return await self._states.mark(thread_id)

    async def delete_run(self, thread_id: str, run_id: str, mark: Mark = None) -> None:
        """Delete what a run left in its thread's state."""
        async with self._turns.one():
            await self._states.delete_run(thread_id, run_id, mark)

    async def size(self, thread_id: str) -> Document:
        """Return what a thread's state takes, encrypted as it is."""
        async with self._turns.one():
            return await self._states.size(thread_id)


class EncryptedTransaction:
    """What is read and written together. See `storage.protocol.Transaction`.

    Args:
        inner: Where it is kept.
        cipher: Encrypts and decrypts.
        contexts: The contexts to encrypt with.
        turns: Keeps others out of transactions.
    """

    def __init__(
        self, inner: Transaction, cipher: Cipher, contexts: Contexts, turns: Turns
    ) -> None:
        self._inner = inner
        self._cipher, self._contexts, self._turns = cipher, contexts, turns

    @property
    def executor(self) -> object:
        """What carries out statements."""
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
        """What became of runs with such a key that left nothing else."""
        return EncryptedAnswers(
            self._inner.idempotency_answers, "", self._cipher, self._contexts, self._turns
        )

    @property
    def webhook_deliveries(self) -> Documents:
        """What is still to be sent to webhooks."""
        return EncryptedDeliveries(
            self._inner.webhook_deliveries, "webhook", self._cipher, self._contexts, self._turns
        )

    @property
    def run_controls(self) -> Documents:
        """What is noted about runs that are not over; nothing in it is secret."""
        return self._documents(self._inner.run_controls, "")

    @property
    def events(self) -> EventStore:
        """The kept events."""
        return EncryptedEvents(self._inner.events, self._cipher, self._contexts, self._turns)

    @property
    def protocol_events(self) -> ProtocolEventStore:
        """The kept events of the v3 stream."""
        return EncryptedProtocolEvents(
            self._inner.protocol_events, self._cipher, self._contexts, self._turns
        )

    @property
    def states(self) -> ThreadStates:
        """The checkpoints as a whole."""
        return _States(self._inner.states, self._turns)

    async def delete_thread(self, thread_id: str, *, keep_events: bool = False) -> None:
        """Delete a thread with all that belongs to it."""
        async with self._turns.one():
            await self._inner.delete_thread(thread_id, keep_events=keep_events)


class EncryptedStorage(EncryptedTransaction):
    """See `storage.protocol.Storage`. Made on the server's loop.

    Args:
        storage: Keeps everything; it is closed with this one.
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
        # SQLite has one connection for all; see `Turns`.
        turns = Turns(storage.shared is None)
        super().__init__(storage, cipher, contexts, turns)
        self._storage = storage
        self.cipher = cipher
        self._blocking = Blocking(asyncio.get_running_loop())
        self.shared = storage.shared
        if storage.shared is not None:
            storage.shared.result_cipher = EncryptedResults(cipher, contexts)
        # Scripted graphs keep their states by themselves; a server with an `Encryption` has none.
        self.script_states = storage.script_states
        self.checkpointer: EncryptedSaver | None = None
        if storage.checkpointer is not None:
            from langgraph_client.server.encryption.saver import EncryptedSaver

            self.checkpointer = EncryptedSaver(
                storage.checkpointer, cipher, contexts, turns, self._blocking
            )
        self.store = None if storage.store is None else self.encrypted_store(storage.store)

    def encrypted_store(self, store: BaseStore) -> EncryptedStore:
        """Return a store that encrypts what another one keeps."""
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
        """Commit what is written through the given value together, or on an exception nothing."""
        async with self._turns.one(), self._storage.transaction(held) as inner:
            yield EncryptedTransaction(inner, self._cipher, self._contexts, self._turns)

    def within(self, held: object) -> EncryptedTransaction:
        """Return what reads under a lock."""
        inner = self._storage.within(held)
        return EncryptedTransaction(inner, self._cipher, self._contexts, self._turns)

    def allow(self, classes: Iterable[type]) -> None:
        """Allow classes to be made out of stored checkpoints."""
        self._storage.allow(classes)

    async def sweep_store(self) -> int:
        """Delete the store's items whose time is over. Returns how many."""
        async with self._turns.one():
            return await self._storage.sweep_store()

    async def ping(self) -> None:
        """Return if the database answers."""
        await self._storage.ping()

    async def export(self) -> Document:
        """Return all that is kept, encrypted as it is, for `restore`."""
        async with self._turns.one():
            return await self._storage.export()

    async def restore(self, tables: Mapping[str, object]) -> None:
        """Replace all that is kept by what `export` has returned."""
        async with self._turns.one():
            await self._storage.restore(tables)

    async def close(self) -> None:
        """Close the database."""
        await self._storage.close()
