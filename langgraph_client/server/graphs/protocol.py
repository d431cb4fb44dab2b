"""What the server asks of a graph: one protocol, with an adapter for each kind of graph."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from langgraph_client.models.fields import JsonMapping, JsonObject
from langgraph_client.server.storage.protocol import Document

if TYPE_CHECKING:
    from langgraph_client.server.graphs.drain_checks import DrainChecks

Config: TypeAlias = JsonObject
"""What langgraph calls a config: `configurable` says which thread and checkpoint is meant."""
Item: TypeAlias = tuple[str, Any]
"""An event: its name, with the namespace behind it, and its data as Python values."""
Access: TypeAlias = Literal[
    "threads.create_run", "threads.update", "threads.read", "assistants.read"
]
"""What a graph is opened for, in the words that graph factories know."""


_PLACE = ("checkpoint_id", "checkpoint_ns", "checkpoint_map")


class Interrupt(Protocol):
    """What a stopped node waits for."""

    @property
    def id(self) -> str:
        """The id that an answer may name."""
        ...

    @property
    def value(self) -> object:
        """The question."""
        ...

    @property
    def response_schema(self) -> object:
        """The JSON schema of the answer; None if there is none."""
        ...


class Task(Protocol):
    """A node that is next, as a snapshot shows it."""

    @property
    def id(self) -> str:
        """The id of this going into the node."""
        ...

    @property
    def name(self) -> str:
        """The node's name."""
        ...

    @property
    def path(self) -> object:
        """Where the task comes from, as langgraph notes it."""
        ...

    @property
    def error(self) -> object:
        """What it has failed with; None if it has not."""
        ...

    @property
    def interrupts(self) -> Sequence[Any]:
        """What it waits for."""
        ...

    @property
    def state(self) -> object:
        """The config that names the state of a subgraph, that state itself, or None."""
        ...

    @property
    def result(self) -> object:
        """What it wrote, if it is done and waits for others of its step; None otherwise."""
        ...


class Snapshot(Protocol):
    """The state of a thread at one checkpoint."""

    @property
    def values(self) -> object:
        """The values of the state."""
        ...

    @property
    def next(self) -> Sequence[str]:
        """The names of the nodes that are next."""
        ...

    @property
    def config(self) -> Any:
        """The config that names the checkpoint."""
        ...

    @property
    def metadata(self) -> Any:
        """What is noted beside it; None where nothing was ever written."""
        ...

    @property
    def created_at(self) -> str | None:
        """When it was written; None where nothing was ever written."""
        ...

    @property
    def parent_config(self) -> Any:
        """The config that names the checkpoint before; None if there is none."""
        ...

    @property
    def tasks(self) -> Sequence[Task]:
        """The nodes that are next."""
        ...


@dataclass(frozen=True)
class GraphRun:
    """One run of a graph: what it is asked for, and on which thread."""

    #: The `kwargs` of the run's document: input or command, context, modes, interrupts.
    kwargs: JsonMapping
    #: `configurable.thread_id` in it is the caller's own id of the thread.
    config: Config
    #: Awaited before each node; None to go straight on.
    before_node: Callable[[str], Awaitable[None]] | None = None
    #: Where its caller is asked whether it is to drain; None if it has no control.
    checks: DrainChecks | None = None

    @property
    def run_id(self) -> str:
        """The id of the run."""
        return str(self.config["run_id"])

    @property
    def thread_id(self) -> str:
        """The id of the thread, as the graph knows it."""
        return str(self.config["configurable"]["thread_id"])

    def going_on(self, resume: object = None) -> GraphRun:
        """Return the run so that it goes on from the thread's latest checkpoint.

        Args:
            resume: Answers to interrupts that are still to be given, by interrupt id.
        """
        command = None if resume is None else {"resume": resume}
        configurable = {k: v for k, v in self.config["configurable"].items() if k not in _PLACE}
        return replace(
            self,
            kwargs={**self.kwargs, "input": None, "command": command},
            config={**self.config, "configurable": configurable},
        )


@dataclass(frozen=True)
class StateUpdate:
    """One update of a superstep: values, or a command as the request has it."""

    as_node: str
    values: object = None
    command: Mapping[str, object] | None = None
    task_id: str | None = None


@dataclass(frozen=True)
class Schemas:
    """The JSON schemas of a graph; one that cannot be made is None."""

    input: Document | None
    output: Document | None
    state: Document | None
    context: Document | None
    config: Document = field(default_factory=dict)


class HostedGraph(Protocol):
    """A graph that is open: runs it, reads and writes its states, describes it."""

    @property
    def classes(self) -> Mapping[str, type]:
        """The classes that its schemas name, by qualified name: what envelopes may hold."""
        ...

    @property
    def keeps_states(self) -> bool:
        """Whether it has a checkpointer, so that a thread has a state."""
        ...

    def events(self, run: GraphRun) -> AsyncGenerator[Item, None]:
        """Run, giving what happens, as the modes of the run ask.

        Raises:
            BaseException: Whatever the graph raises.
        """
        ...

    async def continued(self, run: GraphRun, run_id: str) -> GraphRun:
        """Return a run without what an earlier attempt of it has taken in already.

        Args:
            run: The run, as it was asked for.
            run_id: Its id, which its checkpoints bear.
        """
        ...

    async def aget_state(self, config: Config, *, subgraphs: bool = False) -> Snapshot:
        """Return the state of a thread, the latest or that of a checkpoint."""
        ...

    def aget_state_history(
        self,
        config: Config,
        *,
        limit: int | None = None,
        before: Config | None = None,
        filter: Mapping[str, object] | None = None,
    ) -> AsyncIterator[Snapshot]:
        """Return the states of a thread, newest first."""
        ...

    async def aupdate_state(
        self, config: Config, values: object, as_node: str | None = None
    ) -> Config:
        """Write to the state as if a node had. Returns the config of the new checkpoint."""
        ...

    async def abulk_update_state(
        self, config: Config, supersteps: Sequence[Sequence[StateUpdate]]
    ) -> None:
        """Write to the state, one superstep after the other."""
        ...

    async def adelete_thread(self, thread_id: str) -> None:
        """Delete a thread in the checkpointer that the graph was compiled with, if it was."""
        ...

    async def awrite_history(
        self, thread_id: str, histories: Mapping[str, Sequence[Document]]
    ) -> list[str]:
        """Write the states of a thread of another server, as they are.

        Args:
            thread_id: The thread, which has no states yet.
            histories: The states by namespace, newest first.

        Returns:
            What they do not tell, one sentence each.

        Raises:
            Refused: The states are not of this graph.
        """
        ...

    def node_names(self) -> list[str]:
        """Return the names of the nodes, without start and end."""
        ...

    async def drawing(self, xray: bool | int) -> Document:
        """Return nodes and edges.

        Args:
            xray: How many levels of subgraphs to open; True for all.
        """
        ...

    def schemas(self) -> Schemas:
        """Return the JSON schemas of input, output, state and context."""
        ...

    async def subgraphs(self, namespace: str | None, recurse: bool) -> dict[str, Schemas]:
        """Return the schemas of the subgraphs, by namespace."""
        ...
