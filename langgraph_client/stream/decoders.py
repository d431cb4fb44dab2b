"""Events of a thread to what they say, for code that reads the events itself.

A decoder is fed one event after the other, and gives what each of them brings: nothing, mostly.
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
    """What all decoders do."""

    def feed(self, event: Mapping[str, Any]) -> Iterable[Any]:
        """Return what an event brings."""
        ...


class DataDecoder:
    """The data of the events of one method.

    Args:
        method: Such as `"values"`.
        namespace: Of which graph; None for all.
    """

    def __init__(self, method: str, namespace: Sequence[str] | None = None) -> None:
        self._method = method
        self._namespace = None if namespace is None else list(namespace)

    def feed(self, event: Mapping[str, Any]) -> Iterable[Any]:
        """Return the data of an event, if it is one of those wanted and has data."""
        params = event.get("params") or {}
        if event.get("method") != self._method or params.get("data") is None:
            return []
        is_wanted = self._namespace in (None, list(params.get("namespace") or ()))
        return [params["data"]] if is_wanted else []


class ExtensionsDecoder:
    """What nodes wrote to one named channel, `{"name": ..., ...}`.

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
        """Return what an event brings to the channel."""
        return [
            data
            for data in self._data.feed(event)
            if isinstance(data, Mapping) and data.get("name") == self._name
        ]


class MessagesDecoder:
    """The messages of one graph, each as an object that gets the events of that message.

    Args:
        namespace: Of which graph.
        stream_factory: Makes the object, from `namespace`, `node` and `message_id`, as
            langchain-core's `ChatModelStream` and `AsyncChatModelStream` do.
    """

    def __init__(
        self, namespace: Sequence[str], stream_factory: Callable[..., MessageSink]
    ) -> None:
        self._data = DataDecoder("messages", namespace)
        self._scope = Scope(tuple(namespace))
        self._make = stream_factory

    def feed(self, event: Mapping[str, Any]) -> Iterable[MessageSink]:
        """Return the message that an event begins; give the event to its message."""
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
        begun, messages[:] = list(messages), []  # Kept no longer than until they are handed out.
        self._scope.arrivals.items.clear()
        return begun
