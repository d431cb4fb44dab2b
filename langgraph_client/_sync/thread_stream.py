# Generated from langgraph_client/_async/thread_stream.py by .ci/unasync.py; do not edit.
"""The thread stream of `client.threads.stream`: follow a thread's events, and send it commands."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from langgraph_client._core.call import Call, ReplyReader, call, path
from langgraph_client._core.current_run import CurrentRun, no_run
from langgraph_client._core.event_filter import CHANNELS, EventFilter, check_projections
from langgraph_client._core.outage import ReconnectPolicy
from langgraph_client._core.run_log import (
    Log,
    MessageSink,
    Run,
    RunFailedError,
)
from langgraph_client._core.starts import starting
from langgraph_client._io.threads import Lock, awaitable, close_all
from langgraph_client._sync.event_readers import (
    SyncEventReader,
    SyncSocketReader,
    SyncSseReader,
)
from langgraph_client._sync.projections import (
    SyncExtensions,
    SyncProjection,
    SyncScopedStreamHandle,
    SyncToolCallHandle,
    SyncValues,
    subgraphs_of,
    tool_calls_of,
)
from langgraph_client._sync.thread_commands import SyncAgentModule, SyncRunModule
from langgraph_client._sync.thread_feed import SyncFeed, Wait
from langgraph_client._sync.transport import Transport
from langgraph_client.errors import APIConnectionError, APIError, NotFoundError, ProtocolError
from langgraph_client.models.fields import JSON, JsonObject
from langgraph_client.models.runs import Run as RunRecord
from langgraph_client.models.threads import Thread, ThreadState

T = TypeVar("T")

#: The channels that every thread stream reads. The others repeat the state and are rarely wanted.
USUAL_CHANNELS = ("lifecycle", "input", "values", "messages", "tools", "custom", "updates")
_CHECK_SECONDS = 10.0  # After this silence, the run's status is requested: it may be over.
_FIRST_CHECK_SECONDS = 1.0  # Likewise before a run has begun; doubled each time.
_SETTLE_SECONDS = 2.0  # How late the last events of a run may arrive after its end.
_DELETED = "deleted"


class SyncThreadStream:
    """A live thread: commands, projections of its runs, raw events.

    Create it with `client.threads.stream`, and enter it once. Exit closes the connections; runs go
    on.

        with client.threads.stream(assistant_id="agent") as thread:
            thread.run.start(input={"question": "?"})
            for message in thread.messages:
                for token in message.text:
                    print(token)
            print(thread.output)

    All projections belong to the *current* run. This is the run that `run.start` or `run.respond`
    of this object started last, or else the last run of the thread. They share one connection.

    Args:
        transport: Sends the requests.
        thread_id: The thread; it need not exist yet.
        assistant_id: The assistant that runs.
        headers: Headers of all requests.
        run_start_timeout: How many seconds a run may take to begin; None for no limit.
        policy: When and how often to reconnect; None for the default policy.
        uses_socket: Whether to receive events over a WebSocket. Commands are always requests.
        is_new: Whether the thread's id was made for this object, so that no run can exist yet.

    Attributes:
        thread_id: The thread.
        assistant_id: The assistant that runs.
        run: Starts and resumes runs.
        agent: Reads information about the assistant.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        thread_id: str,
        assistant_id: str,
        headers: Mapping[str, str] | None = None,
        run_start_timeout: float | None = None,
        policy: ReconnectPolicy | None = None,
        uses_socket: bool = False,
        is_new: bool = False,
    ) -> None:
        self.thread_id = thread_id
        self.assistant_id = assistant_id
        self.run = SyncRunModule(self)
        self.agent = SyncAgentModule(self)
        self._transport = transport
        self._headers = {key.lower(): value for key, value in (headers or {}).items()}
        self._run_start_timeout = run_start_timeout
        self._policy = policy or ReconnectPolicy()
        self._uses_socket = uses_socket
        self._feeds: list[SyncFeed] = []
        self._readers: list[SyncEventReader] = []
        self._current: CurrentRun | None = None
        #: Interrupts that the caller has set while no run is known.
        self._questions: list[JsonObject] = []
        #: The thread's values at the end of each run, fetched once.
        self._outputs: dict[Run, JSON] = {}
        self._fetching = Lock()
        #: Runs for whose interrupts `settle` has waited already.
        self._settled: set[Run] = set()
        self._numbers = itertools.count(1)
        self._state = "new"
        self._is_unused = is_new
        self._subgraphs = subgraphs_of(self)
        self._extensions = SyncExtensions(self)

    def __enter__(self) -> Self:
        if self._state != "new":
            raise RuntimeError(
                "a thread stream can be entered only once: create another one with"
                " client.threads.stream(...)"
            )
        self._state = "open"
        self._feed(USUAL_CHANNELS)
        if not self._is_unused:
            # `interrupted` and `interrupts` must be known even if the caller reads no projection.
            self._readers[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. Runs go on. Safe to repeat."""
        self._state = "closed"
        close_all(*(reader.close for reader in self._readers))

    # --- what there is to read ---

    @property
    def interrupted(self) -> bool:
        """Whether the current run is waiting at an interrupt, as far as is known.

        Setting it to False clears `interrupts`.
        """
        return bool(self.interrupts)

    @interrupted.setter
    def interrupted(self, value: bool) -> None:
        if not value:
            self.interrupts.clear()

    @property
    def interrupts(self) -> list[JsonObject]:
        """The current run's interrupts so far, as `{"interrupt_id", "value", "namespace"}`."""
        run = self._known_run()
        return self._questions if run is None else run.interrupts

    @interrupts.setter
    def interrupts(self, value: list[JsonObject]) -> None:
        self.interrupts[:] = value

    @property
    def output(self) -> JSON:
        """The thread's values after the current run has ended or was interrupted.

        Raises:
            RuntimeError: No run was started on this thread, which is new.
            RunFailedError: The run failed.
            StreamIncomplete: The connection was lost for good.
        """
        return awaitable(self.wait_for_output)

    @property
    def values(self) -> SyncValues:
        """The state after each step of the root graph."""
        return SyncValues(self, lambda scope: scope.values)

    @property
    def messages(self) -> SyncProjection[MessageSink]:
        """The messages of the root graph, each as a stream."""
        return SyncProjection(self, lambda scope: scope.messages)

    @property
    def tool_calls(self) -> SyncProjection[SyncToolCallHandle]:
        """The tool calls of the root graph."""
        return tool_calls_of(self)

    @property
    def subgraphs(self) -> SyncProjection[SyncScopedStreamHandle]:
        """The subgraph calls of the root graph. Each has `subgraphs` of its own."""
        return self._subgraphs

    @property
    def subagents(self) -> SyncProjection[SyncScopedStreamHandle]:
        """The same as `subgraphs`."""
        return self.subgraphs

    @property
    def extensions(self) -> SyncExtensions:
        """The named channels of the root graph: items are `{"name", "payload"}`."""
        return self._extensions

    @property
    def events(self) -> Iterator[JsonObject]:
        """All events of the current run, of all channels, as the server sent them."""
        return self.subscribe(CHANNELS)

    def subscribe(
        self,
        channels: Sequence[str],
        *,
        namespaces: Sequence[Sequence[str]] | None = None,
        depth: int | None = None,
    ) -> Iterator[JsonObject]:
        """Yield events of the current run as the server sent them.

        Args:
            channels: The channels, such as `["values", "custom:progress"]`.
            namespaces: Only events at or below these prefixes; None for all.
            depth: Only events at most this many levels below a prefix, or below the root if
                `namespaces` is None; None for any depth.

        Raises:
            ValueError: No channel is named, or one that no server knows.
            StreamIncomplete: The connection was lost for good.
            APIError: The server refused a connection, such as with an expired key.
        """
        wanted = EventFilter.of(channels, namespaces, depth)
        feed = self._feed(wanted.channels)
        run = self.current_run(feed)
        for event in feed.read(run.events, self._waiting(feed, run)):
            if wanted.matches(event):
                yield dict(event)

    def interleave_projections(self, channels: Sequence[str]) -> Iterator[tuple[str, Any]]:
        """Yield items of several projections of the root graph, in the order of arrival.

        Args:
            channels: Names of projections (`values`, `messages`, `tool_calls`, `subgraphs`,
                `updates`, `checkpoints`, `tasks`) and of extensions.

        Returns:
            Pairs of the projection's name and the item.

        Raises:
            ValueError: A name is empty, or is that of a channel without a projection.
            StreamIncomplete: The connection was lost for good.
        """
        check_projections(channels)
        extra = [name for name in channels if name in ("checkpoints", "tasks")]
        feed = self._feed((*USUAL_CHANNELS, *extra))
        run = self.current_run(feed)
        with suppress(RunFailedError):  # Only `output` raises it.
            for name, item in feed.read(run.root.arrivals, self._waiting(feed, run)):
                if name not in channels:
                    continue
                if name == "tool_calls":
                    yield name, SyncToolCallHandle(self, run, item)
                elif name == "subgraphs":
                    yield name, SyncScopedStreamHandle(self, item)
                else:
                    yield name, item
        self.settle(run)

    # --- for the modules and projections ---

    def read(self, run: Run, log: Log[T]) -> Iterator[T]:
        """Yield the items of a projection as they come."""
        feed = self._feed_of(run)
        return feed.read(log, self._waiting(feed, run))

    def wait_in(self, run: Run, is_ready: Callable[[], bool]) -> None:
        """Wait until `is_ready` returns True, which it must do at the end of the run."""
        self._waiting(self._feed_of(run), run)(is_ready)

    def current_run(self, feed: SyncFeed | None = None) -> Run:
        """Wait until the current run has begun, and return it.

        Raises:
            TimeoutError: It did not begin within `run_start_timeout` seconds.
        """
        feed = feed or self._main()
        if self._state == "closed" and (self._current is None or not self._known_run()):
            return no_run(feed.log)
        feed.start()
        if self._current is None:
            self._current = self._last_of_thread()
        current = self._current
        begun = lambda: current.find(feed.log) is not None or feed.log.events.ended  # noqa: E731
        if not self._wait(feed, current, begun, self._run_start_timeout):
            raise TimeoutError(
                f"the run did not begin within run_start_timeout={self._run_start_timeout:g} s"
            )
        run = current.find(feed.log)
        if run is None:
            if feed.log.events.error is not None:
                raise feed.log.events.error
            return no_run(feed.log)
        current.run_id = current.run_id or run.run_id
        return run

    def wait_for_output(self) -> JSON:
        """See `output`."""
        self._check_open()
        if self._is_unused:
            raise RuntimeError(
                "no run has been started on this new thread: call `run.start(...)` first"
            )
        if (state := self._at_rest()) is not None:
            return state.get("values")
        run = self.current_run()
        self.wait_in(run, lambda: run.ended)
        if run.root.values.error is not None:
            raise run.root.values.error
        with self._fetching:  # Concurrent callers share one request and get the same values.
            if run not in self._outputs:
                state = self._thread_state()
                self._questions_in(run, state)
                self._outputs[run] = state.get("values")
        return self._outputs[run]

    def settle(self, run: Run) -> None:
        """Wait, with a limit, until the interrupts of an interrupted run are known.

        langgraph-api 0.16.7 may send an interrupt after the end of the run that it belongs to.
        """
        if run.root.status != "interrupted" or run.interrupts or self._state != "open":
            return
        if run not in self._settled:
            with suppress(APIError):  # The caller's next request raises it too.
                self._questions_in(run, self._thread_state())
            self._settled.add(run)

    def _questions_in(self, run: Run, state: ThreadState) -> None:
        """Wait, with a limit, until the run has all interrupts that the thread's state lists."""
        asked = [interrupt for task in state.tasks for interrupt in task.interrupts]
        ids = {interrupt.id for interrupt in asked} - {None}

        def are_all_known() -> bool:
            known = {item["interrupt_id"] for item in run.interrupts}
            return bool(known) and ids <= known

        if asked and run.root.status == "interrupted" and not are_all_known():
            self._feed_of(run).changed.wait(are_all_known, _SETTLE_SECONDS)

    def _at_rest(self) -> ThreadState | None:
        """Return the thread's state if no run of it is going on or was ever started; else None."""
        if self._current is None:
            self._current = self._last_of_thread()
        if self._current.succeeded:
            return self._thread_state()
        if self._current.run_id is not None or self._known_run() is not None:
            return None
        try:
            state = self._thread_state()
        except NotFoundError:
            return None
        return None if state.get("next") or state.get("tasks") else state

    def _thread_state(self) -> ThreadState:
        where = path("/threads/{thread_id}/state", thread_id=self.thread_id)
        return self._transport.send(
            Call("GET", where, ReplyReader(ThreadState), headers=self._headers, safe=True)
        )

    def open_questions(self) -> dict[str, list[str]]:
        """Return the namespaces of open interrupts, by id: of the current run, or of the thread."""
        if self.interrupts:
            return {item["interrupt_id"]: item["namespace"] for item in self.interrupts}
        try:
            thread = self._transport.send(
                Call("GET", self._path(""), ReplyReader(Thread), headers=self._headers, safe=True)
            )
        except NotFoundError:
            return {}
        except APIConnectionError as error:
            raise RuntimeError(
                f"no outstanding interrupt is known, and the server cannot be reached: {error}"
            ) from error
        asked = [interrupt for several in thread.interrupts.values() for interrupt in several]
        return {interrupt.id: [] for interrupt in asked if interrupt.id is not None}

    def command(self, method: str, params: JsonObject) -> JsonObject:
        """Send a command that starts a run; the run becomes the current one."""
        self._check_open()
        feed = self._main()
        # Connect before the command is sent: langgraph-api 0.16.7 does not replay named channels,
        # so a later connection would miss their first events.
        with suppress(NotFoundError):  # The command creates the thread.
            feed.start()
        known = len(feed.log.runs)
        body = {"id": next(self._numbers), "method": method, "params": params}
        request = Call(
            "POST", self._path("/commands"), ReplyReader(dict), body=body, headers=self._headers
        )
        answer = self._transport.send(starting(request))
        if answer.get("type") != "success":
            raise ProtocolError(
                str(answer.get("error", "unknown_error")), str(answer.get("message", ""))
            )
        self._is_unused = False
        self._questions.clear()
        result: JsonObject = answer["result"] if isinstance(answer.get("result"), dict) else {}
        if isinstance(result.get("run_id"), str):
            self._current = CurrentRun(result["run_id"], known)
        else:  # langgraph-api 0.16.7 does not return the id of a resumed run: it is the newest.
            self._current = self._last_of_thread()
        return result

    def drawing(
        self,
        xray: int | bool,
        headers: Mapping[str, str] | None,
        params: Mapping[str, Any] | None,
    ) -> JsonObject:
        """See `SyncAgentModule.get_tree`."""
        self._check_open()
        where = path("/assistants/{assistant_id}/graph", assistant_id=self.assistant_id)
        request = call(
            "GET",
            where,
            ReplyReader(dict),
            query={"xray": xray or None},
            headers={**self._headers, **(headers or {})},
            params=params,
        )
        return self._transport.send(request)

    # --- inside ---

    def _path(self, below: str) -> str:
        return path("/threads/{thread_id}", thread_id=self.thread_id) + below

    def _check_open(self) -> None:
        if self._state != "open":
            raise RuntimeError(f"the thread stream is {self._state}: use it within `with`")

    def _main(self) -> SyncFeed:
        """Return the feed that has the usual channels."""
        if not self._feeds:
            self._check_open()  # It raises: an open stream has a feed.
        return self._feeds[0]

    def _feed_of(self, run: Run) -> SyncFeed:
        """Return the feed that the run belongs to: each feed has runs of its own."""
        return next(feed for feed in self._feeds if run in feed.log.runs)

    def _feed(self, channels: Iterable[str]) -> SyncFeed:
        """Return a feed that has these channels, an existing one if possible."""
        for feed in self._feeds:
            if feed.wanted.channels.issuperset(channels) or self._state == "closed":
                return feed
        self._check_open()
        # Each feed has the channels of the earlier ones too, so that they can share a subscription.
        before = self._feeds[-1].wanted.channels if self._feeds else frozenset(USUAL_CHANNELS)
        made = SyncFeed(self.thread_id, EventFilter.of({*before, *channels}))
        self._feeds.append(made)
        if not self._uses_socket or not self._readers:
            kind = SyncSocketReader if self._uses_socket else SyncSseReader
            where = self._path("/stream/events")
            reader = kind(self._transport, where, self._headers, self._policy, self._is_gone)
            self._readers.append(reader)
        self._readers[-1].add(made)
        return made

    def _known_run(self) -> Run | None:
        if not self._feeds:
            return None
        log = self._feeds[0].log
        if self._current is None:
            return log.runs[-1] if log.runs else None
        return self._current.find(log)

    def _is_gone(self) -> bool:
        """Return whether the current run does not exist any more, so that no events can come."""
        return self._current is not None and self._status(self._current) == _DELETED

    def _last_of_thread(self) -> CurrentRun:
        """Return the thread's last run, or the first one to come if it has none."""
        request = call(
            "GET",
            self._path("/runs"),
            ReplyReader(list[RunRecord]),
            query={"limit": 1},
            headers=self._headers,
        )
        try:
            runs = self._transport.send(request)
        except NotFoundError:
            runs = []
        if not runs:
            return CurrentRun(None, 0)
        return CurrentRun(runs[0].run_id, 0, succeeded=runs[0].get("status") == "success")

    def _waiting(self, feed: SyncFeed, run: Run) -> Wait:
        """Return a function that waits for a condition, at most until the run has ended."""
        current = CurrentRun(run.run_id, feed.log.runs.index(run))

        def wait(is_ready: Callable[[], bool]) -> None:
            self._wait(feed, current, is_ready, None)

        return wait

    def _wait(
        self,
        feed: SyncFeed,
        current: CurrentRun,
        is_ready: Callable[[], bool],
        seconds: float | None,
    ) -> bool:
        """Wait for a condition; after a long silence, request the run's status.

        langgraph-api 0.16.7 sends no last event for a run that was rolled back or never began.

        Args:
            feed: The feed whose changes are waited for.
            current: The run.
            is_ready: The condition.
            seconds: How long to wait; None for no limit.

        Returns:
            Whether the condition is true.
        """
        left = float("inf") if seconds is None else seconds
        silence = _FIRST_CHECK_SECONDS if current.find(feed.log) is None else _CHECK_SECONDS
        while left > 0:
            pause, silence = min(left, silence), min(silence * 2, _CHECK_SECONDS)
            if feed.changed.wait(is_ready, pause):
                return True
            left -= pause
            status = self._status(current)
            # The status may come from another server process than the events, which may be slow.
            # So the events are read again before the run counts as ended.
            if status is not None and self._has_ended(feed, is_ready):
                current.end(feed.log, status)
                feed.changed.notify()
        return is_ready()

    def _has_ended(self, feed: SyncFeed, is_ready: Callable[[], bool]) -> bool:
        """Read the stored events over a new connection; return whether no more events came."""
        before = feed.connections
        feed.reconnect()
        is_open = feed.changed.wait(lambda: is_ready() or feed.connections > before, _CHECK_SECONDS)
        return is_open and not feed.changed.wait(is_ready, _SETTLE_SECONDS)

    def _status(self, current: CurrentRun) -> str | None:
        """Return the status of a run that has ended; None if it goes on or is not known."""
        if current.run_id is None:
            return None
        where = path(
            "/threads/{thread_id}/runs/{run_id}", thread_id=self.thread_id, run_id=current.run_id
        )
        try:
            run = self._transport.send(
                Call("GET", where, ReplyReader(RunRecord), headers=self._headers, safe=True)
            )
        except NotFoundError:
            return _DELETED
        except APIError:
            return None  # If the server stays unreachable, the feed ends with an error.
        return None if run.status in ("pending", "running") else str(run.status)
