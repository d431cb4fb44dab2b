"""A storage whose checkpoints are in the user's own checkpoint saver."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from langgraph_client.server.encoding import encode
from langgraph_client.server.errors import CheckpointerUnavailable, Invalid, ServerError
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
    from langgraph.checkpoint.base import BaseCheckpointSaver

logger = logging.getLogger("langgraph_client.server")

_SAVER_SECONDS = 60.0
"""How long the saver may take to delete or copy the checkpoints of one thread."""
_CallSaver = Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]


class SaverStates:
    """The states of a storage together with the checkpoints of a saver.

    Args:
        inner: The states of scripted graphs, and checkpoints of earlier starts without the saver.
        saver: The saver.
        call_saver: Calls the saver: at once, or after the commit of the surrounding transaction.
    """

    def __init__(self, inner: ThreadStates, saver: Any, call_saver: _CallSaver) -> None:
        self._inner = inner
        self._saver = saver
        self._call_saver = call_saver

    async def delete_thread(self, thread_id: str) -> None:
        """Delete all checkpoints of a thread."""
        await self._inner.delete_thread(thread_id)
        await self.forget_thread(thread_id)

    async def forget_thread(self, thread_id: str) -> None:
        """Delete the saver's checkpoints of a thread."""
        await self._call_saver(lambda: self._call("adelete_thread", thread_id))

    async def copy_thread(self, source: str, target: str) -> None:
        """Copy all checkpoints of a thread to another one; their ids stay."""
        await self._inner.copy_thread(source, target)
        await self._call_saver(lambda: self._call("acopy_thread", source, target))

    async def keep_latest(self, thread_id: str) -> None:
        """Delete all checkpoints of a thread except the latest.

        Raises:
            Invalid: The saver cannot do this.
        """
        await self._inner.keep_latest(thread_id)
        await self._call_saver(lambda: self._prune(thread_id))

    async def latest(self, thread_id: str) -> str | None:
        """Return the id of a thread's latest checkpoint, those of subgraphs included."""
        latest_id = await self._inner.latest(thread_id) or ""
        async for item in self._saver.alist({"configurable": {"thread_id": thread_id}}, limit=1):
            latest_id = max(latest_id, item.checkpoint["id"])
        root = {"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}}
        if (latest := await self._saver.aget_tuple(root)) is not None:
            latest_id = max(latest_id, latest.checkpoint["id"])
        return latest_id or None

    async def mark(self, thread_id: str) -> Mark:
        """Return None: the saver cannot undo writes."""
        return None

    async def delete_run(
        self, thread_id: str, run_id: str, mark: Mark = None, *, is_in_use: bool = False
    ) -> None:
        """Delete the checkpoints and writes of a run."""
        await self._inner.delete_run(thread_id, run_id, mark)
        await self._call_saver(
            lambda: self._call("adelete_run", thread_id, run_id, is_in_use=is_in_use)
        )

    async def keeps_run(self, thread_id: str, run_id: str) -> bool:
        """Return whether the saver may still have something of a deleted run."""
        if self._saver.can_delete_runs:
            return False
        return bool(await self._saver.akeeps_run(thread_id, run_id))

    async def size(self, thread_id: str) -> Document:
        """Return the sizes of a thread's state; those of the saver's checkpoints are as JSON."""
        size = await self._inner.size(thread_id)
        count = total = 0
        async for item in self._saver.alist({"configurable": {"thread_id": thread_id}}):
            count += 1
            total += len(encode(item.checkpoint))
        checkpoints = size["checkpoints"]
        shown = {"count": checkpoints["count"] + count, "bytes": checkpoints["bytes"] + total}
        return {**size, "total_bytes": size["total_bytes"] + total, "checkpoints": shown}

    async def _prune(self, thread_id: str) -> None:
        try:
            await self._ask("aprune", [thread_id], strategy="keep_latest")
        except NotImplementedError:
            problem = f"The server's checkpointer cannot prune thread {thread_id}"
            raise Invalid(problem) from None

    async def _call(self, name: str, *args: object, **options: object) -> None:
        try:
            await self._ask(name, *args, **options)
        except NotImplementedError:
            logger.error(
                "the checkpointer has no method %s(): the checkpoints stay as they are", name[1:]
            )

    async def _ask(self, name: str, *args: object, **options: object) -> None:
        try:
            async with asyncio.timeout(_SAVER_SECONDS):
                await getattr(self._saver, name)(*args, **options)
        except (NotImplementedError, ServerError):
            raise
        except Exception as error:  # The saver's database may raise errors of any class.
            detail = f"the checkpointer: {type(error).__name__}"
            raise CheckpointerUnavailable(detail, str(error)) from error


class _Delegating:
    """Delegates to a storage or to its transaction."""

    def __init__(self, inner: Transaction) -> None:
        self._inner = inner

    @property
    def executor(self) -> object:
        """The object that executes statements."""
        return self._inner.executor

    @property
    def assistants(self) -> Documents:
        """The assistants, each as its latest version."""
        return self._inner.assistants

    @property
    def assistant_versions(self) -> Documents:
        """All versions of assistants."""
        return self._inner.assistant_versions

    @property
    def threads(self) -> Documents:
        """The threads."""
        return self._inner.threads

    @property
    def runs(self) -> RunDocuments:
        """The runs."""
        return self._inner.runs

    @property
    def crons(self) -> Documents:
        """The crons."""
        return self._inner.crons

    @property
    def thread_ttls(self) -> Documents:
        """The times to live of threads."""
        return self._inner.thread_ttls

    @property
    def idempotency_keys(self) -> Documents:
        """The runs that were created with an `Idempotency-Key`."""
        return self._inner.idempotency_keys

    @property
    def idempotency_answers(self) -> Documents:
        """The results of deleted runs that had such a key."""
        return self._inner.idempotency_answers

    @property
    def run_controls(self) -> Documents:
        """The notes about runs that are not over."""
        return self._inner.run_controls

    @property
    def webhook_deliveries(self) -> Documents:
        """The pending deliveries to webhooks."""
        return self._inner.webhook_deliveries

    @property
    def events(self) -> EventStore:
        """The stored events."""
        return self._inner.events

    @property
    def protocol_events(self) -> ProtocolEventStore:
        """The stored events of the v3 stream."""
        return self._inner.protocol_events


class SaverTransaction(_Delegating):
    """A transaction. Calls of the saver are made after its commit.

    The saver is another database. Calls within the transaction would block every other writer, and
    could not be rolled back. If the process is killed in between, checkpoints of a stateless run
    remain in the saver. They do no harm, because no other run gets the id of its thread. In the
    other order, a run whose end is not written would be repeated without its checkpoints.

    A thread that a client deletes may be created again with the same id. So its checkpoints are
    deleted before it, see `ThreadStates.forget_thread`.
    """

    def __init__(self, inner: Transaction, saver: object) -> None:
        super().__init__(inner)
        self._saver = saver
        self.after_commit: list[Callable[[], Awaitable[None]]] = []

    @property
    def states(self) -> SaverStates:
        """The checkpoints."""
        return SaverStates(self._inner.states, self._saver, self._note)

    async def _note(self, call: Callable[[], Awaitable[None]]) -> None:
        self.after_commit.append(call)

    async def delete_thread(self, thread_id: str, *, keep_events: bool = False) -> None:
        """Delete a thread with all that belongs to it."""
        await self._inner.delete_thread(thread_id, keep_events=keep_events)
        await self.states.forget_thread(thread_id)


class StorageWithSaver(_Delegating):
    """See `protocol.Storage`.

    Args:
        inner: The storage of everything but checkpoints. It is closed with this one.
        saver: The user's saver.
    """

    def __init__(self, inner: Storage, saver: BaseCheckpointSaver[Any]) -> None:
        from langgraph_client.server.graphs.hosted_saver import HostedSaver

        super().__init__(inner)
        self._storage = inner
        self._saver = HostedSaver(saver)  # It calls a saver with only blocking methods in threads.
        self.checkpointer = saver
        self.store = inner.store
        self.shared = inner.shared
        self.script_states = inner.script_states

    @property
    def states(self) -> SaverStates:
        """The checkpoints."""
        return SaverStates(self._inner.states, self._saver, _call_at_once)

    @asynccontextmanager
    async def transaction(self, held: object = None) -> AsyncIterator[Transaction]:
        """Commit the writes of a transaction together, or none of them after an exception."""
        async with self._storage.transaction(held) as inner:
            transaction = SaverTransaction(inner, self._saver)
            yield transaction
        for call in transaction.after_commit:
            await call()

    def within(self, held: object) -> Transaction:
        """Return the tables for reads under a lock."""
        return SaverTransaction(self._storage.within(held), self._saver)

    async def delete_thread(self, thread_id: str, *, keep_events: bool = False) -> None:
        """Delete a thread with all that belongs to it, its checkpoints in the saver first."""
        await self.states.forget_thread(thread_id)
        await self._storage.delete_thread(thread_id, keep_events=keep_events)

    def allow(self, classes: Iterable[type]) -> None:
        """Do nothing: the saver itself decides of which classes it creates objects."""

    async def sweep_store(self) -> int:
        """Delete the store's expired items; return how many."""
        return await self._storage.sweep_store()

    async def ping(self) -> None:
        """Return if the database answers."""
        await self._storage.ping()

    async def export(self) -> Document:
        """Return all tables as JSON, without the checkpoints, for `restore`."""
        return await self._storage.export()

    async def restore(self, tables: Mapping[str, object]) -> None:
        """Replace all tables, except the checkpoints."""
        await self._storage.restore(tables)

    async def close(self) -> None:
        """Close the database. The saver is closed by its owner."""
        await self._storage.close()


async def _call_at_once(call: Callable[[], Awaitable[None]]) -> None:
    await call()
