"""Mock responses for a client: routes on respx, one for each endpoint of the protocol.

    with LangGraphMock() as mock:
        mock.threads.create(thread_id="11111111-1111-1111-1111-111111111111")
        mock.runs.stream(events=[("values", {"answer": "!"})])
        client = get_client(url=mock.url)

Each method returns the respx route, which counts its calls (`route.called`, `route.calls`). Calling
a method again for the same path adds an answer: requests get one answer after the other, and the
last one from then on.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Self

import respx

from langgraph_client.testing.arguments import check_url
from langgraph_client.testing.mock_assistants import MockAssistants
from langgraph_client.testing.mock_others import MockCrons, MockStore
from langgraph_client.testing.mock_routes import MockEndpoints, MockRoutes
from langgraph_client.testing.mock_runs import MockRuns
from langgraph_client.testing.mock_threads import MockThreads


class LangGraphMock:
    """A mock of every endpoint of the protocol, at one URL.

    Inside its `with`, requests over httpx go to its routes; one without a route is an error.

    Every method takes, besides its own arguments:

        error: An HTTP status to answer instead, with `{"detail": ...}`.
        detail: The text of that error.

    Ids that are left out match any; fields that are left out have plausible values.

    Args:
        url: The URL that clients use.
        assert_all_called: Whether every answer has to be asked for.

    Raises:
        InvalidArgumentError: `url` is not an HTTP URL. Its methods raise it for an `error` that is
            not the status of an error, for a negative count, and for events without a name.
        AssertionError: On leaving, if an answer was never requested.
    """

    def __init__(
        self, url: str = "http://langgraph.test", *, assert_all_called: bool = True
    ) -> None:
        self.url = check_url("url", url)
        self.router = respx.MockRouter(assert_all_called=False, base_url=url)
        self._assert_all_called = assert_all_called
        self._routes = MockRoutes(self.router)
        self._system = MockSystem(self._routes)
        self.assistants = MockAssistants(self._routes)
        self.threads = MockThreads(self._routes)
        self.runs = MockRuns(self._routes)
        self.crons = MockCrons(self._routes)
        self.store = MockStore(self._routes)

    def info(self, **fields: object) -> respx.Route:
        """Answer `GET /info`.

        Args:
            **fields: Fields of the answer, beside `version`.
        """
        return self._system.info({"version": "mock", **fields})

    def ok(self, **fields: object) -> respx.Route:
        """Answer `GET /ok`.

        Args:
            **fields: Fields of the answer; `ok=False` says that the server is not well.
        """
        return self._system.ok({"ok": True, **fields})

    def __enter__(self) -> Self:
        self.router.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        missing = [route.missing for route in self._routes if route.missing is not None]
        self.router.__exit__(kind, error, trace)
        if missing and kind is None and self._assert_all_called:
            raise AssertionError(f"never asked for: {', '.join(missing)}")


class MockSystem(MockEndpoints):
    """The endpoints about the server itself."""

    def info(self, body: Mapping[str, object]) -> respx.Route:
        """Answer `GET /info` with this body."""
        return self._json("GET", "/info", body)

    def ok(self, body: Mapping[str, object]) -> respx.Route:
        """Answer `GET /ok` with this body."""
        return self._json("GET", "/ok", body)
