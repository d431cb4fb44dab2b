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
        return self._counted(request, self.inner.handle_request(request))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(self.inner, httpx.AsyncBaseTransport)
        return self._counted(request, await self.inner.handle_async_request(request))

    def _counted(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        run = response.headers.get("content-location", "")
        is_known = run in self._runs
        if run:
            self._runs.add(run)
        if request.method != "GET" and response.is_success and not is_known:
            path = _ID.sub("/{id}", request.url.path)
            self.accepted[f"{request.method} {path}"] += 1
        return response

    @property
    def started(self) -> int:
        """How many requests started runs."""
        paths = ("/runs", "/runs/wait", "/runs/stream", "/runs/batch")
        return sum(
            count
            for line, count in self.accepted.items()
            if line.startswith("POST ") and line.endswith(paths)
        )
