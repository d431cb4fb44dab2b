# Generated from langgraph_client/_async/thread_runs.py by .ci/unasync.py; do not edit.
"""The runs of one thread: their events, the current run, and the commands that start them.

`SyncThreadStream` is the public face of this; projections and commands work on it, too.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from langgraph_client._core.call import Call, ReplyReader, call, path
from langgraph_client._core.current_run import CurrentRun, no_run
from langgraph_client._core.event_filter import EventFilter
from langgraph_client._core.outage import ReconnectPolicy
from langgraph_client._core.run_log import Log, Run
from langgraph_client._core.starts import starting
from langgraph_client._io.threads import Lock, close_all
from langgraph_client._sync.event_readers import (
    SyncEventReader,
    SyncSocketReader,
    SyncSseReader,
)
from langgraph_client._sync.run_watch import SETTLE_SECONDS, SyncRunWatch
from langgraph_client._sync.thread_feed import SyncFeed, Wait
from langgraph_client._sync.transport import Transport
from langgraph_client.errors import APIConnectionError, APIError, NotFoundError, ProtocolError
from langgraph_client.models.fields import JSON, JsonObject
from langgraph_client.models.threads import Thread, ThreadState

T = TypeVar("T")

#: The channels that every thread stream reads. The others repeat the state and are rarely wanted.
USUAL_CHANNELS = ("lifecycle", "input", "values", "messages", "tools", "custom", "updates")


class SyncThreadRuns:
    """Reads the events of a thread's runs, and sends the commands that start runs.

    Args:
        transport: Sends the requests.
        thread_id: The thread; it need not exist yet.
        assistant_id: The assistant that runs.
        headers: Headers of all requests.
        run_start_timeout: How many seconds a run may take to begin; None for no limit.
        policy: When and how often to reconnect; None for the default policy.
        uses_socket: Whether to receive events over a WebSocket. Commands are always requests.
        is_new: Whether the thread's id was made for this object, so that no run can exist yet.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        thread_id: str,
        assistant_id: str,
        headers: Mapping[str, str] | None,
        run_start_timeout: float | None,
        policy: ReconnectPolicy | None,
        uses_socket: bool,
        is_new: bool,
    ) -> None:
        self.thread_id = thread_id
        self.assistant_id = assistant_id
        self._transport = transport
        self._headers = {key.lower(): value for key, value in (headers or {}).items()}
        self._run_start_timeout = run_start_timeout
        self._policy = policy or ReconnectPolicy()
        self._uses_socket = uses_socket
        self._watch = SyncRunWatch(transport, thread_id, self._headers)
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

    def open(self) -> None:
        """Open the first connection.

        Raises:
            RuntimeError: It was opened before.
        """
        if self._state != "new":
            raise RuntimeError(
                "a thread stream can be entered only once: create another one with"
                " client.threads.stream(...)"
            )
        self._state = "open"
        try:
            self.feed(USUAL_CHANNELS)
            if not self._is_unused:
                # `interrupted` and `interrupts` must be known even if the caller reads nothing.
                self._readers[0].start()
        except BaseException:  # A Ctrl-C, too: the thread that reads may have started.
            self.close()
            raise

    def close(self) -> None:
        """Close the connections. Runs go on. Safe to repeat."""
        self._state = "closed"
        close_all(*(reader.close for reader in self._readers))

    @property
    def interrupts(self) -> list[JsonObject]:
        """The current run's interrupts so far."""
        run = self._known_run()
        return self._questions if run is None else run.interrupts

    # --- reading ---

    def feed(self, channels: Iterable[str]) -> SyncFeed:
        """Return a feed that has these channels, an existing one if possible."""
        # A closed stream opens nothing new: readers get what is there, and end.
        for feed in self._feeds:
            if feed.wanted.channels.issuperset(channels) or self._state == "closed":
                return feed
        self._check_open()
        # Each feed has the channels of the earlier ones too, so that they can share a subscription.
        before = self._feeds[-1].wanted.channels if self._feeds else frozenset(USUAL_CHANNELS)
        made = SyncFeed(self.thread_id, EventFilter.of({*before, *channels}))
        self._feeds.append(made)
        # Server-sent events: one connection per feed. WebSocket: the first reader serves all feeds.
        if not self._uses_socket or not self._readers:
            kind = SyncSocketReader if self._uses_socket else SyncSseReader
            where = self._path("/stream/events")
            reader = kind(self._transport, where, self._headers, self._policy, self._is_gone)
            self._readers.append(reader)
            if self._state == "closed":  # By another thread, before this reader was in the list.
                reader.close()
        self._readers[-1].add(made)
        return made

    def waiting(self, feed: SyncFeed, run: Run) -> Wait:
        """Return a function that waits for a condition, at most until the run has ended."""
        return self._watch.waiting(feed, run)

    def read(self, run: Run, log: Log[T]) -> Iterator[T]:
        """Yield the items of a projection as they come."""
        feed = self._feed_of(run)
        return feed.read(log, self._watch.waiting(feed, run))

    def wait_in(self, run: Run, is_ready: Callable[[], bool]) -> None:
        """Wait until `is_ready` returns True, which it must do at the end of the run."""
        self._watch.waiting(self._feed_of(run), run)(is_ready)

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
            self._current = self._watch.last_run()
        current = self._current
        begun = lambda: current.find(feed.log) is not None or feed.log.events.ended  # noqa: E731
        if not self._watch.wait(feed, current, begun, self._run_start_timeout):
            raise TimeoutError(
                f"the run did not begin within run_start_timeout={self._run_start_timeout:g} s"
            )
        run = current.find(feed.log)
        if run is None:
            if feed.log.events.error is not None:
                raise feed.log.events.error
            return no_run(feed.log)
        # With the id its status can be requested. `last_run` had none if the run began after it.
        current.run_id = current.run_id or run.run_id
        return run

    def wait_for_output(self) -> JSON:
        """Wait for the end of the current run; return the thread's values then.

        Raises:
            RuntimeError: No run was started on this thread, which is new.
            RunFailedError: The run failed.
            StreamIncomplete: The connection was lost for good.
        """
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
            self._feed_of(run).changed.wait(are_all_known, SETTLE_SECONDS)

    def _at_rest(self) -> ThreadState | None:
        """Return the thread's state if no run of it is going on or was ever started; else None."""
        if self._current is None:
            self._current = self._watch.last_run()
        # It was over before this object looked, so its events may be deleted.
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

    # --- commands ---

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
        # Counted before the command: its run is the next one, if the events have no run ids.
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
            self._watch.started.add(result["run_id"])
        else:  # langgraph-api 0.16.7 does not return the id of a resumed run: it is the newest.
            self._current = self._watch.last_run()
        return result

    def drawing(
        self,
        xray: int | bool,
        headers: Mapping[str, str] | None,
        params: Mapping[str, Any] | None,
    ) -> JsonObject:
        """Return nodes and edges of the assistant's graph; see `SyncAgentModule.get_tree`."""
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

    def _known_run(self) -> Run | None:
        if not self._feeds:
            return None
        log = self._feeds[0].log
        if self._current is None:
            return log.runs[-1] if log.runs else None
        return self._current.find(log)

    def _is_gone(self) -> bool:
        """Return whether the current run does not exist any more, so that no events can come."""
        return self._current is not None and self._watch.is_gone(self._current)
