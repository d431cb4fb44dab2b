"""The shapes of event streaming on the wire."""

from __future__ import annotations

from typing import Literal, NotRequired, Required, TypeAlias, TypedDict

from langgraph_client.models.fields import JSON

Channel: TypeAlias = str
"""The name of a channel: `values`, `messages`, … or `custom:<name>`."""

Namespace: TypeAlias = list[str]
"""The path of a graph in its run: empty for the root, one segment for each subgraph below."""


class EventParams(TypedDict):
    """The parameters of an event.

    Attributes:
        namespace: The graph in which the event happened.
        timestamp: The time, in milliseconds since the epoch.
        data: The event's data; its shape depends on the channel.
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
        event_id: The event's id. A repeated event has the same one.
        seq: The event's number on the thread.
        method: The name of its channel, except `input.requested` for the channel `input`.
        params: The event's parameters.
    """

    type: Literal["event"]
    event_id: str
    seq: int
    method: str
    params: EventParams


class SubscribeParams(TypedDict, total=False):
    """The events that a reader requests.

    Attributes:
        channels: The channels; at least one.
        namespaces: Only events below these prefixes.
        depth: Only events at most this many levels below a prefix.
        since: Only events with greater numbers.
    """

    channels: Required[list[Channel]]
    namespaces: list[Namespace]
    depth: int
    since: int
