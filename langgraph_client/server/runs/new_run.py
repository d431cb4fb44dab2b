"""A run that is to be created, with all that is stored together with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from langgraph_client.server.runs.run_states import Action
from langgraph_client.server.storage.protocol import Document, Transaction
from langgraph_client.server.storage.shared import Standing

BUSY = (
    "Thread is already running a task. Wait for it to finish or choose a different multitask"
    " strategy."
)


@dataclass(frozen=True)
class NewRun:
    """A run that is to be created, and its documents."""

    #: The run's document, status `pending`.
    run: Document
    #: The thread's document, as it is without the run.
    thread: Document
    #: The run control: what a later process must know. Stored unless empty.
    control: Document = field(default_factory=dict)
    #: The document of the request's idempotency key.
    key: Document | None = None
    #: The document of a new thread's time to live.
    ttl: Document | None = None
    #: The id of the run that has started this one; empty for none.
    parent: str = ""
    #: The value of the thread's lock. The lock across processes ends with the transaction.
    held: Any = None
    #: The second value that `Engine.read_thread` has returned.
    standing: Standing | None = None
    #: Whether the thread is so new that it cannot have runs or followers.
    is_new_thread: bool = False
    #: Whether a request waits for the run's events or result.
    followed: bool = True

    @property
    def thread_id(self) -> str:
        """The id of its thread."""
        return str(self.run["thread_id"])

    @property
    def is_refused_if_busy(self) -> bool:
        """Whether it is not accepted if its thread has a run that is not over."""
        return bool(self.run["multitask_strategy"] == "reject")

    @property
    def replaces(self) -> Action | None:
        """How the other runs of its thread end; None if it waits for them."""
        strategy = self.run["multitask_strategy"]
        return strategy if strategy in ("interrupt", "rollback") else None

    @property
    def stop_reason(self) -> str:
        """The reason in the thread's document if it stops another run."""
        strategy = self.run["multitask_strategy"]
        return f"{strategy} requested via POST /threads/{{thread_id}}/runs"

    async def write(self, transaction: Transaction, now: str) -> None:
        """Write the documents, with the thread as `busy`.

        Args:
            transaction: The transaction to use.
            now: The time, for the thread's `updated_at`.
        """
        await transaction.threads.put({**self.thread, "status": "busy", "updated_at": now})
        await transaction.runs.insert(self.run)
        if self.control:
            await transaction.run_controls.put(self.control)
        if self.key is not None:
            await transaction.idempotency_keys.put(self.key)
        if self.ttl is not None:
            await transaction.thread_ttls.put(self.ttl)
