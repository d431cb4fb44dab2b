"""Convert a compiled graph's stream to the events of a run's stream modes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from langchain_core.messages import message_chunk_to_message

from langgraph_client.server.graphs.message_ids import give_ids
from langgraph_client.server.graphs.protocol import Item
from langgraph_client.server.graphs.stream_events import (
    MessageEvents,
    event_data,
    message_metadata,
)
from langgraph_client.values import MESSAGE_EVENTS


class ModeItems:
    """Converts what a graph streams to the events of a run's stream modes.

    Args:
        modes: The modes, by langgraph's names.
        message_channels: The channels whose messages get ids; see `give_ids`.
        as_tuples: Whether the messages are pairs of a message, or of its chunk, and its metadata.
    """

    def __init__(
        self, modes: Collection[str], message_channels: frozenset[str], *, as_tuples: bool
    ) -> None:
        self._modes = modes
        self._message_channels = message_channels
        self._messages = None if as_tuples else MessageEvents(message_chunk_to_message)
        # All chunks of a message have the same metadata object, so it is converted only once.
        self._last_metadata: object = None
        self._metadata: object = None

    def of(self, namespace: tuple[str, ...], mode: str, data: Any) -> list[Item]:
        """Return the events for one part of the stream."""
        if mode == "messages":
            message, metadata = data
            if metadata is not self._last_metadata:
                self._metadata, self._last_metadata = message_metadata(metadata), metadata
            if self._messages is not None:
                return self._messages.events(message, self._metadata)
            data = message, self._metadata
        elif mode not in self._modes and mode != MESSAGE_EVENTS:
            return []
        name = f"{mode}|{'|'.join(namespace)}" if namespace else mode
        if name == "updates":
            give_ids(data, self._message_channels)
        elif name in ("tasks", "debug"):
            task = data.get("payload", data)
            if "result" in task:
                give_ids({task["name"]: task["result"]}, self._message_channels)
        return [(name, event_data(mode, data))]
