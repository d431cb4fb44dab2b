"""A thread followed by its events and steered by commands: what `client.threads.stream` gives."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from langgraph_client._async.event_readers import (
    AsyncEventReader,
    AsyncSocketReader,
    AsyncSseReader,
)
from langgraph_client._async.projections import (
    AsyncExtensions,
    AsyncProjection,
    AsyncValues,
    ScopedStreamHandle,
    ToolCallHandle,
    subgraphs_of,
    tool_calls_of,
)
from langgraph_client._async.thread_commands import AgentModule, RunModule
from langgraph_client._async.thread_feed import AsyncFeed, Wait
from langgraph_client._async.transport import AsyncTransport
from langgraph_client._core.call import Call, Reply, call, path
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
from langgraph_client._io.tasks import Lock, later
from langgraph_client.errors import APIConnectionError, APIError, NotFoundError, ProtocolError
from langgraph_client.models.fields import JSON, JsonObject
from langgraph_client.models.runs import Run as RunRecord
from langgraph_client.models.threads import Thread, ThreadState

T = TypeVar("T")

#: What is read for every thread stream. The others repeat the whole state, and are rarely wanted.
USUAL_CHANNELS = ("lifecycle", "input", "values", "messages", "tools", "custom", "updates")
_CHECK_SECONDS = 10.0  # Of silence, until it is looked whether a run is over already.
_FIRST_CHECK_SECONDS = 1.0  # The same before a run has begun; doubled each time.
_SETTLE_SECONDS = 2.0  # That the last events of a run may come behind its end.
_DELETED = "deleted"


class AsyncThreadStream:
    """One thread, followed live: commands, projections of its runs, raw events.

    Made by `client.threads.stream`. Enter it once; leaving closes it and stops no run.

        async with client.threads.stream(assistant_id="agent") as thread:
            await thread.run.start(input={"question": "?"})
            async for message in thread.messages:
                async for token in message.text:
                    print(token)
            print(await thread.output)

    All projections are of the *current* run: the one that `run.start` or `run.respond` of this
    object started last, or else the last run of the thread. One connection serves all of them.

    Args:
        transport: Sends the requests.
        thread_id: The thread; it need not exist.
        assistant_id: Who runs.
        headers: Headers of all requests.
        run_start_timeout: Seconds that a run may take to begin; None for no limit.
        policy: How often a cut connection is opened again.
        uses_socket: Whether events come over a WebSocket. Commands never do.
        is_new: Whether nobody but this object knows of the thread.

    Attributes:
        thread_id: The thread.
        assistant_id: Who runs.
        run: Starts and resumes runs.
        agent: Tells about the assistant.
    """

    def __init__(
        self,
        transport: AsyncTransport,
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
        self.run = RunModule(self)
        self.agent = AgentModule(self)
        self._transport = transport
        self._headers = {key.lower(): value for key, value in (headers or {}).items()}
        self._run_start_timeout = run_start_timeout
        self._policy = policy or ReconnectPolicy()
        self._uses_socket = uses_socket
        self._feeds: list[AsyncFeed] = []
        self._readers: list[AsyncEventReader] = []
        self._current: CurrentRun | None = None
        #: Questions that are noted by hand, before anything is known of a run.
        self._questions: list[JsonObject] = []
        #: What the thread was at the end of runs, for whoever asks for it again.
        self._outputs: dict[Run, JSON] = {}
        self._fetching = Lock()
        #: Runs whose questions have been waited for.
        self._settled: set[Run] = set()
        self._numbers = itertools.count(1)
        self._state = "new"
        self._is_unused = is_new
        self._subgraphs = subgraphs_of(self)
        self._extensions = AsyncExtensions(self)

    async def __aenter__(self) -> Self:
        if self._state != "new":
            raise RuntimeError("a thread stream can be entered once; ask for another one")
        self._state = "open"
        await self._feed(USUAL_CHANNELS)
        if not self._is_unused:
            # `interrupted` and `interrupts` are of the thread, though nothing of it is read.
            await self._readers[0].start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections. Runs go on. Safe to repeat."""
        self._state = "closed"
        for reader in self._readers:
            await reader.close()

    # --- what there is to read ---

    @property
    def interrupted(self) -> bool:
        """Whether the current run, as far as it is known, stopped to ask.

        Setting it to False forgets the questions.
        """
        return bool(self.interrupts)

    @interrupted.setter
    def interrupted(self, value: bool) -> None:
        if not value:
            self.interrupts.clear()

    @property
    def interrupts(self) -> list[JsonObject]:
        """What the current run asked so far, as `{"interrupt_id", "value", "namespace"}`."""
        run = self._known_run()
        return self._questions if run is None else run.interrupts

    @interrupts.setter
    def interrupts(self, value: list[JsonObject]) -> None:
        self.interrupts[:] = value

    @property
    def output(self) -> Awaitable[JSON]:
        """The values of the thread when the current run is over, or has stopped to ask.

        Raises:
            RunFailedError: The run failed.
            StreamIncomplete: The connection was lost for good.
        """
        return later(self.wait_for_output)

    @property
    def values(self) -> AsyncValues:
        """The state after each step of the root graph."""
        return AsyncValues(self, lambda scope: scope.values)

    @property
    def messages(self) -> AsyncProjection[MessageSink]:
        """The messages of the root graph, each as a stream of its own."""
        return AsyncProjection(self, lambda scope: scope.messages)

    @property
    def tool_calls(self) -> AsyncProjection[ToolCallHandle]:
        """The calls of tools by the root graph."""
        return tool_calls_of(self)

    @property
    def subgraphs(self) -> AsyncProjection[ScopedStreamHandle]:
        """The calls of subgraphs by the root graph; theirs are found on them."""
        return self._subgraphs

    @property
    def subagents(self) -> AsyncProjection[ScopedStreamHandle]:
        """The same as `subgraphs`."""
        return self.subgraphs

    @property
    def extensions(self) -> AsyncExtensions:
        """The named channels of the root graph: items are `{"name", "payload"}`."""
        return self._extensions

    @property
    def events(self) -> AsyncIterator[JsonObject]:
        """All events of the current run as they are on the wire, of all channels."""
        return self.subscribe(CHANNELS)

    async def subscribe(
        self,
        channels: Sequence[str],
        *,
        namespaces: Sequence[Sequence[str]] | None = None,
        depth: int | None = None,
    ) -> AsyncIterator[JsonObject]:
        """Return events of the current run as they are on the wire.

        Args:
            channels: Which channels, such as `["values", "custom:progress"]`.
            namespaces: Only below these prefixes; None for all.
            depth: How many levels below a prefix, or below the root; None for any.
        """
        wanted = EventFilter.of(channels, namespaces, depth)
        feed = await self._feed(wanted.channels)
        run = await self.current_run(feed)
        async for event in feed.read(run.events, self._waiting(feed, run)):
            if wanted.matches(event):
                yield dict(event)

    async def interleave_projections(
        self, channels: Sequence[str]
    ) -> AsyncIterator[tuple[str, Any]]:
        """Return items of several projections of the root graph, in the order of arrival.

        Args:
            channels: Names of projections (`values`, `messages`, `tool_calls`, `subgraphs`,
                `updates`, `checkpoints`, `tasks`) and of extensions.

        Raises:
            ValueError: A name is that of a channel that has no projection.
        """
        check_projections(channels)
        extra = [name for name in channels if name in ("checkpoints", "tasks")]
        feed = await self._feed((*USUAL_CHANNELS, *extra))
        run = await self.current_run(feed)
        with suppress(RunFailedError):  # That is for `output` to say.
            async for name, item in feed.read(run.root.arrivals, self._waiting(feed, run)):
                if name not in channels:
                    continue
                if name == "tool_calls":
                    yield name, ToolCallHandle(self, run, item)
                elif name == "subgraphs":
                    yield name, ScopedStreamHandle(self, item)
                else:
                    yield name, item
        await self.settle(run)

    # --- for the modules and projections ---

    def read(self, run: Run, log: Log[T]) -> AsyncIterator[T]:
        """Return the items of a projection as they come."""
        feed = self._main()
        return feed.read(log, self._waiting(feed, run))

    async def wait_in(self, run: Run, is_ready: Callable[[], bool]) -> None:
        """Wait for something that comes at the latest when the run ends."""
        await self._waiting(self._main(), run)(is_ready)

    async def current_run(self, feed: AsyncFeed | None = None) -> Run:
        """Wait until the current run has begun, and return it.

        Raises:
            TimeoutError: It did not begin within `run_start_timeout`.
        """
        feed = feed or self._main()
        if self._state == "closed" and (self._current is None or not self._known_run()):
            return no_run(feed.log)
        await feed.start()
        if self._current is None:
            self._current = await self._last_of_thread()
        current = self._current
        begun = lambda: current.find(feed.log) is not None or feed.log.events.ended  # noqa: E731
        if not await self._wait(feed, current, begun, self._run_start_timeout):
            raise TimeoutError(f"the run did not begin within {self._run_start_timeout:g} s")
        run = current.find(feed.log)
        if run is None:
            if feed.log.events.error is not None:
                raise feed.log.events.error
            return no_run(feed.log)
        current.run_id = current.run_id or run.run_id
        return run

    async def wait_for_output(self) -> JSON:
        """See `output`."""
        self._check_open()
        if self._is_unused:
            raise RuntimeError("no run has been started on this thread, which is new")
        if (state := await self._at_rest()) is not None:
            return state["values"]
        run = await self.current_run()
        await self.wait_in(run, lambda: run.ended)
        if run.root.values.error is not None:
            raise run.root.values.error
        async with self._fetching:  # Whoever waits at the same time gets the same.
            if run not in self._outputs:
                state = await self._thread_state()
                await self._questions_in(run, state)
                self._outputs[run] = state["values"]
        return self._outputs[run]

    async def settle(self, run: Run) -> None:
        """Wait for the questions of a run that has stopped to ask, with a limit.

        langgraph-api 0.16.7 may send a question behind the end of the run that asks.
        """
        if run.root.status != "interrupted" or run.interrupts or self._state != "open":
            return
        if run not in self._settled:
            with suppress(APIError):  # Whoever reads on is told so.
                await self._questions_in(run, await self._thread_state())
            self._settled.add(run)

    async def _questions_in(self, run: Run, state: ThreadState) -> None:
        """Wait, with a limit, for the questions that a thread's state tells of."""
        asked = [one for task in state.get("tasks") or () for one in task.get("interrupts") or ()]
        ids = {one["id"] for one in asked if "id" in one}

        def are_all_known() -> bool:
            known = {one["interrupt_id"] for one in run.interrupts}
            return bool(known) and ids <= known

        if asked and run.root.status == "interrupted" and not are_all_known():
            await self._main().changed.wait(are_all_known, _SETTLE_SECONDS)

    async def _at_rest(self) -> ThreadState | None:
        """Return the state of a thread whose last run was over already, or that never had one."""
        if self._current is None:
            self._current = await self._last_of_thread()
        if self._current.succeeded:
            return await self._thread_state()
        if self._current.run_id is not None or self._known_run() is not None:
            return None
        try:
            state = await self._thread_state()
        except NotFoundError:
            return None
        return None if state.get("next") or state.get("tasks") else state

    async def _thread_state(self) -> ThreadState:
        where = path("/threads/{thread_id}/state", thread_id=self.thread_id)
        return await self._transport.send(
            Call("GET", where, Reply(ThreadState), headers=self._headers, safe=True)
        )

    async def open_questions(self) -> dict[str, list[str]]:
        """Return the namespaces of open interrupts, by id: of the current run, or of the thread."""
        if self.interrupts:
            return {one["interrupt_id"]: one["namespace"] for one in self.interrupts}
        try:
            thread = await self._transport.send(
                Call("GET", self._path(""), Reply(Thread), headers=self._headers, safe=True)
            )
        except NotFoundError:
            return {}
        except APIConnectionError as error:
            raise RuntimeError(
                f"there is no outstanding interrupt known, and the server cannot be asked: {error}"
            ) from error
        asked = (thread.get("interrupts") or {}).values()
        return {interrupt["id"]: [] for several in asked for interrupt in several}

    async def command(self, method: str, params: JsonObject) -> JsonObject:
        """Send a command that starts a run; the run becomes the current one."""
        self._check_open()
        feed = self._main()
        # Named channels of langgraph-api 0.16.7 are not replayed: whoever comes late misses them.
        with suppress(NotFoundError):  # A thread that the command makes.
            await feed.start()
        known = len(feed.log.runs)
        body = {"id": next(self._numbers), "method": method, "params": params}
        request = Call(
            "POST", self._path("/commands"), Reply(dict), body=body, headers=self._headers
        )
        answer = await self._transport.send(starting(request))
        if answer.get("type") != "success":
            raise ProtocolError(
                str(answer.get("error", "unknown_error")), str(answer.get("message", ""))
            )
        self._is_unused = False
        self._questions.clear()
        result: JsonObject = dict(answer.get("result") or {})
        if "run_id" in result:
            self._current = CurrentRun(result["run_id"], known)
        else:  # langgraph-api 0.16.7 does not say which run goes on: the newest one does.
            self._current = await self._last_of_thread()
        return result

    async def drawing(
        self,
        xray: int | bool,
        headers: Mapping[str, str] | None,
        params: Mapping[str, Any] | None,
    ) -> JsonObject:
        """See `AgentModule.get_tree`."""
        self._check_open()
        where = path("/assistants/{assistant_id}/graph", assistant_id=self.assistant_id)
        request = call(
            "GET",
            where,
            Reply(dict),
            query={"xray": xray or None},
            headers={**self._headers, **(headers or {})},
            params=params,
        )
        return await self._transport.send(request)

    # --- inside ---

    def _path(self, below: str) -> str:
        return path("/threads/{thread_id}", thread_id=self.thread_id) + below

    def _check_open(self) -> None:
        if self._state != "open":
            raise RuntimeError(f"the thread stream is {self._state}: use it within `async with`")

    def _main(self) -> AsyncFeed:
        """Return the feed that has the usual channels."""
        if not self._feeds:
            self._check_open()
        return self._feeds[0]

    async def _feed(self, channels: Iterable[str]) -> AsyncFeed:
        """Return a feed that has these channels; one that exists, if it can be."""
        for feed in self._feeds:
            if feed.wanted.channels.issuperset(channels) or self._state == "closed":
                return feed
        self._check_open()
        # Each has what those before it have: they may share a subscription.
        before = self._feeds[-1].wanted.channels if self._feeds else frozenset(USUAL_CHANNELS)
        made = AsyncFeed(self.thread_id, EventFilter.of({*before, *channels}))
        self._feeds.append(made)
        if not self._uses_socket or not self._readers:
            kind = AsyncSocketReader if self._uses_socket else AsyncSseReader
            where = self._path("/stream/events")
            reader = kind(self._transport, where, self._headers, self._policy, self._is_gone)
            self._readers.append(reader)
        await self._readers[-1].add(made)
        return made

    def _known_run(self) -> Run | None:
        if not self._feeds:
            return None
        log = self._feeds[0].log
        if self._current is None:
            return log.runs[-1] if log.runs else None
        return self._current.find(log)

    async def _is_gone(self) -> bool:
        """Whether the server does not know the current run, so that nothing more can come of it."""
        return self._current is not None and await self._status(self._current) == _DELETED

    async def _last_of_thread(self) -> CurrentRun:
        """Return the thread's last run, or the first one to come if it has none."""
        request = call(
            "GET",
            self._path("/runs"),
            Reply(list[RunRecord]),
            query={"limit": 1},
            headers=self._headers,
        )
        try:
            runs = await self._transport.send(request)
        except NotFoundError:
            runs = []
        if not runs:
            return CurrentRun(None, 0)
        return CurrentRun(runs[0]["run_id"], 0, succeeded=runs[0].get("status") == "success")

    def _waiting(self, feed: AsyncFeed, run: Run) -> Wait:
        """Return what waits for something that comes before the end of a run."""
        current = CurrentRun(run.run_id, feed.log.runs.index(run))

        async def wait(is_ready: Callable[[], bool]) -> None:
            await self._wait(feed, current, is_ready, None)

        return wait

    async def _wait(
        self,
        feed: AsyncFeed,
        current: CurrentRun,
        is_ready: Callable[[], bool],
        seconds: float | None,
    ) -> bool:
        """Wait; and if nothing comes for long, look whether the run is over without having said so.

        langgraph-api 0.16.7 sends no last event of a run that was rolled back, or that never began.
        """
        left = float("inf") if seconds is None else seconds
        silence = _FIRST_CHECK_SECONDS if current.find(feed.log) is None else _CHECK_SECONDS
        while left > 0:
            pause, silence = min(left, silence), min(silence * 2, _CHECK_SECONDS)
            if await feed.changed.wait(is_ready, pause):
                return True
            left -= pause
            status = await self._status(current)
            # Another server may have answered: one that the connection leads to may be paused.
            if status is not None and await self._has_ended(feed, is_ready):
                current.end(feed.log, status)
                feed.changed.notify()
        return is_ready()

    async def _has_ended(self, feed: AsyncFeed, is_ready: Callable[[], bool]) -> bool:
        """Read what is kept over a new connection. Returns whether nothing is left to come."""
        before = feed.connections
        await feed.reconnect()
        is_open = await feed.changed.wait(
            lambda: is_ready() or feed.connections > before, _CHECK_SECONDS
        )
        return is_open and not await feed.changed.wait(is_ready, _SETTLE_SECONDS)

    async def _status(self, current: CurrentRun) -> str | None:
        """Return how a run ended; None if it goes on, or is not known."""
        if current.run_id is None:
            return None
        where = path(
            "/threads/{thread_id}/runs/{run_id}", thread_id=self.thread_id, run_id=current.run_id
        )
        try:
            run = await self._transport.send(
                Call("GET", where, Reply(RunRecord), headers=self._headers, safe=True)
            )
        except NotFoundError:
            return _DELETED
        except APIError:
            return None  # The feed says so, if the server is away for good.
        return None if run["status"] in ("pending", "running") else str(run["status"])
