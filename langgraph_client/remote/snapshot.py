"""Convert a thread's state from the server to the snapshot of a local graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.models.html_view import state_html
from langgraph_client.remote import compat
from langgraph_client.remote.aliases import Config, Foreign, JsonObject, Reply
from langgraph_client.remote.compat import PregelTask, RunnableConfig
from langgraph_client.remote.config import Address, given_parents, merge, tuples
from langgraph_client.remote.decode import Decoder, checked_shape


class StateSnapshot(compat.StateSnapshot):
    """langgraph's snapshot, with a table for notebooks."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        questions = [interrupt.value for interrupt in self.interrupts]
        place = (self.config.get("configurable") or {}).get("checkpoint_id")
        return state_html(self.values, self.next, questions, self.created_at, place)

    def __reduce__(self) -> tuple[object, ...]:
        return _restored, tuple(self)


def _restored(*fields: Foreign) -> StateSnapshot:
    return StateSnapshot(*fields)


# A node may keep a snapshot in its state. The checkpoint then stores the class's name: it must be
# langgraph's, which checkpointers know, and which exists without this package.
StateSnapshot.__module__ = compat.StateSnapshot.__module__
StateSnapshot.__qualname__ = compat.StateSnapshot.__qualname__


def snapshot_from(state: Reply, decoder: Decoder, asked: RunnableConfig) -> StateSnapshot:
    """Return the snapshot of a state.

    Args:
        state: The server's reply.
        decoder: The decoder of the call.
        asked: The config of the call. As in a local graph, it is the snapshot's config if the
            thread has no checkpoint.

    Raises:
        APIResponseValidationError: The state does not have the protocol's shape.
    """
    with checked_shape("a state", state):
        return _snapshot(state, decoder, asked)


def _snapshot(state: Reply, decoder: Decoder, asked: RunnableConfig) -> StateSnapshot:
    address = decoder.address
    metadata = state.get("metadata")
    # A remote graph inside a hosted graph knows only those around it there.
    parents = given_parents(metadata) or decoder.parents
    if parents != decoder.parents:
        decoder = replace(decoder, parents=parents)
    namespace = (state.get("checkpoint") or {}).get("checkpoint_ns") or ""
    tasks = tuple(_task_from(task, decoder, namespace) for task in state.get("tasks") or ())
    values = state["values"]
    return StateSnapshot(
        values=decoder.open(dict(values) if isinstance(values, dict) else values),
        next=tuple(state["next"] or ()),
        config=address.config(state.get("checkpoint"), parents) or asked,
        metadata=None if metadata is None else decoder.checkpoint_metadata(metadata),
        created_at=_time(state.get("created_at")),
        parent_config=address.config(state.get("parent_checkpoint"), parents),
        tasks=tasks,
        interrupts=tuple(interrupt for task in tasks for interrupt in task.interrupts),
    )


def _time(moment: datetime | str | None) -> str | None:
    """Return a time in the format of a local graph; a text that is no time is unchanged."""
    if isinstance(moment, str):
        try:
            return datetime.fromisoformat(moment).isoformat()
        except ValueError:
            return moment
    return None if moment is None else moment.isoformat()


def empty_snapshot(asked: RunnableConfig) -> StateSnapshot:
    """Return the snapshot of a thread that does not exist yet."""
    return StateSnapshot({}, (), asked, None, None, None, (), ())


def _task_from(task: Reply, decoder: Decoder, namespace: str) -> PregelTask:
    address = decoder.address
    state: StateSnapshot | RunnableConfig | None = None
    if task.get("state") is not None:
        # A subgraph that has not started has no checkpoint, but its namespace is known.
        place = "|".join((*([namespace] if namespace else []), f"{task['name']}:{task['id']}"))
        where = task["state"].get("checkpoint") or {"checkpoint_ns": place}
        asked: RunnableConfig = {"configurable": address.configurable(where)}
        state = _snapshot(task["state"], decoder, asked)
    elif task.get("checkpoint") is not None:
        state = {"configurable": address.configurable(task["checkpoint"])}
    return PregelTask(
        id=task["id"],
        name=task["name"],
        path=tuples(task.get("path") or ()),
        error=task.get("error"),
        interrupts=tuple(decoder.interrupt(sent) for sent in task.get("interrupts") or ()),
        state=state,
        result=decoder.open(task.get("result")),
    )


class HistoryPages:
    """The pages of a thread's history: which one to request next, up to a limit.

    Args:
        address: The thread and checkpoint.
        filter: Only checkpoints whose metadata contains this; None for all.
        before: A config; only checkpoints before its checkpoint. None for all.
        limit: The most states; None for all.

    Attributes:
        wanted: Whether to request another page.

    Raises:
        InvalidArgumentError: `limit` is negative.
    """

    SIZE = 100

    def __init__(
        self,
        address: Address,
        filter: Reply | None,
        before: Config | None,
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

    def request(self) -> JsonObject:
        """Return the arguments of `threads.get_history` for the next page."""
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

    def add_page(self, states: Sequence[Reply]) -> None:
        """Note the states of a page. A page that is not full is the last one."""
        # Before `_left` changes, from which `request` computes the size of the page.
        full = len(states) == self.request()["limit"]
        if self._left is not None:
            self._left -= len(states)
        self.wanted = full and self._left != 0
        if states and (checkpoint := states[-1].get("checkpoint")):
            self._before = checkpoint.get("checkpoint_id")
