"""Documents, events and results of runs, encrypted on the way in and decrypted on the way out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langgraph_client.server.clock import EventId
from langgraph_client.server.encryption.cipher import Cipher, Context
from langgraph_client.server.encryption.contexts import KEYS, Contexts
from langgraph_client.server.encryption.fields import FIELDS
from langgraph_client.server.encryption.turns import DatabaseTurns
from langgraph_client.server.request_context import encryption_context
from langgraph_client.server.storage.protocol import (
    Document,
    Documents,
    Event,
    EventStore,
    KeptEvent,
    ProtocolEventStore,
    RunDocuments,
)
from langgraph_client.server.storage.shared import RunResult


class EncryptedDocuments:
    """Documents of one kind. See `storage.protocol.Documents`.

    Searches compare the stored form, so they do not find values of encrypted fields.

    Args:
        documents: Stores the documents.
        kind: The kind of document, by which the encrypted fields are known; empty to encrypt none.
        cipher: Encrypts and decrypts.
        contexts: The contexts to encrypt with.
        turns: Keeps other tasks out of a transaction.
    """

    def __init__(
        self,
        documents: Documents,
        kind: str,
        cipher: Cipher,
        contexts: Contexts,
        turns: DatabaseTurns,
    ) -> None:
        self._documents, self._kind = documents, kind
        self._cipher, self._contexts, self._turns = cipher, contexts, turns

    async def _encrypted(self, document: Document) -> Document:
        # The assistants that the server creates at its start contain no data of a user.
        is_own = self._kind == "assistant" and encryption_context.get() is None
        if not self._kind or is_own:
            return document
        context = await self._contexts.for_writing(self._kind, document[KEYS[self._kind]])
        kept = await encrypted_document(self._cipher, self._kind, document, context)
        self._contexts.note(self._kind, kept)
        return kept

    async def _decrypted(self, document: Document) -> Document:
        if not self._kind:
            return document
        self._contexts.note(self._kind, document)
        return await decrypted_document(self._cipher, self._kind, document)

    async def get(self, *key: object) -> Document | None:
        """Return a document by its key; None if there is none."""
        async with self._turns.turn():
            document = await self._documents.get(*key)
        return None if document is None else await self._decrypted(document)

    async def get_stored(self, *key: object) -> Document | None:
        """Return a document by its key in its encrypted form; None if there is none."""
        async with self._turns.turn():
            return await self._documents.get(*key)

    async def insert(self, document: Document) -> None:
        """Add a document."""
        # Before the turn: a handler may take long, and other tasks wait for the turn.
        kept = await self._encrypted(document)
        async with self._turns.turn():
            await self._documents.insert(kept)

    async def put(self, document: Document) -> None:
        """Add a document, or replace the one with its key."""
        kept = await self._encrypted(document)
        async with self._turns.turn():
            await self._documents.put(kept)

    async def replace(self, document: Document) -> bool:
        """Replace the document with its key. Return False if there is none any more."""
        kept = await self._encrypted(document)
        async with self._turns.turn():
            return await self._documents.replace(kept)

    async def delete(self, *key: object) -> bool:
        """Delete a document by its key. Return whether it existed."""
        async with self._turns.turn():
            return await self._documents.delete(*key)

    async def delete_where(self, **fields: object) -> None:
        """Delete the documents whose fields have these values."""
        async with self._turns.turn():
            await self._documents.delete_where(**fields)

    async def search(self, **options: Any) -> list[Document]:
        """Return documents."""
        async with self._turns.turn():
            documents = await self._documents.search(**options)
        return [await self._decrypted(document) for document in documents]

    async def count(self, **options: Any) -> int:
        """Return how many documents `search` with the same filters would return."""
        async with self._turns.turn():
            return await self._documents.count(**options)


class EncryptedRuns(EncryptedDocuments):
    """The runs. See `storage.protocol.RunDocuments`."""

    def __init__(
        self, documents: RunDocuments, cipher: Cipher, contexts: Contexts, turns: DatabaseTurns
    ) -> None:
        super().__init__(documents, "run", cipher, contexts, turns)
        self._runs = documents

    async def delete(self, *key: object) -> bool:
        """Delete a run. Return whether it existed."""
        deleted = await super().delete(*key)
        self._contexts.forget_run(str(key[0]))
        return deleted

    async def unfinished(self) -> list[Document]:
        """Return the runs that are pending or running, oldest first."""
        async with self._turns.turn():
            runs = await self._runs.unfinished()
        return [await self._decrypted(run) for run in runs]

    async def graph_ids(self, thread_id: str) -> list[object]:
        """Return the different graph ids of a thread's runs, which are not encrypted."""
        async with self._turns.turn():
            return await self._runs.graph_ids(thread_id)


