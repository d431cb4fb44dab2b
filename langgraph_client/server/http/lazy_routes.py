"""The endpoints below each first segment of a path, as routes that are made when one is needed.

Compiling the patterns of all paths takes a sixth of the start of a server, and most programs ask
for two or three kinds of things.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from langgraph_client.server.http.endpoint import Endpoint
from langgraph_client.server.http.prefix import route_path

#: Where a request's scope has the route that takes it.
_ROUTE = "lazy_route"


def lazy_routes(endpoints: Iterable[Endpoint]) -> list[BaseRoute]:
    """Return a route for each first segment. No path begins with a parameter."""
    groups: dict[str, list[Endpoint]] = {}
    for endpoint in endpoints:
        groups.setdefault(_first_segment(endpoint.path), []).append(endpoint)
    return [LazyRoutes(segment, inside) for segment, inside in groups.items()]


class LazyRoutes(BaseRoute):
    """The endpoints below one first segment."""

    def __init__(self, segment: str, endpoints: list[Endpoint]) -> None:
        self._segment = segment
        self._endpoints = endpoints

    @cached_property
    def routes(self) -> list[Route]:
        """The routes, one for each endpoint."""
        return [endpoint.route for endpoint in self._endpoints]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return how the best of the routes matches; as a router does, the first of them."""
        partial: tuple[Match, Scope] = (Match.NONE, {})
        if scope["type"] != "http" or _first_segment(route_path(scope)) != self._segment:
            return partial
        for route in self.routes:
            match, child = route.matches(scope)
            if match is Match.FULL:
                return match, {**child, _ROUTE: route}
            if match is Match.PARTIAL and partial[0] is Match.NONE:
                partial = match, {**child, _ROUTE: route}
        return partial

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request that matches."""
        await scope[_ROUTE].handle(scope, receive, send)


def _first_segment(path: str) -> str:
    return path[1:].partition("/")[0]
