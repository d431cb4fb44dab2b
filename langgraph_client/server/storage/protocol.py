"""What the server asks of a database. SQLite is one implementation, in `sqlite/`.

It keeps JSON, not objects. Every method is async, so that an implementation may go over a network.
Whatever fails for a reason outside the request (the disk is full, the connection is lost) raises
`errors.Unavailable`.

A document that was read before an `await` may be stale; who changes one reads and writes it under
the lock of its thread (`runs/locks.py`). Within `transaction()` only operations of the transaction
are awaited, so that it is short.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple, Protocol, TypeAlias

from langgraph_client.server.clock import EventId
from langgraph_client.server.errors import Conflict

Document = dict[str, Any]
Mark: TypeAlias = Any
"""A moment in the life of a thread's state; only the storage that made it can read it."""


class Event(NamedTuple):
    """One event: its id, its name, its data as JSON."""

    id: EventId
    name: str
    data: bytes


class KeptEvent(NamedTuple):
    """One kept event of the v3 stream.

    Attributes:
        seq: Its number on its thread.
        run_id: The run it belongs to.
        ms: When it was made, in milliseconds since the epoch.
        name: Its channel, with the namespace behind it.
        data: The whole event, as JSON.
    """

    seq: int
    run_id: str
    ms: int
    name: str
    data: bytes


class KeyTaken(Conflict):
    """A document with this key exists already."""


class Documents(Protocol):
    """JSON documents of one kind, each with a key."""

    async def get(self, *key: object) -> Document | None:
        """Return a document by its key; None if there is none."""
        ...

    async def insert(self, document: Document) -> None:
        """Add a document.

        Raises:
            KeyTaken: There is one with this key.
        """
        ...

    async def put(self, document: Document) -> None:
        """Add a document, or replace the one with its key."""
        ...

    async def replace(self, document: Document) -> bool:
        """Replace the document with its key. Returns False if there is none any more."""
        ...

    async def delete(self, *key: object) -> bool:
        """Delete a document by its key. Returns whether it existed."""
        ...

    async def delete_where(self, **fields: object) -> None:
        """Delete the documents whose fields have these values."""
        ...

    async def search(
        self,
        *,
        where: Mapping[str, object] | None = None,
        contains: Mapping[str, Any] | None = None,
        any_of: Sequence[Mapping[str, Any]] | None = None,
        text: Mapping[str, str] | None = None,
        order_by: str | None = None,
        descending: bool = False,
        limit: int | None = None,
        offset: int = 0,
        fields: Collection[str] | None = None,
    ) -> list[Document]:
        """Return documents.

        Args:
            where: Values that fields must equal; a list or tuple means any of them.
            contains: Field to JSON that it must contain: objects by their keys, at every depth;
                lists by items; anything else by equality.
            any_of: Conditions, each like `contains`, of which at least one must hold; an empty
                sequence matches nothing. None for no such condition.
            text: Field to text that must be part of it, upper and lower case alike.
            order_by: The field to sort by, names without regard to case; ties, and documents
                where it is None, by the key. By default the key.
            descending: Sort from the greatest down.
            limit: How many, at most; None for all.
            offset: How many to pass over.
            fields: Only these fields of each document; the others are not read. None for all.
        """
        ...

    async def count(
        self,
        *,
        where: Mapping[str, object] | None = None,
        contains: Mapping[str, Any] | None = None,
        any_of: Sequence[Mapping[str, Any]] | None = None,
        text: Mapping[str, str] | None = None,
    ) -> int:
        """Return how many documents `search` with the same filters would return."""
        ...


class RunDocuments(Documents, Protocol):
    """The runs: documents, and the queue of those that are not over."""

    async def unfinished(self) -> list[Document]:
        """Return the runs that are pending or running, oldest first."""
        ...


class EventStore(Protocol):
    """The kept events of resumable runs, in the order of their ids."""

    async def add(self, thread_id: str, run_id: str, events: Sequence[Event]) -> None:
        """Write events, all or none."""
        ...

    async def of_run(
        self, run_id: str, after: EventId, limit: int, without: str = ""
    ) -> list[Event]:
        """Return events of a run after an id, without those of one name."""
        ...

    async def of_thread(self, thread_id: str, after: EventId, limit: int) -> list[Event]:
        """Return events of all runs of a thread after an id."""
        ...

    async def of_thread_last(self, thread_id: str) -> EventId:
        """Return the greatest id of a thread's events; (0, 0) if there is none."""
        ...

    async def delete_run(self, run_id: str) -> None:
        """Delete the events of a run."""
        ...

    async def delete_ended(self, name: str, before_ms: int, limit: int) -> int:
        """Delete all events of runs that have an event of this name before a time.

        Args:
            name: The name of the event that marks the end of a run.
            before_ms: Milliseconds since the epoch.
            limit: How many runs at most.

        Returns:
            How many runs lost their events.
        """
        ...

    async def last_id(self) -> EventId:
        """Return the greatest id there is; (0, 0) if there is none."""
        ...


