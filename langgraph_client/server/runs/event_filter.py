"""Filter the events of the v3 stream by channel, namespace and depth. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from langgraph_client.models.fields import JsonMapping

T = TypeVar("T")

CHANNELS = (
    "values",
    "updates",
    "messages",
    "tools",
    "custom",
    "lifecycle",
    "input",
    "checkpoints",
    "tasks",
)


MAX_NAMESPACES = 1000
"""The most namespaces of a filter, as each new name of an event is compared with all of them."""


def event_name(channel: str, namespace: Sequence[str]) -> str:
    """Return the name under which the log stores an event. `parts_of` takes it apart."""
    return "|".join(part.replace("%", "%25").replace("|", "%7C") for part in (channel, *namespace))


def parts_of(name: str) -> tuple[str, list[str]]:
    """Return the channel and the namespace of an event's name."""
    channel, *namespace = (part.replace("%7C", "|").replace("%25", "%") for part in name.split("|"))
    return channel, namespace


class CachedByName(Generic[T]):
    """A cache of a function of an event's name, because most events have one of few names.

    Args:
        compute: The function.
    """

    _MAX_NAMES = 10_000  # Each call of a subgraph has new names, so the cache is bounded.

    def __init__(self, compute: Callable[[str], T]) -> None:
        self._compute = compute
        self._known: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        try:
            return self._known[name]
        except KeyError:
            if len(self._known) >= self._MAX_NAMES:
                self._known.clear()
            value = self._known[name] = self._compute(name)
            return value


def unknown_channels(channels: Sequence[object]) -> list[object]:
    """Return the channels of a request that do not exist."""
    return [name for name in channels if not _is_channel(name)]


def _is_channel(name: object) -> bool:
    return name in CHANNELS or (
        isinstance(name, str) and name.startswith("custom:") and name != "custom:"
    )


def has_many_namespaces(request: JsonMapping) -> bool:
    """Return whether a request has more than `MAX_NAMESPACES`."""
    namespaces = request.get("namespaces")
    return isinstance(namespaces, list) and len(namespaces) > MAX_NAMESPACES


@dataclass(frozen=True)
class EventFilter:
    """The events that one reader wants.

    Attributes:
        channels: The channels.
        namespaces: Prefixes of namespaces. A segment without a colon matches any task of that node.
        depth: How many segments may follow a prefix; None for any number.
    """

    channels: frozenset[str]
    namespaces: tuple[tuple[str, ...], ...] = ((),)
    depth: int | None = None

    @classmethod
    def of(cls, request: JsonMapping) -> EventFilter:
        """Return the filter of a request whose channels have been checked.

        Like on the real server, invalid namespaces and depths are ignored.
        """
        namespaces = request.get("namespaces")
        prefixes = tuple(
            tuple(prefix)
            for prefix in (namespaces if isinstance(namespaces, list) else ())
            if isinstance(prefix, list) and all(isinstance(part, str) for part in prefix)
        )
        depth = request.get("depth")
        is_depth = isinstance(depth, int) and not isinstance(depth, bool) and depth >= 0
        return cls(frozenset(request["channels"]), prefixes or ((),), depth if is_depth else None)

    def wants(self, name: str) -> bool:
        """Return whether the reader wants events of this name."""
        channel, namespace = parts_of(name)
        if channel not in self.channels and channel.partition(":")[0] not in self.channels:
            return False
        return any(self._fits(namespace, prefix) for prefix in self.namespaces)

    def _fits(self, namespace: Sequence[str], prefix: Sequence[str]) -> bool:
        further = len(namespace) - len(prefix)
        if further < 0 or (self.depth is not None and further > self.depth):
            return False
        return all(
            part == wanted or (":" not in wanted and part.partition(":")[0] == wanted)
            for part, wanted in zip(namespace, prefix, strict=False)
        )
