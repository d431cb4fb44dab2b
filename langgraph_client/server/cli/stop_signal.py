"""The signal that ends the command."""

from __future__ import annotations

import os
import queue
import signal
from types import FrameType


class StopSignal:
    """Says that the command shall end. Unlike a `threading.Event`, a signal's handler may set it.

    The handler runs in the main thread, between any two of its steps. `Event.set` there waits for
    a lock that `Event.wait`, just interrupted, may hold: for ever, and each further signal, too.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._wakings: queue.SimpleQueue[None] = queue.SimpleQueue()

    def set(self) -> None:
        """End the wait, now or when it begins."""
        self._is_set = True
        self._wakings.put(None)  # The one queue whose `put` may interrupt its own `get` or `put`.

    def is_set(self) -> bool:
        """Return whether the command shall end."""
        return self._is_set

    def wait(self) -> None:
        """Wait until it is set."""
        while not self._is_set:
            try:
                self._wakings.get(timeout=3600)
            except queue.Empty:
                continue

    def catch(self, *, twice: bool) -> None:
        """Let SIGINT and SIGTERM set it.

        Args:
            twice: Whether a second signal ends the process at once.
        """

        def handle(number: int, frame: FrameType | None) -> None:
            if self._is_set and twice:
                os._exit(128 + number)
            self.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, handle)
