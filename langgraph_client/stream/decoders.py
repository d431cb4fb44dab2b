"""Decode the events of a thread, for code that reads the events itself.

A decoder gets one event after the other, and returns the items in each: usually none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol

from langgraph_client._core.event_filter import NO_PROJECTIONS, PROJECTIONS, check_projections
from langgraph_client._core.run_log import MessageSink, Scope

__all__ = [
    "RESERVED_INTERLEAVE_CHANNELS",
    "SUPPORTED_INTERLEAVE_CHANNELS",
    "DataDecoder",
    "Decoder",
    "ExtensionsDecoder",
    "MessagesDecoder",
    "SubgraphStatus",
    "validate_interleave_channels",
]

SubgraphStatus = Literal["started", "completed", "failed", "interrupted"]

SUPPORTED_INTERLEAVE_CHANNELS = PROJECTIONS
RESERVED_INTERLEAVE_CHANNELS = NO_PROJECTIONS
validate_interleave_channels = check_projections


class Decoder(Protocol):
    """The interface of all decoders."""

    def feed(self, event: Mapping[str, Any]) -> Iterable[Any]:
        """Return the items in an event."""
        ...


class DataDecoder:
    """Returns the data of the events of one method.

    Args:
        method: The method, such as `"values"`.
        namespace: The namespace of the graph; None for all.
    """

    def __init__(self, method: str, namespace: Sequence[str] | None = None) -> None:
        self._method = method
        self._namespace = None if namespace is None else list(namespace)

    def feed(self, event: Mapping[str, Any]) -> Iterable[Any]:
        """Return the data of an event if it is wanted and has data."""
        params = event.get("params") or {}
        if event.get("method") != self._method or params.get("data") is None:
            return []
        is_wanted = self._namespace in (None, list(params.get("namespace") or ()))
        return [params["data"]] if is_wanted else []


class ExtensionsDecoder:
    """Returns the items that nodes wrote to one named channel, `{"name": ..., ...}`.

    Args:
        name: The channel.

    Raises:
        ValueError: The name is empty.
    """

    def __init__(self, name: str) -> None:
        if not name:
            raise ValueError("the name of an extension must be non-empty")
        self._name = name
        self._data = DataDecoder("custom")

    def feed(self, event: Mapping[str, Any]) -> Iterable[Any]:
        """Return the channel's item in an event."""
        return [
            data
            for data in self._data.feed(event)
            if isinstance(data, Mapping) and data.get("name") == self._name
        ]


class MessagesDecoder:
    """Returns the messages of one graph, each as an object that gets the message's events.

    Args:
        namespace: The namespace of the graph.
        stream_factory: Creates the object from `namespace`, `node` and `message_id`, like
            langchain-core's `ChatModelStream` and `AsyncChatModelStream`.
    """

    def __init__(
        self, namespace: Sequence[str], stream_factory: Callable[..., MessageSink]
    ) -> None:
        self._data = DataDecoder("messages", namespace)
        self._scope = Scope(tuple(namespace))
        self._make = stream_factory

    def feed(self, event: Mapping[str, Any]) -> Iterable[MessageSink]:
        """Give an event to its message; return the message if the event begins it."""
        for data in self._data.feed(event):
            if isinstance(data, Mapping):
                return self._feed(data)
        return []

    def _feed(self, data: Mapping[str, Any]) -> list[MessageSink]:
        node = (data.get("metadata") or {}).get("langgraph_node")
        messages = self._scope.messages.items
        self._scope.feed_message(
            data,
            lambda namespace, message_id: self._make(
                namespace=list(namespace), node=node, message_id=message_id
            ),
        )
        begun, messages[:] = list(messages), []  # Messages that were returned are not kept.
        self._scope.arrivals.items.clear()
        return begun
