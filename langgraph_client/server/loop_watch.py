"""Detect code that blocks the event loop, and log where it is."""

from __future__ import annotations

import asyncio
import gc
import logging
import selectors
import sys
import threading
import time
import traceback
from types import FrameType
from typing import Protocol, Self

logger = logging.getLogger("langgraph_client.server")

_CHECK_SECONDS = 0.25
"""How many seconds to wait between two calls of the loop."""
_FIRST_REPLY_SECONDS = 5.0
"""How many seconds to wait for the loop's first reply, which tells its thread."""
_FRAMES = 12
_LOG_AGAIN_SECONDS = 60.0
"""After how many seconds the same place is logged again."""


class HasLoop(Protocol):
    """An object with an event loop."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop."""
        ...


class LoopWatch:
    """A thread that regularly calls the loop, and logs what blocks it if there is no reply.

    While an async node computes or makes blocking calls, such as `time.sleep` or `requests`, every
    other request and run waits too.

    Args:
        runner: The object with the loop, such as a `Server`, which must be started before `with`.
        seconds: For how many seconds the loop may be blocked.
    """

    def __init__(self, runner: HasLoop, seconds: float = 1.0) -> None:
        self._runner = runner
        self._seconds = seconds
        self._stopped = threading.Event()
        self._loop_thread = 0
        self._logged_at: dict[tuple[str, int], float] = {}
        self._thread = threading.Thread(
            target=self._watch, name="langgraph-loop-watch", daemon=True
        )

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._loop = self._runner.loop
        alive = threading.Event()
        self._loop.call_soon_threadsafe(self._reply, alive)
        alive.wait(_FIRST_REPLY_SECONDS)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """End it."""
        self._stopped.set()
        self._thread.join(1)

    def _watch(self) -> None:
        while not self._stopped.wait(_CHECK_SECONDS):
            alive = threading.Event()
            try:
                self._loop.call_soon_threadsafe(self._reply, alive)
            except RuntimeError:  # The loop is closed.
                return
            if alive.wait(self._seconds) or not self._loop_thread:
                continue
            frame = frames_of_threads().get(self._loop_thread)
            # Asked after the frame was taken: it may be of code that ran after the block.
            if frame is not None and not _is_idle(frame) and not alive.is_set():
                self._log_blocked(frame)
            del frame  # It would keep the objects of the frame alive.
            while not (
                alive.wait(_CHECK_SECONDS) or self._stopped.is_set() or self._loop.is_closed()
            ):
                pass

    def _reply(self, alive: threading.Event) -> None:
        self._loop_thread = threading.get_ident()
        alive.set()

    def _log_blocked(self, frame: FrameType) -> None:
        stack = traceback.extract_stack(frame)
        last = stack[-1]
        place, now = (last.filename, last.lineno or 0), time.monotonic()
        if now - self._logged_at.get(place, -_LOG_AGAIN_SECONDS) < _LOG_AGAIN_SECONDS:
            return
        self._logged_at[place] = now
        node = node_of_frame(frame)
        logger.warning(
            "the event loop has been blocked for %g s%s: no other request or run is served"
            " meanwhile. Use an async call, asyncio.to_thread, or a blocking (not async) node. The"
            " code is here:\n%s",
            self._seconds,
            f" by node {node!r}" if node else "",
            "".join(traceback.format_list(stack[-_FRAMES:])).rstrip(),
        )


def frames_of_threads() -> dict[int, FrameType]:
    """Return the innermost frame of each thread, by the thread's number.

    Python holds the lock of its list of threads meanwhile (seen in 3.11.7). If it collected garbage
    there, a finalizer that lets another thread go on, as closing a socket does, could stop the
    process for ever: a thread that begins or ends waits for that lock, with the GIL in its hand.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return sys._current_frames()
    finally:
        if was_enabled:
            gc.enable()


def _is_idle(frame: FrameType) -> bool:
    """Return whether the loop waits for I/O. Then the machine is slow, and not the loop's code."""
    return frame.f_code.co_filename == selectors.__file__


def node_of_frame(frame: FrameType | None) -> str | None:
    """Return the name of the node that has called a frame; None outside a node."""
    while frame is not None:
        # langgraph's function that calls a node has its config as a local (seen in 1.2.24).
        config = frame.f_locals.get("config")
        metadata = config.get("metadata") if isinstance(config, dict) else None
        name = metadata.get("langgraph_node") if isinstance(metadata, dict) else None
        if isinstance(name, str):
            return name
        frame = frame.f_back
    return None
