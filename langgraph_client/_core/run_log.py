"""Sort a thread's protocol events (v3) into runs, subgraphs and projections. No I/O, no waiting.

`ThreadLog.feed` takes events in the order in which they arrive. It sorts them into runs and, within
a run, into scopes: the root graph and its subgraphs at any depth. Each projection is an
append-only `Log`. Each reader has its own cursor, so a projection can be read late, twice, or
side by side with others.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeVar

from langgraph_client._core.event_filter import Namespace
from langgraph_client.errors import NotFoundError, RunFailedError
from langgraph_client.models.fields import JSON

T = TypeVar("T")
Event = Mapping[str, Any]
Status = Literal["started", "running", "completed", "failed", "interrupted"]
_ENDS = ("completed", "failed", "interrupted")


def failure(text: str | None) -> RunFailedError:
    """Return the error of a failed run. Code written for langgraph_sdk looks for "Run errored".

    Args:
        text: The server's error text; None if it sent none.
    """
    return RunFailedError(f"Run errored: {text}" if text else "Run errored")


class Log(Generic[T]):
    """An append-only list with an end: a normal one, or an error.

    Attributes:
        items: The items so far.
        ended: Whether no more items will come.
        error: The error that a reader raises after the last item; None for a normal end.
    """

    def __init__(self) -> None:
        self.items: list[T] = []
        self.ended = False
        self.error: BaseException | None = None

    def append(self, item: T) -> None:
        """Add an item. Items after the end are dropped."""
        if not self.ended:
            self.items.append(item)

    def end(self, error: BaseException | None = None) -> None:
        """End the log. Only the first call has an effect."""
        if not self.ended:
            self.ended, self.error = True, error


class MessageSink(Protocol):
    """Receives the events of one streamed message, like langchain-core's chat model streams."""

    @property
    def done(self) -> bool:
        """Whether the message is complete or has failed."""
        ...

    def dispatch(self, event: JSON) -> None:
        """Take the next event of the message."""
        ...

    def fail(self, error: BaseException) -> None:
        """End the message with an error."""
        ...


MakeMessage = Callable[[Namespace, str | None], MessageSink]
"""Creates the object that receives a message's events, from its namespace and id."""


@dataclass(eq=False)
class ToolCall:
    """One call of a tool.

    Attributes:
        error: The exception's text if the tool failed, else None.
        output: The tool's return value; set when `deltas` has ended and `error` is None.
    """

    tool_call_id: str
    name: str
    input: Any
    namespace: Namespace
    deltas: Log[Any] = field(default_factory=Log)
    output: Any = None
    error: str | None = None


