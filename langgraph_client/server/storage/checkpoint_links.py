"""Find the checkpoints that are needed to read other ones.

A delta channel is stored as a snapshot now and then, and as the writes since. So a checkpoint
without a snapshot is read through its ancestors, back to the last one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple, TypeAlias

DELTA_COUNTERS = "counters_since_delta_snapshot"
"""The key in a checkpoint's metadata for its delta channels without a snapshot.

langgraph reads it, and fails if it has a value of another form."""
Key: TypeAlias = tuple[str, str]
"""The namespace and the id of a checkpoint."""


class Link(NamedTuple):
    """The connection of a checkpoint with its ancestors.

    Attributes:
        parent: The id of the checkpoint before it.
        deltas: Its delta channels without a snapshot.
        stored: The channels whose values it has.
    """

    parent: str | None
    deltas: Collection[str]
    stored: Collection[str]


def needed(links: Mapping[Key, Link], wanted: Iterable[Key]) -> set[Key]:
    """Return the checkpoints that are needed to read some, these included.

    Args:
        links: The checkpoints of a thread.
        wanted: The checkpoints to read.
    """
    # For each checkpoint, the channels for which its ancestors are needed, too.
    kept: dict[Key, set[str]] = {}
    for key in wanted:
        missing = set(links[key].deltas)
        at: Key | None = key
        while at is not None and at in links:
            link = links[at]
            missing = missing - set(link.stored)
            if at in kept and missing <= kept[at]:
                break
            kept[at] = kept.get(at, set()) | missing
            at = (key[0], link.parent) if missing and link.parent else None
    return set(kept)


def latest(links: Iterable[Key]) -> set[Key]:
    """Return the latest checkpoint of each namespace."""
    latest_ids: dict[str, str] = {}
    for namespace, checkpoint_id in links:
        latest_ids[namespace] = max(latest_ids.get(namespace, ""), checkpoint_id)
    return set(latest_ids.items())
