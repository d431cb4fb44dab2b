# Generated from langgraph_client/_async/pools.py by .ci/unasync.py; do not edit.
"""What sends the requests of a client: one sender for each event loop."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from langgraph_client._sync._httpx import HttpxAnswer, HttpxSender

if TYPE_CHECKING:  # Clients of a server in this process need no connections.
    from langgraph_client._sync.direct import DirectAnswer, DirectSender

Answer: TypeAlias = "DirectAnswer | HttpxAnswer"
Sender: TypeAlias = "DirectSender | HttpxSender"


class Pools:
    """Gives the sender to use: connections belong to the event loop that opened them.

    So that one client can be used from several loops, one after the other
    (`asyncio.run` twice) or side by side, each gets a sender of its own. It is closed when
    its loop ends, and forgotten when another loop comes. A forked process makes its own, too.

    Args:
        make: Makes a sender.
        is_shared: What `make` makes sends over something that somebody else brought: one for all
            loops, and not closed with one of them.
    """

    def __init__(self, make: Callable[[], Sender], *, is_shared: bool = False) -> None:
        self._make = make
        self._is_shared = is_shared
        # Created at once, so that bad arguments are reported at once.
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
        place: Any = None
        sender = self._senders.get(place)
        return self._new(place) if sender is None else sender

    def _new(self, place: Any) -> Sender:
        with self._lock:
            if place not in self._senders:
                sender, self._spare = self._spare, None
                self._senders[place] = self._make() if sender is None else sender
            return self._senders[place]

    def _start_over(self) -> None:
        """Leave the connections to the parent process: two that use one would disturb each other.

        They are kept, not closed: closing one would say good-bye in the parent's name.
        """
        self._inherited += [self._senders, self._spare]
        self._senders, self._spare = {}, None
        # A thread of the parent, which is not here, may have held it.
        self._lock = threading.Lock()
        self._process = os.getpid()

    def close(self) -> None:
        """Close all connections; not those of a client that was given from outside."""
        self.is_closed = True
        if self._process != os.getpid():
            self._start_over()
        here: Any = None
        with self._lock:
            senders, self._senders = self._senders, {}
            if self._spare is not None:
                senders[here], self._spare = self._spare, None
        for place, sender in senders.items():
            if place is here:
                sender.close()
