"""Create checkpoints from the states of a thread of another server.

A state has values and the next nodes. A checkpoint has channels with versions, and the versions
that each node has seen. The states are converted so that langgraph, with the same graph, shows the
same state at each checkpoint, with the same task ids, and can continue from any of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from langchain_core import messages as message_classes
from langgraph.channels import (
    DeltaChannel,
    LastValueAfterFinish,
    NamedBarrierValue,
    NamedBarrierValueAfterFinish,
)
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    empty_checkpoint,
)
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from langgraph.types import Interrupt, Send
from pydantic import ValidationError

from langgraph_client.server.errors import Refused
from langgraph_client.server.graphs.langgraph_names import (
    ERROR,
    INTERRUPT,
    NO_WRITES,
    PUSH,
    START,
    TASKS,
)
from langgraph_client.server.storage.protocol import Document
from langgraph_client.values import Allowed, is_envelope, open_envelope

_MESSAGES = {
    "ai": message_classes.AIMessage,
    "function": message_classes.FunctionMessage,
    "human": message_classes.HumanMessage,
    "remove": message_classes.RemoveMessage,
    "system": message_classes.SystemMessage,
    "tool": message_classes.ToolMessage,
}
_BARRIERS = (NamedBarrierValue, NamedBarrierValueAfterFinish)


@dataclass
class _WrittenCheckpoint:
    """The data of a written checkpoint that the next one needs."""

    state: Document
    values: dict[str, object]
    versions: ChannelVersions
    barriers: dict[str, set[str]]


@dataclass
class PulledHistory:
    """Writes the states of a namespace as checkpoints, the oldest first.

    Args:
        graph: The graph or subgraph of the states.
        saver: Stores the checkpoints.
        thread_id: The new thread.
        namespace: The namespace; "" for the root graph.
        classes: The classes of which envelopes may contain objects.

    Attributes:
        missing: Descriptions of information that a run would need and the states do not contain,
            one sentence each.
    """

    graph: Any
    saver: BaseCheckpointSaver[Any]
    thread_id: str
    namespace: str
    classes: Allowed
    missing: list[str] = field(default_factory=list)
    _written: dict[str, _WrittenCheckpoint] = field(default_factory=dict)

    async def write(self, state: Document) -> None:
        """Write one state. Its parent must have been written before, if it exists.

        Raises:
            Refused: The state has a node or a value that the graph does not have.
        """
        checkpoint_id = state["checkpoint"]["checkpoint_id"]
        parent_id = (state.get("parent_checkpoint") or {}).get("checkpoint_id")
        parent = self._written.get(parent_id or "")
        barriers = self._barriers(parent, state)
        values = self._values(state, barriers)
        versions = self._versions(parent, values)
        checkpoint: Checkpoint = {
            **empty_checkpoint(),
            "id": checkpoint_id,
            "ts": state["created_at"],
            "channel_values": values,
            "channel_versions": versions,
            "versions_seen": self._seen(state, versions),
        }
        metadata = {k: v for k, v in (state["metadata"] or {}).items() if k != "thread_id"}
        known = parent.versions if parent else {}
        new = {name: version for name, version in versions.items() if known.get(name) != version}
        place = {"thread_id": self.thread_id, "checkpoint_ns": self.namespace}
        await self.saver.aput(
            {"configurable": {**place, **({"checkpoint_id": parent_id} if parent_id else {})}},
            checkpoint,
            cast(CheckpointMetadata, metadata),
            new,
        )
        config = {"configurable": {**place, "checkpoint_id": checkpoint_id}}
        await self._write_tasks(config, state)
        self._written[checkpoint_id] = _WrittenCheckpoint(state, values, versions, barriers)

    # Channels.

    def _values(self, state: Document, barriers: Mapping[str, set[str]]) -> dict[str, object]:
        """Return the values of the channels: the state, and the triggers of the next tasks."""
        return {
            **self._state_values(state),
            **self._trigger_values(state),
            **self._barrier_values(barriers),
        }

    def _state_values(self, state: Document) -> dict[str, object]:
        values, keys = self._decoded(state["values"]), self.graph.stream_channels_asis
        if isinstance(keys, str):
            is_empty = values is None or (values == {} and state["next"])
            return {} if is_empty else {keys: self._stored(keys, values)}
        for name in values or {}:
            if name not in self.graph.channels:
                raise Refused(f"the graph has no channel {name!r}, which the thread has")
        return {name: self._stored(name, value) for name, value in (values or {}).items()}

    def _trigger_values(self, state: Document) -> dict[str, object]:
        triggers: dict[str, object] = {}
        sends: dict[int, Send] = {}
        for task in state["tasks"]:
            name = task["name"]
            if name not in self.graph.nodes:
                raise Refused(f"the graph has no node {name!r}, which the thread has")
            if task["path"][0] == PUSH:
                sends[task["path"][1]] = Send(name, None)
                self._miss(state, f"the input of {name!r}, which was started by Send")
            elif name == START:
                triggers[START] = self._decoded(task["result"])
                if task["result"] is None:
                    self._miss(state, "the input")
            else:
                trigger = self._trigger(name)
                if trigger == START:
                    self._miss(state, "the input, and what was saved by the run before")
                if trigger is not None:
                    triggers[trigger] = self._stored(trigger, None)
        if sends:
            triggers[TASKS] = [sends[index] for index in sorted(sends)]
        return triggers

    def _barrier_values(self, barriers: Mapping[str, set[str]]) -> dict[str, object]:
        values: dict[str, object] = {}
        for name, seen in barriers.items():
            after_finish = isinstance(self.graph.channels[name], NamedBarrierValueAfterFinish)
            values[name] = (set(seen), False) if after_finish else set(seen)
        return values

    def _trigger(self, node: str) -> str | None:
        """Return the channel that triggers a node; None if channels of the state do."""
        name = f"branch:to:{node}"
        if name in self.graph.channels:
            return name
        # The functional API's only node is started by the input itself.
        return START if START in self.graph.nodes[node].triggers else None

    def _stored(self, name: str, value: object) -> object:
        """Return a channel's value in the form of its checkpoint."""
        channel = self.graph.channels[name]
        if isinstance(channel, DeltaChannel):
            # The writes that led to the value are not copied, so langgraph could not rebuild it.
            return _DeltaSnapshot(value)
        if isinstance(channel, LastValueAfterFinish):
            return (value, True)
        return value

    def _versions(
        self, parent: _WrittenCheckpoint | None, values: Mapping[str, object]
    ) -> ChannelVersions:
        """Return a version for each channel: the parent's if the value is unchanged."""
        known = parent.versions if parent else {}
        last = max(known.values(), default=None)
        new = self.saver.get_next_version(last, None)
        versions = {}
        for name in {**known, **values}:
            held = parent is not None and name in known and name in parent.values
            same = held == (name in values) and (
                not held or (parent is not None and parent.values[name] == values[name])
            )
            versions[name] = known[name] if same and name in known else new
        return versions

    def _seen(self, state: Document, versions: ChannelVersions) -> dict[str, ChannelVersions]:
        """Return the versions that each node has seen: all except those that trigger it next."""
        following = {task["name"] for task in state["tasks"] if task["path"][0] != PUSH}
        seen = {}
        for name, node in self.graph.nodes.items():
            triggers = {key: versions[key] for key in node.triggers if key in versions}
            if name in following:
                trigger = self._trigger(name)
                if trigger is None:  # Channels of the state trigger it, so it has seen none.
                    triggers = {}
                else:
                    triggers.pop(trigger, None)
            seen[name] = triggers
        return seen

    def _barriers(self, parent: _WrittenCheckpoint | None, state: Document) -> dict[str, set[str]]:
        """Return, for each edge from several nodes, which of them have run already."""
        channels = {
            name: channel
            for name, channel in self.graph.channels.items()
            if isinstance(channel, _BARRIERS)
        }
        reached = {
            name: set(parent.barriers.get(name, ())) if parent else set() for name in channels
        }
        if not channels or parent is None:
            return reached
        if (state["metadata"] or {}).get("source") in ("update", "fork"):
            self._miss(state, "the node that the state was updated as, for which edges may wait")
            return reached
        ran = {task["name"] for task in parent.state["tasks"]}
        for name, channel in channels.items():
            # A full barrier has started its node, which empties it.
            if reached[name] == channel.names:
                reached[name] = set()
            reached[name] |= ran & channel.names
        return reached

    # Tasks.

    async def _write_tasks(self, config: Any, state: Document) -> None:
        """Write the results, interrupts and errors of the tasks after a checkpoint."""
        is_open = any(
            task["result"] is None or task["interrupts"] or task["error"] for task in state["tasks"]
        )
        for task in state["tasks"]:
            writes: list[tuple[str, Any]] = []
            if task["error"] is not None:
                writes.append((ERROR, task["error"]))
            if task["interrupts"]:
                asked = [self._interrupt(item) for item in task["interrupts"]]
                writes.append((INTERRUPT, asked))
            for control in writes:
                await self.saver.aput_writes(config, [control], task["id"], "")
            if task["result"] is not None and task["name"] != START:
                await self.saver.aput_writes(config, self._results(task), task["id"], "")
                if is_open:
                    self._miss_edges(state, task["name"])
            elif task["result"] is not None:
                run_input = self._decoded(task["result"])
                is_dict = isinstance(run_input, dict)
                writes = list(run_input.items()) if is_dict else [(START, run_input)]
                await self.saver.aput_writes(config, writes or [(NO_WRITES, None)], task["id"])

    def _interrupt(self, document: Document) -> Interrupt:
        interrupt = Interrupt(value=self._decoded(document.get("value")), id=document["id"])
        if document.get("response_schema") is not None:
            interrupt.response_schema = document["response_schema"]
        return interrupt

    def _results(self, task: Document) -> list[tuple[str, object]]:
        """Return the writes of a finished task, and those for its edges."""
        result = self._decoded(task["result"])
        writes: list[tuple[str, object]] = []
        keys = self.graph.stream_channels_asis
        for name, value in [(keys, result)] if isinstance(keys, str) else result.items():
            several = isinstance(value, dict) and value.keys() == {"$writes"}
            writes += [(name, item) for item in (value["$writes"] if several else [value])]
        builder = getattr(self.graph, "builder", None)
        for start, end in getattr(builder, "edges", ()):
            if start == task["name"] and end in self.graph.nodes:  # Not the graph's end.
                writes.append((f"branch:to:{end}", None))
        for starts, end in getattr(builder, "waiting_edges", ()):
            if task["name"] in starts:
                writes.append((f"join:{'+'.join(starts)}:{end}", task["name"]))
        return writes or [(NO_WRITES, None)]

    def _miss_edges(self, state: Document, node: str) -> None:
        builder = getattr(self.graph, "builder", None)
        if getattr(builder, "branches", {}).get(node):
            self._miss(state, f"where the conditional edges of {node!r}, which is done, lead")

    def _miss(self, state: Document, what: str) -> None:
        place = state["checkpoint"]["checkpoint_id"]
        self.missing.append(f"{what} (checkpoint {place})")

    def _decoded(self, value: object) -> Any:
        """Return a value as in the graph, with envelopes decoded and message objects."""
        if is_envelope(value):
            return open_envelope(value, self.classes)
        return with_messages(value)


