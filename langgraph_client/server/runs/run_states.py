"""A run that is not over, what may become of it, and what the engine asks of who runs graphs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from langgraph_client.server.clock import Timer
from langgraph_client.server.runs.event_log import EventLog
from langgraph_client.server.runs.run_result import RunResult
from langgraph_client.server.storage.protocol import Document, Mark

Action = Literal["interrupt", "rollback"]
DELETED = "deleted"

TRANSITIONS: dict[tuple[str, str], str] = {
    ("pending", "start"): "running",
    ("pending", "interrupt"): "interrupted",
    ("pending", "rollback"): DELETED,
    ("running", "succeed"): "success",
    ("running", "fail"): "error",
    ("running", "time out"): "timeout",
    ("running", "interrupt"): "interrupted",
    ("running", "rollback"): DELETED,
    ("running", "requeue"): "pending",
}


@dataclass(eq=False)
class Job:
    """A run that is not over."""

    run: Document
    log: EventLog
    collected: RunResult
    due: float
    #: How a request to stop it wants it to end.
    stop: Action | None = None
    #: What is given as the reason.
    reason: str = ""
    task: asyncio.Task[None] | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)
    #: What `wait` answers; set when it is over.
    result: Any = None
    deleted: bool = False
    started_at: str | None = None
    #: Marks where the run began, for a rollback.
    mark: Mark = None

    @property
    def run_id(self) -> str:
        """The run's id."""
        return str(self.run["run_id"])

    @property
    def thread_id(self) -> str:
        """The id of its thread."""
        return str(self.run["thread_id"])

    @property
    def temporary(self) -> bool:
        """Whether the thread goes with the run."""
        return bool(self.run["kwargs"]["temporary"])


@dataclass
class ThreadQueue:
    """The runs of one thread that are not over, and the thread as it was before them."""

    rest: Document
    jobs: list[Job] = field(default_factory=list)
    current: Job | None = None
    timer: Timer | None = None


@dataclass(frozen=True)
class Ended:
    """What those who want to know when a run ends are told."""

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
