"""The thread stream of `client.threads.stream`: follow a thread's events, and send it commands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

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
from langgraph_client._async.thread_runs import USUAL_CHANNELS, AsyncThreadRuns
from langgraph_client._async.transport import AsyncTransport
from langgraph_client._core.event_filter import CHANNELS, EventFilter, check_projections
from langgraph_client._core.outage import ReconnectPolicy
from langgraph_client._core.run_log import MessageSink
from langgraph_client._io.tasks import (
    Later,  # async only
    awaitable,
)
from langgraph_client.errors import RunFailedError
from langgraph_client.models.fields import JSON, JsonObject


class AsyncThreadStream:
    """A live thread: commands, projections of its runs, raw events.

    Create it with `client.threads.stream`, and enter it once. Exit closes the connections; runs go
    on.

        async with client.threads.stream(assistant_id="agent") as thread:
            await thread.run.start(input={"question": "?"})
            async for message in thread.messages:
                async for token in message.text:
                    print(token)
            print(await thread.output)

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
        self._runs = AsyncThreadRuns(
            transport,
            thread_id=thread_id,
            assistant_id=assistant_id,
            headers=headers,
            run_start_timeout=run_start_timeout,
            policy=policy,
            uses_socket=uses_socket,
            is_new=is_new,
        )
        self.thread_id = thread_id
        self.assistant_id = assistant_id
        self.run = RunModule(self._runs)
        self.agent = AgentModule(self._runs)
        self._subgraphs = subgraphs_of(self._runs)
        self._extensions = AsyncExtensions(self._runs)

    async def __aenter__(self) -> Self:
        await self._runs.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections. Runs go on. Safe to repeat."""
        await self._runs.close()

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
        return self._runs.interrupts

    @interrupts.setter
    def interrupts(self, value: list[JsonObject]) -> None:
        self.interrupts[:] = value

    @property
    def output(self) -> Later[JSON]:
        """The thread's values after the current run has ended or was interrupted.

        Raises:
            RuntimeError: No run was started on this thread, which is new.
            RunFailedError: The run failed.
            StreamIncomplete: The connection was lost for good.
        """
        return awaitable(self._runs.wait_for_output)

    @property
    def values(self) -> AsyncValues:
        """The state after each step of the root graph."""
        return AsyncValues(self._runs, lambda scope: scope.values)

    @property
    def messages(self) -> AsyncProjection[MessageSink]:
        """The messages of the root graph, each as a stream."""
        return AsyncProjection(self._runs, lambda scope: scope.messages)

    @property
    def tool_calls(self) -> AsyncProjection[ToolCallHandle]:
        """The tool calls of the root graph."""
        return tool_calls_of(self._runs)

    @property
    def subgraphs(self) -> AsyncProjection[ScopedStreamHandle]:
        """The subgraph calls of the root graph. Each has `subgraphs` of its own."""
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
        """All events of the current run, of all channels, as the server sent them."""
        return self.subscribe(CHANNELS)

    async def subscribe(
        self,
        channels: Sequence[str],
        *,
        namespaces: Sequence[Sequence[str]] | None = None,
        depth: int | None = None,
    ) -> AsyncIterator[JsonObject]:
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
        feed = await self._runs.feed(wanted.channels)
        run = await self._runs.current_run(feed)
        async for event in feed.read(run.events, self._runs.waiting(feed, run)):
            if wanted.matches(event):
                yield dict(event)

    async def interleave_projections(
        self, channels: Sequence[str]
    ) -> AsyncIterator[tuple[str, Any]]:
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
        feed = await self._runs.feed((*USUAL_CHANNELS, *extra))
        run = await self._runs.current_run(feed)
        with suppress(RunFailedError):  # Only `output` raises it.
            async for name, item in feed.read(run.root.arrivals, self._runs.waiting(feed, run)):
                if name not in channels:
                    continue
                if name == "tool_calls":
                    yield name, ToolCallHandle(self._runs, run, item)
                elif name == "subgraphs":
                    yield name, ScopedStreamHandle(self._runs, item)
                else:
                    yield name, item
        await self._runs.settle(run)
