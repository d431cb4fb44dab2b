"""The interface of a hosted graph, with an adapter for each kind of graph."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from langgraph_client.models.fields import JsonMapping, JsonObject
from langgraph_client.server.storage.protocol import Document
from langgraph_client.values import PARENT

if TYPE_CHECKING:
    from langgraph_client.server.graphs.drain_checks import DrainChecks
    from langgraph_client.server.graphs.hosted_saver import HostedSaver

Config: TypeAlias = JsonObject
"""langgraph's config: `configurable` names the thread and the checkpoint."""
Item: TypeAlias = tuple[str, Any]
"""An event: its name, followed by the namespace, and its data as Python values."""
Access: TypeAlias = Literal[
    "threads.create_run", "threads.update", "threads.read", "assistants.read"
]
"""The purpose for which a graph is opened, by the names that graph factories get."""


_PLACE = ("checkpoint_id", "checkpoint_ns", "checkpoint_map")


def thread_config(thread_id: str, checkpoint: Mapping[str, object] | None = None) -> JsonObject:
    """Return the config for a thread's latest state, or for that of a checkpoint.

    Args:
        thread_id: The caller's id of the thread, which graphs use.
        checkpoint: The ids of the checkpoint; None for the latest.
    """
    return {"configurable": {"checkpoint_ns": "", **(checkpoint or {}), "thread_id": thread_id}}


class Interrupt(Protocol):
    """An interrupt of a node."""

    @property
    def id(self) -> str:
        """The id, which a response may name."""
        ...

    @property
    def value(self) -> object:
        """The value that the node passed to `interrupt()`."""
        ...

    @property
    def response_schema(self) -> object:
        """The JSON schema of the response; None if there is none."""
        ...


class Task(Protocol):
    """A task of a snapshot: a node that runs next."""

    @property
    def id(self) -> str:
        """The id of the task."""
        ...

    @property
    def name(self) -> str:
        """The node's name."""
        ...

    @property
    def path(self) -> object:
        """The path of the task, as langgraph gives it."""
        ...

    @property
    def error(self) -> object:
        """The error, if the task failed; else None."""
        ...

    @property
    def interrupts(self) -> Sequence[Any]:
        """Its interrupts."""
        ...

    @property
    def state(self) -> object:
        """The config of a subgraph's state, that state itself, or None."""
        ...

    @property
    def result(self) -> object:
        """Its writes, if it is done and others of its step are not; else None."""
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
        """The config of the checkpoint."""
        ...

    @property
    def metadata(self) -> Any:
        """The metadata of the checkpoint; None if the thread has none."""
        ...

    @property
    def created_at(self) -> str | None:
        """The time of the checkpoint; None if the thread has none."""
        ...

    @property
    def parent_config(self) -> Any:
        """The config of the previous checkpoint; None if there is none."""
        ...

    @property
    def tasks(self) -> Sequence[Task]:
        """The tasks of the next step."""
        ...


@dataclass(frozen=True)
class GraphRun:
    """One run of a graph: its input, options and thread."""

    #: The `kwargs` of the run's document: input or command, context, modes, interrupts.
    kwargs: JsonMapping
    #: `configurable.thread_id` in it is the caller's own id of the thread.
    config: Config
    #: Awaited before each node; None for no wait.
    before_node: Callable[[str], Awaitable[None]] | None = None
    #: Asks the caller whether to drain; None if the run has no control.
    checks: DrainChecks | None = None
    #: Whether its events show the text of every exception; see `error_document`.
    show_errors: bool = False

    @property
    def run_id(self) -> str:
        """The id of the run."""
        return str(self.config["run_id"])

    @property
    def thread_id(self) -> str:
        """The graph's id of the thread: the caller's."""
        return str(self.config["configurable"]["thread_id"])

    def without_parent_answer(self) -> GraphRun:
        """Return a later attempt of the run, without the answer of the graph around it.

        The earlier attempt may have given the answer to an interrupt already. Another interrupt
        must not get it, so in doubt the question is asked again.
        """
        parent = {k: v for k, v in (self.kwargs.get(PARENT) or {}).items() if k != "answer"}
        return replace(self, kwargs={**self.kwargs, PARENT: parent})

    def continuing(self, resume: object = None) -> GraphRun:
        """Return a run that continues from the thread's latest checkpoint.

        Args:
            resume: Responses to interrupts that are not stored yet, by interrupt id.
        """
        command = None if resume is None else {"resume": resume}
        configurable = {k: v for k, v in self.config["configurable"].items() if k not in _PLACE}
        parent = {k: v for k, v in (self.kwargs.get(PARENT) or {}).items() if k != "replay"}
        return replace(
            self,
            kwargs={**self.kwargs, "input": None, "command": command, PARENT: parent},
            config={**self.config, "configurable": configurable},
        )


