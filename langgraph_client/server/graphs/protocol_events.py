"""Create the events of the v3 stream from a run's events. No I/O, no time.

A run that was started by the event protocol gives `RawEvent`s, from langgraph's stream multiplexer.
Any other run gives events of run streams, which are converted to v3 events as far as its stream
modes contain the information.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from langgraph_client.models.fields import JsonMapping, JsonObject
from langgraph_client.server.encoding import decode, encode

PROTOCOL = "event_protocol"
"""The mark of a run that was started by the event protocol, in its kwargs."""
RAW = "protocol"
"""The name of an item of such a run: a list of raw events that were produced together."""
INTERRUPT = "__interrupt__"
ENDS = ("completed", "failed", "interrupted")
Namespace = tuple[str, ...]

_TYPES = {"user": "human", "assistant": "ai", "AIMessageChunk": "ai", "HumanMessageChunk": "human"}
_MESSAGES = {"human", "ai", "system", "tool", "function", "remove", *_TYPES}
_BLOCKS = {
    "text",
    "reasoning",
    "tool_call",
    "tool_call_chunk",
    "invalid_tool_call",
    "server_tool_call",
    "server_tool_call_chunk",
    "server_tool_result",
    "image",
    "audio",
    "video",
    "file",
    "non_standard",
}


class RawEvent(NamedTuple):
    """An event of langgraph's multiplexer.

    Attributes:
        method: The channel; `custom:<name>` for a named one.
        interrupts: The interrupts, if it is a snapshot of values.
        model_run: The id of the model call that a message event belongs to.
    """

    method: str
    namespace: Namespace
    data: Any
    interrupts: Sequence[object] = ()
    model_run: str = ""


class ProtocolEvent(NamedTuple):
    """An event without number, id and time, which the log adds.

    Attributes:
        channel: The channel, which is the method of most events; `custom:<name>` for a named one,
            `lifecycle:<event>` for lifecycle events of the root.
        key: The end of an id that does not depend on the log; None for an id from the log.
    """

    channel: str
    namespace: Namespace
    data: object
    key: str | None = None


class ProtocolEvents:
    """Creates the protocol events of one run.

    Args:
        graph_name: The name of the run's graph.
    """

    def __init__(self, graph_name: str) -> None:
        self._graph_name = graph_name
        self._open: dict[Namespace, str] = {}
        self._seen: set[Namespace] = set()
        self._sent_interrupts: set[str] = set()
        #: The text so far of each open message of a run stream, by its id.
        self._texts: dict[str, str] = {}
        self._message_ids: dict[tuple[Namespace, str], str] = {}

    @property
    def asked(self) -> bool:
        """Whether the run has sent an interrupt."""
        return bool(self._sent_interrupts)

    def begin(self) -> ProtocolEvent:
        """Return the first event of the run."""
        return self._root("running")

    def resume(self, params: JsonMapping) -> None:
        """Note a lifecycle event of this run from an earlier process."""
        namespace, data = tuple(params["namespace"]), params["data"]
        if namespace and data["event"] == "started":
            self._seen.add(namespace)
            self._open[namespace] = data.get("graph_name", "")
        elif namespace:
            self._open.pop(namespace, None)

    def take(self, name: str, data: Any) -> Iterator[ProtocolEvent]:
        """Yield the protocol events for one event of the graph, or for a list of raw ones."""
        if name == RAW:
            for event in data:
                if event.method != "messages":
                    yield from _RAW.get(event.method, ProtocolEvents._other)(self, event)
                elif isinstance(event.data, dict):  # Otherwise a whole message: `values` has it.
                    yield self._raw_message(event)
            return
        mode, *namespace = name.split("|")
        if mode in _CLASSIC:
            # Run streams do not mark the last chunk of a message. At the next state all nodes of
            # the step are over, so no message goes on. Events of other kinds come in between.
            if mode == "values" and not namespace:
                yield from self._finished_messages()
            yield from self._entered(tuple(namespace))
            yield from _CLASSIC[mode](self, tuple(namespace), _plain(data))

    def end(
        self, event: str, error: str | None = None, reason: str | None = None
    ) -> Iterator[ProtocolEvent]:
        """Yield the events that end the run: open subgraphs, the deepest first, then the root.

        Args:
            event: `completed`, `failed` or `interrupted`.
            error: The exception's message; None without an error.
            reason: Why it was interrupted, if not by `interrupt()`; else None.
        """
        yield from self._finished_messages()
        for namespace in sorted(self._open, key=len, reverse=True):
            below = "completed" if event == "interrupted" and reason is None else event
            yield self._ended(namespace, below, error)
        self._open.clear()
        yield self._root(event, error, reason)

    def _root(
        self, event: str, error: str | None = None, reason: str | None = None
    ) -> ProtocolEvent:
        data = {"event": event, "graph_name": self._graph_name}
        if error is not None:
            data["error"] = error
        if reason is not None:
            data["reason"] = reason
        return ProtocolEvent(f"lifecycle:{event}", (), data, f"lc||{event}")

    def _ended(self, namespace: Namespace, event: str, error: str | None) -> ProtocolEvent:
        data = {"event": event, "graph_name": self._open.get(namespace, "")}
        if error is not None and event == "failed":
            data["error"] = error
        key = "lc|{}|{}".format("\0".join(namespace), event)
        return ProtocolEvent("lifecycle", namespace, data, key)

    def _interrupt_events(self, namespace: Namespace, interrupts: Any) -> Iterator[ProtocolEvent]:
        for interrupt in interrupts:
            interrupt_id = interrupt.get("id")
            # `values` and `updates` both contain it.
            if interrupt_id in self._sent_interrupts:
                continue
            self._sent_interrupts.add(interrupt_id)
            data = {"interrupt_id": interrupt_id, "payload": interrupt.get("value")}
            key = "input|{}|{}".format("\0".join(namespace), interrupt_id)
            yield ProtocolEvent("input", namespace, data, key)

    # Raw events.

    def _raw_values(self, event: RawEvent) -> Iterator[ProtocolEvent]:
        if event.interrupts:
            yield from self._interrupt_events(
                event.namespace, decode(encode(list(event.interrupts)))
            )
        elif event.data == {}:
            return  # The state is empty after the input.
        yield ProtocolEvent("values", event.namespace, shortened(event.data))

    def _raw_updates(self, event: RawEvent) -> Iterator[ProtocolEvent]:
        data = event.data
        if isinstance(data, Mapping):
            data = {node: update for node, update in data.items() if node != INTERRUPT}
        yield ProtocolEvent("updates", event.namespace, shortened(data))

    def _raw_message(self, event: RawEvent) -> ProtocolEvent:
        # Not a generator, for speed: this is called for each token.
        _, namespace, data, _, model_run = event
        key, kind = (namespace, model_run), data.get("event")
        if kind == "message-start":
            self._message_ids[key] = str(data.get("id") or model_run)
        message_id = self._message_ids.get(key, model_run)
        if kind == "message-finish" or kind == "error":
            self._message_ids.pop(key, None)
        return ProtocolEvent("messages", namespace, {**data, "message_id": message_id})

    def _raw_lifecycle(self, event: RawEvent) -> Iterator[ProtocolEvent]:
        data = event.data
        namespace = tuple(data.get("namespace", event.namespace))
        if data["event"] == "started":
            if namespace not in self._seen:
                self._seen.add(namespace)
                self._open[namespace] = data.get("graph_name", "")
                yield ProtocolEvent("lifecycle", namespace, data)
        elif namespace in self._open:
            yield self._ended(namespace, data["event"], data.get("error"))
            del self._open[namespace]

    def _raw_tools(self, event: RawEvent) -> Iterator[ProtocolEvent]:
        data = decode(encode(event.data))
        yield ProtocolEvent("tools", event.namespace, data)
        if data.get("event") == "tool-finished":
            yield from _tool_message(event.namespace, data)

    def _other(self, event: RawEvent) -> Iterator[ProtocolEvent]:
        if event.method.startswith("custom:"):
            name = event.method.removeprefix("custom:")
            data: object = {"name": name, "payload": event.data}
            yield ProtocolEvent(event.method, event.namespace, data)
        elif event.method == "custom":
            yield _custom(event.namespace, event.data)
        elif event.method in ("checkpoints", "tasks"):
            yield ProtocolEvent(event.method, event.namespace, event.data)

    # Events of the older streams.

    def _entered(self, namespace: Namespace) -> Iterator[ProtocolEvent]:
        for length in range(1, len(namespace) + 1):
            inner = namespace[:length]
            if inner in self._seen:
                continue
            self._seen.add(inner)
            name, _, task_id = inner[-1].partition(":")
            self._open[inner] = name
            data = {"event": "started", "namespace": list(inner), "graph_name": name}
            yield ProtocolEvent("lifecycle", inner, {**data, "trigger_call_id": task_id})

    def _classic_values(self, namespace: Namespace, data: object) -> Iterator[ProtocolEvent]:
        if isinstance(data, dict) and INTERRUPT in data:
            yield from self._interrupt_events(namespace, data.pop(INTERRUPT))
        if data != {}:
            yield ProtocolEvent("values", namespace, _shortened(data))

    def _classic_updates(self, namespace: Namespace, data: object) -> Iterator[ProtocolEvent]:
        if isinstance(data, dict) and INTERRUPT in data:
            yield from self._interrupt_events(namespace, data.pop(INTERRUPT))
        yield ProtocolEvent("updates", namespace, _shortened(data))

    def _classic_custom(self, namespace: Namespace, data: object) -> Iterator[ProtocolEvent]:
        yield _custom(namespace, data)

    def _classic_checkpoints(self, namespace: Namespace, data: object) -> Iterator[ProtocolEvent]:
        yield ProtocolEvent("checkpoints", namespace, data)

    def _classic_messages(self, namespace: Namespace, data: object) -> Iterator[ProtocolEvent]:
        """Yield events for the new content of a message."""
        for message in data if isinstance(data, list) else ():
            message_id, text = message.get("id"), message.get("content")
            kind = _TYPES.get(message.get("type"), message.get("type"))
            if kind != "ai" or not isinstance(message_id, str) or not isinstance(text, str):
                continue
            # Run streams repeat the whole text so far; the v3 stream sends only the new part.
            known = self._texts.get(message_id)
            if known is None:
                start = {"event": "message-start", "role": "ai", "id": message_id}
                yield _message_event(message_id, start)
                block = {"type": "text", "text": ""}
                yield _message_event(message_id, _block_event("start", content=block))
            if more := text.removeprefix(known or ""):
                delta = {"type": "text-delta", "text": more}
                yield _message_event(message_id, _block_event("delta", delta=delta))
            self._texts[message_id] = text

    def _finished_messages(self) -> Iterator[ProtocolEvent]:
        for message_id, text in self._texts.items():
            block = {"type": "text", "text": text}
            yield _message_event(message_id, _block_event("finish", content=block))
            yield _message_event(message_id, {"event": "message-finish"})
        self._texts.clear()

    def _classic_tasks(self, namespace: Namespace, data: object) -> Iterator[ProtocolEvent]:
        yield ProtocolEvent("tasks", namespace, data)


_RAW = {
    "values": ProtocolEvents._raw_values,
    "updates": ProtocolEvents._raw_updates,
    "lifecycle": ProtocolEvents._raw_lifecycle,
    "tools": ProtocolEvents._raw_tools,
}
_CLASSIC = {
    "values": ProtocolEvents._classic_values,
    "updates": ProtocolEvents._classic_updates,
    "custom": ProtocolEvents._classic_custom,
    "checkpoints": ProtocolEvents._classic_checkpoints,
    "tasks": ProtocolEvents._classic_tasks,
    "messages/partial": ProtocolEvents._classic_messages,
    "messages/complete": ProtocolEvents._classic_messages,
}


def _plain(data: object) -> object:
    """Return data as JSON. Messages of a script are JSON already."""
    if isinstance(data, list) and data and all(type(item) is dict for item in data):
        return data
    return decode(encode(data))


def _message_event(message_id: str, data: Mapping[str, object]) -> ProtocolEvent:
    return ProtocolEvent("messages", (), {**data, "message_id": message_id})


def _block_event(step: str, **fields: object) -> dict[str, object]:
    return {"event": f"content-block-{step}", "index": 0, **fields}


def _custom(namespace: Namespace, data: object) -> ProtocolEvent:
    """Return the event for a custom value. A value with a name is in the named channel too."""
    name = data.get("name") if isinstance(data, Mapping) else None
    channel = f"custom:{name}" if isinstance(name, str) and name else "custom"
    return ProtocolEvent(channel, namespace, data)


def _tool_message(namespace: Namespace, data: Mapping[str, object]) -> Iterator[ProtocolEvent]:
    """Yield a tool's result as a message, in its own namespace."""
    output, call_id = data.get("output"), data.get("tool_call_id")
    is_message = isinstance(output, Mapping) and output.get("type") == "tool"
    content = output.get("content") if is_message and isinstance(output, Mapping) else output
    if not isinstance(content, str):
        content = encode(content).decode()
    output_id = output.get("id") if is_message and isinstance(output, Mapping) else None
    message_id = output_id or f"tool-{call_id}"
    below = (*namespace, f"tools:{call_id}")
    block = {"type": "text", "text": content}
    for part in (
        {"event": "message-start", "role": "tool", "id": message_id, "tool_call_id": call_id},
        {"event": "content-block-start", "index": 0, "content": {"type": "text", "text": ""}},
        {"event": "content-block-delta", "index": 0, "content": block},
        {"event": "content-block-finish", "index": 0, "content": block},
        {"event": "message-finish", "metadata": {}},
    ):
        yield ProtocolEvent("messages", below, {**part, "message_id": message_id})


