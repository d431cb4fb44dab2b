"""A RemoteGraph called as a node of a local parent graph: its place there, read from the config.

Free of I/O. What a parent tells its nodes it says in `configurable` under `__pregel_*` keys, as
seen in langgraph 1.2; none of it ever goes to the server. A call that names a thread of its own is
not nested, wherever it is made.
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
    """One call of a remote graph from inside a task of its parent."""

    #: Where the parent's events of this node stand.
    namespace: tuple[str, ...]
    #: Takes `(namespace, mode, data)` where the parent streams its subgraphs.
    emit: Callable[[tuple[tuple[str, ...], str, GraphValue]], None] | None
    #: The modes that the parent streams.
    modes: frozenset[str]
    #: Whether the parent goes on from a checkpoint, so that this node may have begun already.
    resuming: bool
    #: The checkpoints of the graphs around this one, by namespace.
    parents: Reply
    #: The ids of the messages that the parent has streamed, which it does not stream again.
    streamed: Sequence[set[str]]
    _answers: Reply
    _take_answer: Callable[[bool], GraphValue]

    @classmethod
    def of(cls, config: MergedConfig, address: Address) -> Nested | None:
        """Read the call's place out of a merged config; None outside a parent's task."""
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
        """The metadata that a remote run gets: the caller's, and what it needs of the parent's.

        What the parent tells its node of itself would be taken for the remote's own.
        """
        kept = {
            key: value
            for key, value in given.items()
            if key != "thread_id" and not key.startswith(("langgraph_", "checkpoint_"))
        }
        return {**kept, GIVEN_PARENTS: json.dumps(self.parents)} if self.parents else kept

    def unanswered(self, state: StateSnapshot) -> tuple[Interrupt, ...]:
        """The interrupts that the remote waits at, where the parent brings no answer to any."""
        if self._answer(state) is None and self._take_answer(False) is None:
            return state.interrupts
        return ()

    def go_on(self, input: GraphValue, state: StateSnapshot) -> GraphValue:
        """The input with which the remote goes on, given the state it was left in.

        Returns:
            A `Command` that answers its interrupts; None, to repeat what failed or was cancelled;
            or the node's own input, where there is nothing to go on from.
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
    """Where a remote node keeps its state; None for a config that is not a parent's.

    The thread is the remote's own, derived from the parent's thread and the node's namespace, so
    that parent and child may live on one server. `checkpointer` is that of RemoteGraph: None keeps
    the state of one task of the parent, True that of the node across all of them, False nothing.
    """
    if not (TASK_ID in configurable or CHECKPOINTER in configurable):
        return None
    namespace = str(configurable.get("checkpoint_ns") or "")
    scratchpad = configurable.get(_SCRATCHPAD)
    if calling and scratchpad is not None:
        # A task that calls several subgraphs tells them apart by number, from the second on.
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
