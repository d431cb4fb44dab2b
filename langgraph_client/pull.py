"""Read a thread from a server, so that the bundled server can copy it: `Server.pull`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from langgraph_client._sync.client import SyncLangGraphClient
from langgraph_client.models.fields import JsonObject
from langgraph_client.models.threads import ThreadState
from langgraph_client.values import HEADER, VERSION

_TYPED_VALUES = {HEADER: VERSION}
"""Requests values with the Python types that JSON loses. Other servers than ours ignore it."""


_UNFINISHED = ("pending", "running")


@dataclass(frozen=True)
class PulledThread:
    """The result of `Server.pull`.

    Attributes:
        thread_id: The thread's id.
        checkpoints: The number of copied checkpoints, those of subgraphs included.
        runs: The number of copied runs, which are those that are over.
        items: The number of copied items of the store.
        missing: One sentence for each value that the other server does not send although a run from
            there would need it, with the checkpoint. Empty for most threads.
        not_copied: One sentence for each part of the thread that stays on the other server: runs
            that are not over, and the events of runs, which no server sends in their stored form.
    """

    thread_id: str
    checkpoints: int
    runs: int
    items: int
    missing: list[str] = field(default_factory=list)
    not_copied: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ThreadCopy:
    """All data of a thread that a server sends.

    Attributes:
        thread: The thread's document.
        histories: Its states by namespace, newest first; "" is the namespace of the graph itself.
        runs: Its runs that are over, newest first.
        unfinished: The ids of its runs that are not over.
        items: Items of the store.
    """

    thread: JsonObject
    histories: dict[str, list[JsonObject]]
    runs: list[JsonObject]
    unfinished: list[str]
    items: list[JsonObject]

    def not_copied(self) -> list[str]:
        """Return what stays on the other server, a sentence each."""
        found = [
            f"run {run_id} is not over: it goes on there, and is not copied"
            for run_id in self.unfinished
        ]
        if self.runs:
            found.append(
                f"the events of {len(self.runs)} run{'' if len(self.runs) == 1 else 's'}: servers"
                " keep those of resumable runs only, for a while, with other ids for each reader"
            )
        return found


def read_thread(
    client: SyncLangGraphClient, thread_id: str, store: Sequence[Sequence[str]]
) -> ThreadCopy:
    """Read a thread with its whole history.

    Args:
        client: A client of the server that has it.
        thread_id: The thread's id.
        store: Namespaces of the store; all items in and below them are read.

    Raises:
        NotFoundError: There is no such thread.
    """
    thread = client.threads.get(thread_id)
    histories: dict[str, list[JsonObject]] = {}
    waiting = [""]
    while waiting:
        namespace = waiting.pop()
        states = _history(client, thread_id, namespace)
        if not states:
            continue
        histories[namespace] = [dict(state) for state in states]
        found = {_namespace_below(task) for state in states for task in state["tasks"]}
        waiting += sorted(found - {"", *histories, *waiting})
    items = [dict(item) for prefix in store for item in client.store.iter_items(list(prefix))]
    runs = [dict(run) for run in client.runs.iter(thread_id)]
    over = [run for run in runs if run["status"] not in _UNFINISHED]
    unfinished = [str(run["run_id"]) for run in runs if run["status"] in _UNFINISHED]
    return ThreadCopy(dict(thread), histories, over, unfinished, items)


def _history(client: SyncLangGraphClient, thread_id: str, namespace: str) -> list[ThreadState]:
    place = {"checkpoint_ns": namespace} if namespace else None
    return list(client.threads.iter_history(thread_id, checkpoint=place, headers=_TYPED_VALUES))


def _namespace_below(task: JsonObject) -> str:
    """Return the namespace of the subgraph that a task runs; "" if it is none."""
    checkpoint = task.get("checkpoint") or (task.get("state") or {}).get("checkpoint") or {}
    return str(checkpoint.get("checkpoint_ns") or "")