class Scope:
    """The root graph of a run, or one subgraph call, with its projections.

    Attributes:
        status: `running` or `started` until it is over.
        error: The server's error text if it failed, else None.
        result: Status and error of the task that called the subgraph, once a `tasks` event has
            reported them. They are used if the subgraph itself never reports an end.
        custom: Every value that nodes wrote to the custom stream.
        named: Events of named channels, by name, as `{"name", "payload"}`.
        arrivals: `(projection, item)` of all projections, in the order of arrival.
    """

    def __init__(
        self,
        namespace: Namespace,
        graph_name: str | None = None,
        trigger_call_id: str | None = None,
        status: Status = "started",
    ) -> None:
        self.namespace = namespace
        self.graph_name = graph_name
        self.trigger_call_id = trigger_call_id
        self.status: Status = status
        self.error: str | None = None
        self.result: tuple[Status, str | None] | None = None
        self.values: Log[Any] = Log()
        self.updates: Log[Any] = Log()
        self.checkpoints: Log[Any] = Log()
        self.tasks: Log[Any] = Log()
        self.custom: Log[Any] = Log()
        self.messages: Log[MessageSink] = Log()
        self.tool_calls: Log[ToolCall] = Log()
        self.subgraphs: Log[Scope] = Log()
        self.named: dict[str, Log[Any]] = {}
        self.arrivals: Log[tuple[str, Any]] = Log()
        self._open_messages: dict[str | None, MessageSink] = {}
        self._open_tools: dict[str, ToolCall] = {}
        self._tool_call_ids: set[str] = set()

    def has_called(self, tool_call_id: str) -> bool:
        """Return whether a tool call with this id started here, finished or not."""
        return tool_call_id in self._tool_call_ids

    def extension(self, name: str) -> Log[Any]:
        """Return the log of a named channel, created on first use."""
        if name not in self.named:
            self.named[name] = Log()
            if self.arrivals.ended:
                self.named[name].end(self.arrivals.error)
        return self.named[name]

    def add(self, projection: str, log: Log[T], item: T) -> None:
        """Append an item to a projection and to the arrivals."""
        log.append(item)
        self.arrivals.append((projection, item))

    def feed_message(self, data: Mapping[str, Any], make: MakeMessage) -> None:
        """Give a message event to its message; `message-start` begins a new one.

        If a server puts the message's id on each event, several messages can be streamed at once.
        Without an id (langgraph-api 0.16.7), an event belongs to the message started last.
        """
        if data.get("event") == "message-start":
            message_id = data.get("id") or data.get("message_id")
            message = make(self.namespace, message_id)
            self._open_messages[message_id] = message
            self.add("messages", self.messages, message)
        else:
            message_id = data.get("message_id") or data.get("id")
            if message_id is None:
                message_id = next(reversed(self._open_messages), None)
            if message_id not in self._open_messages:
                return  # Its start was sent before this reader connected.
            message = self._open_messages[message_id]
        message.dispatch(data)
        if data.get("event") in ("message-finish", "error"):
            self._open_messages.pop(message_id, None)

    def feed_tool(self, data: Mapping[str, Any]) -> None:
        """Give a tool event to its call; `tool-started` begins a new one."""
        call_id = str(data.get("tool_call_id"))
        if data.get("event") == "tool-started":
            call = ToolCall(call_id, data.get("tool_name", ""), data.get("input"), self.namespace)
            self._open_tools[call_id] = call
            self._tool_call_ids.add(call_id)
            self.add("tool_calls", self.tool_calls, call)
            return
        if (open_call := self._open_tools.get(call_id)) is None:
            return
        if data.get("event") == "tool-output-delta":
            open_call.deltas.append(data.get("delta"))
            return
        del self._open_tools[call_id]
        # The end of `deltas` comes last: who waits for it reads `error` and `output` after it, in
        # blocking code from another thread.
        if data.get("event") == "tool-error":
            open_call.error = str(data.get("message"))
            open_call.deltas.end()
        else:
            open_call.output = data.get("output")
            open_call.deltas.end()

    def feed_custom(self, data: JSON) -> None:
        """Add a value that a node wrote; a named one is added to its extension too."""
        self.add("custom", self.custom, data)
        name = data.get("name") if isinstance(data, Mapping) else None
        if isinstance(name, str) and name:
            self.add(name, self.extension(name), data)

    def end(self, status: Status, error: str | None, cause: BaseException | None) -> None:
        """End every projection of this scope and of its subgraphs. Only the first end counts.

        Args:
            status: How it ended.
            error: The server's error text; None without a failure.
            cause: The error that readers raise after the last item; None for a normal end.
        """
        if self.status in _ENDS:
            return
        self.status, self.error = status, error
        for child in self.subgraphs.items:
            # langgraph-api 0.16.7 closes subgraphs before the root, except after a failure.
            child.end(*(child.result or (status, error)), cause)
        how = error or f"the run was {status} before it was complete"
        for message in self._open_messages.values():
            message.fail(cause or RunFailedError(how))
        for call in self._open_tools.values():
            call.error = str(cause) if cause else f"closed before terminal tool event: {how}"
            call.deltas.end(cause)
        self._open_messages.clear()
        self._open_tools.clear()
        for log in self._logs():
            log.end(cause)

    def _logs(self) -> list[Log[Any]]:
        return [
            self.values,
            self.updates,
            self.checkpoints,
            self.tasks,
            self.custom,
            self.messages,
            self.tool_calls,
            self.subgraphs,
            *self.named.values(),
            self.arrivals,
        ]


