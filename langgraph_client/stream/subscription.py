"""Match events with subscriptions, for code that distributes events itself.

Filters are dicts as they are sent: `{"channels": [...], "namespaces": [[...]], "depth": 1}`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from langgraph_client._core.event_filter import CHANNELS, EventFilter, channels_of, is_within

__all__ = [
    "compute_union_filter",
    "filter_covers",
    "infer_channel",
    "is_prefix_match",
    "matches_subscription",
    "namespace_matches",
    "normalize_segment",
]


def normalize_segment(segment: str) -> str:
    """Return the node's name in a segment of a namespace: `"agent"` for `"agent:1f2e"`."""
    return segment.partition(":")[0]


def is_prefix_match(event_namespace: Sequence[str], prefix: Sequence[str]) -> bool:
    """Return whether a namespace is a prefix or below it.

    Args:
        event_namespace: The namespace of an event.
        prefix: The prefix. A segment without a colon matches every call of the node.
    """
    return is_within(event_namespace, tuple(prefix), None)


def namespace_matches(
    event_namespace: Sequence[str], prefixes: Iterable[Sequence[str]] | None, depth: int | None
) -> bool:
    """Return whether a namespace is below one of several prefixes.

    Args:
        event_namespace: The namespace of an event.
        prefixes: The prefixes; None or empty for all namespaces.
        depth: How many levels below a prefix are included; None for all.
    """
    wanted = [tuple(prefix) for prefix in prefixes or ()]
    return not wanted or any(is_within(event_namespace, prefix, depth) for prefix in wanted)


def infer_channel(event: Mapping[str, Any]) -> str | None:
    """Return the most specific channel of an event: `custom:progress`, not `custom`.

    Returns:
        None if this version does not know the channel.
    """
    if event.get("method") is None:
        return None
    channel = channels_of({"params": {}, **event})[-1]
    return channel if channel in CHANNELS or channel.startswith("custom:") else None


def matches_subscription(event: Mapping[str, Any], definition: Mapping[str, Any]) -> bool:
    """Return whether a subscription wants an event.

    Args:
        event: The event.
        definition: The filter.
    """
    params = event.get("params") or {}
    whole = {**event, "params": {"namespace": [], **params}}
    return infer_channel(event) is not None and _filter(definition).matches(whole)


def compute_union_filter(subscriptions: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a filter that passes at least what any of several filters passes.

    Args:
        subscriptions: The filters.
    """
    definitions = list(subscriptions)
    filters = [_filter(each) for each in definitions]
    channels = sorted({channel for each in filters for channel in each.channels})
    union: dict[str, Any] = {"channels": channels}
    namespaces = [each.namespaces for each in filters]
    prefixes = [prefix for several in namespaces for prefix in several or ()]
    if prefixes and None not in namespaces:
        union["namespaces"] = [list(prefix) for prefix in dict.fromkeys(prefixes)]
    depths = [each["depth"] for each in definitions if each.get("depth") is not None]
    if depths and len(depths) == len(definitions):
        union["depth"] = max(depths)
    return union


def filter_covers(coverer: Mapping[str, Any], target: Mapping[str, Any]) -> bool:
    """Return whether a filter passes all that another one passes.

    Args:
        coverer: The filter that may be enough.
        target: The other one.
    """
    return _filter(coverer).covers(_filter(target))


def _filter(definition: Mapping[str, Any]) -> EventFilter:
    """Return a filter from its form on the wire.

    An empty list of namespaces is none, and without one `depth` does nothing.
    """
    prefixes = tuple(tuple(prefix) for prefix in definition.get("namespaces") or ()) or None
    depth = None if prefixes is None else definition.get("depth")
    return EventFilter(frozenset(definition.get("channels") or ()), prefixes, depth)