class EncryptedAnswers(EncryptedDocuments):
    """The results of deleted runs: a run and its result each."""

    async def _encrypted(self, document: Document) -> Document:
        context = await self._contexts.for_writing("run", document["run"]["run_id"])
        run = await encrypted_document(self._cipher, "run", document["run"], context)
        result = await self._cipher.encrypted("run", "result", document["result"], context)
        return {**document, "run": run, "result": result}

    async def _decrypted(self, document: Document) -> Document:
        if "run" not in document:
            return document
        run = await decrypted_document(self._cipher, "run", document["run"])
        result = await self._cipher.decrypted("run", "result", document["result"])
        return {**document, "run": run, "result": result}


class EncryptedDeliveries(EncryptedDocuments):
    """Pending deliveries to webhooks, encrypted with the contexts of their runs."""

    async def _encrypted(self, document: Document) -> Document:
        context = await self._contexts.of("run", document["run_id"])
        return await encrypted_document(self._cipher, "webhook", document, context)

    async def _decrypted(self, document: Document) -> Document:
        return await decrypted_document(self._cipher, "webhook", document)


class EncryptedResults:
    """The results of runs for other processes. See `storage.shared.ResultCipher`.

    Args:
        cipher: Encrypts and decrypts.
        contexts: The contexts of runs.
    """

    def __init__(self, cipher: Cipher, contexts: Contexts) -> None:
        self._cipher, self._contexts = cipher, contexts

    async def encrypted(self, result: RunResult) -> RunResult:
        """Return a result in its stored form."""
        context = await self._contexts.of("run", result.run["run_id"])
        error = None if result.error is None else result.error.decode()
        return RunResult(
            await encrypted_document(self._cipher, "run", result.run, context),
            await self._cipher.encrypted(
                "run", "result", {"result": result.result, "error": error}, context
            ),
            None,
        )

    async def decrypted(self, kept: RunResult) -> RunResult:
        """Return a result from its stored form."""
        run = await decrypted_document(self._cipher, "run", kept.run)
        content = await self._cipher.decrypted("run", "result", kept.result)
        error = content["error"]
        return RunResult(run, content["result"], None if error is None else error.encode())


class EncryptedEvents:
    """The stored events of resumable runs. See `storage.protocol.EventStore`.

    Args:
        events: Stores the events.
        cipher: Encrypts and decrypts.
        contexts: The contexts of runs.
        turns: Keeps other tasks out of a transaction.
    """

    def __init__(
        self, events: EventStore, cipher: Cipher, contexts: Contexts, turns: DatabaseTurns
    ) -> None:
        self._events, self._cipher = events, cipher
        self._contexts, self._turns = contexts, turns

    async def add(self, thread_id: str, run_id: str, events: Sequence[Event]) -> None:
        """Write events, all or none."""
        context = await self._contexts.of("run", run_id)
        seal = self._cipher.sealed
        kept = [
            event._replace(data=await seal("run", "events", event.data, context))
            for event in events
        ]
        async with self._turns.turn():
            await self._events.add(thread_id, run_id, kept)

    async def _plain(self, events: Sequence[Event]) -> list[Event]:
        unseal = self._cipher.unsealed
        return [event._replace(data=await unseal("run", "events", event.data)) for event in events]

    async def of_run(
        self, run_id: str, after: EventId, limit: int, without: str = ""
    ) -> list[Event]:
        """Return events of a run after an id, without those of one name."""
        async with self._turns.turn():
            events = await self._events.of_run(run_id, after, limit, without)
        return await self._plain(events)

    async def of_thread(self, thread_id: str, after: EventId, limit: int) -> list[Event]:
        """Return events of all runs of a thread after an id."""
        async with self._turns.turn():
            events = await self._events.of_thread(thread_id, after, limit)
        return await self._plain(events)

    async def of_thread_last(self, thread_id: str) -> EventId:
        """Return the greatest id of a thread's events; (0, 0) if there is none."""
        async with self._turns.turn():
            return await self._events.of_thread_last(thread_id)

    async def delete_run(self, run_id: str) -> None:
        """Delete the events of a run."""
        async with self._turns.turn():
            await self._events.delete_run(run_id)

    async def delete_ended(self, name: str, before_ms: int, limit: int) -> int:
        """Delete all events of runs that have an event of this name before a time."""
        async with self._turns.turn():
            return await self._events.delete_ended(name, before_ms, limit)

    async def last_id(self) -> EventId:
        """Return the greatest id there is; (0, 0) if there is none."""
        async with self._turns.turn():
            return await self._events.last_id()


