"""Read from the config how a RemoteGraph is called as a node of a local parent graph. No I/O.

A parent graph passes internal values to its nodes in `configurable`, under `__pregel_*` keys (seen
in langgraph 1.2). None of them is sent to the server. A call whose config names a thread is not
nested, even inside a node.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from langgraph_client.remote.aliases import GraphValue, JsonObject, MergedConfig, Reply
from langgraph_client.remote.compat import Command, Interrupt, StateSnapshot, streamed_messages
from langgraph_client.remote.config import GIVEN_PARENTS, Address
from langgraph_client.thread_ids import server_thread_id

CHECKPOINTER = "__pregel_checkpointer"
TASK_ID = "__pregel_task_id"
_STREAM = "__pregel_stream"
_SCRATCHPAD = "__pregel_scratchpad"
_RESUMING = "__pregel_resuming"
_RESUME_MAP = "__pregel_resume_map"


@dataclass(frozen=True)
class Nested:
    """One call of a remote graph inside a task of its parent graph."""

    #: The namespace of this node in the parent's events.
    namespace: tuple[str, ...]
    #: Adds `(namespace, mode, data)` to the parent's stream; None if it streams no subgraphs.
    emit: Callable[[tuple[tuple[str, ...], str, GraphValue]], None] | None
    #: The modes that the parent streams.
    modes: frozenset[str]
    #: Whether the parent resumes from a checkpoint, so that this node may have started before.
    resuming: bool
    #: The checkpoints of the parent graphs, by namespace.
    parents: Reply
    #: The ids of messages that the parent has streamed and must not stream again.
    streamed: Sequence[set[str]]
    _answers: Reply
    _take_answer: Callable[[bool], GraphValue]

    @classmethod
    def of(cls, config: MergedConfig, address: Address) -> Nested | None:
        """Read the call from a merged config; None if it is not inside a parent's task."""
        configurable = config["configurable"]
        if TASK_ID not in configurable:
            return None
        emit = configurable.get(_STREAM)
        scratchpad = configurable.get(_SCRATCHPAD)
        return cls(
            namespace=address.namespace,
            emit=emit,
            modes=frozenset(emit.modes) if emit is not None else frozenset(),
            resuming=bool(configurable.get(_RESUMING)),
            streamed=streamed_messages(config.get("callbacks")),
            parents=configurable.get("checkpoint_map") or {},
            _answers=configurable.get(_RESUME_MAP) or {},
            _take_answer=scratchpad.get_null_resume if scratchpad is not None else _no_answer,
        )

    def metadata(self, given: Reply) -> JsonObject:
        """Return the metadata of the remote run: the caller's, and the parents' checkpoints.

        Keys in which the parent describes itself are removed: the remote graph has its own values
        for them.
        """
        kept = {
            key: value
            for key, value in given.items()
            if key != "thread_id" and not key.startswith(("langgraph_", "checkpoint_"))
        }
        return {**kept, GIVEN_PARENTS: json.dumps(self.parents)} if self.parents else kept

    def unanswered(self, state: StateSnapshot) -> tuple[Interrupt, ...]:
        """Return the remote graph's interrupts if the parent's resume answers none of them."""
        if self._answer(state) is None and self._take_answer(False) is None:
            return state.interrupts
        return ()

    def go_on(self, input: GraphValue, state: StateSnapshot) -> GraphValue:
        """Return the input with which the remote graph continues from its state.

        Returns:
            A `Command` that answers its interrupts; None to repeat tasks that failed or were
            cancelled; or the node's own input if there is nothing to continue.
        """
        if state.interrupts:
            answers = self._answer(state)
            return Command(resume=self._take_answer(True) if answers is None else answers)
        return None if state.next else input

    def _answer(self, state: StateSnapshot) -> JsonObject | None:
        found = {
            one.id: self._answers[one.id] for one in state.interrupts if one.id in self._answers
        }
        return found or None


def _no_answer(_consume: bool) -> GraphValue:
    return None


def nested_address(
    configurable: Reply, checkpointer: bool | None, *, calling: bool
) -> Address | None:
    """Return the address of a remote node's state; None if the config is not a parent graph's.

    The remote graph has its own thread, whose id is derived from the parent's thread and the node's
    namespace. So parent and child can use the same server.

    Args:
        configurable: The `configurable` of the merged config.
        checkpointer: The one of RemoteGraph: None keeps the state of one task of the parent, True
            that of the node across all tasks, False none.
        calling: Whether the address is for a run, not for a state method.
    """
    if not (TASK_ID in configurable or CHECKPOINTER in configurable):
        return None
    namespace = str(configurable.get("checkpoint_ns") or "")
    scratchpad = configurable.get(_SCRATCHPAD)
    if calling and scratchpad is not None:
        # If a task calls several subgraphs, langgraph numbers them, from the second call on.
        number = scratchpad.subgraph_counter()
        if number:
            namespace = f"{namespace}|{number}"
    here = Address(namespace=tuple(namespace.split("|")))
    parent = configurable.get("thread_id")
    if checkpointer is False or parent is None or configurable.get(CHECKPOINTER) is None:
        return here
    key = namespace
    if checkpointer is True:
        key = "|".join(part.partition(":")[0] for part in namespace.split("|"))
    given = f"{parent}/{key}"
    return replace(here, given=str(parent), thread_id=server_thread_id(given), made_from=given)
