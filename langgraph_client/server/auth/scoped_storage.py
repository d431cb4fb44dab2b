"""A view of the database for one request, with only the documents that its user may access.

The access of an endpoint (`http/access.py`) says which kinds of documents its function needs. The
application's `Auth` decides which of them the user may access. Through the view, other documents
raise `Hidden`, are not found by searches, and cannot be overwritten. A kind that the endpoint does
not name raises `NotGrantedError`, so that no function can read documents without authorization by
mistake.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from langgraph_client.server.auth.filters import Conditions, holds
from langgraph_client.server.errors import Hidden
from langgraph_client.server.storage.protocol import (
    Document,
    Documents,
    EventStore,
    ProtocolEventStore,
    RunDocuments,
    Storage,
    ThreadStates,
    Transaction,
)

Grants = Mapping[str, Conditions]
"""The conditions by kind (`threads`, `assistants`, `crons`); None for all documents of a kind."""


class NotGrantedError(RuntimeError):
    """A function reads documents that the access of its endpoint does not name."""


class ScopedDocuments:
    """One user's view of the documents of one kind. See `storage.protocol.Documents`.

    Args:
        documents: All documents.
        conditions: The conditions for the user.
        key: The field of their key.
        detail: The text of the error for others; `{}` is replaced by their key.
    """

    def __init__(
        self, documents: Documents, conditions: Conditions, key: str, detail: str = "Not Found"
    ) -> None:
        self._documents, self._conditions = documents, conditions
        self._key, self._detail = key, detail

    async def check(self, key: object) -> None:
        """Raise `Hidden` if the document exists and the user may not access it."""
        if self._conditions is None:
            return
        where = {self._key: key}
        if await self._documents.count(where=where, any_of=self._conditions):
            return
        if await self._documents.count(where=where):
            raise Hidden(self._detail.replace("{}", str(key)))

    async def get(self, *key: object) -> Document | None:
        """Return a document, None if there is none. Raises Hidden if it is not the user's."""
        document = await self._documents.get(*key)
        if document is not None and not holds(self._conditions, document):
            raise Hidden(self._detail.replace("{}", str(key[0])))
        return document

    async def get_stored(self, *key: object) -> Document | None:
        """Return a document in its stored form. Raises Hidden if it is not the user's."""
        await self.check(key[0])
        return await self._documents.get_stored(*key)

    async def insert(self, document: Document) -> None:
        """Add a document."""
        # Not checked: it replaces nothing, because a key that exists raises `KeyTaken`.
        await self._documents.insert(document)

    async def put(self, document: Document) -> None:
        """Add or replace a document. Raises Hidden if the one that is there is not the user's."""
        await self.check(document[self._key])
        await self._documents.put(document)

    async def replace(self, document: Document) -> bool:
        """Replace a document. Raises Hidden if it is not the user's."""
        await self.check(document[self._key])
        return await self._documents.replace(document)

    async def delete(self, *key: object) -> bool:
        """Delete a document. Raises Hidden if it is not the user's."""
        await self.check(key[0])
        return await self._documents.delete(*key)

    async def delete_where(self, **fields: object) -> None:
        """Delete documents; only where the user may have all of the kind."""
        if self._conditions is not None:
            raise NotGrantedError(
                f"a request by {sorted(fields)} may delete documents of other users"
            )
        await self._documents.delete_where(**fields)

    async def search(self, **options: Any) -> list[Document]:
        """Return documents, the user's only."""
        return await self._documents.search(**options, any_of=self._conditions)

    async def count(self, **options: Any) -> int:
        """Return how many documents there are, the user's only."""
        return await self._documents.count(**options, any_of=self._conditions)


class ScopedChildren:
    """One user's view of documents that belong to a parent document.

    Args:
        documents: All documents.
        parents: The view of their parents.
        field: The field with the parent's key.
    """

    def __init__(self, documents: Documents, parents: ScopedDocuments, field: str) -> None:
        self._documents, self._parents, self._field = documents, parents, field

    async def _check(self, fields: Mapping[str, object] | None) -> None:
        if fields is None or isinstance(parent := fields.get(self._field), (type(None), list)):
            raise NotGrantedError(
                f"a request without {self._field} may read documents of other users"
            )
        await self._parents.check(parent)

    async def get(self, *key: object) -> Document | None:
        """Return a document, None if there is none. Raises Hidden if it is not the user's."""
        document = await self._documents.get(*key)
        if document is not None:
            await self._check(document)
        return document

    async def get_stored(self, *key: object) -> Document | None:
        """Return a document in its stored form. Raises Hidden if it is not the user's."""
        document = await self._documents.get_stored(*key)
        if document is not None:
            await self._check(document)
        return document

    async def insert(self, document: Document) -> None:
        """Add a document."""
        await self._check(document)
        await self._documents.insert(document)

    async def put(self, document: Document) -> None:
        """Add or replace a document."""
        await self._check(document)
        await self._documents.put(document)

    async def replace(self, document: Document) -> bool:
        """Replace a document."""
        await self._check(document)
        return await self._documents.replace(document)

    async def delete(self, *key: object) -> bool:
        """Delete a document. Raises Hidden if it is not the user's."""
        await self.get(*key)
        return await self._documents.delete(*key)

    async def delete_where(self, **fields: object) -> None:
        """Delete the documents of a parent."""
        await self._check(fields)
        await self._documents.delete_where(**fields)

    async def search(
        self, *, where: Mapping[str, object] | None = None, **options: Any
    ) -> list[Document]:
        """Return documents of a parent."""
        await self._check(where)
        return await self._documents.search(where=where, **options)

    async def count(self, *, where: Mapping[str, object] | None = None, **options: Any) -> int:
        """Return how many documents of a parent there are."""
        await self._check(where)
        return await self._documents.count(where=where, **options)


