"""The HTTP clients behind one of ours."""

from __future__ import annotations

import asyncio  # async only
import os
import threading
from collections.abc import Callable
from typing import Any

import httpx

from langgraph_client._core.loops import close_with_loop  # async only


class Pools:
    """Gives the HTTP client to use: connections belong to the event loop that opened them.

    So that one client of ours can be used from several loops, one after the other
    (`asyncio.run` twice) or side by side, each gets an HTTP client of its own. It is closed when
    its loop ends, and forgotten when another loop comes. A forked process makes its own, too.
    """

    def __init__(
        self,
        make: Callable[[], httpx.AsyncClient],
        given: httpx.AsyncClient | None = None,
        *,
        owns_transport: bool = True,
    ) -> None:
        self._make = make
        self._given = given
        # One that was given may be shared with others, who have not ended.
        self._owns_transport = owns_transport
        # Made at once, so that what cannot be right is told at once.
        self._spare = make() if given is None else None
        self._clients: dict[Any, httpx.AsyncClient] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._process = os.getpid()
        self._inherited: list[object] = []

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._closed if self._given is None else self._given.is_closed

    def current(self) -> httpx.AsyncClient:
        """Return the HTTP client for whoever asks."""
        if self._given is not None:
            return self._given
        if self._process != os.getpid():
            self._begin_anew()
        place: Any = None
        place = asyncio.get_running_loop()  # async only
        client = self._clients.get(place)
        if client is not None:
            return client
        with self._lock:
            for loop in [loop for loop in self._clients if loop.is_closed()]:  # async only
                del self._clients[loop]  # async only
            if place not in self._clients:
                client, self._spare = self._spare, None
                self._clients[place] = self._make() if client is None else client
                if self._owns_transport:  # async only
                    close_with_loop(self._clients[place])  # async only
            return self._clients[place]

    def _begin_anew(self) -> None:
        """Leave the connections to the parent process: two that use one would disturb each other.

        They are kept, not closed: closing one would say good-bye in the parent's name.
        """
        self._inherited += [self._clients, self._spare]
        self._clients, self._spare = {}, None
        # A thread of the parent, which is not here, may have held it.
        self._lock = threading.Lock()
        self._process = os.getpid()

    async def aclose(self) -> None:
        """Close all connections; not those of a client that was given from outside."""
        self._closed = True
        if self._process != os.getpid():
            self._begin_anew()
        here: Any = None
        here = asyncio.get_running_loop()  # async only
        with self._lock:
            clients, self._clients = self._clients, {}
            if self._spare is not None:
                clients[here], self._spare = self._spare, None
        for place, client in clients.items():
            if place is here:
                await client.aclose()
            elif place.is_running():  # async only
                asyncio.run_coroutine_threadsafe(client.aclose(), place)  # async only
