"""Show runs in notebooks while they run; elsewhere as lines of text.

from langgraph_client.display import live

live(client.runs.stream(None, "agent", input={...}, stream_mode=["tasks", "messages-tuple"]))
"""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterable, Coroutine, Iterable
from typing import Any, Protocol, TypeAlias, overload, runtime_checkable

from langgraph_client._core.run_progress import (
    NodeEnded,
    NodeStarted,
    RunFailed,
    RunProgress,
    RunStarted,
    Step,
    Tokens,
)
from langgraph_client.models.html_view import progress_html
from langgraph_client.terminal.output import PlainOutput

__all__ = ["live"]

_PAUSE = 0.05
"""Seconds between two updates: a notebook would not keep up with every token."""

StateValues: TypeAlias = Any
"""Whatever the graph's state is."""


@runtime_checkable
class _ThreadStream(Protocol):
    """A stream of a thread: its events are beside its projections."""

    thread_id: str

    @property
    def events(self) -> Iterable[object] | AsyncIterable[object]: ...


class _View(Protocol):
    def step(self, step: Step) -> None: ...

    def close(self) -> None: ...


@overload
def live(stream: _ThreadStream, *, mode: str | None = None) -> StateValues: ...
@overload
def live(
    stream: AsyncIterable[object], *, mode: str | None = None
) -> Coroutine[Any, Any, StateValues]: ...
@overload
def live(stream: Iterable[object], *, mode: str | None = None) -> StateValues: ...
def live(
    stream: Iterable[object] | AsyncIterable[object] | _ThreadStream, *, mode: str | None = None
) -> StateValues | Coroutine[Any, Any, StateValues]:
    """Read a stream to its end, and show its nodes, with times, and tokens as they come.

    In a notebook one output cell is kept up to date; elsewhere lines are written to stdout.

    Args:
        stream: A stream of `client.runs`, or what `RemoteGraph.stream` or `astream` gives. Nodes
            are seen in the modes `tasks` (with times) and `updates`, tokens in `messages-tuple`
            (`messages` of a `RemoteGraph`). Or a thread stream of `client.threads.stream` whose
            run is started, or a run stream of `stream_events(version="v3")`.
        mode: The stream mode, if the stream is of a `RemoteGraph` with only one.

    Returns:
        The last values of the graph, if the stream has `values`; None otherwise. Of an async
        stream, an awaitable of these.

    Raises:
        Exception: Whatever reading the stream raises.
    """
    if isinstance(stream, _ThreadStream):
        stream = stream.events
    if isinstance(stream, AsyncIterable):
        return _live_async(stream, mode)
    progress, view = RunProgress(mode), _make_view()
    try:
        for part in stream:
            for step in progress.read(part, time.monotonic()):
                view.step(step)
    finally:
        view.close()
    return progress.values


async def _live_async(stream: AsyncIterable[object], mode: str | None) -> StateValues:
    progress, view = RunProgress(mode), _make_view()
    try:
        async for part in stream:
            for step in progress.read(part, time.monotonic()):
                view.step(step)
    finally:
        view.close()
    return progress.values


class _Lines:
    """Writes lines of text."""

    def __init__(self) -> None:
        self._out = PlainOutput(sys.stdout)

    def step(self, step: Step) -> None:
        self._out.step(step)

    def close(self) -> None:
        self._out.end_message()


class _Cell:
    """Keeps the output of a notebook's cell up to date."""

    def __init__(self) -> None:
        from IPython.display import HTML, display

        self._html = HTML
        self._lines: list[list[str]] = []
        self._messages: dict[str, list[str]] = {}
        self._running: dict[str, list[str]] = {}
        self._shown = time.monotonic()
        self._handle = display(HTML(""), display_id=True)  # type: ignore[no-untyped-call]

    def step(self, step: Step) -> None:
        match step:
            case RunStarted(run_id):
                self._add("run", run_id)
            case NodeStarted(name, path):
                self._running["/".join((*path, name))] = self._add("…", "/".join((*path, name)))
            case Tokens(node, message_id, text):
                if message_id not in self._messages:
                    self._messages[message_id] = self._add(node or "ai", "")
                self._messages[message_id][1] += text
            case NodeEnded():
                self._end(step)
            case RunFailed(error, message):
                self._add("failed", f"{error}: {message}")
        if time.monotonic() - self._shown >= _PAUSE:
            self._show()

    def close(self) -> None:
        self._show()

    def _add(self, mark: str, text: str) -> list[str]:
        self._lines.append([mark, text])
        return self._lines[-1]

    def _end(self, step: NodeEnded) -> None:
        name = "/".join((*step.path, step.name))
        line = self._running.pop(name, None) or self._add("", "")
        time_taken = "" if step.seconds is None else f"  {step.seconds:.2f} s"
        mark = "✗" if step.error is not None else "?" if step.interrupts else "✓"
        line[:] = [mark, f"{name}{time_taken}{f'  {step.error}' if step.error else ''}"]

    def _show(self) -> None:
        self._shown = time.monotonic()
        shown = progress_html((mark, text) for mark, text in self._lines)
        self._handle.update(self._html(shown))  # type: ignore[no-untyped-call]


def _make_view() -> _View:
    return _Cell() if _is_notebook() else _Lines()


def _is_notebook() -> bool:
    """Return whether this runs in a notebook's kernel. IPython is not imported for it."""
    if "ipykernel" not in sys.modules:
        return False
    from IPython import get_ipython

    shell = get_ipython()
    return shell is not None and shell.has_trait("kernel")
