# Generated from langgraph_client/_async/projections.py by .ci/unasync.py; do not edit.
"""The readable parts of a thread stream: projections of a run, tool calls, subgraphs."""

from __future__ import annotations

from collections.abc import (
    Callable,
    Iterator,
)
from contextlib import suppress
from typing import Any, Generic, TypeVar

from langgraph_client._core.run_log import (
    Log,
    MessageSink,
    Run,
    Scope,
    Status,
    ToolCall,
)
from langgraph_client._io.threads import (
    awaitable,
)
from langgraph_client._sync.thread_runs import SyncThreadRuns
from langgraph_client.errors import RunFailedError
from langgraph_client.models.fields import JSON

T = TypeVar("T")


class SyncProjection(Generic[T]):
    """The items of one kind of a run, in order, as they come.

    Each iteration begins with the first item of the current run. It ends when that run ends, fails
    or stops at an interrupt. So a projection can be iterated late, twice, and beside others. It
    does not raise if the run fails; `output` does.

    Raises:
        StreamIncomplete: After the last item: the connection was lost for good.
    """

    def __init__(
        self,
        runs: SyncThreadRuns,
        pick: Callable[[Scope], Log[Any]],
        scope: Scope | None = None,
        convert: Callable[[Run, Any], T] | None = None,
    ) -> None:
        self._runs = runs
        self._pick = pick
        self._scope = scope
        self._convert = convert

    def __iter__(self) -> Iterator[T]:
        run = self._runs.current_run()
        log = self._pick(self._scope or run.root)
        with suppress(RunFailedError):
            for item in self._runs.read(run, log):
                yield item if self._convert is None else self._convert(run, item)
        self._runs.settle(run)


class SyncValues(SyncProjection[JSON]):
    """The state after each step of the current run. `await` it, or call `get`, for the output.

    If the server sent no state of any step, the only item is the state at the end.
    """

    def __iter__(self) -> Iterator[JSON]:
        has_any = False
        for values in super().__iter__():
            has_any = True
            yield values
        if not has_any:
            yield self.get()

    def get(self) -> JSON:
        """Wait for the end of the current run; return the thread's values then."""
        return self._runs.wait_for_output()


class SyncExtensions:
    """The named channels of the current run, by name. A name always gives the same object."""

    def __init__(self, runs: SyncThreadRuns, scope: Scope | None = None) -> None:
        self._runs = runs
        self._scope = scope
        self._by_name: dict[str, SyncProjection[JSON]] = {}

    def __getitem__(self, name: str) -> SyncProjection[JSON]:
        if not name:
            raise ValueError("the name of an extension must be non-empty")
        if name not in self._by_name:
            self._by_name[name] = SyncProjection(
                self._runs, lambda scope: scope.extension(name), self._scope
            )
        return self._by_name[name]


class SyncToolCallHandle:
    """One call of a tool.

    Attributes:
        tool_call_id: The id of the call, from the model.
        name: The tool's name.
        input: The tool's arguments.
        namespace: The namespace of the graph that called it.
    """

    def __init__(self, runs: SyncThreadRuns, run: Run, call: ToolCall) -> None:
        self.tool_call_id = call.tool_call_id
        self.name = call.name
        self.input = call.input
        self.namespace = list(call.namespace)
        self._runs = runs
        self._run = run
        self._call = call

    @property
    def done(self) -> bool:
        """Whether the tool has returned or failed."""
        return self._call.deltas.ended

    @property
    def error(self) -> BaseException | None:
        """The error, if the tool failed; else None."""
        return None if self._call.error is None else RunFailedError(self._call.error)

    @property
    def deltas(self) -> Iterator[JSON]:
        """The partial output that the tool sends while it works, as it comes."""
        return self._runs.read(self._run, self._call.deltas)

    @property
    def output(self) -> JSON:
        """The tool's return value.

        Raises:
            RunFailedError: The tool failed.
        """
        return awaitable(self._output)

    def _output(self) -> JSON:
        deltas = self._call.deltas
        self._runs.wait_in(self._run, lambda: deltas.ended)
        if self._call.error is not None:
            raise deltas.error or RunFailedError(self._call.error)
        return self._call.output


class SyncScopedStreamHandle:
    """One call of a subgraph, with its own projections.

    Attributes:
        path: Its namespace as a tuple.
        namespace: Its namespace as a list.
    """

    def __init__(self, runs: SyncThreadRuns, scope: Scope) -> None:
        self.path = scope.namespace
        self.namespace = list(scope.namespace)
        self._runs = runs
        self._scope = scope
        self._extensions = SyncExtensions(runs, scope)

    @property
    def graph_name(self) -> str | None:
        """The name of the node, or of the agent, that runs the subgraph."""
        return self._scope.graph_name

    @property
    def trigger_call_id(self) -> str | None:
        """The id of the task that called the subgraph."""
        return self._scope.trigger_call_id

    @property
    def status(self) -> Status:
        """`started` until it is over; then `completed`, `failed` or `interrupted`."""
        return self._scope.status

    @property
    def error(self) -> str | None:
        """The server's error text, if the subgraph failed; else None."""
        return self._scope.error

    @property
    def values(self) -> SyncProjection[JSON]:
        """Its state after each of its steps."""
        return SyncProjection(self._runs, lambda scope: scope.values, self._scope)

    @property
    def messages(self) -> SyncProjection[MessageSink]:
        """Its messages, each as a stream."""
        return SyncProjection(self._runs, lambda scope: scope.messages, self._scope)

    @property
    def tool_calls(self) -> SyncProjection[SyncToolCallHandle]:
        """Its tool calls."""
        return tool_calls_of(self._runs, self._scope)

    @property
    def subgraphs(self) -> SyncProjection[SyncScopedStreamHandle]:
        """Its own subgraphs."""
        return subgraphs_of(self._runs, self._scope)

    @property
    def subagents(self) -> SyncProjection[SyncScopedStreamHandle]:
        """The same as `subgraphs`."""
        return self.subgraphs

    @property
    def extensions(self) -> SyncExtensions:
        """Its named channels."""
        return self._extensions


def tool_calls_of(
    runs: SyncThreadRuns, scope: Scope | None = None
) -> SyncProjection[SyncToolCallHandle]:
    """Return the tool calls in a scope; None for the root graph."""
    return SyncProjection(
        runs,
        lambda own: own.tool_calls,
        scope,
        lambda run, call: SyncToolCallHandle(runs, run, call),
    )


def subgraphs_of(
    runs: SyncThreadRuns, scope: Scope | None = None
) -> SyncProjection[SyncScopedStreamHandle]:
    """Return the subgraph calls in a scope; None for the root graph."""
    return SyncProjection(
        runs,
        lambda own: own.subgraphs,
        scope,
        lambda _, found: SyncScopedStreamHandle(runs, found),
    )
