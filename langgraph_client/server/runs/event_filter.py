"""Which events of the v3 stream a reader wants: channels, namespaces, depth. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

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


def event_name(channel: str, namespace: Sequence[str]) -> str:
    """Return the name under which the log keeps an event."""
    return "|".join((channel, *namespace))


class PerName(Generic[T]):
    """What is known by an event's name, worked out once for each: most events have one of few.

    Args:
        work_out: Returns it.
    """

    _MOST = 10_000  # Each call of a subgraph has names of its own; they are not kept for ever.

    def __init__(self, work_out: Callable[[str], T]) -> None:
        self._work_out = work_out
        self._known: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        try:
            return self._known[name]
        except KeyError:
            if len(self._known) >= self._MOST:
                self._known.clear()
            made = self._known[name] = self._work_out(name)
            return made


def unknown_channels(channels: Sequence[Any]) -> list[Any]:
    """Return those of a request's channels that there are not."""
    return [name for name in channels if not _is_channel(name)]


def _is_channel(name: Any) -> bool:
    return name in CHANNELS or (
        isinstance(name, str) and name.startswith("custom:") and name != "custom:"
    )


@dataclass(frozen=True)
class EventFilter:
    """What one reader wants.

    Attributes:
        channels: The channels.
        namespaces: Prefixes of namespaces. A segment without a colon is the name of a node.
        depth: How many segments may follow a prefix; None for any number.
    """

    channels: frozenset[str]
    namespaces: tuple[tuple[str, ...], ...] = ((),)
    depth: int | None = None

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> EventFilter:
        """Return the filter of a request whose channels have been checked.

        Namespaces and depths that cannot be read are ignored, as real servers do it.
        """
        given = request.get("namespaces")
        prefixes = tuple(
            tuple(prefix)
            for prefix in (given if isinstance(given, list) else ())
            if isinstance(prefix, list) and all(isinstance(part, str) for part in prefix)
        )
        depth = request.get("depth")
        is_depth = isinstance(depth, int) and not isinstance(depth, bool) and depth >= 0
        return cls(frozenset(request["channels"]), prefixes or ((),), depth if is_depth else None)

    def wants(self, name: str) -> bool:
        """Return whether an event of this name passes."""
        channel, *namespace = name.split("|")
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
