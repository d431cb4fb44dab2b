"""Convert chunks of streamed messages to the message events of a run stream (v3).

In a local graph, the models send such events themselves. Servers send chunks in the mode
"messages", so they are converted here, content block by content block.
"""

from __future__ import annotations

from collections.abc import Iterator

from langgraph_client.remote.aliases import Foreign, JsonObject
from langgraph_client.remote.compat import finish_reasons, finished_message, is_ai_chunk

_HEAVY = ("text", "reasoning", "args", "base64", "data", "value", "index", "annotations")
_DELTAS = {
    "text": ("text-delta", "text"),
    "reasoning": ("reasoning-delta", "reasoning"),
    "tool_call_chunk": ("tool-call-delta", "args"),
}


class _OpenMessage:
    """One message that is being streamed: its chunks, and its blocks' numbers."""

    def __init__(self, first: Foreign) -> None:
        self.chunks = [first]
        self._numbers: dict[object, int] = {}

    def begin(self) -> JsonObject:
        """Return the event that starts the message."""
        message_id = self.chunks[0].id
        return {"event": "message-start", "role": "ai", "id": message_id, "message_id": message_id}

    def blocks_of(self, chunk: Foreign) -> Iterator[JsonObject]:
        """Yield the events for the content of a chunk."""
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
        """Yield the events that end the message: each complete block, then usage and metadata."""
        message = finished_message(self.chunks)
        for number, block in enumerate(message.content_blocks):
            yield {"event": "content-block-finish", "index": number, "content": dict(block)}
        finish: JsonObject = {"event": "message-finish", **finish_reasons(message)}
        if message.usage_metadata:
            finish["usage"] = dict(message.usage_metadata)
        if message.response_metadata:
            finish["metadata"] = dict(message.response_metadata)
        if message.additional_kwargs:
            finish["additional_kwargs"] = dict(message.additional_kwargs)
        yield finish


class MessageEvents:
    """Converts the parts of a stream: message chunks become message events."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[_OpenMessage, JsonObject, JsonObject]] = {}

    def convert(self, part: JsonObject) -> Iterator[JsonObject]:
        """Yield a part itself, or the message events for a chunk of a message."""
        if part["type"] != "messages":
            # A step is over, so its messages are complete, even if no last chunk was marked.
            if part["type"] in ("values", "updates"):
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
            self._open[message.id][0].chunks.append(message)
        for event in self._open[message.id][0].blocks_of(message):
            yield {**part, "data": (event, metadata)}
        if getattr(message, "chunk_position", None) == "last":
            yield from self._end(message.id)

    def finish(self, namespace: object = None) -> Iterator[JsonObject]:
        """Yield the ends of open messages in one namespace; None for all namespaces."""
        for message_id, (_, part, _) in list(self._open.items()):
            if namespace is None or part["ns"] == namespace:
                yield from self._end(message_id)

    def _end(self, message_id: str) -> Iterator[JsonObject]:
        message, part, metadata = self._open.pop(message_id)
        for event in message.end():
            yield {**part, "data": (event, metadata)}


def _empty(block: JsonObject) -> JsonObject:
    """Return a block without the fields that are streamed, for the event that starts it."""
    kept = {name: value for name, value in block.items() if name not in _HEAVY}
    _, field = _DELTAS.get(block["type"], ("", ""))
    return {**kept, field: ""} if field else kept
