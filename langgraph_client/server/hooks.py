"""What may look into the life of a run. A server by itself has hooks that do nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from langgraph_client.models.fields import JsonMapping

Run: TypeAlias = JsonMapping


class RunHooks:
    """Called by the engine and by the graph runner, on the server's loop. The default does nothing.

    A subclass can hold runs, watch them, and note how they fail; `testing.TestServer` does.
    """

    @property
    def watches_nodes(self) -> bool:
        """Whether `before_node` is to be called; runs that start later ask again."""
        return False

    @property
    def watches_starts(self) -> bool:
        """Whether `may_start` is to be called; runs that start later ask again."""
        return False

    def may_start(self, run: Run, again: Callable[[], None]) -> bool:
        """Return whether a pending run may start.

        Args:
            run: The run's document.
            again: To be called, on the server's loop, when the answer may have changed.
        """
        return True

    async def before_run(self, run: Run) -> None:
        """Wait as long as a run that has started must not call its graph."""

    async def before_node(self, run: Run, node: str) -> None:
        """Wait as long as a run must not go into a node."""

    def failed(self, run: Run, error: BaseException) -> None:
        """Take notice of the exception that ended a run."""