def with_messages(value: object) -> object:
    """Return JSON with langchain's objects for its messages."""
    if isinstance(value, list):
        return [with_messages(item) for item in value]
    if not isinstance(value, dict):
        return value
    kind = _MESSAGES.get(value["type"]) if isinstance(value.get("type"), str) else None
    if kind is not None and "content" in value:
        try:
            return kind(**value)
        except (TypeError, ValidationError):  # A user's own object with the same keys.
            return value
    return {key: with_messages(item) for key, item in value.items()}


async def write_histories(
    graph: object,
    saver: BaseCheckpointSaver[Any],
    thread_id: str,
    histories: Mapping[str, Sequence[Document]],
    classes: Allowed,
) -> list[str]:
    """Write the states of a thread, by namespace and the newest first, as checkpoints.

    Returns:
        Descriptions of missing information, one sentence each.

    Raises:
        Refused: The states are not of this graph.
    """
    missing = []
    async for namespace, below in _graphs_of(graph, histories):
        history = PulledHistory(below, saver, thread_id, namespace, classes)
        for state in reversed(histories[namespace]):
            await history.write(state)
        missing += history.missing
    return missing


async def _graphs_of(
    graph: Any, histories: Mapping[str, Sequence[Document]]
) -> AsyncIterator[tuple[str, object]]:
    for namespace in histories:
        if not namespace:
            yield namespace, graph
            continue
        name = "|".join(part.split(":")[0] for part in namespace.split("|"))
        async for path, below in graph.aget_subgraphs(namespace=name, recurse=True):
            if path == name:
                yield namespace, below
                break
        else:
            raise Refused(f"the graph has no subgraph {name!r}, which the thread has")