@dataclass(frozen=True)
class StateUpdate:
    """One update of a superstep: values, or the command of the request."""

    as_node: str | None
    values: object = None
    command: Mapping[str, object] | None = None
    task_id: str | None = None


@dataclass(frozen=True)
class Schemas:
    """The JSON schemas of a graph; None for one that cannot be created."""

    input: Document | None
    output: Document | None
    state: Document | None
    context: Document | None
    config: Document = field(default_factory=dict)


class HostedGraph(Protocol):
    """An open graph: runs it, reads and writes its states, describes it."""

    @property
    def classes(self) -> Mapping[str, type]:
        """The classes in its schemas, by qualified name. Envelopes may contain their objects."""
        ...

    @property
    def has_message_documents(self) -> bool:
        """Whether a dict in its values that looks like a message stands for one."""
        ...

    @property
    def keeps_states(self) -> bool:
        """Whether it has a checkpointer, so that a thread has a state."""
        ...

    @property
    def own_saver(self) -> HostedSaver | None:
        """The checkpointer that it was compiled with; None if the server stores its states."""
        ...

    def events(self, run: GraphRun) -> AsyncGenerator[Item, None]:
        """Run the graph and yield its events, in the run's stream modes.

        Raises:
            BaseException: The graph raised it.
        """
        ...

    async def continued(self, run: GraphRun) -> GraphRun:
        """Return a run without the input that an earlier attempt has stored already."""
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
        """Yield the states of a thread, newest first."""
        ...

    async def aupdate_state(
        self, config: Config, values: object, as_node: str | None = None
    ) -> Config:
        """Write to the state as a node. Return the config of the new checkpoint."""
        ...

    async def abulk_update_state(
        self, config: Config, supersteps: Sequence[Sequence[StateUpdate]]
    ) -> None:
        """Write to the state, one superstep after the other."""
        ...

    async def awrite_history(
        self, thread_id: str, histories: Mapping[str, Sequence[Document]]
    ) -> list[str]:
        """Write the states of a thread of another server.

        Args:
            thread_id: The new thread, which must have no states.
            histories: The states by namespace, the newest first.

        Returns:
            Descriptions of information that is missing in them, one sentence each.

        Raises:
            Refused: The states are not of this graph.
        """
        ...

    async def atake_back(self, config: Config, run_id: str) -> None:
        """Remove what a deleted run has written to the checkpoints that were there before it.

        Nothing is to do if the server stores the checkpoints: its storage removes these writes.

        Args:
            config: Names the thread.
            run_id: The run.
        """
        ...

    def node_names(self) -> list[str]:
        """Return the names of the nodes, without start and end."""
        ...

    async def drawing(self, xray: bool | int) -> Document:
        """Return nodes and edges.

        Args:
            xray: How many levels of subgraphs to include; True for all.
        """
        ...

    def schemas(self) -> Schemas:
        """Return the JSON schemas of input, output, state and context."""
        ...

    async def subgraphs(self, namespace: str | None, recurse: bool) -> dict[str, Schemas]:
        """Return the schemas of the subgraphs, by namespace."""
        ...
