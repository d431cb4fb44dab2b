"""A run that is not over, what may become of it, and what the engine asks of who runs graphs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from langgraph_client.server.clock import Timer
from langgraph_client.server.runs.event_log import EventLog
from langgraph_client.server.runs.protocol_run import ProtocolRun
from langgraph_client.server.runs.run_result import RunResult
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
    """Return the state that follows; what the table does not have is a mistake in the engine."""
    after = TRANSITIONS.get((status, event))
    if after is None:
        raise AssertionError(f"a {status} run cannot {event}")
    return after


@dataclass(frozen=True)
class Outcome:
    """How an attempt to carry out a run ended."""

    #: What happens to the run, as in `TRANSITIONS`.
    event: str
    #: What the caller reads, and what the log says.
    error: dict[str, str] | None = None
    log_text: str = ""
    #: Where it happened, for the thread's document; empty where that is not shown.
    traceback: str = ""
    #: What the event of the error says beside it.
    details: Document = field(default_factory=dict)


@dataclass(eq=False)
class Job:
    """A run that is not over."""

    #: Replaced, not changed, when the run changes: others may be writing it down.
    run: Document
    log: EventLog
    collected: RunResult
    due: float
    #: The run as it was when it was accepted.
    accepted: Document = field(default_factory=dict)
    #: How a request to stop it wants it to end.
    stop: Action | None = None
    #: What is given as the reason.
    reason: str = ""
    task: asyncio.Task[Outcome] | None = None
    #: It runs no more, or never will; its end is being written.
    ended: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)
    #: What `wait` answers; set when it is over.
    result: Any = None
    deleted: bool = False
    #: It is written down already that it is running: with the run itself, as it starts at once.
    begun: bool = False
    #: How many runs wait for it, one for another: a run that a run starts is one deeper.
    depth: int = 0
    #: Another process carries it out; this one stops without an end.
    lost: bool = False
    #: It may be what has killed the process; such runs are carried out one after the other.
    suspect: bool = False
    started_at: str | None = None
    #: Marks where the run began, for a rollback.
    mark: Mark = None
    #: What brings it into the v3 events of its thread; None if nothing does.
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
        """Whether the thread goes with the run."""
        return bool(self.run["kwargs"]["temporary"])

    @property
    def attempt(self) -> int:
        """How often the run was begun; 0 if never."""
        return int(self.run["kwargs"]["config"].get("metadata", {}).get("run_attempt", 0))


@dataclass
class ThreadQueue:
    """The runs of one thread that are not over, and what the thread says at rest."""

    rest: Document
    jobs: list[Job] = field(default_factory=list)
    current: Job | None = None
    timer: Timer | None = None


@dataclass(frozen=True)
class Ended:
    """What those who want to know when a run ends get."""

    run: Document
    status: str
    values: Any
    error: dict[str, str] | None
    started_at: str
    ended_at: str


class GraphRunner(Protocol):
    """What the engine asks of whoever runs graphs; see `graph_runner.HostedGraphRunner`."""

    @property
    def versions(self) -> dict[str, str]:
        """What run metadata says about the software."""
        ...

    def events(self, job: Job) -> AsyncGenerator[tuple[str, Any], None]:
        """Run a job's graph, giving what happens."""
        ...

    async def state(self, job: Job, rest: Document) -> Document:
        """Return the part of the thread's document that its state decides."""
        ...

    async def forget(self, thread: Document) -> None:
        """Delete a thread where its graph keeps it by itself."""
        ...
