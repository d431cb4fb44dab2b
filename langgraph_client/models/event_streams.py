"""The shapes of event streaming on the wire."""

from __future__ import annotations

from typing import Literal, NotRequired, Required, TypeAlias, TypedDict

from langgraph_client.models.fields import JSON

Channel: TypeAlias = str
"""The name of a channel: `values`, `messages`, … or `custom:<name>`."""

Namespace: TypeAlias = list[str]
"""Where in a graph something happened: empty for the root, one segment for each subgraph below."""


class EventParams(TypedDict):
    """What an event says.

    Attributes:
        namespace: The graph in which it happened.
        timestamp: When, in milliseconds since the epoch.
        data: What happened; its shape is the channel's.
        node: The node, on `updates` of older runs.
    """

    namespace: Namespace
    timestamp: int
    data: JSON
    node: NotRequired[str]


class Event(TypedDict):
    """One event of a thread.

    Attributes:
        type: Always `event`.
        event_id: Tells repeated events.
        seq: Its number on the thread.
        method: The name of its channel, but `input.requested` for the channel `input`.
        params: What it says.
    """

    type: Literal["event"]
    event_id: str
    seq: int
    method: str
    params: EventParams


class SubscribeParams(TypedDict, total=False):
    """Which events a reader wants.

    Attributes:
        channels: At least one.
        namespaces: Only below these prefixes.
        depth: How many levels below a prefix.
        since: Only events with greater numbers.
    """

    channels: Required[list[Channel]]
    namespaces: list[Namespace]
    depth: int
    since: int
