"""Call the async handlers of an `Encryption` from blocking code."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

_T = TypeVar("_T")

_REPLY_SECONDS = 0.2
"""How many seconds to wait for a reply of the loop before it counts as blocked."""


class Blocking:
    """Runs coroutines for blocking methods, such as those of a checkpointer in a blocking node.

    They run on the server's loop, to which the handlers' clients belong. If that loop is blocked by
    the caller, as by an async node that calls a graph's `invoke`, they run on a new loop.

    Args:
        loop: The server's loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._probe: threading.Event | None = None

    def is_on_loop(self) -> bool:
        """Return whether the calling coroutine runs on the server's loop."""
        return asyncio.get_running_loop() is self._loop

    def run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine and return its result; the calling thread waits."""
        if self._is_free():
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()
        # In a thread: `asyncio.run` does not work in one where a loop is running.
        context = copy_context()
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(context.run, asyncio.run, coroutine).result()

    def _is_free(self) -> bool:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            pass
        else:
            return False
        probe = self._probe
        if probe is not None and not probe.is_set():
            return False  # It has not replied to the last call yet.
        self._probe = probe = threading.Event()
        self._loop.call_soon_threadsafe(probe.set)
        return probe.wait(_REPLY_SECONDS)