def shortened(value: object) -> object:
    """Return a value as JSON, with its messages in the short form of the v3 stream."""
    return _shortened(decode(encode(value)))


def _shortened(value: object) -> object:
    if isinstance(value, list):
        return [_shortened(item) for item in value]
    if not isinstance(value, dict):
        return value
    # langchain writes these fields for every message; a user's own object does not have them all.
    if value.get("type") in _MESSAGES and "content" in value and "response_metadata" in value:
        return _short_message(value)
    return {key: _shortened(item) for key, item in value.items()}


def _short_message(message: JsonMapping) -> JsonObject:
    kind = _TYPES.get(message["type"], message["type"])
    short: dict[str, object] = {"type": kind, "content": _content(message["content"])}
    for field in ("id", "name", "response_metadata"):
        if message.get(field):
            short[field] = message[field]
    if kind == "ai":
        if calls := message.get("tool_calls"):
            short["tool_calls"] = [_call(call, "tool_call", ("name", "args")) for call in calls]
        if calls := message.get("invalid_tool_calls"):
            keys = ("name", "args", "error")
            short["invalid_tool_calls"] = [_call(call, "invalid_tool_call", keys) for call in calls]
    elif kind == "tool":
        for field in ("tool_call_id", "status", "artifact"):
            short[field] = message.get(field)
    return short


def _call(call: Mapping[str, object], kind: str, keys: Sequence[str]) -> dict[str, object]:
    short = {"type": kind, **{key: call.get(key) for key in keys}}
    if call.get("id") is not None:
        short["id"] = call["id"]
    return short


def _content(content: object) -> object:
    if not isinstance(content, list):
        return content
    return [_block(block) for block in content]


def _block(block: object) -> object:
    if not isinstance(block, dict) or block.get("type") in _BLOCKS:
        return block
    if block.get("type") == "image_url":
        image = block.get("image_url")
        return {"type": "image", "url": image.get("url") if isinstance(image, dict) else image}
    if block.get("type") == "input_audio" and isinstance(block.get("input_audio"), dict):
        audio = block["input_audio"]
        mime_type = f"audio/{audio.get('format', 'wav')}"
        return {"type": "audio", "base64": audio.get("data"), "mime_type": mime_type}
    return {"type": "non_standard", "value": block}
