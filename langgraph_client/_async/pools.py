"""Give a client one sender of requests for each event loop."""

from __future__ import annotations

import asyncio  # async only
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from langgraph_client._async._httpx import AsyncHttpxAnswer, AsyncHttpxSender
from langgraph_client._io.loops import close_with_loop, current_loop  # async only

if TYPE_CHECKING:  # Not imported otherwise: a client of a server in this process never needs it.
    from langgraph_client._async.direct import AsyncDirectAnswer, AsyncDirectSender

AsyncAnswer: TypeAlias = "AsyncDirectAnswer | AsyncHttpxAnswer"
AsyncSender: TypeAlias = "AsyncDirectSender | AsyncHttpxSender"


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

    def __init__(self, make: Callable[[], AsyncSender], *, is_shared: bool = False) -> None:
        self._make = make
        self._is_shared = is_shared
        # Created now, so that invalid arguments are reported now and not by the first request.
        self._spare: AsyncSender | None = make()
        self._senders: dict[Any, AsyncSender] = {}
        self._lock = threading.Lock()
        self.is_closed = False
        self._process = os.getpid()
        self._inherited: list[object] = []

    def current(self) -> AsyncSender:
        """Return the sender of the current event loop."""
        if self._process != os.getpid():
            self._start_over()
        # In blocking code the place is always None: all threads share one sender.
        place: Any = None
        place = current_loop()  # async only
        sender = self._senders.get(place)
        return self._new(place) if sender is None else sender

    def _new(self, place: Any) -> AsyncSender:
        with self._lock:
            for loop in [loop for loop in self._senders if loop and loop.is_closed()]:  # async only
                del self._senders[loop]  # async only
            if place not in self._senders:
                # The sender that was made to check the arguments serves the first loop.
                sender, self._spare = self._spare, None
                if place is None:  # async only
                    sender = self._make()  # Made inside trio, it detects trio.  # async only
                self._senders[place] = self._make() if sender is None else sender
                if not self._is_shared and place is not None:  # async only
                    close_with_loop(self._senders[place])  # async only
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

    async def aclose(self) -> None:
        """Close all connections, except those of an HTTP client that the caller passed."""
        self.is_closed = True
        if self._process != os.getpid():
            self._start_over()
        here: Any = None
        here = current_loop()  # async only
        with self._lock:
            senders, self._senders = self._senders, {}
            if self._spare is not None:
                senders[here], self._spare = self._spare, None
        mine = senders.pop(here, None)
        # Only its own loop can close a connection. Loops that ended have done so.  # async only
        for loop, sender in senders.items():  # async only
            if loop is not None and loop.is_running():  # async only
                asyncio.run_coroutine_threadsafe(sender.aclose(), loop)  # async only
        if mine is not None:
            await mine.aclose()
