"""Requests of the server to itself, for the caller of another request.

MCP and A2A are translations to the protocol. They use the same endpoints as any client, so that the
same `Auth` checks the same things.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import httpx

from langgraph_client.current_server import IN_PROCESS_URL
from langgraph_client.server.encoding import decode, encode
from langgraph_client.server.http.authentication import CALLER
from langgraph_client.server.http.endpoint import ValidRequest
from langgraph_client.server.http.in_process import (
    PARENT_RUN,
    STARTED_JOBS,
    AsyncScopedTransport,
)
from langgraph_client.server.runs.run_states import Job

# They name or describe the original request, not those that it is translated into.
_NOT_PASSED_ON = {
    "accept",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "idempotency-key",
    "last-event-id",
    "origin",
    "transfer-encoding",
}


class SelfRequestError(Exception):
    """The server refuses a request to itself.

    Args:
        status: The status of the response.
        detail: The text of the error.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


class SelfClient:
    """Sends requests to the server itself.

    Args:
        request: The request whose caller and headers are used, such as headers that runs can read.
    """

    def __init__(self, request: ValidRequest) -> None:
        hosting = request.services.hosting
        self._jobs: list[Job] = []
        scope: dict[str, object] = {STARTED_JOBS: self._jobs}
        if request.parent:
            scope[PARENT_RUN] = request.parent
        if request.caller is not None:
            scope[CALLER] = request.caller
        self._transport = AsyncScopedTransport(hosting.async_transport(), scope)
        self._headers = [  # As bytes: httpx would take ASCII only.
            (name, value)
            for name, value in request.headers.raw
            if name.decode("latin-1") not in _NOT_PASSED_ON
        ]

    @property
    def run_status(self) -> str:
        """The status of the latest run that was started, final once its response has ended.

        A result does not say it: a run that was cancelled has one, too. And the run may be deleted
        by then.
        """
        return str(self._jobs[-1].run["status"])

    async def _send(self, method: str, path: str, body: object) -> httpx.Response:
        headers = httpx.Headers(self._headers)
        content = b""
        if body is not None:
            content, headers["content-type"] = encode(body), "application/json"
        url = httpx.URL(IN_PROCESS_URL).join(path)
        request = httpx.Request(method, url, headers=headers, content=content)
        response = await self._transport.handle_async_request(request)
        if response.status_code >= 400:
            text = await response.aread()
            await response.aclose()
            raise SelfRequestError(response.status_code, _detail(text))
        return response

    async def request(self, method: str, path: str, body: object = None) -> Any:
        """Return the decoded response to a request.

        Raises:
            SelfRequestError: It is refused.
        """
        return await _decoded(await self._send(method, path, body))

    async def run(self, path: str, body: object) -> tuple[str, Any]:
        """Return the id of a new run, and the decoded response.

        Raises:
            SelfRequestError: The run is refused.
        """
        response = await self._send("POST", path, body)
        run_id = response.headers["content-location"].rpartition("/")[2]
        return run_id, await _decoded(response)

    async def events(self, path: str, body: object) -> AsyncGenerator[tuple[str, Any]]:
        """Yield the events of a new run as pairs of name and data; the first has the run's path.

        Raises:
            SelfRequestError: The run is refused.
        """
        response = await self._send("POST", path, body)
        try:
            yield "location", response.headers["content-location"]
            name = ""
            async with aclosing(_lines(response)) as lines:
                async for line in lines:
                    if line.startswith("event: "):
                        name = line.removeprefix("event: ")
                    elif line.startswith("data: "):
                        yield name, decode(line.removeprefix("data: "))
        finally:
            await response.aclose()


async def _decoded(response: httpx.Response) -> Any:
    try:
        text = await response.aread()
    finally:
        await response.aclose()
    return decode(text) if text.strip() else None


async def _lines(response: httpx.Response) -> AsyncGenerator[str]:
    """Yield the lines of the server's own stream, which end with CR and LF."""
    # Not aiter_lines: it also splits at U+2028 and the like, which JSON may contain.
    rest = b""
    async for part in response.aiter_raw():
        *lines, rest = (rest + part).split(b"\r\n")
        for line in lines:
            yield line.decode()


def _detail(text: bytes) -> str:
    try:
        body = decode(text)
    except ValueError:
        return text.decode(errors="replace")
    return str(body.get("detail", body)) if isinstance(body, dict) else str(body)