class ProtocolEventStore(Protocol):
    """The kept events of the v3 stream, in the order of their numbers.

    What is deleted, but for a whole thread, leaves the thread's last event, as the next number is
    told by it.
    """

    async def add(self, thread_id: str, events: Sequence[KeptEvent]) -> None:
        """Write events, all or none."""
        ...

    async def of_thread(self, thread_id: str, after: int, limit: int) -> list[KeptEvent]:
        """Return events of a thread after a number."""
        ...

    async def lifecycle(self, run_id: str) -> list[KeptEvent]:
        """Return the lifecycle events of a run."""
        ...

    async def last(self, thread_id: str) -> KeptEvent | None:
        """Return the last event of a thread; None if it has none."""
        ...

    async def delete_run(self, run_id: str, *, keep_lifecycle: bool = False) -> None:
        """Delete the events of a run.

        Args:
            run_id: The run.
            keep_lifecycle: Leave the events by which the root begins and ends.
        """
        ...

    async def delete_ended(self, before_ms: int, limit: int) -> int:
        """Delete all events of runs that ended before a time.

        Args:
            before_ms: Milliseconds since the epoch.
            limit: How many runs at most.

        Returns:
            How many runs lost their events.
        """
        ...


class ThreadStates(Protocol):
    """The checkpoints of threads, as a whole; graphs read and write single ones."""

    async def delete_thread(self, thread_id: str) -> None:
        """Delete all checkpoints of a thread."""
        ...

    async def copy_thread(self, source: str, target: str) -> None:
        """Copy all checkpoints of a thread to another one; their ids stay."""
        ...

    async def keep_latest(self, thread_id: str) -> None:
        """Delete all checkpoints of a thread but the latest."""
        ...

    async def latest(self, thread_id: str) -> str | None:
        """Return the id of a thread's latest checkpoint, those of subgraphs included."""
        ...

    async def mark(self, thread_id: str) -> Mark:
        """Return the present moment of a thread's state, for `delete_run`."""
        ...

    async def delete_run(self, thread_id: str, run_id: str, mark: Mark = None) -> None:
        """Delete what a run left in its thread's state.

        Args:
            thread_id: The thread.
            run_id: The run.
            mark: Also delete what was written to older checkpoints after this moment, such as the
                answer to an interrupt. None for nothing more.
        """
        ...

    async def size(self, thread_id: str) -> Document:
        """Return what a thread's state takes, as `GET /threads/{thread_id}/storage` shows it."""
        ...


class Transaction(Protocol):
    """What can be read and written together."""

    @property
    def executor(self) -> Any:
        """What carries out statements; only the database's own modules know it."""
        ...

    @property
    def assistants(self) -> Documents:
        """The assistants, each as its latest version."""
        ...

    @property
    def assistant_versions(self) -> Documents:
        """All versions of assistants, by `assistant_id` and `version`."""
        ...

    @property
    def threads(self) -> Documents:
        """The threads."""
        ...

    @property
    def runs(self) -> RunDocuments:
        """The runs."""
        ...

    @property
    def crons(self) -> Documents:
        """The crons."""
        ...

    @property
    def thread_ttls(self) -> Documents:
        """The times to live of threads, by `thread_id`."""
        ...

    @property
    def idempotency_keys(self) -> Documents:
        """The runs that were created with an `Idempotency-Key`, by `key`."""
        ...

    @property
    def idempotency_answers(self) -> Documents:
        """What became of runs with such a key that left nothing else, by `key`."""
        ...

    @property
    def run_controls(self) -> Documents:
        """What is noted about runs that are not over beside their documents, by `run_id`."""
        ...

    @property
    def webhook_deliveries(self) -> Documents:
        """What is still to be sent to the webhooks of runs that are over, by `run_id`."""
        ...

    @property
    def events(self) -> EventStore:
        """The kept events."""
        ...

    @property
    def protocol_events(self) -> ProtocolEventStore:
        """The kept events of the v3 stream."""
        ...

    @property
    def states(self) -> ThreadStates:
        """The checkpoints."""
        ...

    async def delete_thread(self, thread_id: str, *, keep_events: bool = False) -> None:
        """Delete a thread with its runs, crons, events and state.

        Args:
            thread_id: The thread.
            keep_events: Leave the kept events of its runs, for another process that reads them.
        """
        ...


class Storage(Transaction, Protocol):
    """A database."""

    #: langgraph's checkpointer over this database; None where langgraph is not installed.
    checkpointer: Any
    #: langgraph's store over it, likewise.
    store: Any
    #: The states of scripted graphs.
    script_states: Any
    #: What processes that share the database have of it, see `shared.Shared`; None for one process.
    shared: Any

    def transaction(self, held: Any = None) -> AbstractAsyncContextManager[Transaction]:
        """Commit what is written through the given value together, or on an exception nothing.

        Args:
            held: What the lock has given that the caller holds, see `runs/locks.py`. Among
                processes, the lock ends with the transaction.
        """
        ...

    def within(self, held: Any) -> Transaction:
        """Return what reads under a lock that the caller holds; it stays held."""
        ...

    def allow(self, classes: Iterable[type]) -> None:
        """Allow classes to be made out of stored checkpoints."""
        ...

    async def sweep_store(self) -> int:
        """Delete the store's items whose time is over. Returns how many."""
        ...

    async def ping(self) -> None:
        """Return if the database answers."""
        ...

    async def export(self) -> Document:
        """Return all that is kept, as tables of JSON, for `restore`."""
        ...

    async def restore(self, tables: Mapping[str, Any]) -> None:
        """Replace all that is kept.

        Raises:
            ValueError: There is a table that this version does not know.
        """
        ...

    async def close(self) -> None:
        """Close the database."""
        ...
