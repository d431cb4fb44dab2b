"""What is read of a thread, so that the bundled server can take it over: `Server.pull`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from langgraph_client._sync.client import SyncLangGraphClient
from langgraph_client.models.fields import JsonObject
from langgraph_client.models.threads import ThreadState
from langgraph_client.values import HEADER, VERSION

_RICH = {HEADER: VERSION}
"""Asks the bundled server for values with the Python types that JSON loses; others ignore it."""


@dataclass(frozen=True)
class PulledThread:
    """What `Server.pull` has copied.

    Attributes:
        thread_id: The thread.
        checkpoints: How many checkpoints, those of subgraphs included.
        items: How many items of the store.
        untold: What the other server does not tell and a run from there would need, a sentence
            each, with the checkpoint it is about. Empty for most threads. That runs and their
            events are not copied is not said here.
    """

    thread_id: str
    checkpoints: int
    items: int
    untold: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ThreadCopy:
    """All that a server shows of a thread.

    Attributes:
        thread: The thread's document.
        histories: Its states by namespace, newest first; "" is the graph's own.
        items: Items of the store.
    """

    thread: JsonObject
    histories: dict[str, list[JsonObject]]
    items: list[JsonObject]


def read_thread(
    client: SyncLangGraphClient, thread_id: str, store: Sequence[Sequence[str]] = ()
) -> ThreadCopy:
    """Read a thread with its whole history.

    Args:
        client: A client of the server that has it.
        thread_id: The thread's ID.
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
    return ThreadCopy(dict(thread), histories, items)


def _history(client: SyncLangGraphClient, thread_id: str, namespace: str) -> list[ThreadState]:
    place = {"checkpoint_ns": namespace} if namespace else None
    return list(client.threads.iter_history(thread_id, checkpoint=place, headers=_RICH))


def _namespace_below(task: JsonObject) -> str:
    """Return the namespace of the subgraph that a task runs; "" if it is none."""
    checkpoint = task.get("checkpoint") or (task.get("state") or {}).get("checkpoint") or {}
    return str(checkpoint.get("checkpoint_ns") or "")
