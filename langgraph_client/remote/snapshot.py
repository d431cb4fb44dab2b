"""A thread's state as the server tells it, made into the snapshot that a local graph gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.remote.config import Address, merge, tuples
from langgraph_client.remote.decode import Decoder, interrupt_from
from langgraph_client.remote.seam import PregelTask, RunnableConfig, StateSnapshot


def snapshot_from(
    state: Mapping[str, Any], decoder: Decoder, asked: RunnableConfig
) -> StateSnapshot:
    """The snapshot of one state document.

    `asked` is the config the caller asked with; a thread that has no checkpoint yet gives it back,
    as a local graph does.
    """
    checkpoint = state.get("checkpoint")
    created_at = state.get("created_at")
    metadata = state.get("metadata")
    tasks = tuple(_task_from(task, decoder) for task in state.get("tasks") or ())
    return StateSnapshot(
        values=decoder.value(_plain(state.get("values"))),
        next=tuple(state.get("next") or ()),
        config=decoder.address.config(checkpoint) or asked,
        metadata=None if metadata is None else decoder.metadata(metadata),
        created_at=created_at.isoformat() if isinstance(created_at, datetime) else created_at,
        parent_config=decoder.address.config(state.get("parent_checkpoint")),
        tasks=tasks,
        interrupts=tuple(found for task in tasks for found in task.interrupts),
    )


def empty_snapshot(asked: RunnableConfig) -> StateSnapshot:
    """The snapshot of a thread that does not exist yet."""
    return StateSnapshot({}, (), asked, None, None, None, (), ())


def _task_from(task: Mapping[str, Any], decoder: Decoder) -> PregelTask:
    state: Any = None
    if task.get("state"):
        nested = task["state"]
        asked: RunnableConfig = {
            "configurable": decoder.address.configurable(nested.get("checkpoint") or {})
        }
        state = snapshot_from(nested, decoder, asked)
    elif task.get("checkpoint"):
        checkpoint = {k: v for k, v in task["checkpoint"].items() if k != "thread_id"}
        state = {"configurable": {"thread_id": decoder.address.given, **checkpoint}}
    return PregelTask(
        id=task["id"],
        name=task["name"],
        path=tuples(task.get("path") or ()),
        error=task.get("error"),
        interrupts=tuple(interrupt_from(found) for found in task.get("interrupts") or ()),
        state=state,
        result=decoder.value(_plain(task.get("result"))),
    )


def _plain(value: Any) -> Any:
    """Open JSON inside a model, as plain dicts and lists."""
    if isinstance(value, Mapping) and not isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


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

    def took(self, states: Sequence[Mapping[str, Any]]) -> None:
        """Note what the last page held; a page that is not full was the last one."""
        full = len(states) == self.request()["limit"]
        if self._left is not None:
            self._left -= len(states)
        self.wanted = full and self._left != 0
        if states:
            self._before = states[-1]["checkpoint"]["checkpoint_id"]
