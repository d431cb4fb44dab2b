"""Tasks that belong to no request."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from contextvars import copy_context
from typing import Any, TypeVar

from langgraph_client.server.request_context import without_encryption_context

logger = logging.getLogger("langgraph_client.server")

_Result = TypeVar("_Result")


class BackgroundTasks:
    """The engine's tasks. References are kept until they are done, or they could be collected."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def spawn(
        self, coroutine: Coroutine[Any, Any, _Result], *, for_request: bool = False
    ) -> asyncio.Task[_Result]:
        """Start a task.

        Args:
            coroutine: The task's coroutine.
            for_request: Whether it writes for the request in which it is started. Other tasks may
                be started during another user's request, and must not write with that user's
                context.
        """
        context = copy_context() if for_request else without_encryption_context()
        task = asyncio.create_task(coroutine, context=context)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.debug("a task of the engine failed", exc_info=error)

    async def finish(self, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
        """Run a coroutine to its end, even if the caller is cancelled."""
        return await asyncio.shield(self.spawn(coroutine, for_request=True))

    async def close(self, seconds: float) -> None:
        """Wait until all tasks are done; cancel those that are not done in time."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()


async def end_other_tasks(seconds: float) -> None:
    """Cancel all tasks of the current loop but the current one, and wait for their ends.

    Args:
        seconds: How long to wait at most. A task may ignore that it is cancelled.
    """
    now = asyncio.get_running_loop().time
    due = now() + seconds
    seen = {asyncio.current_task()}
    # In rounds: a task that is cancelled may start others. Each one is cancelled once, so that it
    # can clean up.
    while (others := asyncio.all_tasks() - seen) and (left := due - now()) > 0:
        for task in others:
            task.cancel()
        seen |= others
        ended, _ = await asyncio.wait(others, timeout=left)
        await asyncio.gather(*ended, return_exceptions=True)  # Retrieves their exceptions.
