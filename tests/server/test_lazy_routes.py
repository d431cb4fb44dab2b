"""Endpoints are found as one router over all of them would find them."""

from __future__ import annotations

import pytest
from starlette.routing import Match, Route, Router
from starlette.types import Receive, Scope, Send

from langgraph_client.server.http.endpoints import ENDPOINTS
from langgraph_client.server.http.lazy_routes import lazy_routes

PATHS = [
    *{endpoint.path.replace("{", "").replace("}", "") for endpoint in ENDPOINTS},
    *("", "*", "//", "/nothing", "/threads/", "/threads//runs", "/threads/a/nothing", "/Threads"),
]


def plain() -> Router:
    return Router([Route(one.path, one.answer, methods=[one.method]) for one in ENDPOINTS])


def found(router: Router, scope: Scope) -> tuple[object, object, object]:
    """The route that a router takes: how it matches, its endpoint and the path's parameters."""
    best: tuple[Match, Scope] = (Match.NONE, {})
    for route in router.routes:
        match, child = route.matches(scope)
        if match is Match.FULL:
            best = match, child
            break
        if match is Match.PARTIAL and best[0] is Match.NONE:
            best = match, child
    return best[0], best[1].get("endpoint"), best[1].get("path_params")


@pytest.mark.parametrize("prefix", ["", "/behind/a/proxy"])
def test_a_group_takes_what_its_routes_would_take(prefix: str) -> None:
    """The same endpoint for each method and path, below whatever prefix."""
    all_routes, groups = plain(), Router(lazy_routes(ENDPOINTS))
    for path in PATHS:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"):
            scope: Scope = {"type": "http", "method": method, "path": prefix + path}
            scope["root_path"] = prefix
            assert found(groups, scope) == found(all_routes, scope), (method, path)


async def test_a_method_that_is_not_there_is_named_as_such() -> None:
    """The answer is 405 with the methods of the first endpoint of that path."""
    answers = []
    for router in (plain(), Router(lazy_routes(ENDPOINTS))):
        sent: list[dict[str, object]] = []

        async def send(message: dict[str, object], sent: list[dict[str, object]] = sent) -> None:
            sent.append(message)

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": b""}

        scope: Scope = {"type": "http", "method": "PUT", "path": "/threads", "headers": []}
        await _answer(router, scope, receive, send)
        answers.append(sent)
    assert answers[0] == answers[1]
    assert answers[0][0]["status"] == 405


async def _answer(router: Router, scope: Scope, receive: Receive, send: Send) -> None:
    await router(scope, receive, send)
