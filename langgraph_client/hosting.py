"""The server that the current code runs in, where it is part of a hosted graph.

Below client and server, which do not import each other: the server says here who it is while it
runs a graph, and `get_client()` without a URL looks here.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field

import httpx


@dataclass(frozen=True)
class Host:
    """A server in this process.

    Attributes:
        url: Its name for requests by a transport.
        transport: Makes a blocking transport to the server.
        async_transport: Makes an async one.
        api_key: The key that the server asks for, None for none.
    """

    url: str
    transport: Callable[[], httpx.BaseTransport]
    async_transport: Callable[[], httpx.AsyncBaseTransport]
    api_key: str | None = field(default=None, repr=False)


#: Where no graph is being run, None.
current_host: ContextVar[Host | None] = ContextVar("langgraph_client_host", default=None)
