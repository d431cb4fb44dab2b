"""The part of a run inside a parent graph that the parent sees: events and interrupts. No I/O."""

from __future__ import annotations

from collections.abc import Iterable

from langgraph_client._core.event_filter import Namespace
from langgraph_client.remote.aliases import Foreign, GraphValue, JsonObject, Reply
from langgraph_client.remote.compat import Interrupt, is_ai_chunk, pause
from langgraph_client.remote.decode import INTERRUPT
from langgraph_client.remote.message_events import MessageEvents
from langgraph_client.remote.nested import Nested
from langgraph_client.remote.stream_around import StreamAround


class ParentStream:
    """Passes the events of one run to the parent graph: call `pass_on` for each, then `finish`.

    Args:
        nested: The call inside the parent graph; or the streams around a call that is no subgraph,
            for which `flush` takes the place of `finish`.
    """

    def __init__(self, nested: Nested | StreamAround) -> None:
        self._nested = nested
        #: Converts chunks of messages if the parent streams their events.
        self._message_events = MessageEvents() if nested.wants_message_events else None
        self._interrupts: dict[str, Interrupt] = {}
        self._has_paused = False
        #: The ids of messages of this run that the parent had not streamed before.
        self._new: set[str] = set()

    @property
    def interrupts(self) -> tuple[Interrupt, ...]:
        """The interrupts at which the run has paused."""
        return tuple(self._interrupts.values())

    def pass_on(self, ns: Namespace, mode: str, payload: GraphValue) -> None:
        """Add an event to the parent's stream, if that has such events, and note its interrupts."""
        nested = self._nested
        # An empty `__interrupt__` means a stop at a node of `interrupt_before` or `_after`. The
        # parent graph reports its own stop, so this event would be a second one.
        if nested.emit is not None and mode in nested.modes and payload != {INTERRUPT: ()}:
            if mode == "messages" and (message_id := _id_of(payload[0])) is not None:
                # The chunks of one message have one id: only a whole message can be a repetition.
                if self._was_streamed(message_id) and not _is_part(payload[0]):
                    return
                self.note_seen([message_id])
            part: JsonObject = {"type": mode, "ns": ns, "data": payload}
            for event in self._message_events.convert(part) if self._message_events else (part,):
                self._emit(event)
        if not ns and mode in ("values", "updates") and isinstance(payload, dict):
            self.note_interrupts(payload)

    def note_seen(self, message_ids: Iterable[str]) -> None:
        """Note messages that the parent must not stream when the node returns them."""
        for message_id in message_ids:
            # Before the id is added to `streamed`, which makes it look streamed elsewhere.
            if not self._was_streamed(message_id):
                self._new.add(message_id)
            for streamed in self._nested.streamed:
                streamed.add(message_id)

    def _was_streamed(self, message_id: str) -> bool:
        """Return whether the parent has a message from elsewhere, such as from an earlier call."""
        streamed = self._nested.streamed
        is_known = bool(streamed) and all(message_id in each for each in streamed)
        return is_known and message_id not in self._new

    def is_only_of_a_root(self, ns: Namespace, mode: str, payload: GraphValue) -> bool:
        """Return whether a local subgraph would not stream an event.

        A graph that has paused, and is no subgraph, streams its state once more, with the writes of
        the nodes beside the one that asks (seen in langgraph 1.2).
        """
        has_state = not (isinstance(payload, dict) and INTERRUPT in payload)
        return self._has_paused and not ns and mode == "values" and has_state

    def note_interrupts(self, payload: Reply) -> None:
        """Note the interrupts in a payload."""
        # `__interrupt__` may be empty: the graph stopped at a node of `interrupt_before`.
        self._has_paused = self._has_paused or INTERRUPT in payload
        self._interrupts.update({each.id: each for each in payload.get(INTERRUPT, ())})

    def forget_interrupts(self) -> None:
        """Note that the run goes on at its interrupts."""
        self._has_paused, self._interrupts = False, {}

    def finish(self) -> None:
        """Note that all events were read.

        Raises:
            GraphInterrupt: The run has paused, so the parent graph must be interrupted too.
        """
        self.flush()
        if self._has_paused:
            raise pause(self.interrupts)

    def flush(self) -> None:
        """Pass on what has been kept back of messages."""
        if self._message_events is not None:
            for event in self._message_events.finish():
                self._emit(event)

    def _emit(self, event: JsonObject) -> None:
        nested = self._nested
        if nested.emit is not None:
            nested.emit(((*nested.namespace, *event["ns"]), event["type"], event["data"]))


def _is_part(message: Foreign) -> bool:
    """Return whether this is a chunk of a message, or an event of one."""
    if isinstance(message, dict):
        return "event" in message or message.get("type") == "AIMessageChunk"
    return is_ai_chunk(message)


def _id_of(message: Foreign) -> str | None:
    return message.get("id") if isinstance(message, dict) else message.id
