"""The server that the current code runs in, where it is part of a hosted graph or application.

Below client and server, which do not import each other: the server says here who it is while it
runs a graph, and `get_client()` without a URL looks here.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field

import httpx

IN_PROCESS_URL = "http://langgraph.server"
"""The URL of the server for clients in its process. No name is resolved, no connection opened."""


@dataclass(frozen=True)
class HostingServer:
    """A server in this process, for the code that it runs.

    Attributes:
        url: The URL for requests over a transport.
        transport: Creates a blocking transport to the server, with the identity of the user for
            whom the code runs.
        async_transport: Creates an async transport likewise.
        api_key: The key that the server requires; None for none.
        run_id: The id of the run that the code is part of; empty for none.
        server: The server itself, for comparisons only.
    """

    url: str
    transport: Callable[[], httpx.BaseTransport]
    async_transport: Callable[[], httpx.AsyncBaseTransport]
    api_key: str | None = field(default=None, repr=False)
    run_id: str = ""
    server: object = field(default=None, repr=False)


#: The server that runs the current code; None outside of a graph.
current_server: ContextVar[HostingServer | None] = ContextVar(
    "langgraph_client_server", default=None
)


def _server_of(request: httpx.Request) -> HostingServer:
    """Return the server that a request is for, and give the request its key."""
    server = current_server.get()
    if server is None or server is ANY_SERVER:
        raise httpx.ConnectError(
            "this client has no URL and stands for the server that runs the graph, and no graph is"
            " being run here; give it a URL",
            request=request,
        )
    if server.api_key is not None:
        # A key that the caller set is kept.
        request.headers.setdefault("x-api-key", server.api_key)
    return server


class CurrentServerTransport(httpx.BaseTransport):
    """A blocking transport to whatever server runs the code that sends a request."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. Raises httpx.ConnectError where no server runs the code."""
        return _server_of(request).transport().handle_request(request)


class AsyncCurrentServerTransport(httpx.AsyncBaseTransport):
    """An async transport to whatever server runs the code that sends a request."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. Raises httpx.ConnectError where no server runs the code."""
        return await _server_of(request).async_transport().handle_async_request(request)


ANY_SERVER = HostingServer(IN_PROCESS_URL, CurrentServerTransport, AsyncCurrentServerTransport)
"""The value of `current_server` while an application is imported. A client that is created then, at
the top of a module, sends each request to the server that runs the code at that time.
"""