class Run:
    """One run of a thread.

    Attributes:
        run_id: Its id; None if the server does not send it.
        root: The scope of the root graph, which leads to all others.
        events: All received protocol events of the run.
        interrupts: Open interrupts, as `{"interrupt_id", "value", "namespace"}`, each once.
        is_nameless: Whether its event ids have no form that the protocol knows, like those of
            mocked servers. Such ids never name the run that an event belongs to.
        seen: How many events were received, by method and namespace. A replay is compared with it.
    """

    def __init__(
        self, run_id: str | None, graph_name: str | None, *, is_nameless: bool = False
    ) -> None:
        self.run_id = run_id
        self.is_nameless = is_nameless
        self.root = Scope((), graph_name, status="running")
        self.events: Log[Event] = Log()
        self.interrupts: list[dict[str, Any]] = []
        self.seen: Counter[tuple[Any, ...]] = Counter()
        self._scopes: dict[Namespace, Scope] = {(): self.root}

    @property
    def ended(self) -> bool:
        """Whether the run is over, an interrupt included."""
        return self.root.status in _ENDS

    @property
    def is_over(self) -> bool:
        """Whether no more events can come. After an interrupt, further interrupts may follow."""
        return self.root.status in ("completed", "failed")

    def end(self, status: Status, error: str | None, cause: BaseException | None) -> None:
        """End the run and all its projections. See `Scope.end`."""
        self.root.end(status, error, cause)
        # The `lifecycle` event has reported the failure already. A deleted thread has no more
        # events: servers delete that of a stateless run at its end, and langgraph_sdk ends quietly
        # there too.
        is_reported = isinstance(cause, RunFailedError | NotFoundError)
        self.events.end(None if is_reported else cause)

    def asked(self, interrupt_id: str, value: JSON, namespace: Namespace) -> None:
        """Add an interrupt. It replaces a known one with the same id."""
        question = {"interrupt_id": interrupt_id, "value": value, "namespace": list(namespace)}
        self.interrupts[:] = [
            known for known in self.interrupts if known["interrupt_id"] != interrupt_id
        ]
        self.interrupts.append(question)

    def known_scope(self, namespace: Namespace) -> Scope | None:
        """Return the scope of a namespace; None if no event of it was received."""
        return self._scopes.get(namespace)

    def scope(self, namespace: Namespace) -> Scope:
        """Return the scope of a namespace; create it, and missing parents, if necessary."""
        found = self._scopes.get(namespace)
        if found is None:
            parent = self.scope(namespace[:-1])
            name, _, task_id = namespace[-1].partition(":")
            found = self._scopes[namespace] = Scope(namespace, name, task_id or None)
            parent.add("subgraphs", parent.subgraphs, found)
        return found


class ThreadLog:
    """The runs of a thread, in order.

    Args:
        make_message: Creates the objects that receive messages' events.
    """

    def __init__(self, make_message: MakeMessage) -> None:
        self.runs: list[Run] = []
        self.events: Log[Event] = Log()
        self._make_message = make_message
        self._replayed: Counter[tuple[Any, ...]] | None = None
        self._replaying: Run | None = None
        self._nameless_ids: set[str] = set()

    def run(self, run_id: str) -> Run | None:
        """Return the run with this id; None if it is not known."""
        return next((run for run in reversed(self.runs) if run.run_id == run_id), None)

    def reconnected(self) -> None:
        """Note that the next events are a replay from the start of the thread.

        Servers whose event numbers change between connections (langgraph-api 0.16.7) have to be
        read again from the start. Known events are then recognised by run, method and namespace,
        and by counting them. Named channels are not counted, because that server does not replay
        them.
        """
        self._replayed, self._replaying = Counter(), None
        if self.runs and self.runs[0].run_id is None:
            # The server did not keep the run's first event, so no `running` event announces it.
            self._replaying = self.runs[0]

    def feed(self, event: Event) -> bool:
        """Add an event to its run and scope. Return False if it was known already."""
        method, params = event["method"], event["params"]
        namespace: Namespace = tuple(params["namespace"])
        data = params.get("data")
        started = method == "lifecycle" and not namespace and data.get("event") == "running"
        run_id = _run_id(event) if started else None
        is_named = _is_named(method, data)
        if nameless := _is_nameless(event):
            if event["event_id"] in self._nameless_ids:
                return False
            self._nameless_ids.add(event["event_id"])
        elif self._replayed is not None and self._known(
            method, namespace, started, run_id, is_named
        ):
            return False
        if started:
            self.runs.append(Run(run_id, data.get("graph_name"), is_nameless=nameless))
        elif not self.runs or (nameless and self.runs[-1].is_over):
            # The server did not keep the run's first event, as for runs of the older endpoints.
            self.runs.append(Run(None, None, is_nameless=nameless))
        run = self.runs[-1]
        if not is_named:
            run.seen[method, namespace] += 1
        self.events.append(event)
        run.events.append(event)
        self._apply(run, method, namespace, data)
        return True

    def _known(
        self,
        method: str,
        namespace: Namespace,
        started: bool,
        run_id: str | None,
        is_named: bool,
    ) -> bool:
        assert self._replayed is not None
        if started:
            self._replaying = self.run(run_id) if run_id is not None else None
            self._replayed = Counter()
        if self._replaying is None or is_named:
            if started:
                self._replayed = None  # A new run: every event from here on is new.
            return False
        self._replayed[method, namespace] += 1
        return self._replayed[method, namespace] <= self._replaying.seen[method, namespace]

    def end(self, error: BaseException | None) -> None:
        """End all logs, because no more events will come.

        Args:
            error: The reason, if the connection was lost for good; None if the reader closed it.
        """
        self.events.end(error)
        if self.runs:
            self.runs[-1].end("failed" if error else "interrupted", None, error)

    def _apply(self, run: Run, method: str, namespace: Namespace, data: JSON) -> None:
        scope = run.known_scope(namespace)
        if scope is None:
            if method == "messages" and _is_mirror(data, namespace, run):
                return
            scope = run.scope(namespace)
        match method:
            case "lifecycle":
                _apply_lifecycle(run, scope, data)
            case "input.requested":
                run.asked(data["interrupt_id"], data.get("payload"), namespace)
            case "messages":
                scope.feed_message(data, self._make_message)
            case "tools":
                scope.feed_tool(data)
            case "values":
                scope.add("values", scope.values, data)
            case "updates":
                scope.add("updates", scope.updates, data)
            case "checkpoints":
                scope.add("checkpoints", scope.checkpoints, data)
            case "tasks":
                scope.add("tasks", scope.tasks, data)
                _apply_task(run, namespace, data)
            case _:
                scope.feed_custom(data)


