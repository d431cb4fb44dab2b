"""The checkpoints of whole threads, of compiled and of scripted graphs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from langgraph_client.server.storage.protocol import Document, Mark
from langgraph_client.server.storage.script_states import ScriptStates
from langgraph_client.server.storage.sqlite.database import Database
from langgraph_client.server.storage.state_size import scripted_channels, size_document

if TYPE_CHECKING:
    from langgraph_client.server.storage.sqlite.checkpoints import Checkpoints


class States:
    """See `protocol.ThreadStates`.

    Args:
        database: The database of both.
        checkpoints: The checkpoints of compiled graphs; None if langgraph is not installed.
        script_states: The states of scripted graphs.
        deleted: Called after rows were deleted, so that their space is returned.
    """

    def __init__(
        self,
        database: Database,
        checkpoints: Checkpoints | None,
        script_states: ScriptStates,
        deleted: Callable[[], None],
    ) -> None:
        self._database = database
        self._checkpoints = checkpoints
        self._script_states = script_states
        self._deleted = deleted

    async def delete_thread(self, thread_id: str) -> None:
        """Delete all checkpoints of a thread."""

        def write() -> None:
            with self._database.transaction():
                self._script_states.delete_thread(thread_id)
                if self._checkpoints is not None:
                    self._checkpoints.delete_thread(thread_id)

        await self._database.retry_while_busy(write)
        self._deleted()

    async def forget_thread(self, thread_id: str) -> None:
        """Do nothing: all checkpoints are in this database."""

    async def copy_thread(self, source: str, target: str) -> None:
        """Copy all checkpoints of a thread to another one; their ids stay."""

        def write() -> None:
            with self._database.transaction():
                self._script_states.copy_thread(source, target)
                if self._checkpoints is not None:
                    self._checkpoints.copy_thread(source, target)

        await self._database.retry_while_busy(write)

    async def keep_latest(self, thread_id: str) -> None:
        """Delete all checkpoints of a thread except the latest."""

        def write() -> None:
            with self._database.transaction():
                self._script_states.prune(thread_id)
                if self._checkpoints is not None:
                    self._checkpoints.prune([thread_id], strategy="keep_latest")

        await self._database.retry_while_busy(write)
        self._deleted()

    async def latest(self, thread_id: str) -> str | None:
        """Return the id of a thread's latest checkpoint, those of subgraphs included."""
        scripted = self._script_states.get(thread_id)
        compiled = None if self._checkpoints is None else self._checkpoints.latest(thread_id)
        return max(scripted.id if scripted else "", compiled or "") or None

    async def mark(self, thread_id: str) -> Mark:
        """Return a mark of the current state of a thread, for `delete_run`."""
        return None if self._checkpoints is None else self._checkpoints.mark()

    async def keeps_run(self, thread_id: str, run_id: str) -> bool:
        """Return False: `delete_run` deletes all that a run has written."""
        return False

    async def delete_run(
        self, thread_id: str, run_id: str, mark: Mark = None, *, is_in_use: bool = False
    ) -> None:
        """Delete the checkpoints and writes of a run."""

        def write() -> None:
            with self._database.transaction():
                self._script_states.delete_run(thread_id, run_id)
                if self._checkpoints is not None:
                    self._checkpoints.delete_run(thread_id, run_id, mark)

        await self._database.retry_while_busy(write)

    async def size(self, thread_id: str) -> Document:
        """Return the numbers and sizes of a thread's checkpoints, values and writes.

        The size of a value counts for each version of a channel. The total is the size on disk,
        where versions share equal parts.
        """
        with self._database.reading() as cursor:
            cursor.execute(
                "SELECT doc FROM script_states WHERE thread_id = ? ORDER BY id DESC", (thread_id,)
            )
            states = [text for (text,) in cursor.fetchall()]
            count, total = len(states), sum(map(len, states))
            size, channels = total, scripted_channels(states)
            writes = (0, 0)
            if self._checkpoints is not None:
                sizes = self._checkpoints.sizes(thread_id)
                count, size = count + sizes.checkpoints[0], size + sizes.checkpoints[1]
                writes, total = sizes.writes, total + sizes.total
                for name, versions in sizes.channels.items():
                    channels[name] = channels.get(name, []) + versions
        return size_document(
            thread_id,
            total=total,
            checkpoints=(count, size),
            channels=channels,
            writes=writes,
        )
