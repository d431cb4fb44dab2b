"""A thread's state as the server tells it, made into the snapshot that a local graph gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.models.threads import ThreadState, ThreadTask
from langgraph_client.remote.config import Address, given_parents, merge, tuples
from langgraph_client.remote.decode import Decoder, understanding
from langgraph_client.remote.seam import PregelTask, RunnableConfig, StateSnapshot


def snapshot_from(state: ThreadState, decoder: Decoder, asked: RunnableConfig) -> StateSnapshot:
    """The snapshot of a state.

    `asked` is the config the caller asked with; a thread that has no checkpoint yet gives it back,
    as a local graph does.
    """
    with understanding("a state", state):
        return _snapshot(state, decoder, asked)


def _snapshot(state: ThreadState, decoder: Decoder, asked: RunnableConfig) -> StateSnapshot:
    namespace = (state.checkpoint.checkpoint_ns if state.checkpoint else None) or ""
    tasks = tuple(_task_from(task, decoder, namespace) for task in state.tasks)
    address = decoder.address
    parents = given_parents(state.metadata)
    return StateSnapshot(
        values=decoder.value(decoder.open(state.get("values"))),
        next=tuple(state.next),
        config=address.config(state.checkpoint, parents) or asked,
        metadata=None if state.metadata is None else decoder.checkpoint_metadata(state.metadata),
        created_at=state.created_at.isoformat() if state.created_at is not None else None,
        parent_config=address.config(state.parent_checkpoint, parents),
        tasks=tasks,
        interrupts=tuple(found for task in tasks for found in task.interrupts),
    )


def empty_snapshot(asked: RunnableConfig) -> StateSnapshot:
    """The snapshot of a thread that does not exist yet."""
    return StateSnapshot({}, (), asked, None, None, None, (), ())


def _task_from(task: ThreadTask, decoder: Decoder, namespace: str) -> PregelTask:
    address = decoder.address
    state: StateSnapshot | RunnableConfig | None = None
    if task.state is not None:
        # A subgraph that has not begun has no checkpoint; its place is known all the same.
        place = "|".join((*([namespace] if namespace else []), f"{task.name}:{task.id}"))
        where = task.state.checkpoint or {"checkpoint_ns": place}
        asked: RunnableConfig = {"configurable": address.configurable(where)}
        state = _snapshot(task.state, decoder, asked)
    elif task.checkpoint is not None:
        state = {"configurable": address.configurable(task.checkpoint)}
    return PregelTask(
        id=task.id,
        name=task.name,
        path=tuples(task.path or ()),
        error=task.error,
        interrupts=tuple(decoder.interrupt(found) for found in task.interrupts),
        state=state,
        result=decoder.value(decoder.open(task.result)),
    )


class HistoryPages:
    """Which page of a thread's history to ask for next; to the end, or to a limit."""

    SIZE = 100

    def __init__(
        self,
        address: Address,
        filter: Mapping[str, Any] | None,
        before: Mapping[str, Any] | None,
        limit: int | None,
    ) -> None:
        if limit is not None and limit < 0:
            raise InvalidArgumentError("limit", f"must not be negative, but is {limit}")
        self._filter = filter
        self._checkpoint = address.checkpoint or None
        self._before: str | None = None
        if before is not None:
            self._before = merge(before)["configurable"].get("checkpoint_id")
        self._left = limit
        self.wanted = limit != 0

    def request(self) -> dict[str, Any]:
        """The arguments of `threads.get_history` for the next page."""
        size = self.SIZE if self._left is None else min(self.SIZE, self._left)
        before = None
        if self._before is not None:
            before = {"configurable": {"checkpoint_id": self._before}}
        return {
            "limit": size,
            "before": before,
            "metadata": self._filter,
            "checkpoint": self._checkpoint,
        }

    def took(self, states: Sequence[ThreadState]) -> None:
        """Note what the last page held; a page that is not full was the last one."""
        full = len(states) == self.request()["limit"]
        if self._left is not None:
            self._left -= len(states)
        self.wanted = full and self._left != 0
        if states and states[-1].checkpoint is not None:
            self._before = states[-1].checkpoint.checkpoint_id
