# Generated from langgraph_client/_async/pools.py by .ci/unasync.py; do not edit.
"""Give a client one sender of requests for each event loop."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from langgraph_client._sync._httpx import HttpxAnswer, HttpxSender

if TYPE_CHECKING:  # Not imported otherwise: a client of a server in this process never needs it.
    from langgraph_client._sync.direct import DirectAnswer, DirectSender

Answer: TypeAlias = "DirectAnswer | HttpxAnswer"
Sender: TypeAlias = "DirectSender | HttpxSender"


class Pools:
    """Gives the sender of the current event loop, because connections belong to one loop.

    One client can be used in several loops, one after the other (`asyncio.run` twice) or at the
    same time: each loop gets its own sender. A sender is closed when its loop ends, and removed
    when another loop asks for one. A forked process makes new senders too.

    Args:
        make: Creates a sender.
        is_shared: Whether the senders use an HTTP client or transport that the caller passed. It
            serves all loops, so it is not closed with one of them.
    """

    def __init__(self, make: Callable[[], Sender], *, is_shared: bool = False) -> None:
        self._make = make
        self._is_shared = is_shared
        # Created now, so that invalid arguments are reported now and not by the first request.
        self._spare: Sender | None = make()
        self._senders: dict[Any, Sender] = {}
        self._lock = threading.Lock()
        self.is_closed = False
        self._process = os.getpid()
        self._inherited: list[object] = []

    def current(self) -> Sender:
        """Return the sender of the current event loop."""
        if self._process != os.getpid():
            self._start_over()
        # In blocking code the place is always None: all threads share one sender.
        place: Any = None
        sender = self._senders.get(place)
        return self._new(place) if sender is None else sender

    def _new(self, place: Any) -> Sender:
        with self._lock:
            if place not in self._senders:
                # The sender that was made to check the arguments serves the first loop.
                sender, self._spare = self._spare, None
                self._senders[place] = self._make() if sender is None else sender
            return self._senders[place]

    def _start_over(self) -> None:
        """Leave all connections to the parent process, because two processes cannot share one.

        They are kept in a list and not closed: to close one would send a TLS or TCP end to the
        server while the parent still uses the connection.
        """
        self._inherited += [self._senders, self._spare]
        self._senders, self._spare = {}, None
        # At the fork, a thread of the parent may have held the lock. That thread does not exist in
        # this process, so it would never release it.
        self._lock = threading.Lock()
        self._process = os.getpid()

    def close(self) -> None:
        """Close all connections, except those of an HTTP client that the caller passed."""
        self.is_closed = True
        if self._process != os.getpid():
            self._start_over()
        here: Any = None
        with self._lock:
            senders, self._senders = self._senders, {}
            if self._spare is not None:
                senders[here], self._spare = self._spare, None
        mine = senders.pop(here, None)
        if mine is not None:
            mine.close()
