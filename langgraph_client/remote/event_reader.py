"""Convert the events of a run to the items of `stream` and `invoke`. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from langgraph_client._core.event_filter import Namespace
from langgraph_client.errors import APIResponseValidationError
from langgraph_client.remote.aliases import JSON, Foreign, GraphValue, JsonObject, Reply
from langgraph_client.remote.commands import parent_command
from langgraph_client.remote.compat import bubble_up
from langgraph_client.remote.decode import INTERRUPT, SHAPE_ERRORS, Decoder, shape_error
from langgraph_client.remote.exceptions import invalid_model, remote_error
from langgraph_client.remote.messages import message_from
from langgraph_client.remote.output import select, select_updates, without_interrupts
from langgraph_client.remote.parent_stream import ParentStream
from langgraph_client.remote.run_request import RunRequest
from langgraph_client.thread_ids import GIVEN_PARENTS
from langgraph_client.values import (
    ANSWERED_EVENT,
    CLASSES_EVENT,
    EXTENSIONS_EVENT,
    HANDLER_CALLS_EVENT,
    LIFECYCLE_EVENT,
    MESSAGE_EVENTS,
    SEEN_EVENT,
    TRACER_CALLS_EVENT,
    allowed_class,
)

#: A message, or a chunk of one, with its metadata.
Message = tuple[Foreign, Reply]


class PendingEvents(NamedTuple):
    """Events of a run for which the caller's callbacks have not been called yet."""

    #: Messages of models, for servers that send no handler calls.
    messages: list[Message]
    #: Interrupts and resumptions.
    lifecycle: list[JsonObject]
    #: Handler calls, each list with the name of its event.
    calls: list[tuple[str, list[JsonObject]]]


