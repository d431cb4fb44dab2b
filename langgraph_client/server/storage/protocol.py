"""The interface of a database. SQLite (`sqlite/`) and PostgreSQL (`postgres/`) implement it.

It stores JSON, not objects. Every method is async, so that an implementation may use a network. A
failure for a reason outside of the request (disk full, connection lost) raises
`errors.Unavailable`.

A document that was read before an `await` may be stale. So to change one, read and write it under
the lock of its thread (`runs/locks.py`). Within `transaction()`, await only operations of the
transaction, because it blocks other writers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from langgraph_client.models.fields import JsonMapping, JsonObject
from langgraph_client.server.clock import EventId
from langgraph_client.server.errors import Conflict

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.store.base import BaseStore

Document: TypeAlias = JsonObject
UNFINISHED = ("pending", "running")
"""The statuses of a run that is not over."""
Mark: TypeAlias = Any
"""A mark of a thread's state at some time. Only the storage that made it can read it."""


class Event(NamedTuple):
    """One event: its id, its name, its data as JSON."""

    id: EventId
    name: str
    data: bytes


class KeptEvent(NamedTuple):
    """One stored event of the v3 stream.

    Attributes:
        seq: Its number on its thread.
        run_id: Its run.
        ms: Its time, in milliseconds since the epoch.
        name: Its channel, followed by the namespace.
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
        """Return a document by its key; None if there is none.

        Raises:
            Unreadable: It is damaged.
        """
        ...

    async def get_stored(self, *key: object) -> Document | None:
        """Return a document by its key in its stored form; None if there is none.

        What an `Encryption` has encrypted is not decrypted.

        Raises:
            Unreadable: It is damaged.
        """
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
        """Replace the document with its key. Return False if there is none any more."""
        ...

    async def delete(self, *key: object) -> bool:
        """Delete a document by its key. Return whether it existed."""
        ...

    async def delete_where(self, **fields: object) -> None:
        """Delete the documents whose fields have these values."""
        ...

    async def search(
        self,
        *,
        where: Mapping[str, object] | None = None,
        contains: Mapping[str, object] | None = None,
        any_of: Sequence[Mapping[str, object]] | None = None,
        text: Mapping[str, str] | None = None,
        order_by: str | None = None,
        descending: bool = False,
        limit: int | None = None,
        offset: int = 0,
        fields: Collection[str] | None = None,
    ) -> list[Document]:
        """Return documents, without those that are damaged. Each of these is logged once.

        Args:
            where: Values that fields must equal; a list or tuple means any of them.
            contains: Field to JSON that it must contain: objects by their keys, at every depth;
                lists by items; anything else by equality.
            any_of: Conditions, each like `contains`, of which at least one must hold; an empty
                sequence matches nothing. None for no such condition.
            text: Field to text that must be part of it, upper and lower case alike.
            order_by: The field to sort by; names are compared without case. Equal documents, and
                those where it is None, are sorted by the key. None for the key.
            descending: Whether to sort in descending order.
            limit: The most documents to return; None for all.
            offset: How many documents to skip.
            fields: The fields to read of each document; None for all. If all are fields to look up
                by, documents are not read, and damaged ones are returned as well.
        """
        ...

    async def count(
        self,
        *,
        where: Mapping[str, object] | None = None,
        contains: Mapping[str, object] | None = None,
        any_of: Sequence[Mapping[str, object]] | None = None,
        text: Mapping[str, str] | None = None,
    ) -> int:
        """Return how many documents there are.

        It differs from `search` in damaged ones, which are counted if no filter looks into them.
        """
        ...


class RunDocuments(Documents, Protocol):
    """The runs: documents, and the queue of those that are not over."""

    async def unfinished(self) -> list[Document]:
        """Return the runs that are pending or running, oldest first."""
        ...

    async def graph_ids(self, thread_id: str) -> list[object]:
        """Return the different graph ids in the metadata of a thread's runs, in any order.

        None stands for runs without one. No document is decrypted.

        Raises:
            Invalid: The document of a run cannot be read. A database may return None for it, too.
        """
        ...


class EventStore(Protocol):
    """The stored events of resumable runs, in the order of their ids."""

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
    """The stored events of the v3 stream, in the order of their numbers.

    All deletions, except that of a whole thread, keep the thread's last event, because the next
    number is derived from it.
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

    async def missing_runs(self, thread_id: str) -> list[str]:
        """Return the ids of the runs without lifecycle events here whose own events are stored.

        The oldest is first. No document of a run is read.
        """
        ...

    async def last(self, thread_id: str) -> KeptEvent | None:
        """Return the last event of a thread; None if it has none."""
        ...

    async def delete_run(self, run_id: str, *, keep_lifecycle: bool = False) -> None:
        """Delete the events of a run.

        Args:
            run_id: The run.
            keep_lifecycle: Whether to keep the root's events of start and end.
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
    """The checkpoints of whole threads. Graphs read and write single ones by the checkpointer."""

    async def delete_thread(self, thread_id: str) -> None:
        """Delete all checkpoints of a thread."""
        ...

    async def forget_thread(self, thread_id: str) -> None:
        """Delete the checkpoints of a thread that are in another database, a user's saver.

        Call it before a transaction that deletes the thread. If it fails, or the process is killed
        after it, the thread still exists and can be deleted again. In the other order, a new thread
        of the same id would find the old state.

        Raises:
            Unavailable: The saver raised an error.
        """
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
        """Return a mark of a thread's current state, for `delete_run`."""
        ...

    async def delete_run(
        self, thread_id: str, run_id: str, mark: Mark = None, *, is_in_use: bool = False
    ) -> None:
        """Delete the checkpoints of a run.

        Args:
            thread_id: The thread.
            run_id: The run.
            mark: Also delete the writes to older checkpoints after this mark, such as the
                response to an interrupt. None to delete no such writes.
            is_in_use: Whether another run of the thread is not over. A user's saver that can only
                delete whole threads must then delete nothing.
        """
        ...

    async def keeps_run(self, thread_id: str, run_id: str) -> bool:
        """Return whether there may still be something of a run after `delete_run`.

        Only a user's saver may lack a method to delete it.
        """
        ...

    async def size(self, thread_id: str) -> Document:
        """Return the size of a thread's state in the form of `GET /threads/{thread_id}/storage`."""
        ...


