"""Call a checkpoint saver by those of its methods that work: the async ones, or the blocking ones.

The blocking ones are called in a thread, so that the event loop goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple

from langgraph_client.server.graphs.run_scope import current_run


class SaverCalls:
    """The calls of one saver.

    Args:
        saver: The saver.
        is_servers: Whether the server itself uses the saver on its event loop. Its async methods
            may be bound to that loop. A blocking node with a loop of its own (`asyncio.run`) gets
            the blocking ones.
    """

    def __init__(self, saver: BaseCheckpointSaver[Any], *, is_servers: bool) -> None:
        self._saver = saver
        self._is_servers = is_servers
        # The methods whose blocking twin has worked where the async one is missing. By name: a
        # saver may lack both forms of one method, and have only the async form of the others.
        self._only_blocking: set[str] = set()

    async def call(self, name: str, *args: object, **options: object) -> Any:
        """Call a method by the name of its blocking form.

        The blocking form is also called if the saver's class overrides only that: it is the one
        that blocking code with a local graph uses.

        Raises:
            NotImplementedError: The saver has neither form of it.
        """
        awaited = partial(getattr(self._saver, f"a{name}"), *args, **options)
        blocking = partial(getattr(self._saver, name), *args, **options)
        if self._is_on_other_loop():
            try:
                # In the node's context: an encrypting saver looks for the run there.
                return await asyncio.to_thread(blocking)
            except NotImplementedError:
                return await awaited()
        if name not in self._only_blocking and not _overrides_alone(type(self._saver), name):
            try:
                return await awaited()
            except NotImplementedError:
                pass
        result = await _in_thread(blocking)
        self._only_blocking.add(name)
        return result

    async def items(
        self, config: RunnableConfig | None, **options: Any
    ) -> AsyncIterator[CheckpointTuple]:
        """Return checkpoints as the saver's `alist` or `list` does."""

        def read() -> list[CheckpointTuple]:
            return [*self._saver.list(config, **options)]

        if self._is_on_other_loop():
            try:
                items = await asyncio.to_thread(read)
            except NotImplementedError:
                pass
            else:
                for item in items:
                    yield item
                return
        if "list" not in self._only_blocking:
            try:
                async for item in self._saver.alist(config, **options):
                    yield item
                return
            except NotImplementedError:
                pass
        items = await _in_thread(read)
        self._only_blocking.add("list")
        for item in items:
            yield item

    def _is_on_other_loop(self) -> bool:
        run = current_run.get()
        return self._is_servers and run is not None and not run.is_on_loop


def _overrides_alone(kind: type, name: str) -> bool:
    """Return whether a class, or a base, overrides a blocking method and not its async twin."""
    classes = kind.__mro__
    blocking, twin = (
        next((at for at, base in enumerate(classes) if method in vars(base)), len(classes))
        for method in (name, f"a{name}")
    )
    return blocking < twin


async def _in_thread(call: Callable[[], object]) -> Any:
    """Call in a worker thread outside of the run's own ones, which may all be waiting."""
    # The executor counts a call for the run that is current when it is submitted.
    token = current_run.set(None)
    try:
        called = asyncio.get_running_loop().run_in_executor(None, call)
    finally:
        current_run.reset(token)
    return await called
