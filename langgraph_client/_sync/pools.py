# Generated from langgraph_client/_async/pools.py by .ci/unasync.py; do not edit.
"""The HTTP clients behind one of ours."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import httpx


class Pools:
    """Gives the HTTP client to use: connections belong to the event loop that opened them.

    So that one client of ours can be used from several loops, one after the other
    (`asyncio.run` twice) or side by side, each gets an HTTP client of its own. Those of loops
    that have ended are forgotten when another loop comes.
    """

    def __init__(self, make: Callable[[], httpx.Client], given: httpx.Client | None = None) -> None:
        self._make = make
        self._given = given
        # Made at once, so that what cannot be right is told at once.
        self._spare = make() if given is None else None
        self._clients: dict[Any, httpx.Client] = {}
        self._lock = threading.Lock()
        self._closed = False

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._closed if self._given is None else self._given.is_closed

    def current(self) -> httpx.Client:
        """Return the HTTP client for whoever asks."""
        if self._given is not None:
            return self._given
        place: Any = None
        client = self._clients.get(place)
        if client is not None:
            return client
        with self._lock:
            if place not in self._clients:
                client, self._spare = self._spare, None
                self._clients[place] = self._make() if client is None else client
            return self._clients[place]

    def close(self) -> None:
        """Close all connections; not those of a client that was given from outside."""
        self._closed = True
        here: Any = None
        with self._lock:
            clients, self._clients = self._clients, {}
            if self._spare is not None:
                clients[here], self._spare = self._spare, None
        for place, client in clients.items():
            if place is here:
                client.close()
