"""Canned answers of a server that is not there: routes on respx, one for each endpoint.

    with LangGraphMock() as mock:
        mock.threads.create(thread_id="11111111-1111-1111-1111-111111111111")
        mock.runs.stream(events=[("values", {"answer": "!"})])
        client = get_client(url=mock.url)

Each method returns the respx route, which counts its calls (`route.called`, `route.calls`).
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import respx

from langgraph_client.testing.mock_assistants import MockAssistants
from langgraph_client.testing.mock_others import MockCrons, MockStore
from langgraph_client.testing.mock_routes import Routes
from langgraph_client.testing.mock_runs import MockRuns
from langgraph_client.testing.mock_threads import MockThreads


class LangGraphMock:
    """A mock of every endpoint of the protocol, at one URL.

    Inside its `with`, requests over httpx go to its routes, and one that has none fails the test.

    Every method takes, besides its own arguments:

        error: An HTTP status to answer instead, with `{"detail": ...}`.
        detail: What that says.

    Ids that are not given match any; fields that are not given are plausible.

    Args:
        url: What clients call the server.

    Raises:
        AssertionError: On leaving, if a route was never called, unless `assert_all_called=False`.
    """

    def __init__(
        self, url: str = "http://langgraph.test", *, assert_all_called: bool = True
    ) -> None:
        self.url = url
        self.router = respx.MockRouter(assert_all_called=False, base_url=url)
        self._assert_all_called = assert_all_called
        self.assistants = MockAssistants(self.router)
        self.threads = MockThreads(self.router)
        self.runs = MockRuns(self.router)
        self.crons = MockCrons(self.router)
        self.store = MockStore(self.router)

    def info(self, **answer: Any) -> respx.Route:
        """Answer `GET /info`."""
        return Routes(self.router).on("GET", "/info", {"version": "mock", **answer})

    def ok(self, **answer: Any) -> respx.Route:
        """Answer `GET /ok`."""
        return Routes(self.router).on("GET", "/ok", {"ok": True, **answer})

    def __enter__(self) -> Self:
        self.router.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        left = [
            repr(route.pattern)
            for route in self.router.routes
            if not route.called and route.name is None
        ]
        self.router.__exit__(kind, error, trace)
        if left and kind is None and self._assert_all_called:
            raise AssertionError(f"never asked for: {', '.join(left)}")
