"""Filter a thread's events by channel, namespace and depth. No I/O.

Client and server must filter alike, so these are the protocol's rules: a segment of a prefix that
has no colon matches any task of that node, a segment with a colon matches literally, and `depth`
counts segments below a prefix.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Namespace = tuple[str, ...]

CHANNELS = (
    "values",
    "updates",
    "messages",
    "tools",
    "lifecycle",
    "input",
    "checkpoints",
    "tasks",
    "custom",
)
"""The channels that every server knows. In addition, each name has a channel `custom:<name>`."""


PROJECTIONS = (
    "values",
    "messages",
    "tool_calls",
    "subgraphs",
    "updates",
    "checkpoints",
    "tasks",
)
"""The projections of a run. Extensions are read by their own names."""

NO_PROJECTIONS = frozenset({"lifecycle", "tools", "input"})
"""Channels that are not projections. An extension cannot have such a name either."""


@dataclass(frozen=True)
class EventFilter:
    """The events that one reader wants.

    Attributes:
        channels: Names of channels; never empty.
        namespaces: Prefixes of namespaces; None for all.
        depth: How many segments below a prefix still match; None for any. Servers ignore it
            without `namespaces`, so `of` then adds the root as a prefix.
    """

    channels: frozenset[str]
    namespaces: tuple[Namespace, ...] | None = None
    depth: int | None = None

    @classmethod
    def of(
        cls,
        channels: Iterable[str],
        namespaces: Iterable[Sequence[str]] | None = None,
        depth: int | None = None,
    ) -> EventFilter:
        """Return a filter from a caller's arguments.

        Raises:
            ValueError: No channel is named, or one that no server knows.
        """
        names = frozenset([channels] if isinstance(channels, str) else channels)
        if not names:
            raise ValueError("channels must name at least one channel")
        if unknown := sorted(name for name in names if not is_channel(name)):
            raise ValueError(
                f"unknown channels {unknown}: expected {', '.join(CHANNELS)} or custom:<name>"
            )
        prefixes = tuple(tuple(prefix) for prefix in namespaces) if namespaces is not None else ()
        if not prefixes and depth is not None:
            prefixes = ((),)
        return cls(names, prefixes or None, depth)

    def body(self) -> dict[str, Any]:
        """Return the filter as the body of a request."""
        body: dict[str, Any] = {"channels": sorted(self.channels)}
        if self.namespaces is not None:
            body["namespaces"] = [list(prefix) for prefix in self.namespaces]
            if self.depth is not None:
                body["depth"] = self.depth
        return body

    def matches(self, event: Mapping[str, Any]) -> bool:
        """Return whether a protocol event passes."""
        if self.channels.isdisjoint(channels_of(event)):
            return False
        return self.namespaces is None or any(
            is_within(event["params"]["namespace"], prefix, self.depth)
            for prefix in self.namespaces
        )

    def covers(self, other: EventFilter) -> bool:
        """Return whether every event that passes `other` passes this filter."""
        if not other.channels <= self.channels:
            return False
        if self.namespaces is None:
            return True
        if other.namespaces is None:
            return False
        return all(
            any(_reaches(own, self.depth, wanted, other.depth) for own in self.namespaces)
            for wanted in other.namespaces
        )

    def union(self, other: EventFilter) -> EventFilter:
        """Return a filter that passes at least what either passes."""
        if self.covers(other):
            return self
        namespaces = depth = None
        if self.namespaces is not None and other.namespaces is not None:
            namespaces = tuple(dict.fromkeys((*self.namespaces, *other.namespaces)))
            if self.depth is not None and other.depth is not None:
                depth = max(self.depth, other.depth)
        return EventFilter(self.channels | other.channels, namespaces, depth)


def check_projections(channels: Iterable[str]) -> None:
    """Check the names of projections and extensions.

    Raises:
        ValueError: A name is empty, or is that of a channel without a projection.
    """
    for name in channels:
        if not name or name in NO_PROJECTIONS:
            raise ValueError(
                f"{name!r} is not a projection: expected {', '.join(PROJECTIONS)},"
                " or the name of an extension"
            )


def is_channel(name: str) -> bool:
    """Return whether this is a possible name of a channel."""
    return name in CHANNELS or (name.startswith("custom:") and len(name) > len("custom:"))


def channels_of(event: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the channels that an event belongs to: one, or two for a named custom event."""
    method = event["method"]
    if method == "input.requested":
        return ("input",)
    if method == "custom":
        data = event["params"].get("data")
        name = data.get("name") if isinstance(data, Mapping) else None
        return ("custom", f"custom:{name}") if isinstance(name, str) and name else ("custom",)
    return (method,)


def is_within(namespace: Sequence[str], prefix: Namespace, depth: int | None) -> bool:
    """Return whether a namespace is a prefix itself, or at most `depth` segments below it."""
    if len(namespace) < len(prefix):
        return False
    if depth is not None and len(namespace) - len(prefix) > depth:
        return False
    return all(_same(own, wanted) for own, wanted in zip(namespace, prefix, strict=False))


def _same(segment: str, wanted: str) -> bool:
    return segment == wanted or (":" not in wanted and segment.partition(":")[0] == wanted)


def _reaches(
    own: Namespace, depth: int | None, wanted: Namespace, wanted_depth: int | None
) -> bool:
    if not is_within(wanted, own, None):
        return False
    if depth is None:
        return True
    return wanted_depth is not None and len(wanted) - len(own) + wanted_depth <= depth
