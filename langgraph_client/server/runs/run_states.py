"""The states of a run, the job of a run that is not over, and the interface for running graphs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Literal, Protocol

from langgraph_client.server.clock import Timer
from langgraph_client.server.runs.event_log import EventLog
from langgraph_client.server.runs.protocol_run import ProtocolRun
from langgraph_client.server.runs.run_result import ResultCollector
from langgraph_client.server.storage.protocol import Document, Mark

Action = Literal["interrupt", "rollback"]
DELETED = "deleted"

TRANSITIONS: dict[tuple[str, str], str] = {
    ("pending", "start"): "running",
    ("pending", "fail"): "error",
    ("pending", "interrupt"): "interrupted",
    ("pending", "rollback"): DELETED,
    ("running", "succeed"): "success",
    ("running", "fail"): "error",
    ("running", "time out"): "timeout",
    ("running", "interrupt"): "interrupted",
    ("running", "rollback"): DELETED,
    ("running", "requeue"): "pending",
}


def status_after(status: str, event: str) -> str:
    """Return the next state. A transition that the table lacks is an error in the engine."""
    after = TRANSITIONS.get((status, event))
    if after is None:
        raise AssertionError(f"a {status} run cannot {event}")
    return after


@dataclass(frozen=True)
class Outcome:
    """How an attempt to execute a run ended."""

    #: The event in `TRANSITIONS`.
    event: str
    #: The error for the caller, and its text for the log.
    error: dict[str, str] | None = None
    log_text: str = ""
    #: The traceback for the thread's document; empty if it is not shown.
    traceback: str = ""
    #: Additional fields of the `error` event.
    details: Document = field(default_factory=dict)


# Compared by identity: otherwise `list.remove` would compare whole documents.
@dataclass(eq=False)
class Job:
    """A run with its events, its state in the queue and its result, while this process needs it.

    Most fields are set in one place each: `begun` by `Engine.submit`, `task` by `Engine._start`,
    `stop` by `RunStopper.stop`, `deleted` by `RunStopper.delete_job`, `lost` by
    `Cluster.lose_lease`, `over` by `Settlements._close`. `ended` is set when the task is done, or
    when it is decided that there will be none.
    """

    #: Replaced and never modified, because a concurrent task may be writing it.
    run: Document
    log: EventLog
    collected: ResultCollector
    due: float
    #: The run's document when it was accepted.
    accepted: Document = field(default_factory=dict)
    #: Whether a dict in the values of its graph that looks like a message stands for one.
    has_message_documents: bool = False
    #: The action of a request to stop it; None if there was none.
    stop: Action | None = None
    #: The reason for the stop.
    reason: str = ""
    #: Why its rollback did not undo what it has written; empty if it did.
    not_undone: str = ""
    task: asyncio.Task[Outcome] | None = None
    #: Whether it has stopped or will never start; its end is being written.
    ended: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)
    #: The response to `wait`; set when the run is over.
    result: object = None
    deleted: bool = False
    #: Whether it was stored as `running` when it was created, because it starts at once.
    begun: bool = False
    #: The length of the chain of runs that wait for it: a run's own runs are one deeper.
    depth: int = 0
    #: Whether another process executes it. Then this one stops without writing an end.
    lost: bool = False
    #: Whether it may have killed the process. Such runs are executed one at a time.
    suspect: bool = False
    started_at: str | None = None
    #: Whether its graph was opened in this process, so that it may have written a state.
    opened: bool = False
    #: The state before the first attempt, for a rollback.
    mark: Mark = None
    #: Writes it to the v3 events of its thread; None if it is not in them.
    protocol: ProtocolRun | None = None
    #: The key of its document in `idempotency_keys`, if the request had one.
    idempotency_key: str | None = None

    @property
    def run_id(self) -> str:
        """The run's id."""
        return str(self.run["run_id"])

    @property
    def thread_id(self) -> str:
        """The id of its thread."""
        return str(self.run["thread_id"])

    @property
    def graph_id(self) -> str:
        """The name of its graph."""
        return str(self.run["kwargs"]["config"]["configurable"]["graph_id"])

    @property
    def temporary(self) -> bool:
        """Whether the thread is deleted with the run."""
        return bool(self.run["kwargs"]["temporary"])

    @property
    def attempt(self) -> int:
        """How often the run was started; 0 if never."""
        return int(self.run["kwargs"]["config"].get("metadata", {}).get("run_attempt", 0))


@dataclass
class ThreadQueue:
    """The runs of one thread that are not over, and the fields of the thread at rest."""

    fields_at_rest: Document
    jobs: list[Job] = field(default_factory=list)
    current: Job | None = None
    timer: Timer | None = None


@dataclass(frozen=True)
class Ended:
    """The data for functions that are called when a run ends."""

    run: Document
    status: str
    values: object
    error: dict[str, str] | None
    started_at: str
    ended_at: str


class GraphRunner(Protocol):
    """The interface with which the engine runs graphs; see `graph_runner.HostedGraphRunner`."""

    @property
    def versions(self) -> dict[str, str]:
        """The versions of the software, for the metadata of runs."""
        ...

    def events(self, job: Job) -> AsyncGenerator[tuple[str, object], None]:
        """Run a job's graph and yield its events, as pairs of name and data."""
        ...

    async def state(self, run: Document, rest: Document, *, is_deleted: bool = False) -> Document:
        """Return the fields of the thread's document that depend on its state.

        Args:
            run: A run of the thread.
            rest: The fields if the thread has no state.
            is_deleted: Whether the run was rolled back or deleted.
        """
        ...

    async def delete_run(self, run: Document, *, is_needed: bool, is_in_use: bool) -> bool:
        """Delete the checkpoints of a run, if the graph stores them itself.

        Args:
            run: The run.
            is_needed: Whether the graph may have stored some; see `needed_saver`.
            is_in_use: Whether another run of the thread is not over.

        Returns:
            False if they stay, because the graph's checkpointer cannot delete them.
        """
        ...

    async def forget(self, thread: Document, last_run: Document | None, *, is_needed: bool) -> None:
        """Delete a thread's state, if the graph stores it itself.

        Args:
            thread: The thread's document.
            last_run: Its last run; None without any.
            is_needed: Whether the graph may have stored one; see `needed_saver`.
        """
        ...

    async def keep_latest(
        self, thread: Document, last_run: Document | None, *, is_needed: bool
    ) -> None:
        """Delete all states of a thread but the latest, if the graph stores them itself.

        Args:
            thread: The thread's document.
            last_run: Its last run; None without any.
            is_needed: Whether the graph may have stored some; see `needed_saver`.
        """
        ...
