"""A server that speaks the protocol and nothing beyond it, as LangGraph's own does."""

from __future__ import annotations

from typing import Any

import httpx

from langgraph_client import RemoteGraph, Server, get_client, get_sync_client
from langgraph_client.values import HEADER

_URL = "http://plain.example"


class _Plain(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Takes away the header by which the bundled server and a RemoteGraph know each other."""

    def __init__(self, server: Server) -> None:
        self._blocking, self._waiting = server.transport(), server.async_transport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.headers.pop(HEADER, None)
        answer = self._blocking.handle_request(request)
        answer.headers.pop(HEADER, None)
        return answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.headers.pop(HEADER, None)
        answer = await self._waiting.handle_async_request(request)
        answer.headers.pop(HEADER, None)
        return answer


def plain_graph(server: Server, name: str, **options: Any) -> RemoteGraph:
    """Return a RemoteGraph to which the bundled server looks like any other."""
    return RemoteGraph(
        name,
        client=get_client(url=_URL, transport=_Plain(server)),
        sync_client=get_sync_client(url=_URL, transport=_Plain(server)),
        **options,
    )
