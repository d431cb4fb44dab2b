"""Read from the config how a RemoteGraph is called as a node of a local parent graph. No I/O.

A parent graph passes internal values to its nodes in `configurable`, under `__pregel_*` keys (seen
in langgraph 1.2). The bundled server gets what a subgraph reads there; see `resumption`. For other
servers, the call is put into the protocol's terms; see `go_on`. A call whose `configurable` names a
thread is not nested, even inside a node.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from langgraph_client.remote.aliases import (
    Config,
    Foreign,
    GraphValue,
    JsonObject,
    MergedConfig,
    Reply,
)
from langgraph_client.remote.compat import (
    Command,
    StateSnapshot,
    replayed_before,
    streamed_messages,
)
from langgraph_client.remote.config import Address
from langgraph_client.remote.parent_answer import ParentAnswer
from langgraph_client.thread_ids import OWN_THREAD, server_thread_id

CHECKPOINTER = "__pregel_checkpointer"
TASK_ID = "__pregel_task_id"
_STREAM = "__pregel_stream"
_MESSAGE_EVENTS = "__pregel_stream_messages_v2"
_RUNTIME = "__pregel_runtime"
_SCRATCHPAD = "__pregel_scratchpad"
_RESUMING = "__pregel_resuming"
_REPLAY_STATE = "__pregel_replay_state"
_RESUME_MAP = "__pregel_resume_map"
_DURABILITY = "__pregel_durability"
_OF_OUTERMOST = ("checkpoint_ns", "checkpoint_id", "thread_id")


@dataclass(frozen=True)
class Nested:
    """One call of a remote graph inside a task of its parent graph."""

    #: The namespace of this node in the parent's events.
    namespace: tuple[str, ...]
    #: Adds `(namespace, mode, data)` to the parent's stream; None if it streams no subgraphs.
    emit: Callable[[tuple[tuple[str, ...], str, GraphValue]], None] | None
    #: The modes that the parent streams.
    modes: frozenset[str]
    #: Whether the parent streams events of messages and not their chunks, for version "v3".
    wants_message_events: bool
    #: Whether the parent resumes from a checkpoint, so that this node may have started before.
    resuming: bool
    #: If the parent replays, the checkpoint before which this node had the state to start with.
    replayed_before: str | None
    #: Whether the parent resumes from a state of this node that its config names. If a graph
    #: between them begins anew, this node begins at that state, with its input.
    at_checkpoint: bool
    #: The parent's thread, as its nodes see it; None without one.
    thread_id: str | None
    #: The parent's context.
    context: GraphValue
    #: The parent's `RunControl`; None for older versions of langgraph.
    control: Foreign
    #: When the parent writes its checkpoints, which holds for subgraphs too; None if not known.
    durability: str | None
    #: The checkpoints of the parent graphs, by namespace.
    parents: Reply
    #: The ids of messages that the parent has streamed and must not stream again.
    streamed: Sequence[set[str]]
    #: The parent's answer for the next interrupt.
    answer: ParentAnswer
    _answers: Reply

    @classmethod
    def of(cls, config: MergedConfig, address: Address, *, takes_messages: bool) -> Nested | None:
        """Read the call from a merged config; None if it is not inside a parent's task.

        Args:
            config: The merged config.
            address: The address of the call.
            takes_messages: Whether the call streams messages in chunks itself. As in langgraph 1.2,
                a parent that streams events of messages gets none of it then.
        """
        configurable = config["configurable"]
        if TASK_ID not in configurable:
            return None
        emit = configurable.get(_STREAM)
        modes = frozenset(emit.modes) if emit is not None else frozenset()
        wants_message_events = bool(configurable.get(_MESSAGE_EVENTS))
        streamed = streamed_messages(config.get("callbacks"))
        if takes_messages and wants_message_events:
            modes, wants_message_events, streamed = modes - {"messages"}, False, []
        before, replay = None, configurable.get(_REPLAY_STATE)
        if replay is not None and address.thread_id is not None and not address.checkpoint:
            before = replayed_before(replay, "|".join(address.namespace))
        return cls(
            namespace=address.namespace,
            emit=emit,
            modes=modes,
            wants_message_events=wants_message_events,
            resuming=bool(configurable.get(_RESUMING)) and replay is None,
            replayed_before=before,
            at_checkpoint=bool(address.checkpoint) and bool(configurable.get(_RESUMING)),
            streamed=streamed,
            thread_id=_thread_of(configurable),
            context=getattr(configurable.get(_RUNTIME), "context", None),
            control=getattr(configurable.get(_RUNTIME), "control", None),
            durability=configurable.get(_DURABILITY),
            parents=parents_of(configurable),
            answer=ParentAnswer(configurable.get(_SCRATCHPAD)),
            _answers=configurable.get(_RESUME_MAP) or {},
        )

    @property
    def shows_messages(self) -> bool:
        """Whether the parent streams messages, with those of its subgraphs."""
        return self.emit is not None and "messages" in self.modes and bool(self.streamed)

    def metadata(self, given: Reply) -> JsonObject:
        """Return the metadata of the remote run: the caller's.

        Keys in which the parent describes itself are removed: the remote graph has its own values
        for them.
        """
        return {
            key: value
            for key, value in given.items()
            if key != "thread_id" and not key.startswith(("langgraph_", "checkpoint_"))
        }

    def place(self) -> JsonObject:
        """Return where the run is inside the parent graph, for the bundled server."""
        place = {"thread_id": self.thread_id, "checkpoints": self.parents}
        return {key: value for key, value in place.items() if value}

    def resumption(self) -> JsonObject:
        """Return what the run needs to resume with the parent graph, for the bundled server."""
        found: JsonObject = {}
        # At a checkpoint of its own, a run without an input replays what comes after it.
        if self.resuming and not self.at_checkpoint:
            found["resuming"] = True
        if self.replayed_before is not None:
            found["replay"] = self.replayed_before
        if self._answers:
            found["answers"] = self._answers
        return found

    def go_on(self, input: GraphValue, state: StateSnapshot) -> GraphValue:
        """Return the input with which the remote graph continues from its state.

        Returns:
            A `Command` that answers its interrupts; None to go on from a state without answers,
            even from that after the last step; or the node's own input if there is no state.
        """
        answers = {
            interrupt.id: self._answers[interrupt.id]
            for interrupt in state.interrupts
            if interrupt.id in self._answers
        }
        if answers:
            return Command(resume=answers)
        if state.interrupts and self.answer.is_for(state.interrupts):
            # Taken before it is sent: a second interrupt must not get the same answer.
            answer = self.answer.take()
            if answer is not None:
                # As in a local graph, an answer without an id is for the interrupt that asks first.
                only = len(state.interrupts) == 1
                return Command(resume=answer if only else {state.interrupts[0].id: answer})
        return input if state.metadata is None else None


def _thread_of(configurable: Reply) -> str | None:
    thread_id = configurable.get("thread_id")
    return None if thread_id is None else str(thread_id)


def parents_of(configurable: Reply) -> JsonObject:
    """Return the checkpoints of the graphs around a remote node, by namespace; empty if unknown.

    As in langgraph, a config that names a checkpoint of the node itself has that, too.
    """
    return dict(configurable.get("checkpoint_map") or {})


def is_in_node(ambient: Config | None) -> bool:
    """Return whether a call is made in a node, or in a chain or tool that a node calls.

    A chain that is called with a `configurable`, metadata or callbacks of its own does not have
    those of the node, but mostly the others.

    Args:
        ambient: The config of what is around the call; None without one.
    """
    around = ambient or {}
    metadata = (around.get("metadata"), getattr(around.get("callbacks"), "metadata", None))
    return TASK_ID in (around.get("configurable") or ()) or any(
        "langgraph_node" in (each or ()) for each in metadata
    )


def nested_address(
    config: MergedConfig, checkpointer: bool | None, *, calling: bool
) -> Address | None:
    """Return the address of a remote node's state; None if the config is not a parent graph's.

    The remote graph has its own thread, whose id is derived from the parent's thread and the node's
    namespace. So parent and child can use the same server.

    Args:
        config: The merged config.
        checkpointer: The one of RemoteGraph: None keeps the state of one task of the parent, True
            that of the node across all tasks, False none.
        calling: Whether the address is for a run, not for a state method.
    """
    configurable = config["configurable"]
    if not (TASK_ID in configurable or CHECKPOINTER in configurable):
        return None
    namespace = str(configurable.get("checkpoint_ns") or "")
    # The metadata of a parent that is a subgraph itself, or is called in a node on a thread of its
    # own, have the task and the thread of the outermost graph.
    metadata: JsonObject = {"checkpoint_ns": namespace, **(config.get("metadata") or {})}
    scratchpad = configurable.get(_SCRATCHPAD)
    if calling and scratchpad is not None:
        # If a task calls several subgraphs, langgraph numbers them, from the second call on.
        # Asking counts the call, so a state method must not ask, and a run only once.
        number = scratchpad.subgraph_counter()
        if number:
            namespace = f"{namespace}|{number}"
    if checkpointer is True:  # As in langgraph, all tasks of the node have one namespace.
        namespace = "|".join(part.partition(":")[0] for part in namespace.split("|"))
    here = Address(
        namespace=tuple(namespace.split("|")),
        task_metadata={key: metadata[key] for key in _OF_OUTERMOST if metadata.get(key)},
        task_thread=_thread_of(configurable),
    )
    # A run is at a checkpoint of its own if the parent's config is that of a state of this node.
    place = (
        parents_of(configurable).get(namespace) if calling else configurable.get("checkpoint_id")
    )
    if place:
        here = replace(here, checkpoint={"checkpoint_id": place})
    parent = configurable.get(OWN_THREAD) or configurable.get("thread_id")
    if checkpointer is False or parent is None or configurable.get(CHECKPOINTER) is None:
        return here
    given = f"{parent}/{namespace}"
    shown = _thread_of(configurable)
    return replace(here, given=shown, thread_id=server_thread_id(given), derived_from=given)
