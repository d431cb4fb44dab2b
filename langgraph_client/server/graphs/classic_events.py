"""Convert the raw events of a run of the event protocol (v3) to events of run streams. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from langgraph_client.models.fields import JsonMapping, JsonObject
from langgraph_client.server.graphs.protocol_events import INTERRUPT, Namespace, RawEvent

_DELTAS = {"text-delta": "text", "reasoning-delta": "reasoning"}
_CALL_FIELDS = ("name", "args", "id")
_REASONS = ("finish_reason", "normalized_finish_reason", "finish_state")


class ClassicEvents:
    """Converts raw events to the events of `GET .../stream`."""

    def __init__(self) -> None:
        self._messages: dict[tuple[Namespace, str], _Message] = {}

    def take(self, events: Iterable[RawEvent], *, is_watched: bool) -> Iterator[tuple[str, object]]:
        """Yield events.

        Args:
            events: The raw events.
            is_watched: Whether the stream has a reader. If not, messages are left out.
        """
        for event in events:
            if event.method == "messages":
                if is_watched and isinstance(event.data, dict):
                    yield from self._message(event)
                continue
            name = "|".join((event.method, *event.namespace))
            if event.method == "values":
                yield name, _with_questions(event)
            elif event.method in ("updates", "custom", "tasks", "checkpoints"):
                yield name, event.data

    def _message(self, event: RawEvent) -> Iterator[tuple[str, object]]:
        data, key = event.data, (event.namespace, event.model_run)
        kind = data.get("event")
        if kind == "message-start":
            self._messages[key] = _Message(str(data.get("id") or event.model_run))
        message = self._messages.get(key)
        if message is None:
            return  # The message started before the stream had a reader.
        if kind == "message-finish":
            del self._messages[key]
            yield "messages/complete", [message.document(data)]
        elif message.add(data):
            yield "messages/partial", [message.document({})]


def _with_questions(event: RawEvent) -> object:
    """Return the values of a snapshot, with its interrupts."""
    waiting = {INTERRUPT: list(event.interrupts)} if event.interrupts else {}
    return {**event.data, **waiting} if isinstance(event.data, Mapping) else event.data


class _Message:
    """A message that is being streamed."""

    def __init__(self, message_id: str) -> None:
        self._id = message_id
        self._blocks: dict[int, JsonObject] = {}

    def add(self, data: JsonMapping) -> bool:
        """Add an event of the message. Return whether the message has more content now."""
        index, delta = data.get("index", 0), data.get("delta") or {}
        if data.get("event") in ("content-block-start", "content-block-finish"):
            self._blocks[index] = dict(data.get("content") or {})
            return False
        field = _DELTAS.get(delta.get("type", ""))
        block = self._blocks.get(index)
        if field is None or block is None:
            return False
        block[field] = block.get(field, "") + delta.get(field, "")
        return True

    def document(self, finish: JsonMapping) -> dict[str, object]:
        """Return the message so far."""
        blocks = [self._blocks[index] for index in sorted(self._blocks)]
        is_text = all(block.get("type") == "text" for block in blocks)
        text = "".join(block.get("text", "") for block in blocks)
        # As in the finished message, corrected reasons replace the provider's.
        reasons = {name: finish[name] for name in _REASONS if finish.get(name) is not None}
        return {
            "content": text if is_text else blocks,
            "additional_kwargs": finish.get("additional_kwargs") or {},
            "response_metadata": {**(finish.get("metadata") or {}), **reasons},
            "type": "ai",
            "name": None,
            "id": self._id,
            "tool_calls": [
                {**{field: block.get(field) for field in _CALL_FIELDS}, "type": "tool_call"}
                for block in blocks
                if block.get("type") == "tool_call"
            ],
            "invalid_tool_calls": [],
            "usage_metadata": finish.get("usage"),
        }
