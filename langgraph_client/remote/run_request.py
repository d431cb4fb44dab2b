"""Convert a method's arguments to the request of a run. No I/O."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import fields, replace

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.remote.aliases import (
    JSON,
    GraphValue,
    JsonObject,
    MergedConfig,
)
from langgraph_client.remote.commands import has_timeout, input_or_command
from langgraph_client.remote.compat import Command, Interrupt, StateSnapshot, ambient_config
from langgraph_client.remote.config import Address, sendable, wire_config
from langgraph_client.remote.nested import TASK_ID, Nested, is_in_node
from langgraph_client.remote.run_arguments import Control, RunArguments
from langgraph_client.remote.stream_around import StreamAround
from langgraph_client.remote.stream_modes import (
    MORE_MODES,
    WIRE_MODES,
    ModePair,
    Modes,
    mode_list,
    wire_modes,
)
from langgraph_client.remote.typed_values import (
    enclosed_config,
    enclosed_context,
    enclosed_request,
    is_sendable,
    plain_messages,
)
from langgraph_client.thread_ids import GIVEN_PARENTS
from langgraph_client.values import (
    CLASSES_EVENT,
    CONTROL_HEADER,
    EXTENSIONS_EVENT,
    EXTRA_EVENTS_HEADER,
    GOTO_NODES,
    MESSAGE_EVENTS,
    MODES_HEADER,
    PARENT,
    SEEN_EVENT,
)

#: Seconds after a reply in which a run inside a parent graph does not ask again whether to drain.
PAUSE = 0.1


class RunRequest:
    """The request of one run. It may change until it is sent; see `for_server` and `go_on`."""

    def __init__(
        self,
        arguments: RunArguments,
        config: MergedConfig,
        address: Address,
        *,
        headers: Mapping[str, str],
        strict_config: bool,
        stream_mode: Modes,
        wants_output: bool,
        wants_messages: bool,
        streams_models: bool,
        extra_events: Sequence[str],
    ) -> None:
        #: The additional events of the bundled server that callbacks need.
        self._handler_events = extra_events
        #: Whether the server sends the calls of handlers, for models too, and not their messages
        #: only.
        self.server_calls_handlers = False
        self.arguments = arguments.checked()
        self.address = address
        #: Whether the thread is not created before the run, because it was known to exist. If it
        #: was deleted since, the run must fail and not create a thread without the caller's id.
        self.relies_on_thread = False
        #: The modes that the caller gets. Inside a parent graph, the default is `values`.
        if arguments.stream_mode is not None:
            stream_mode = arguments.stream_mode
        elif TASK_ID in config["configurable"]:
            stream_mode = "values"
        self.modes = mode_list(stream_mode)
        modes = (*self.modes, *arguments.print_modes)
        takes_messages = arguments.version == "v1" and "messages" in modes
        self.nested = Nested.of(config, address, takes_messages=takes_messages)
        #: The streams of graphs around the call, of which it is no subgraph.
        self.around: StreamAround | None = None
        if self.nested is None or self.nested.emit is None:
            self.around = StreamAround.of(
                config.get("callbacks"), address.namespace, takes_messages=takes_messages
            )
        # As in a local graph, only a list gives (mode, data) pairs, no other sequence does.
        self.yields_pairs = isinstance(stream_mode, list)
        self._is_in_node = is_in_node(ambient_config())
        #: langgraph 1.2 has this option in the config.
        self._strict_resume = config["configurable"].get("__pregel_strict_resume") or None
        #: Whether messages are streamed for callbacks.
        self.wants_messages = wants_messages
        self._streams_models = streams_models
        self.wants_output = wants_output
        sent_config = wire_config(config)
        if self.nested is not None:
            sent_config["metadata"] = self.nested.metadata(sent_config.get("metadata") or {})
        #: Paths of config values that are not sent, because they cannot be JSON.
        self.left_out: list[str] = []
        if not strict_config:
            sent_config, self.left_out = sendable(sent_config)
        self.sent_config = sent_config
        #: What of the config comes from the surrounding node, and not from the call.
        self.inherited: JsonObject = {}
        self._context = arguments.context
        self._headers = dict(headers)
        self._typed_config: JsonObject | None = None
        self._is_bundled = False
        #: Whether the server itself resumes the run, and gives a parent graph's answers to it.
        self._server_resumes = False
        #: What the bundled server's run takes over from the parent graph.
        self._parent: JsonObject = {}
        #: The parent's answer while the run has it and has not said that it has used it.
        self._lent: GraphValue = None
        #: The ids of the interrupts at which the remote graph waited, and for which no answer is.
        self._unanswered: frozenset[str] = frozenset()
        self._begin: JsonObject = {}

    def pair(self, mode: str, data: GraphValue) -> tuple[str, GraphValue]:
        """Return an item of a stream with several modes."""
        # A node may keep it in its state, and savers write no class of ours.
        return (mode, data) if self._is_in_node else ModePair((mode, data))

    def arguments_for(self, on_run_created: Callable[[JSON], object]) -> JsonObject:
        """Return the keyword arguments of `client.runs.stream`, without those that are None."""
        arguments = self.arguments
        keywords: JsonObject = {
            "config": self._typed_config or self.sent_config or None,
            "context": self._context,
            "checkpoint": self.address.checkpoint or None,
            "stream_mode": self._wire_modes(),
            "stream_subgraphs": arguments.subgraphs
            or self.wants_messages
            or bool(self.nested and self.nested.emit)
            or self.around is not None,
            "interrupt_before": node_names("interrupt_before", arguments.interrupt_before),
            "interrupt_after": node_names("interrupt_after", arguments.interrupt_after),
            "durability": arguments.durability or self._durability_around(),
            "headers": self._headers or None,
            "params": arguments.params,
            **self._disconnection(),
            # After `_disconnection`: the caller's options win over RemoteGraph's own.
            **{
                option.name: given
                for option in fields(arguments.options)
                if (given := getattr(arguments.options, option.name)) is not None
            },
            "strict_resume": arguments.options.strict_resume or self._strict_resume,
            "on_run_created": _both(on_run_created, arguments.options.on_run_created),
        }
        return {
            **self._begin,
            **{name: value for name, value in keywords.items() if value is not None},
        }

    def _disconnection(self) -> JsonObject:
        # As in a local graph, a thread is created by its first run. A run on a thread survives a
        # lost connection, and is cancelled by a request if the caller leaves early. A stateless run
        # cannot be found again after a lost connection, so the server cancels it.
        if self.address.thread_id is None:
            return {"on_disconnect": "cancel"}
        return {
            "if_not_exists": "reject" if self.relies_on_thread else "create",
            "on_disconnect": "continue",
            "stream_resumable": True,
        }

    def _durability_around(self) -> str | None:
        """Return the durability of the parent graph, for a run that keeps a state."""
        keeps_state = self.address.thread_id is not None
        return self.nested.durability if self.nested is not None and keeps_state else None

    def _wire_modes(self) -> list[str]:
        events = ["events"] if self.arguments.events else []
        return [*wire_modes(self._all_modes()), *events]

    def _more_modes(self) -> list[str]:
        return [mode for mode in MORE_MODES if mode in self._all_modes()]

    def _extra_events(self) -> list[str]:
        arguments = self.arguments
        extra_events = [CLASSES_EVENT] if arguments.version == "v2" else []
        if self._wants_message_events:
            extra_events.append(MESSAGE_EVENTS)
        is_shown = self.around is not None and "messages" in self.around.modes
        if is_shown or (self.nested is not None and self.nested.shows_messages):
            extra_events.append(SEEN_EVENT)
        if arguments.run_stream:
            extra_events.append(EXTENSIONS_EVENT)
        return [*extra_events, *self._handler_events]

    @property
    def _wants_message_events(self) -> bool:
        """Whether messages come as events of their blocks, and not in chunks."""
        parent = self.around or self.nested
        if parent is None:
            return self.arguments.run_stream
        # The stream of a parent graph needs the one or the other.
        if self.arguments.run_stream:
            return parent.wants_message_events or "messages" not in parent.modes
        # This call's own stream of messages has chunks, as locally.
        return parent.wants_message_events and "messages" not in self.modes

    def _all_modes(self) -> list[str]:
        modes = [*self.modes, *self.arguments.print_modes]
        if self.wants_output:
            modes.append("values")
        if self.wants_messages:
            modes.append("messages")
        around = self.nested.modes if self.nested is not None else frozenset()
        if self.around is not None:
            around |= self.around.modes
        # The parent's stream shows the events of this run.
        more = MORE_MODES if self._is_bundled else ()
        modes += [mode for mode in around if mode in WIRE_MODES or mode in more]
        if self.nested is not None:
            modes.append("updates")  # They have its interrupts.
            if self.nested.streamed:  # Needed for the ids of messages that are streamed already.
                modes.append("messages")
        return modes

    # --- for the server ---

    def for_server(self, agreed: Mapping[str, str]) -> None:
        """Adapt the request to the server.

        Args:
            agreed: The additional headers that the bundled server reads; empty for any other
                server.

        Raises:
            InvalidArgumentError: The command has node names and Sends at the same time, and the
                server is not the bundled one.
            NotImplementedError: A stream mode is "tools", `control` is passed or a Send has a
                `timeout`, and the server is not the bundled one.
        """
        self._is_bundled = bool(agreed)
        if agreed:
            more = {MODES_HEADER: json.dumps(modes)} if (modes := self._more_modes()) else {}
            if extra_events := self._extra_events():
                more[EXTRA_EVENTS_HEADER] = json.dumps(extra_events)
            self.server_calls_handlers = True
            # The mode makes models stream, which they do locally for some handlers only.
            self.wants_messages = self._streams_models
            if (control := self.control) is not None:
                # A parent graph always has a control, which hardly anybody uses. The questions of
                # the run must not cost a round trip for each superstep.
                pause = PAUSE if self.arguments.control is None else 0
                document = {"drain": control.drain_reason, "pause": pause}
                more[CONTROL_HEADER] = json.dumps(document)
            self._headers = {**agreed, **self.arguments.channel_headers(), **more, **self._headers}
            self._take_over(self._taken_over())
            if (typed_context := enclosed_context(self._context)) is not None:
                self._context = typed_context
        else:
            self._for_other_server()
        is_replayed = self.nested is not None and self.nested.at_checkpoint
        self._begin_with(None if is_replayed else self.arguments.input)

    @property
    def control(self) -> Control | None:
        """The control of the run: this call's, or else that of the parent graph."""
        control = self.arguments.control
        if control is not None or self.nested is None:
            return control
        around = self.nested.control
        return around if isinstance(around, Control) else None

    def _for_other_server(self) -> None:
        if self.arguments.control is not None:
            raise NotImplementedError(
                "control: the protocol has no request that drains a run; only the bundled server "
                "has one. Use client.runs.cancel() to stop a remote run"
            )
        if self._more_modes():
            raise NotImplementedError(
                'stream_mode="tools": the protocol sends no tool events for a run; '
                "only the bundled server does"
            )
        if self.nested is not None and self.nested.parents:
            # The checkpoints of the run keep them. The bundled server gets them in another way,
            # because nodes see this metadata.
            parents = {GIVEN_PARENTS: json.dumps(self.nested.parents)}
            metadata = {**self.sent_config.get("metadata", {}), **parents}
            self.sent_config = {**self.sent_config, "metadata": metadata}

    def _taken_over(self) -> JsonObject:
        """Return what the run takes over from the parent graph, for the bundled server."""
        place: JsonObject = {"inherited": self.inherited} if self.inherited else {}
        if self.nested is None:
            return place
        place |= self.nested.place()
        if (context := self._context_around()) and is_sendable(context):
            place["context"] = context
        if self.address.thread_id is None:
            place["keeps"] = False
        resumption = self.nested.resumption()
        # Some of the answers may be for local interrupts, and then need not be JSON. In that case,
        # the run is resumed as on other servers.
        self._server_resumes = is_sendable([resumption, self.nested.answer.peek()])
        if not self._server_resumes:
            return place
        answer = None if self._must_own_question else self.nested.answer.take()
        self._lent = answer
        return {**place, **resumption, **({} if answer is None else {"answer": answer})}

    @property
    def _must_own_question(self) -> bool:
        """Whether the run gets the parent's answer only for a question of its own thread.

        Otherwise it gets the answer for its first interrupt: it has no thread, starts at an earlier
        state, or the parent has shown no question.
        """
        nested = self.nested
        return nested is not None and not (
            self.address.thread_id is None
            or nested.answer.is_for_anybody
            or nested.replayed_before is not None
            or nested.at_checkpoint
        )

    def _take_over(self, parent: JsonObject) -> None:
        config = self.sent_config
        if parent:
            configurable = {**config.get("configurable", {}), PARENT: parent}
            config = {**config, "configurable": configurable}
        self._typed_config = enclosed_config(config) or config
        self._parent = parent

    def _context_around(self) -> GraphValue:
        """Return the context of the parent graph, which holds if this call has none.

        The call does not name it, so it is no error if it cannot be sent. Only the bundled server
        gets it: it may contain secrets.
        """
        # An empty context counts as none, as in langgraph.
        return None if self.nested is None or self.arguments.context else self.nested.context

    def _begin_with(self, input: GraphValue) -> None:
        self._begin = input_or_command(input)
        if self._is_bundled:
            self._begin = enclosed_request(self._begin) or self._begin
            if self._goes_both_ways:
                command = self._begin["command"]
                sends = [target for target in command["goto"] if not isinstance(target, str)]
                names = [target for target in command["goto"] if isinstance(target, str)]
                self._begin = {"command": {**command, "goto": sends, GOTO_NODES: names}}
            return
        if has_timeout(self._begin.get("command") or {}):
            raise NotImplementedError(
                "input.goto: the protocol's Send has no `timeout`; only the bundled server reads it"
            )
        if self._goes_both_ways:
            raise InvalidArgumentError(
                "input.goto",
                "must be only node names or only Send objects: the protocol has no mixed list",
            )
        self._begin = plain_messages(self._begin, "input")

    @property
    def _goes_both_ways(self) -> bool:
        goto = (self._begin.get("command") or {}).get("goto")
        return isinstance(goto, list) and len({isinstance(target, str) for target in goto}) > 1

    # --- how to resume inside a parent graph, if the server cannot decide it ---

    @property
    def needs_state(self) -> bool:
        """Whether the input or the answer depends on the thread's state; see `go_on`."""
        nested = self.nested
        if nested is None or not nested.resuming:
            return False
        if self._server_resumes:
            return self._must_own_question and nested.answer.peek() is not None
        return self.address.thread_id is not None

    @property
    def earlier_than(self) -> str | None:
        """The checkpoint before which to look for the state to start with; see `begin_at`."""
        if self.nested is None or self._server_resumes or self.address.checkpoint:
            return None
        return self.nested.replayed_before

    def begin_at(self, checkpoint_id: str) -> None:
        """Begin at an earlier state of the thread, as in a replay of the parent graph."""
        self.address = replace(self.address, checkpoint={"checkpoint_id": checkpoint_id})

    def deciding(self) -> AbstractContextManager[None]:
        """Keep the parent's answer for this run until it is clear whether the answer is for it."""
        return nullcontext() if self.nested is None else self.nested.answer.deciding()

    def go_on(self, state: StateSnapshot) -> None:
        """Continue from the thread's state, as a local subgraph does when its parent resumes."""
        assert self.nested is not None
        answer = self.nested.answer
        if not answer.is_for(state.interrupts):
            self._unanswered = frozenset(one.id for one in state.interrupts)
        if not self._server_resumes:
            self._begin_with(self.nested.go_on(self.arguments.input, state))
        # In a state that was written since, the open question is gone: the run may ask again.
        elif answer.is_for(state.interrupts) or _is_written(state):
            self._lent = answer.take()
            if self._lent is not None:
                self._take_over({**self._parent, "answer": self._lent})

    def answers(self, interrupts: Sequence[Interrupt]) -> bool:
        """Return whether the parent graph has an answer for one of these; see `answer`."""
        return self._answered_of(interrupts) is not None

    def _answered_of(self, interrupts: Sequence[Interrupt]) -> Interrupt | None:
        nested = self.nested
        if nested is None or self.address.thread_id is None or nested.answer.peek() is None:
            return None
        # In doubt nobody gets it, and the question is asked again: the parent shows it now, and so
        # the next answer is for it.
        if nested.answer.is_kept_for_another:
            return None
        return next((one for one in interrupts if one.id not in self._unanswered), None)

    def answer(self, interrupts: Sequence[Interrupt]) -> bool:
        """Continue after a run that has paused, with the parent's answer if there is one.

        An interrupt of a local subgraph takes that answer at once. The protocol has no request for
        that, so the run pauses, and a second one continues it.

        Args:
            interrupts: The interrupts at which the run has paused.

        Returns:
            Whether to send the request again.
        """
        first = self._answered_of(interrupts)
        if first is None or self.nested is None:
            return False
        answer = self.nested.answer.take()
        if answer is None:
            return False
        if self._server_resumes:
            parent = {key: value for key, value in self._parent.items() if key != "replay"}
            answers = {**parent.get("answers", {}), first.id: answer}
            self._take_over({**parent, "resuming": True, "answers": answers})
        else:
            self._begin_with(Command(resume=answer if len(interrupts) == 1 else {first.id: answer}))
        # The run before has gone on from that checkpoint already.
        self.address = replace(self.address, checkpoint={})
        return True

    def answered(self) -> None:
        """Note that the remote graph has used the parent's answer."""
        self._lent = None

    def ended(self) -> None:
        """Give the parent's answer back if the run, which has not failed, has not used it."""
        if self.nested is not None and self._lent is not None:
            self.nested.answer.give_back(self._lent)
            self._lent = None


def _is_written(state: StateSnapshot) -> bool:
    return (state.metadata or {}).get("source") in ("update", "fork")


def _both(
    own: Callable[[JSON], object], given: Callable[[JSON], object] | None
) -> Callable[[JSON], object]:
    """Return a function that calls both, the caller's one last."""
    if given is None:
        return own

    def call(run: JSON) -> None:
        own(run)
        given(run)

    return call


def node_names(name: str, nodes: str | Sequence[str] | None) -> str | list[str] | None:
    """Return the nodes to stop at as a list, or "*" for all.

    Raises:
        InvalidArgumentError: The argument is a single name and not a list.
    """
    if nodes is None:
        return None
    if isinstance(nodes, str):
        if nodes == "*":
            return nodes
        raise InvalidArgumentError(name, f'must be "*" or a list of node names, not {nodes!r}')
    return list(nodes)
