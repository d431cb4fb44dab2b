"""Hooks that are called at points in the life of a run. By default they do nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from langgraph_client.models.fields import JsonMapping

Run: TypeAlias = JsonMapping


class RunHooks:
    """Called by the engine and by the graph runner, on the server's loop. The default does nothing.

    A subclass can hold runs, observe them, and record failures, as `testing.TestServer` does.
    """

    @property
    def watches_nodes(self) -> bool:
        """Whether to call `before_node`. It is read at the start of each run."""
        return False

    @property
    def watches_starts(self) -> bool:
        """Whether to call `may_start`. It is read for each run."""
        return False

    def may_start(self, run: Run, again: Callable[[], None]) -> bool:
        """Return whether a pending run may start.

        Args:
            run: The run's document.
            again: The hook must call it, on the server's loop, when the result may have changed.
        """
        return True

    async def before_run(self, run: Run) -> None:
        """Wait while a started run must not call its graph."""

    async def before_node(self, run: Run, node: str) -> None:
        """Wait while a run must not start a node."""

    def failed(self, run: Run, error: BaseException) -> None:
        """Note the exception that ended a run."""