class ScopedRuns(ScopedChildren):
    """The runs of threads that one user may access."""

    def __init__(self, documents: RunDocuments, parents: ScopedDocuments, field: str) -> None:
        super().__init__(documents, parents, field)
        self._runs = documents

    async def graph_ids(self, thread_id: str) -> list[object]:
        """Return the different graph ids of a thread's runs."""
        await self._check({self._field: thread_id})
        return await self._runs.graph_ids(thread_id)

    async def unfinished(self) -> list[Document]:
        """Refuse: these are the runs of all users."""
        raise NotGrantedError("the list of unfinished runs has runs of all users")


class ScopedTransaction:
    """A view of a transaction. See `storage.protocol.Transaction`.

    Args:
        inner: The transaction.
        grants: The conditions for each kind of document.
    """

    def __init__(self, inner: Transaction, grants: Grants) -> None:
        self._inner, self.grants = inner, grants

    def _conditions(self, kind: str) -> Conditions:
        if kind not in self.grants:
            raise NotGrantedError(f"the access of this endpoint does not name {kind}")
        return self.grants[kind]

    @property
    def assistants(self) -> ScopedDocuments:
        """The assistants."""
        conditions = self._conditions("assistants")
        return ScopedDocuments(self._inner.assistants, conditions, "assistant_id")

    @property
    def assistant_versions(self) -> ScopedChildren:
        """The versions of assistants."""
        return ScopedChildren(self._inner.assistant_versions, self.assistants, "assistant_id")

    @property
    def threads(self) -> ScopedDocuments:
        """The threads."""
        detail = "Thread with ID {} not found"
        return ScopedDocuments(
            self._inner.threads, self._conditions("threads"), "thread_id", detail
        )

    @property
    def runs(self) -> RunDocuments:
        """The runs of the threads."""
        return ScopedRuns(self._inner.runs, self.threads, "thread_id")

    @property
    def crons(self) -> ScopedDocuments:
        """The crons."""
        return ScopedDocuments(self._inner.crons, self._conditions("crons"), "cron_id")

    @property
    def thread_ttls(self) -> ScopedChildren:
        """The times to live of threads."""
        return ScopedChildren(self._inner.thread_ttls, self.threads, "thread_id")

    @property
    def run_controls(self) -> ScopedChildren:
        """The notes about runs."""
        return ScopedChildren(self._inner.run_controls, self.threads, "thread_id")

    # The following need no conditions: they are found by the id of a thread or run that was checked
    # before, or by a key that contains the user.

    @property
    def idempotency_keys(self) -> Documents:
        """The runs that were created with a key."""
        return self._inner.idempotency_keys

    @property
    def idempotency_answers(self) -> Documents:
        """The results of deleted runs that had a key."""
        return self._inner.idempotency_answers

    @property
    def executor(self) -> object:
        """Refuse."""
        raise NotGrantedError("requests do not carry out statements")

    @property
    def webhook_deliveries(self) -> Documents:
        """Refuse."""
        raise NotGrantedError("requests do not send webhooks")

    @property
    def events(self) -> EventStore:
        """The stored events."""
        self._conditions("threads")
        return self._inner.events

    @property
    def protocol_events(self) -> ProtocolEventStore:
        """The stored events of the v3 stream."""
        self._conditions("threads")
        return self._inner.protocol_events

    @property
    def states(self) -> ThreadStates:
        """The checkpoints."""
        self._conditions("threads")
        return self._inner.states

    async def delete_thread(self, thread_id: str, *, keep_events: bool = False) -> None:
        """Delete a thread. Raises Hidden if it is not the user's."""
        await self.threads.check(thread_id)
        await self._inner.delete_thread(thread_id, keep_events=keep_events)


class ScopedStorage(ScopedTransaction):
    """A view of a storage; methods for the server itself are refused. See `protocol.Storage`.

    Args:
        storage: The storage.
        grants: The conditions for each kind of document.
    """

    def __init__(self, storage: Storage, grants: Grants) -> None:
        super().__init__(storage, grants)
        self._storage = storage
        self.checkpointer = None
        self.store = None
        self.script_states: object = None
        self.shared: object = None

    def transaction(self, held: object = None) -> AbstractAsyncContextManager[Transaction]:
        """Commit the writes of a transaction together."""
        return self._transaction(held)

    @asynccontextmanager
    async def _transaction(self, held: object) -> AsyncIterator[Transaction]:
        async with self._storage.transaction(held) as transaction:
            yield ScopedTransaction(transaction, self.grants)

    def within(self, held: object) -> Transaction:
        """Return the view for reads under a lock."""
        return ScopedTransaction(self._storage.within(held), self.grants)

    async def ping(self) -> None:
        """Return if the database answers."""
        await self._storage.ping()

    def allow(self, classes: Iterable[type]) -> None:
        """Refuse."""
        raise NotGrantedError("requests do not allow classes")

    async def sweep_store(self) -> int:
        """Refuse."""
        raise NotGrantedError("requests do not sweep the store")

    async def export(self) -> Document:
        """Refuse."""
        raise NotGrantedError("requests do not export everything")

    async def restore(self, tables: Mapping[str, object]) -> None:
        """Refuse."""
        raise NotGrantedError("requests do not replace everything")

    async def close(self) -> None:
        """Refuse."""
        raise NotGrantedError("requests do not close the database")