class EventReader:
    """Reads the events of one run: call `read` for each event, then `finish`."""

    def __init__(self, request: RunRequest, decoder: Decoder) -> None:
        self.run_id: str | None = None
        #: The last state of the graph, without interrupts, if the request asked for states.
        self.output: GraphValue = None
        self._request = request
        self._arguments = request.arguments
        self._own_configurable: JsonObject = request.sent_config.get("configurable", {})
        nested = request.nested
        own_metadata: Reply = request.sent_config.get("metadata", {})
        self._decoder = replace(
            decoder,
            # langgraph copies `configurable` into the metadata of checkpoints, too. `GIVEN_PARENTS`
            # is not the caller's: `RunRequest` adds it for servers other than the bundled one.
            own_metadata=frozenset({*own_metadata, *self._own_configurable}) - {GIVEN_PARENTS},
            metadata_thread=own_metadata.get("thread_id"),
            parents=nested.parents if nested else {},
        )
        self._decodes_messages = decoder.decode_messages
        self._for_handlers = self._decoder.for_handlers()
        self._messages: list[Message] = []
        #: The metadata of the latest message, as sent and as decoded: a cache for its next chunks.
        self._sent_metadata: JSON = None
        self._read_metadata: JsonObject = {}
        #: Whether an event of the protocol was received, and the first event outside of it.
        self._has_begun = False
        self._foreign: tuple[str, JSON] | None = None
        self._is_over = False
        self._is_list = request.yields_pairs
        self._pair = request.pair
        #: Interrupts and resumptions for the caller's callbacks.
        self._lifecycle: list[JsonObject] = []
        #: Handler calls for the caller's callbacks, each list with the name of its event.
        self._calls: list[tuple[str, list[JsonObject]]] = []
        #: The classes of states for version "v2", by "output" and "state".
        self._classes: dict[str, type] = {}
        self._parent = None if nested is None else ParentStream(nested)
        self._around = None if request.around is None else ParentStream(request.around)
        self._print_modes = self._arguments.print_modes
        self._shows_custom = "custom" in (*request.modes, *self._print_modes)
        #: The fields of the root run in langchain's events, known after its start.
        self._root: JsonObject = {}
        self._payloads: dict[str, Callable[[JSON], GraphValue]] = {
            "values": self._values,
            "updates": self._updates,
            "custom": self._decoder.open,
            "messages": self._message,
            "tasks": lambda data: self._decoder.task(self._decoder.open(data)),
            "checkpoints": self._checkpoint,
            "debug": self._debug,
            "tools": self._decoder.open,
        }
        self._is_plain = _is_plain(request)
        #: By event name, the function whose result is the caller's item: a shortcut for speed. The
        #: first event of a name adds it.
        self.direct: dict[str, Callable[[JSON], GraphValue]] = {}

    def created(self, run: Reply) -> None:
        """Note the run's id when the server has sent it."""
        self.run_id = run.get("run_id") or self.run_id

    def read_direct(self, event: str, data: JSON) -> GraphValue:
        """Return the caller's item for an event in `direct`, faster than `read`."""
        try:
            return self.direct[event](data)
        except SHAPE_ERRORS:
            (item,) = self.read(event, data)  # It fails again, with the error for the caller.
            return item

    def read(self, event: str, data: JSON) -> list[GraphValue]:
        """Return the caller's items for one event: none, or one.

        Raises:
            RemoteException: The event is an `error`: the run failed on the server.
            ValidationError: Likewise, for pydantic's error, if `allow_types` contains it.
            ParentCommand: The remote graph sends a command to its parent graph.
            APIResponseValidationError: The event does not have the shape of the protocol.
        """
        try:
            failure = self._failure(data) if event == "error" else None
            items: list[GraphValue] = []
            if event in self._payloads:
                items = self._mode(event, (), data)
            elif failure is None:
                items = self._other(event, data)
        except SHAPE_ERRORS as error:
            mismatch = shape_error(f"an event {event!r}", data, error)
            if mismatch is error:
                raise
            raise mismatch from error
        # Outside of the `try`: these may raise the same classes of errors on purpose.
        if failure is not None:
            raise failure
        if not self._classes:
            return items
        return [self._with_classes(item) for item in items]

    def _other(self, event: str, data: JSON) -> list[GraphValue]:
        self._foreign = self._foreign or (event, data)
        if event == "metadata":
            self._has_begun = True
            self.created(data)
            return []
        if event == LIFECYCLE_EVENT:
            self._lifecycle.append(self._for_handlers.lifecycle(data))
            return []
        if event == ANSWERED_EVENT:
            self._request.answered()
            return []
        if event == SEEN_EVENT:
            for stream in (self._parent, self._around):
                if stream is not None:
                    stream.note_seen(data)
            return []
        if event in (TRACER_CALLS_EVENT, HANDLER_CALLS_EVENT):
            calls = self._for_handlers.open(data)
            self._calls.append((event, [self._for_handlers.handler_call(call) for call in calls]))
            return []
        if event == EXTENSIONS_EVENT and self._arguments.run_stream:
            return [{"type": event, "ns": (), "data": self._decoder.open(data)}]
        if event == CLASSES_EVENT:
            allowed = self._decoder.allowed
            found = {what: allowed_class(str(name), allowed) for what, name in data.items()}
            self._classes = {what: kind for what, kind in found.items() if kind is not None}
            return []
        if event == "events" and self._arguments.events:
            return [self._event(self._decoder.open(data))]
        name, *namespace = event.split("|")
        if name == MESSAGE_EVENTS:
            name = "messages"
        if name not in self._payloads:  # `end`, `feedback`, or events that are not known here.
            return []
        return self._mode(name, tuple(namespace), data)

    def _mode(self, name: str, ns: Namespace, data: JSON) -> list[GraphValue]:
        self._has_begun = True
        if ns and name in ("values", "updates"):
            payload = self._state(data)  # `output_keys` select channels of the graph itself only.
        else:
            payload = self._payloads[name](data)
        parent = self._parent
        if parent and _interrupts_in(payload) and self._request.answers(payload[INTERRUPT]):
            # The parent graph's answer goes there at once: nobody sees the question.
            parent.note_interrupts(payload)
            return []
        if parent and parent.is_only_of_a_root(ns, name, payload):
            return []
        # An event with interrupts only has no state: the previous state stays the output.
        if name == "values" and not ns and not _only_interrupts(payload):
            self.output = payload
        if self._is_plain:
            if ns or name not in self._request.modes:
                return []
            if self._is_list:
                return [self._pair(name, payload)]
            if name != "values":  # A state must also set `output`, so it cannot take the shortcut.
                self.direct[name] = self._payloads[name]
            return [payload]
        return self._seen_by_others(name, ns, data, payload)

    def _seen_by_others(
        self, name: str, ns: Namespace, data: JSON, payload: GraphValue
    ) -> list[GraphValue]:
        """Pass a payload to callbacks, printing and the parent graph; return the caller's items."""
        subgraphs = self._arguments.subgraphs
        calls_handlers = self._request.server_calls_handlers
        if name == "messages" and self._request.wants_messages and not calls_handlers:
            self._messages.append(self._for_handlers.open(data))
        # Custom events go to the innermost stream that shows them, and to no other: inside a parent
        # that streams subgraphs, also those of subgraphs, even if this stream shows no others.
        is_own = name == "custom" and self._shows_custom
        nested = self._request.nested
        is_shown = subgraphs or not ns or (is_own and nested is not None and bool(nested.emit))
        if name in self._print_modes and is_shown:
            # Bold and yellow, as langgraph prints them.
            here = self._here(ns)
            where = f" \x1b[1;30;33m[graph={here}]\x1b[0m" if subgraphs and here else ""
            print(f"\x1b[1m[{name}]\x1b[0m{where} {payload!r}")
        if self._parent is not None and not is_own:
            self._parent.pass_on(ns, name, payload)
        if self._around is not None:
            self._around.pass_on(ns, name, payload)
        if name not in self._request.modes or not is_shown:
            return []
        item = self._item(ns, name, payload)
        if self._arguments.events:
            item = {"event": "on_chain_stream", **self._root, "data": {"chunk": item}}
        return [item]

    def _here(self, ns: Namespace) -> Namespace:
        """Return a namespace of the graph as one of the parent graph, which local streams have."""
        nested = self._request.nested
        return ns if nested is None else (*nested.namespace, *ns)

    def _item(self, ns: Namespace, mode: str, payload: GraphValue) -> GraphValue:
        ns = self._here(ns)
        if self._arguments.version == "v2":
            part: JsonObject = {"type": mode, "ns": ns, "data": payload}
            if mode == "values":
                part["interrupts"] = ()
                if isinstance(payload, dict) and INTERRUPT in payload:
                    part["interrupts"] = payload[INTERRUPT]
                    part["data"] = without_interrupts(payload)
            return part
        if self._arguments.subgraphs:
            return (ns, mode, payload) if self._is_list else (ns, payload)
        return self._pair(mode, payload) if self._is_list else payload

    def _with_classes(self, part: JsonObject) -> JsonObject:
        """Convert the state in a part to its class, as langgraph's version "v2" does.

        Raises:
            Exception: The class refuses the values, such as a part of them by `output_keys`.
        """
        mode, data = part["type"], part["data"]
        if mode == "values":
            data = self._made("output", data)
        elif mode == "checkpoints":
            data = self._typed_checkpoint(data)
        elif mode == "debug" and data["type"] == "checkpoint":
            data = {**data, "payload": self._typed_checkpoint(data["payload"])}
        return {**part, "data": data}

    def _made(self, what: str, values: GraphValue) -> GraphValue:
        kind = self._classes.get(what)
        return kind(**values) if kind is not None and isinstance(values, dict) else values

    def _typed_checkpoint(self, checkpoint: JsonObject) -> JsonObject:
        # Before the start, not all channels have a value, so the class would refuse them.
        if "__start__" in (checkpoint.get("next") or ()):
            return checkpoint
        return {**checkpoint, "values": self._made("state", checkpoint.get("values"))}

    # --- payloads by mode ---

    def _state(self, data: JSON) -> GraphValue:
        return self._decoder.output(self._decoder.open(data))

    def _values(self, data: JSON) -> GraphValue:
        return select(self._state(data), self._arguments.output_keys)

    def _updates(self, data: JSON) -> GraphValue:
        return select_updates(self._state(data), self._arguments.output_keys)

    def _message(self, data: JSON) -> Message:
        if isinstance(data, list):  # A pair without an envelope: only its first part has messages.
            message, metadata = data
            if self._decodes_messages and isinstance(message, dict):
                message = message_from(message) or self._decoder.value(message)
        else:
            message, metadata = self._decoder.open(data)
        # All chunks of a message have the same metadata.
        if metadata != self._sent_metadata:
            self._read_metadata = self._decoder.message_metadata(metadata)
            self._sent_metadata = metadata
        # `type(...) is` and not `isinstance`, which is slow for the message classes.
        if type(message) is dict and "event" in message:  # It needs the id of the model's run.
            return message, {**self._read_metadata, "run_id": metadata.get("run_id")}
        return message, self._read_metadata.copy()

    def _checkpoint(self, data: JSON) -> JsonObject:
        return self._decoder.checkpoint(self._decoder.open(data), self._own_configurable)

    def _debug(self, data: JSON) -> JsonObject:
        data = self._decoder.open(data)
        kind, inner = data.get("type"), data.get("payload")
        if kind == "checkpoint":
            inner = self._decoder.checkpoint(inner, self._own_configurable)
        elif kind in ("task", "task_result"):
            inner = self._decoder.task(inner)
        return {**data, "payload": inner}

    def _event(self, data: Reply) -> JsonObject:
        event = self._decoder.event(data)
        if not self._root:  # The first event is the start of the graph.
            self._root = {
                key: value for key, value in event.items() if key not in ("event", "data")
            }
        return event

    # --- failures, and the graph around this one ---

    def _failure(self, data: JSON) -> Exception:
        # Not all exceptions that come of it are a client's, such as ParentCommand: without this,
        # they would cancel a run that is over.
        self._is_over = True
        data = self._decoder.open(data)
        nested = self._request.nested
        command = parent_command(data, nested.namespace if nested else ())
        if nested is not None and command is not None:
            return bubble_up(command)
        document: Reply = data if isinstance(data, Mapping) else {"message": str(data)}
        failure = remote_error(
            document,
            run_id=self.run_id,
            thread_id=self._request.address.given,
            command=command,
            allowed=self._decoder.allowed,
        )
        return invalid_model(document, failure, self._decoder.allowed) or failure

    def goes_on(self) -> bool:
        """Return whether the run goes on at its interrupts with an answer of the parent graph."""
        if self._parent is None or not self._request.answer(self._parent.interrupts):
            return False
        self._parent.forget_interrupts()
        return True

    def finish(self) -> None:
        """Note that all events were read.

        Raises:
            GraphInterrupt: The remote graph was interrupted inside a parent graph, which must be
                interrupted too.
            APIResponseValidationError: There was no event of the protocol.
        """
        self._is_over = True
        if not self._has_begun:
            raise APIResponseValidationError(
                "the stream contained no event of the protocol"
                + (f", but {self._foreign!r}" if self._foreign else ""),
                body=self._foreign,
            )
        self.output = without_interrupts(self.output)
        self._request.ended()
        if self._around is not None:
            self._around.flush()
        if self._parent is not None:
            self._parent.finish()

    def pending_events(self) -> PendingEvents:
        """Return the events for callbacks since the last call."""
        pending = PendingEvents(self._messages, self._lifecycle, self._calls)
        self._messages, self._lifecycle, self._calls = [], [], []
        return pending

    def run_to_cancel(self) -> tuple[str, str] | None:
        """Return the thread and run to cancel when the caller leaves the stream.

        None if the run is over, or is stateless: the server cancels that with its connection.
        """
        thread_id = self._request.address.thread_id
        if self._is_over or self.run_id is None or thread_id is None:
            return None
        return thread_id, self.run_id


def _interrupts_in(payload: GraphValue) -> bool:
    return isinstance(payload, dict) and bool(payload.get(INTERRUPT))


def _only_interrupts(payload: GraphValue) -> bool:
    return isinstance(payload, dict) and payload.keys() == {INTERRUPT}


def _is_plain(request: RunRequest) -> bool:
    """Return whether each event is one item for the caller alone, in the form of version "v1"."""
    arguments = request.arguments
    return not (
        arguments.print_modes
        or request.nested is not None
        or request.around is not None
        or request.wants_messages
        or arguments.events
        or arguments.subgraphs
        or arguments.version != "v1"
    )