def _apply_lifecycle(run: Run, scope: Scope, data: JSON) -> None:
    name = data.get("event")
    if name == "started":
        scope.graph_name = data.get("graph_name", scope.graph_name)
        scope.trigger_call_id = data.get("trigger_call_id", scope.trigger_call_id)
    elif name in _ENDS:
        failed = name == "failed"
        cause = failure(data.get("error")) if failed else None
        ended = run if scope is run.root else scope
        ended.end(name, data.get("error"), cause)


def _apply_task(run: Run, namespace: Namespace, data: JSON) -> None:
    """Note a task's result on the subgraph that it called: the subgraph may report no end."""
    called = run.known_scope((*namespace, f"{data.get('name')}:{data.get('id')}"))
    if called is None or "result" not in data:
        return
    if data.get("interrupts"):
        called.result = "interrupted", None
    elif data.get("error"):
        called.result = "failed", str(data["error"])
    else:
        called.result = "completed", None


def _is_mirror(data: JSON, namespace: Namespace, run: Run) -> bool:
    """Return whether a message repeats a tool's result in a namespace that is not a subgraph.

    Such a namespace ends with the id of the tool call; a subgraph's ends with the id of a task.
    """
    node, _, call_id = namespace[-1].partition(":")
    if node != "tools":
        return False
    parent = run.known_scope(namespace[:-1])
    if parent is not None and parent.has_called(call_id):
        return True
    # The tool call started before this reader connected, so its id is not known. Such events of
    # langgraph-api 0.16.7 have no message id.
    return data.get("message_id") is None and (
        data.get("role") == "tool" or data.get("event") != "message-start"
    )


def _is_named(method: str, data: JSON) -> bool:
    """Return whether an event is of a named channel, which langgraph-api 0.16.7 never replays."""
    return method.startswith("custom:") or (
        method == "custom" and isinstance(data, Mapping) and data.keys() == {"name", "payload"}
    )


_IDS = re.compile(r"synth:|\d+-\d+")


def _is_nameless(event: Event) -> bool:
    """Return whether an event's id has no form that the protocol knows."""
    event_id = event.get("event_id")
    return isinstance(event_id, str) and _IDS.match(event_id) is None


def _run_id(event: Event) -> str | None:
    """Return the id of the run that a root `running` event starts: only its event id has it."""
    parts = str(event.get("event_id", "")).split(":")
    return parts[1] if parts[0] == "synth" and len(parts) > 2 else None
