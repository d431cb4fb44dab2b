"""The chunks of streamed messages, as the events of which event streaming makes messages.

A local graph's models send such events themselves while a run stream is read. Servers send chunks
in the mode "messages"; so they are turned into events here, block by block.
"""

from __future__ import annotations

from collections.abc import Iterator

from langgraph_client.models.fields import JsonObject
from langgraph_client.remote.aliases import Foreign
from langgraph_client.remote.compat import finished_message, is_ai_chunk

_HEAVY = ("text", "reasoning", "args", "base64", "data", "value", "index", "annotations")
_DELTAS = {
    "text": ("text-delta", "text"),
    "reasoning": ("reasoning-delta", "reasoning"),
    "tool_call_chunk": ("tool-call-delta", "args"),
}


class _OpenMessage:
    """One message that is being streamed: its blocks by the model's own keys, and all so far."""

    def __init__(self, first: Foreign) -> None:
        self.chunk = first
        self._numbers: dict[object, int] = {}

    def begin(self) -> JsonObject:
        """Return the event with which it starts."""
        message_id = self.chunk.id
        return {"event": "message-start", "role": "ai", "id": message_id, "message_id": message_id}

    def blocks_of(self, chunk: Foreign) -> Iterator[JsonObject]:
        """Return the events of what a chunk adds."""
        for block in chunk.content_blocks:
            kind = block["type"]
            key = block.get("index", kind)
            number = self._numbers.get(key)
            if number is None:
                number = self._numbers[key] = len(self._numbers)
                yield {"event": "content-block-start", "index": number, "content": _empty(block)}
            name, field = _DELTAS.get(kind, ("", ""))
            if piece := block.get(field):
                delta = {"type": name, field: piece}
                yield {"event": "content-block-delta", "index": number, "delta": delta}

    def end(self) -> Iterator[JsonObject]:
        """Return the events with which it is over: each block as a whole, and the rest."""
        message = finished_message(self.chunk)
        for number, block in enumerate(message.content_blocks):
            yield {"event": "content-block-finish", "index": number, "content": dict(block)}
        finish: JsonObject = {"event": "message-finish"}
        if message.usage_metadata:
            finish["usage"] = dict(message.usage_metadata)
        if message.response_metadata:
            finish["metadata"] = dict(message.response_metadata)
        if message.additional_kwargs:
            finish["additional_kwargs"] = dict(message.additional_kwargs)
        yield finish


class MessageEvents:
    """Turns the parts of a stream into those that a run stream reads messages from."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[_OpenMessage, JsonObject, JsonObject]] = {}

    def convert(self, part: JsonObject) -> Iterator[JsonObject]:
        """Return a part, or, for a chunk of a message, the parts that stand for it."""
        if part["type"] != "messages":
            if part["type"] in ("values", "updates"):  # A step is over, and with it its messages.
                yield from self.finish(part["ns"])
            yield part
            return
        message, metadata = part["data"]
        if not is_ai_chunk(message):
            yield part
            return
        metadata = {**metadata, "run_id": message.id}
        if message.id not in self._open:
            self._open[message.id] = (_OpenMessage(message), part, metadata)
            yield {**part, "data": (self._open[message.id][0].begin(), metadata)}
        else:
            self._open[message.id][0].chunk += message
        for event in self._open[message.id][0].blocks_of(message):
            yield {**part, "data": (event, metadata)}
        if getattr(message, "chunk_position", None) == "last":
            yield from self._end(message.id)

    def finish(self, namespace: object = None) -> Iterator[JsonObject]:
        """End the messages that are still open: in one namespace, or all."""
        for message_id, (_, part, _) in list(self._open.items()):
            if namespace is None or part["ns"] == namespace:
                yield from self._end(message_id)

    def _end(self, message_id: str) -> Iterator[JsonObject]:
        message, part, metadata = self._open.pop(message_id)
        for event in message.end():
            yield {**part, "data": (event, metadata)}


def _empty(block: JsonObject) -> JsonObject:
    """Return a block as it begins: what tells it, without what is streamed."""
    kept = {name: value for name, value in block.items() if name not in _HEAVY}
    _, field = _DELTAS.get(block["type"], ("", ""))
    return {**kept, field: ""} if field else kept
