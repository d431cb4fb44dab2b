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

from langgraph_client.testing import documents as doc
from langgraph_client.testing.arguments import check_url
from langgraph_client.testing.mock_assistants import MockAssistants
from langgraph_client.testing.mock_others import MockCrons, MockStore
from langgraph_client.testing.mock_routes import MockEndpoints, MockRoutes
from langgraph_client.testing.mock_runs import MockRuns
from langgraph_client.testing.mock_threads import MockThreads


class LangGraphMock:
    """A mock of every endpoint of the protocol, at one URL.

    Inside its `with`, requests over httpx go to its routes; one without a route is an error. After
    it, the answers that were given inside are forgotten, and a second `with` can give others.

    Every method takes, besides its own arguments:

        error: An HTTP status to answer instead, with `{"detail": ...}`.
        detail: The text of that error.

    Ids that are left out match any; fields that are left out have plausible values.

    Args:
        url: The URL that clients use.
        assert_all_called: Whether every answer has to be asked for.

    Raises:
        InvalidArgumentError: `url` is not an HTTP URL. Its methods raise it for an `error` that is
            not the status of an error, for a negative count, for an id that is no text, for events
            without a name, and for a field whose name is a slip of the pen, such as `satus`.
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

    def info(
        self, *, error: int | None = None, detail: str | None = None, **fields: object
    ) -> respx.Route:
        """Answer `GET /info`.

        Args:
            error: An HTTP status to answer with instead.
            detail: The text of that error.
            **fields: Fields of the answer, beside `version`.
        """
        return self._system.info(fields, error, detail)

    def ok(
        self, *, error: int | None = None, detail: str | None = None, **fields: object
    ) -> respx.Route:
        """Answer `GET /ok`.

        Args:
            error: An HTTP status to answer with instead.
            detail: The text of that error.
            **fields: Fields of the answer; `ok=False` says that the server is not well.
        """
        return self._system.ok(fields, error, detail)

    def __enter__(self) -> Self:
        self.router.__enter__()
        self._routes.begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        missing = [route.missing for route in self._routes if route.missing is not None]
        self.router.__exit__(kind, error, trace)
        self._routes.end()
        if missing and kind is None and self._assert_all_called:
            raise AssertionError(f"never asked for: {', '.join(missing)}")


class MockSystem(MockEndpoints):
    """The endpoints about the server itself."""

    def info(
        self, fields: Mapping[str, object], error: int | None, detail: str | None
    ) -> respx.Route:
        """Answer `GET /info` with these fields, or with an error and its detail."""
        body = doc.document("the information", {"version": "mock"}, fields)
        return self._json("GET", "/info", body, error=error, detail=detail)

    def ok(
        self, fields: Mapping[str, object], error: int | None, detail: str | None
    ) -> respx.Route:
        """Answer `GET /ok` with these fields, or with an error and its detail."""
        body = doc.document("the answer", {"ok": True}, fields)
        return self._json("GET", "/ok", body, error=error, detail=detail)