class EncryptedProtocolEvents:
    """The stored events of the v3 stream. See `storage.protocol.ProtocolEventStore`.

    Args:
        events: Stores the events.
        cipher: Encrypts and decrypts.
        contexts: The contexts of runs.
        turns: Keeps other tasks out of a transaction.
    """

    def __init__(
        self, events: ProtocolEventStore, cipher: Cipher, contexts: Contexts, turns: DatabaseTurns
    ) -> None:
        self._events, self._cipher = events, cipher
        self._contexts, self._turns = contexts, turns

    async def add(self, thread_id: str, events: Sequence[KeptEvent]) -> None:
        """Write events, all or none."""
        seal = self._cipher.sealed
        kept = [
            event._replace(
                data=await seal(
                    "run", "events", event.data, await self._contexts.of("run", event.run_id)
                )
            )
            for event in events
        ]
        async with self._turns.turn():
            await self._events.add(thread_id, kept)

    async def _plain(self, events: Sequence[KeptEvent]) -> list[KeptEvent]:
        unseal = self._cipher.unsealed
        return [event._replace(data=await unseal("run", "events", event.data)) for event in events]

    async def of_thread(self, thread_id: str, after: int, limit: int) -> list[KeptEvent]:
        """Return events of a thread after a number."""
        async with self._turns.turn():
            events = await self._events.of_thread(thread_id, after, limit)
        return await self._plain(events)

    async def lifecycle(self, run_id: str) -> list[KeptEvent]:
        """Return the lifecycle events of a run."""
        async with self._turns.turn():
            events = await self._events.lifecycle(run_id)
        return await self._plain(events)

    async def missing_runs(self, thread_id: str) -> list[str]:
        """Return the ids of the runs without lifecycle events here whose own events are stored."""
        async with self._turns.turn():
            return await self._events.missing_runs(thread_id)

    async def last(self, thread_id: str) -> KeptEvent | None:
        """Return the last event of a thread; None if it has none."""
        async with self._turns.turn():
            event = await self._events.last(thread_id)
        return None if event is None else (await self._plain([event]))[0]

    async def delete_run(self, run_id: str, *, keep_lifecycle: bool = False) -> None:
        """Delete the events of a run."""
        async with self._turns.turn():
            await self._events.delete_run(run_id, keep_lifecycle=keep_lifecycle)

    async def delete_ended(self, before_ms: int, limit: int) -> int:
        """Delete all events of runs that ended before a time."""
        async with self._turns.turn():
            return await self._events.delete_ended(before_ms, limit)


async def encrypted_document(
    cipher: Cipher, kind: str, document: Document, context: Context
) -> Document:
    """Return a document with its fields encrypted."""
    changed = {
        field: await cipher.encrypted(kind, field, document[field], context)
        for field in FIELDS[kind]
        if field in document
    }
    return {**document, **changed}


async def decrypted_document(cipher: Cipher, kind: str, document: Document) -> Document:
    """Return a document with its fields decrypted."""
    changed = {
        field: await cipher.decrypted(kind, field, document[field])
        for field in FIELDS[kind]
        if field in document
    }
    return {**document, **changed}
