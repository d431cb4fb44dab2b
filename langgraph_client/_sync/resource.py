# Generated from langgraph_client/_async/resource.py by .ci/unasync.py; do not edit.
"""What the resources of a client have in common."""

from __future__ import annotations

from langgraph_client._sync.http import SyncHttpClient
from langgraph_client._sync.transport import Transport


class Resource:
    """One kind of object on a server, such as its threads."""

    def __init__(self, http: SyncHttpClient | Transport) -> None:
        transport = http if isinstance(http, Transport) else http._transport  # noqa: SLF001
        self._transport = transport

    @property
    def http(self) -> SyncHttpClient:
        """Requests to paths that have no method here, as `client.http`.

        Example:
            copied = client.threads.http.post(f"/threads/{thread_id}/copy", json={})
        """
        return SyncHttpClient(self._transport)