class Transaction(Protocol):
    """The documents, events and states that one transaction reads and writes."""

    @property
    def executor(self) -> Any:
        """Executes statements; only the database's own modules use it."""
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
        """The results of deleted runs that were created with such a key, by `key`."""
        ...

    @property
    def run_controls(self) -> Documents:
        """Notes about runs that are not over, which clients do not see, by `run_id`."""
        ...

    @property
    def webhook_deliveries(self) -> Documents:
        """Webhook calls that are not sent yet, by `run_id`."""
        ...

    @property
    def events(self) -> EventStore:
        """The stored events."""
        ...

    @property
    def protocol_events(self) -> ProtocolEventStore:
        """The stored events of the v3 stream."""
        ...

    @property
    def states(self) -> ThreadStates:
        """The checkpoints."""
        ...

    async def delete_thread(self, thread_id: str, *, keep_events: bool = False) -> None:
        """Delete a thread with its runs, crons, events and state.

        Args:
            thread_id: The thread.
            keep_events: Whether to keep the events of its runs, which another process reads.
        """
        ...


class Storage(Transaction, Protocol):
    """A database."""

    @property
    def checkpointer(self) -> BaseCheckpointSaver[Any] | None:
        """The langgraph checkpointer over this database; None where langgraph is not installed."""
        ...

    @property
    def store(self) -> BaseStore | None:
        """The langgraph store over this database; None where langgraph is not installed."""
        ...

    #: The states of scripted graphs.
    script_states: Any
    #: The interface for several processes, see `shared.Shared`; None for a single process.
    shared: Any

    def transaction(self, held: object = None) -> AbstractAsyncContextManager[Transaction]:
        """Begin a transaction: it commits all its writes, or none after an exception.

        Args:
            held: The value of the lock that the caller holds; see `runs/locks.py`. With several
                processes, the lock is released with the transaction.
        """
        ...

    def within(self, held: object) -> Transaction:
        """Return an object for reads under a lock that the caller holds; the lock stays held."""
        ...

    def allow(self, classes: Iterable[type]) -> None:
        """Allow objects of these classes to be created from stored checkpoints."""
        ...

    async def sweep_store(self) -> int:
        """Delete the store's expired items; return how many."""
        ...

    async def ping(self) -> None:
        """Return if the database answers."""
        ...

    async def export(self) -> Document:
        """Return all tables as JSON, for `restore`."""
        ...

    async def restore(self, tables: JsonMapping) -> None:
        """Replace all tables.

        Raises:
            ValueError: A table is not known to this version.
        """
        ...

    async def close(self) -> None:
        """Close the database."""
        ...
