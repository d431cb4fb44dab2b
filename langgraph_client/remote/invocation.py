"""One invocation of a remote graph, translated: arguments → run request, events → outputs.

Free of I/O, so that `stream` and `astream` are short loops around it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.remote.asking import WIRE_MODES, input_or_command, nodes_named, wire_modes
from langgraph_client.remote.config import GIVEN_PARENTS, Address, sendable, wire_config
from langgraph_client.remote.decode import INTERRUPT, Decoder, understanding
from langgraph_client.remote.nested import Nested
from langgraph_client.remote.output import select, select_updates
from langgraph_client.remote.parent import parent_command
from langgraph_client.remote.rich import enclosed_request
from langgraph_client.remote.seam import (
    Interrupt,
    StateSnapshot,
    bubble_up,
    pause,
    run_error,
)
from langgraph_client.values import GOTO_NODES, Allowed


class Invocation:
    """What the caller asked for, as a run request and a reader of its events."""

    def __init__(
        self,
        input: Any,
        config: Mapping[str, Any],
        address: Address,
        *,
        stream_mode: str | Sequence[str],
        print_mode: str | Sequence[str] = (),
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: str | Sequence[str] | None = None,
        interrupt_after: str | Sequence[str] | None = None,
        subgraphs: bool = False,
        version: str = "v1",
        decode_messages: bool = True,
        events: bool = False,
        wants_output: bool = False,
        wants_messages: bool = False,
        allowed: Allowed | None = None,
        strict_config: bool = True,
        **options: Any,
    ) -> None:
        if version not in ("v1", "v2"):
            raise InvalidArgumentError("version", f'must be "v1" or "v2", not {version!r}')
        self.address = address
        self.run_id: str | None = None
        self.nested = Nested.of(config, address)
        #: The last state of the graph, where `wants_output` says that somebody asks for it.
        self.output: Any = None
        self._input = input
        self._wants_output = wants_output
        self._wants_messages = wants_messages
        self._heard: list[tuple[Any, Mapping[str, Any]]] = []
        self._is_over = False
        self._interrupts: dict[str, Interrupt] = {}
        self._has_paused = False
        self._modes = [stream_mode] if isinstance(stream_mode, str) else list(stream_mode)
        self._print_modes = [print_mode] if isinstance(print_mode, str) else list(print_mode)
        # Only a list makes (mode, data) pairs; any other sequence behaves as one mode, locally too.
        self._is_list = isinstance(stream_mode, list)
        self._subgraphs = subgraphs
        self._output_keys = output_keys
        self._version = version
        #: langchain's events are yielded, and what the graph streams as events of its root run.
        self._events = events
        self._root: dict[str, Any] = {}
        sent_config = wire_config(config)
        if self.nested is not None:
            sent_config["metadata"] = self.nested.metadata(sent_config.get("metadata") or {})
        #: Paths of config values that were left out, since they cannot be JSON.
        self.left_out: list[str] = []
        if not strict_config:
            sent_config, self.left_out = sendable(sent_config)
        self._own_configurable = sent_config.get("configurable", {})
        self._decoder = Decoder(
            self.address,
            decode_messages,
            frozenset(sent_config.get("metadata", ())) - {GIVEN_PARENTS},
            allowed or {},
            self.nested.parents if self.nested else {},
        )
        self._enclosed: dict[str, Any] | None = None
        self.request = {
            **self._begin_with(input),
            "config": sent_config or None,
            "checkpoint": self.address.checkpoint or None,
            "stream_mode": [*wire_modes(self._wanted_modes()), *(["events"] if events else [])],
            "stream_subgraphs": subgraphs
            or wants_messages
            or bool(self.nested and self.nested.emit),
            "interrupt_before": nodes_named("interrupt_before", interrupt_before),
            "interrupt_after": nodes_named("interrupt_after", interrupt_after),
            **options,
        }
        # A thread that does not exist yet begins with its first run, as locally. Its run survives
        # a lost connection (whoever leaves early cancels it); a stateless one cannot be found
        # again, so it ends with its connection.
        if self.address.thread_id is None:
            self.request.setdefault("on_disconnect", "cancel")
        else:
            self.request.setdefault("if_not_exists", "create")
            self.request.setdefault("on_disconnect", "continue")
            self.request.setdefault("stream_resumable", True)

    def _wanted_modes(self) -> list[str]:
        modes = [*self._modes, *self._print_modes]
        if self._wants_output:
            modes.append("values")
        if self._wants_messages:
            modes.append("messages")
        if self.nested is not None:
            # The parent's stream shows what happens here, and must learn of interrupts.
            modes += [mode for mode in self.nested.modes if mode in WIRE_MODES]
            modes.append("updates")
            if self.nested.streamed:  # A model that streams names its messages in another way.
                modes.append("messages")
        return modes

    @property
    def needs_state(self) -> bool:
        """Whether the thread's state decides how to begin; see `go_on`."""
        nested = self.nested
        return nested is not None and nested.resuming and self.address.thread_id is not None

    def go_on(self, state: StateSnapshot) -> None:
        """Begin where the remote was left, as a local subgraph does when its parent goes on.

        Raises:
            GraphInterrupt: The remote still waits for an answer, and the parent brings none.
        """
        assert self.nested is not None
        pending = self.nested.unanswered(state)
        if pending:
            raise pause(pending)
        for key in ("input", "command"):
            self.request.pop(key, None)
        self.request.update(self._begin_with(self.nested.go_on(self._input, state)))

    def _begin_with(self, input: Any) -> dict[str, Any]:
        asked = input_or_command(input)
        self._enclosed = enclosed_request(asked)
        return asked

    @property
    def goes_beyond(self) -> bool:
        """Whether the input has what only the bundled server understands.

        Values that JSON would change, or a command that goes to names and sends at the same time.
        """
        return self._enclosed is not None or self._goes_both_ways

    @property
    def _goes_both_ways(self) -> bool:
        goto = (self.request.get("command") or {}).get("goto")
        return isinstance(goto, list) and len({isinstance(target, str) for target in goto}) > 1

    def must_be_plain(self) -> None:
        """Refuse what another server does not understand at all.

        Raises:
            InvalidArgumentError: The command goes to names and sends at the same time.
        """
        if self._goes_both_ways:
            raise InvalidArgumentError(
                "input.goto",
                "must be node names or Send objects, not a mix: the protocol has no such list",
            )

    def enclose_input(self) -> None:
        """Say it in ways that the server is known to understand."""
        self.request.update(self._enclosed or {})
        if self._goes_both_ways:
            command = self.request["command"]
            sends = [target for target in command["goto"] if not isinstance(target, str)]
            names = [target for target in command["goto"] if isinstance(target, str)]
            self.request["command"] = {**command, "goto": sends, GOTO_NODES: names}

    def run_to_cancel(self, run_id: str | None) -> tuple[str, str] | None:
        """Thread and run, for a caller who leaves while the run goes on.

        None where it is over, or cannot be named: a stateless run ends with its connection.
        """
        if self._is_over or run_id is None or self.address.thread_id is None:
            return None
        return self.address.thread_id, run_id

    def heard(self) -> list[tuple[Any, Mapping[str, Any]]]:
        """What models have said since the last time, where `wants_messages` asked for it."""
        heard, self._heard = self._heard, []
        return heard

    def finish(self) -> None:
        """Take note that the events are over.

        Raises:
            GraphInterrupt: The remote paused, inside a parent graph: the parent pauses, too.
        """
        if self.nested is not None and self._has_paused:
            raise pause(tuple(self._interrupts.values()))

    def read(self, event: str, data: Any) -> list[Any]:
        """What the caller sees of one event: nothing, or one item of the stream.

        Raises:
            RemoteException: for an `error` event; the run failed on the server.
            ParentCommand: the remote sends a command to the parent graph around this call.
            APIResponseValidationError: The event is not what the protocol says.
        """
        with understanding(f"an event {event!r}", data):
            if event == "metadata":
                self.run_id = data.get("run_id")
                return []
            if event == "error":
                raise self._failure(data)
            data = self._decoder.open(data)
            if event == "events" and self._events:
                return [self._event(data)]
            name, *namespace = event.split("|")
            if name not in WIRE_MODES:  # `end`, `feedback` and whatever else a server may say.
                return []
            return self._mode(name, tuple(namespace), data)

    def _failure(self, data: Any) -> Exception:
        self._is_over = True
        if self.nested is not None:
            command = parent_command(data, self.nested.namespace)
            if command is not None:
                return bubble_up(command)
        told = data if isinstance(data, dict) else {"message": str(data)}
        return run_error(
            str(told.get("error", "Error")),
            str(told.get("message", "")),
            node=told.get("node"),
            run_id=self.run_id,
            thread_id=self.address.given,
        )

    def _mode(self, name: str, ns: tuple[str, ...], data: Any) -> list[Any]:
        if name == "messages" and self._wants_messages:
            self._heard.append(replace(self._decoder, decode_messages=True).message(data))
        payload = self._payload(name, data)
        if name == "values" and not ns:
            self.output = payload
        if name in self._print_modes:
            where = f" [graph={ns}]" if self._subgraphs and ns else ""
            print(f"[{name}]{where} {payload!r}")
        if self.nested is not None:
            self._tell_parent(self.nested, ns, name, payload)
        if name not in self._modes or (ns and not self._subgraphs):
            return []
        item = self._item(ns, name, payload)
        if self._events:
            item = {"event": "on_chain_stream", **self._root, "data": {"chunk": item}}
        return [item]

    def _event(self, data: Any) -> dict[str, Any]:
        event = self._decoder.event(data)
        if not self._root:  # The first event is the start of the graph.
            self._root = {
                key: value for key, value in event.items() if key not in ("event", "data")
            }
        return event

    def _tell_parent(self, nested: Nested, ns: tuple[str, ...], mode: str, payload: Any) -> None:
        # A stop at a node that the graph was compiled to stop at is told by the parent itself.
        if nested.emit is not None and mode in nested.modes and payload != {INTERRUPT: ()}:
            if mode == "messages":
                for streamed in nested.streamed:
                    streamed.add(_id_of(payload[0]))
            nested.emit(((*nested.namespace, *ns), mode, payload))
        if not ns and mode in ("values", "updates") and isinstance(payload, dict):
            # Without any interrupt, too: a graph may be compiled to stop at a node.
            self._has_paused = self._has_paused or INTERRUPT in payload
            self._interrupts.update({found.id: found for found in payload.get(INTERRUPT, ())})

    def _payload(self, mode: str, data: Any) -> Any:
        decoder = self._decoder
        match mode:
            case "values":
                return select(decoder.output(data), self._output_keys)
            case "updates":
                return select_updates(decoder.output(data), self._output_keys)
            case "messages":
                return decoder.message(data)
            case "tasks":
                return decoder.task(data)
            case "checkpoints":
                return decoder.checkpoint(data, self._own_configurable)
            case "debug":
                kind, inner = data.get("type"), data.get("payload")
                if kind == "checkpoint":
                    inner = decoder.checkpoint(inner, self._own_configurable)
                elif kind in ("task", "task_result"):
                    inner = decoder.task(inner)
                return {**data, "payload": inner}
            case _:
                return decoder.value(data)

    def _item(self, ns: tuple[str, ...], mode: str, payload: Any) -> Any:
        if self._version == "v2":
            part: dict[str, Any] = {"type": mode, "ns": ns, "data": payload}
            if mode == "values":
                part["interrupts"] = ()
                if isinstance(payload, dict) and INTERRUPT in payload:
                    part["interrupts"] = payload[INTERRUPT]
                    part["data"] = {k: v for k, v in payload.items() if k != INTERRUPT}
            return part
        if self._subgraphs and self._is_list:
            return (ns, mode, payload)
        if self._is_list:
            return (mode, payload)
        if self._subgraphs:
            return (ns, payload)
        return payload


def _id_of(message: Any) -> Any:
    return message.get("id") if isinstance(message, dict) else message.id
