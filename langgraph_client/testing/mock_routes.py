"""The common parts of a mock's routes: paths from the server's table, responses, streams."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import TypeAlias

import httpx
import respx
from respx.patterns import M

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.server.http.endpoints import ENDPOINTS
from langgraph_client.testing.arguments import check_name, check_status, check_whole
from langgraph_client.testing.cassette_transports import frame

MockEvent: TypeAlias = tuple[str, object] | tuple[str, object, str | None]
MakeResponse = Callable[[], httpx.Response]
EndpointKey = tuple[str, str]
_RouteKey = tuple[bool, tuple[EndpointKey, ...]]

_ANY = "[^/]+"
_ENDPOINTS = frozenset((endpoint.method, endpoint.path) for endpoint in ENDPOINTS)


@dataclass
class MockRoute:
    """A respx route with its answers. Each is given once, in order, and the last one for ever."""

    route: respx.Route
    answers: list[MakeResponse] = field(default_factory=list)
    is_optional: bool = False
    open_ids: int = 0
    _next: int = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        answer = self.answers[min(self._next, len(self.answers) - 1)]
        self._next += 1
        return answer()

    def restart(self, answers: list[MakeResponse]) -> None:
        """Give these answers from the first one on."""
        self.answers = answers
        self._next = 0

    @property
    def rank(self) -> tuple[bool, int]:
        """The place among routes that fit the same request; the least one answers."""
        return self.is_optional, self.open_ids

    @property
    def missing(self) -> str | None:
        """A description of the answers that were never requested; None if all were."""
        if self.is_optional or self.route.call_count >= len(self.answers):
            return None
        count = f", {self.route.call_count} of {len(self.answers)} times"
        return f"{self.route.pattern!r}{count if len(self.answers) > 1 else ''}"


class MockRoutes:
    """The routes of a mock.

    Args:
        router: The router in which they are registered.
    """

    def __init__(self, router: respx.MockRouter) -> None:
        self._router = router
        self._routes: dict[_RouteKey, MockRoute] = {}
        self._before: dict[_RouteKey, list[MakeResponse]] = {}
        # Runs as their latest stream left them, by id. Streams without a `run_id` share one id, and
        # a client asks for a run often or never, so that answers in order would be wrong.
        self.streamed: dict[str, object] = {}

    def __iter__(self) -> Iterator[MockRoute]:
        return iter(self._routes.values())

    def begin(self) -> None:
        """Remember the answers that there are."""
        self._before = {key: list(mock.answers) for key, mock in self._routes.items()}

    def end(self) -> None:
        """Forget the answers since `begin`, as respx does with routes; give the others anew."""
        self._routes = {key: self._routes[key] for key in self._before}
        for key, answers in self._before.items():
            self._routes[key].restart(answers)
        self.streamed.clear()

    def add(
        self, answer: MakeResponse, *endpoints: EndpointKey, optional: bool = False
    ) -> respx.Route:
        """Add an answer to the route of some endpoints, and return the route.

        Of several routes for a request, the most specific one answers it, and an optional one only
        if there is no other.

        Args:
            answer: Makes the response.
            *endpoints: Pairs of an HTTP method and a regular expression of the path.
            optional: Whether the mock may end without a request for it.
        """
        mock = self._routes.get((optional, endpoints))
        if mock is None:
            # Another text for the same path: respx takes routes with equal patterns for one.
            form = "^(?:%s)$" if optional else "^%s$"
            patterns = [M(method=method, path__regex=form % path) for method, path in endpoints]
            route = self._router.route(reduce(or_, patterns))
            mock = MockRoute(route, is_optional=optional, open_ids=_open_ids(endpoints))
            self._routes[optional, endpoints] = mock
            route.mock(side_effect=mock)
            self._put_before_others(mock)
        mock.answers.append(answer)
        return mock.route

    def _put_before_others(self, mock: MockRoute) -> None:
        """Move a new route before those that are less specific: respx takes the first that fits."""
        later = [other.route for other in self if other.rank > mock.rank]
        routes = [route for route in self._router.routes if route is not mock.route]
        position = next((n for n, route in enumerate(routes) if route in later), len(routes))
        routes.insert(position, mock.route)
        self._router.routes.clear()
        for route in routes:
            self._router.routes.add(route, route.name)


class MockEndpoints:
    """The base of `mock.threads` and the like.

    Args:
        routes: The mock's routes.
    """

    def __init__(self, routes: MockRoutes) -> None:
        self._routes = routes

    def _json(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        error: int | None = None,
        detail: str | None = None,
        **ids: str | None,
    ) -> respx.Route:
        """Answer requests for a path whose `{ids}` are these, or any."""
        answer = json_answer(body, error, detail, status=status, headers=headers)
        return self._add(method, path, answer, ids)

    def _add(
        self, method: str, path: str, answer: MakeResponse, ids: Mapping[str, str | None]
    ) -> respx.Route:
        return self._routes.add(answer, endpoint(method, path, ids))


def endpoint(method: str, path: str, ids: Mapping[str, str | None]) -> EndpointKey:
    """Return an endpoint's method, and its path as a regular expression.

    Args:
        method: The HTTP method.
        path: The path as in the server's table, with `{names}`.
        ids: What stands in the place of the names; None, or a missing name, is anything.

    Raises:
        LookupError: The server has no such endpoint.
        InvalidArgumentError: An id is no text.
    """
    if (method, path) not in _ENDPOINTS:
        raise LookupError(f"the server has no endpoint {method} {path}")
    pattern = re.escape(path).replace(r"\{", "{").replace(r"\}", "}")
    for name in re.findall(r"{(\w+)}", pattern):
        value = ids.get(name)
        if value is not None:
            check_name(name, value)
        pattern = pattern.replace(f"{{{name}}}", _ANY if value is None else re.escape(value))
    return method, pattern


def _open_ids(endpoints: Sequence[EndpointKey]) -> int:
    """Return how many ids may be any."""
    return max(pattern.count(_ANY) for _, pattern in endpoints)


def json_answer(
    body: object,
    error: int | None = None,
    detail: str | None = None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> MakeResponse:
    """Return a function that returns the response: a JSON body, or an error.

    Raises:
        InvalidArgumentError: `error` is not the status of an error.
    """
    if error is not None:
        return _error_answer(error, detail)

    # Made for each request: httpx binds a response to the request that it answers.
    def answer() -> httpx.Response:
        if status == 204:
            return httpx.Response(status, headers=headers)
        return httpx.Response(status, headers=headers, json=body)

    return answer


def count_answer(count: int, error: int | None, detail: str | None) -> MakeResponse:
    """Return a function that returns the response: a number of documents, or an error.

    Raises:
        InvalidArgumentError: It is negative, or `error` is not the status of an error.
    """
    check_whole("count", count, 0)
    return json_answer(count, error, detail)


def stream_answer(
    events: Sequence[MockEvent],
    headers: Mapping[str, str],
    error: int | None,
    detail: str | None,
    *,
    cut: bool = False,
) -> MakeResponse:
    """Return a function that returns the response: an event stream, or an error.

    Args:
        events: Pairs of event and data; a third element is the event's id.
        headers: Headers beside the content type.
        error: An HTTP status to answer with instead; None for the stream.
        detail: The text of that error.
        cut: Break the connection after the events.

    Raises:
        InvalidArgumentError: An event is not such a pair, or `error` is not the status of an error.
    """
    if error is not None:
        return _error_answer(error, detail)
    frames = [_frame(number, *event) for number, event in enumerate(events)]
    headers = {"content-type": "text/event-stream; charset=utf-8", **headers}
    return lambda: (
        httpx.Response(200, headers=headers, stream=_CutStream(frames))
        if cut
        else httpx.Response(200, headers=headers, content=b"".join(frames))
    )


def _error_answer(status: int, detail: str | None) -> MakeResponse:
    """Return a function that returns the response of the server for an error."""
    check_status("error", status)
    text = httpx.codes.get_reason_phrase(status) if detail is None else detail
    return lambda: httpx.Response(status, json={"detail": text})


class _CutStream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Frames, and then a connection that breaks."""

    def __init__(self, frames: Sequence[bytes]) -> None:
        self._frames = frames

    def __iter__(self) -> Iterator[bytes]:
        yield from self._frames
        raise httpx.ReadError("cut")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._frames:
            yield piece
        raise httpx.ReadError("cut")


def _frame(number: int, *event: object) -> bytes:
    if len(event) not in (2, 3) or not isinstance(event[0], str):
        raise InvalidArgumentError(
            f"events[{number}]", f"must be a name and data, and perhaps an id, not {event!r}"
        )
    for part in (event[0], *event[2:]):
        # On the wire, the rest would be another field.
        if isinstance(part, str) and ("\n" in part or "\r" in part):
            raise InvalidArgumentError(
                f"events[{number}]", f"name and id must be on one line, not {part!r}"
            )
    return frame({"event": event[0], "data": event[1], "id": event[2] if len(event) > 2 else None})


def total(documents: Sequence[object]) -> dict[str, str]:
    """Return the header that counts what a search finds."""
    return {"x-pagination-total": str(len(documents))}


def without_none(**fields: object) -> dict[str, object]:
    """Return the fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}
