"""What arrives at a server, and is accepted there."""

from __future__ import annotations

import re
from collections import Counter

import httpx

_ID = re.compile(r"/[0-9a-f]{8}-[0-9a-f-]{27}")


class Counting(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Carries requests over `inner`, and counts those that changed something there.

    A request that was answered with a run that another one has started already changed nothing.
    """

    def __init__(self, inner: httpx.BaseTransport | httpx.AsyncBaseTransport) -> None:
        self.inner = inner
        self.accepted: Counter[str] = Counter()
        self._runs: set[str] = set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(self.inner, httpx.BaseTransport)
        response = self.inner.handle_request(request)
        if request.url.path.endswith("/commands"):
            content = response.read()
            response = httpx.Response(
                response.status_code, headers=response.headers, content=content
            )
        return self._counted(request, response)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(self.inner, httpx.AsyncBaseTransport)
        response = await self.inner.handle_async_request(request)
        if request.url.path.endswith("/commands"):
            content = await response.aread()
            response = httpx.Response(
                response.status_code, headers=response.headers, content=content
            )
        return self._counted(request, response)

    def _counted(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        run = response.headers.get("content-location", "")
        if request.url.path.endswith("/commands") and response.is_success:
            run = response.json().get("result", {}).get("run_id", "")
        is_known = run in self._runs
        if run:
            self._runs.add(run)
        reads = request.method == "GET" or request.url.path.endswith("/stream/events")
        if not reads and response.is_success and not is_known:
            path = _ID.sub("/{id}", request.url.path)
            self.accepted[f"{request.method} {path}"] += 1
        return response

    @property
    def started(self) -> int:
        """How many requests started runs."""
        paths = ("/runs", "/runs/wait", "/runs/stream", "/runs/batch", "/commands")
        return sum(
            count
            for line, count in self.accepted.items()
            if line.startswith("POST ") and line.endswith(paths)
        )
