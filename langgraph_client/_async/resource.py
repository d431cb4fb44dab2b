"""What the resources of a client have in common."""

from __future__ import annotations

from langgraph_client._async.http import HttpClient
from langgraph_client._async.transport import AsyncTransport


class Resource:
    """One kind of object on a server, such as its threads."""

    def __init__(self, http: HttpClient | AsyncTransport) -> None:
        transport = http if isinstance(http, AsyncTransport) else http._transport  # noqa: SLF001
        self._transport = transport

    @property
    def http(self) -> HttpClient:
        """Requests to paths that have no method here, as `client.http`.

        Example:
            copied = await client.threads.http.post(f"/threads/{thread_id}/copy", json={})
        """
        return HttpClient(self._transport)
