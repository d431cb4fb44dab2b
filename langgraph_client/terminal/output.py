"""The output of the command: for a terminal, as plain lines, or as JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import IO, TYPE_CHECKING

from langgraph_client._core.run_progress import (
    NodeEnded,
    NodeStarted,
    RunFailed,
    RunStarted,
    Step,
    Tokens,
)
from langgraph_client.terminal.text import as_json, clean

if TYPE_CHECKING:
    from rich.console import Console


class PlainOutput:
    """Writes plain lines. The tokens of one message are written to one line, as they arrive.

    Args:
        out: The stream to write to.
    """

    is_json = False

    def __init__(self, out: IO[str]) -> None:
        self._out = out
        self._message: str | None = None

    def line(self, text: str, style: str = "") -> None:
        """Write a line."""
        self.end_message()
        print(text, file=self._out, flush=True)

    def table(self, titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Write rows under titles."""
        cells = [list(titles), *map(list, rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        for row in cells:
            line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.line(line.rstrip())

    def value(self, value: object) -> None:
        """Write a value for programs. Here it does nothing: people get other output."""

    def step(self, step: Step) -> None:
        """Write an event of a run."""
        match step:
            case RunStarted(run_id):
                self.line(f"run {clean(run_id)}", "dim")
            case NodeStarted():
                self.node_started(step)
            case Tokens(node, message_id, text):
                if message_id != self._message:
                    self.end_message()
                    self.write_part(f"{clean(node)}: " if node else "", "cyan")
                    self._message = message_id
                self.write_part(clean(text))
            case NodeEnded():
                self._node_ended(step)
            case RunFailed(error, message):
                self.line(f"failed: {clean(error)}: {clean(message)}", "red")

    def node_started(self, step: NodeStarted) -> None:
        """Show that a node runs. Plain lines only show its end."""

    def write_part(self, text: str, style: str = "") -> None:
        """Write a piece of a line."""
        print(text, end="", file=self._out, flush=True)

    def working(self) -> AbstractContextManager[object]:
        """Show during the context that work is in progress."""
        return nullcontext()

    def _node_ended(self, step: NodeEnded) -> None:
        name = clean("/".join((*step.path, step.name)))
        time = "" if step.seconds is None else f"  {step.seconds:.2f} s"
        if step.error is not None:
            self.line(f"x {name}{time}  {clean(step.error)}", "red")
        elif step.interrupts:
            self.line(f"? {name}{time}", "yellow")
        else:
            self.line(f"* {name}{time}", "green")

    def end_message(self) -> None:
        """End the line of a message, if one has begun."""
        if self._message is not None:
            self._message = None
            self.write_part("\n")


class RichOutput(PlainOutput):
    """Writes to a terminal, in colours, and shows which nodes run.

    Args:
        console: rich's console.
    """

    def __init__(self, console: Console) -> None:
        super().__init__(console.file)
        self._console = console
        # rich's usual spinner is of braille dots.
        is_unicode = console.encoding.lower().startswith("utf")
        self._status = console.status("", spinner="dots" if is_unicode else "line")
        self._running: list[str] = []

    def line(self, text: str, style: str = "") -> None:
        """Write a line."""
        self.end_message()
        self._print(text, style)

    def table(self, titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Write rows under titles."""
        from rich.table import Table
        from rich.text import Text

        table = Table(*titles, box=None, pad_edge=False)
        for row in rows:
            table.add_row(*map(Text, row))
        self._console.print(table, soft_wrap=True)

    def write_part(self, text: str, style: str = "") -> None:
        """Write a piece of a line, and remove the display of running nodes, which needs a line."""
        self._status.stop()
        self._print(text, style, end="")

    def node_started(self, step: NodeStarted) -> None:
        """Show that a node runs."""
        self._running.append(clean("/".join((*step.path, step.name))))
        self._show_running()

    def working(self) -> AbstractContextManager[object]:
        """Show during the context which nodes run."""
        return self._status

    def _node_ended(self, step: NodeEnded) -> None:
        super()._node_ended(step)
        name = clean("/".join((*step.path, step.name)))
        if name in self._running:
            self._running.remove(name)
        self._show_running()

    def _print(self, text: str, style: str, end: str = "\n") -> None:
        from rich.text import Text

        # A `Text` is shown as it is. In a string, rich replaces the codes of emoji, such as `:a:`.
        self._console.print(Text(text, style), end=end, soft_wrap=True)

    def _show_running(self) -> None:
        from rich.text import Text

        if self._running and self._message is None:
            self._status.update(Text(", ".join(self._running)))
            self._status.start()
        else:
            self._status.stop()


class JsonOutput(PlainOutput):
    """Writes only JSON, one value a line."""

    is_json = True

    def line(self, text: str, style: str = "") -> None:
        """Write nothing: it is for people."""

    def table(self, titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Write nothing: it is for people."""

    def step(self, step: Step) -> None:
        """Write nothing: programs get the events."""

    def value(self, value: object) -> None:
        """Write a value, in ASCII: whatever the encoding, it is JSON."""
        print(as_json(value, is_ascii=True), file=self._out, flush=True)


def make_output(*, as_json: bool) -> PlainOutput:
    """Return where to write: to the terminal by rich, if there is one and rich is installed."""
    if as_json:
        return JsonOutput(sys.stdout)
    if sys.stdout.isatty():
        try:
            from rich.console import Console
        except ModuleNotFoundError:
            return PlainOutput(sys.stdout)
        return RichOutput(Console())
    return PlainOutput(sys.stdout)
