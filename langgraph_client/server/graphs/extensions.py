"""Send a RemoteGraph the items of the transformers that a graph was compiled with.

A run of the event protocol has them in its multiplexer; see `protocol_stream`. A RemoteGraph uses
run streams, where these items are additional events.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from langgraph.stream import StreamChannel
from langgraph.stream._convert import convert_to_protocol_event
from langgraph.stream._mux import StreamMux

from langgraph_client.models.fields import JsonObject
from langgraph_client.server.encoding import NotJsonError
from langgraph_client.server.graphs.protocol_events import INTERRUPT
from langgraph_client.server.storage.protocol import Document
from langgraph_client.server.typed_values import enclosed
from langgraph_client.values import MESSAGE_EVENTS


class Extensions(StreamMux):
    """The transformers of one run, in the scope of the root graph.

    Args:
        graph: The compiled graph.
    """

    def __init__(self, graph: Any) -> None:
        # Before the base class, whose `__init__` calls `_bind_and_wire`.
        self._keys: list[str] = []
        self._pushed: list[Document] = []
        super().__init__(factories=list(graph.stream_transformers), is_async=True)
        self._pushed.insert(0, {"channels": self._keys})

    @property
    def modes(self) -> list[str]:
        """The stream modes that the transformers need."""
        return [mode for t in self._transformers for mode in t.required_stream_modes]

    def _bind_and_wire(self, projection: dict[str, object], *, native: bool = False) -> None:
        super()._bind_and_wire(projection, native=native)
        for key, channel in projection.items():
            if isinstance(channel, StreamChannel):
                self._keys.append(key)
                # langgraph's own projections are skipped: the caller creates them from the stream.
                channel._wire(partial(self._note, key, None if native else channel.name))

    def _note(self, key: str, name: str | None, item: Any) -> None:
        if _can_be_sent(item):
            self._pushed.append({"key": key, "name": name, "item": item})

    async def see(self, namespace: tuple[str, ...], mode: str, data: object) -> None:
        """Pass a part of the graph's stream to the transformers."""
        method = "messages" if mode == MESSAGE_EVENTS else mode
        part: JsonObject = {"type": method, "ns": namespace, "data": data}
        if mode == "values":
            part["interrupts"] = ()
            if isinstance(data, dict) and INTERRUPT in data:
                part["interrupts"] = data[INTERRUPT]
                part["data"] = {key: value for key, value in data.items() if key != INTERRUPT}
        event = convert_to_protocol_event(part)
        for transformer in self._transformers:
            await transformer.aprocess(event)

    def take(self) -> list[Document]:
        """Return the items since the last call. The first call returns the list of channels."""
        pushed, self._pushed = self._pushed, []
        return pushed


def _can_be_sent(item: object) -> bool:
    """Return whether an item is a value, and not a live object such as a tool call's stream.

    Graphs of langchain's `create_agent` push such objects for readers in the same process.
    """
    try:
        enclosed(item)
    except NotJsonError:
        return False
    return True
