"""The Starlette application: routes, errors, headers."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from langgraph_client.server.errors import (
    Conflict,
    Invalid,
    NotFound,
    Refused,
    ServerError,
    TooLarge,
    Unavailable,
)
from langgraph_client.server.http.endpoints import ENDPOINTS, SOCKETS
from langgraph_client.server.http.replies import nothing, reply
from langgraph_client.server.services import Services

_STATUSES: dict[type[ServerError], int] = {
    Refused: 400,
    NotFound: 404,
    Conflict: 409,
    TooLarge: 413,
    Invalid: 422,
    Unavailable: 503,
}


def make_app(services: Services, middleware: list[Middleware] | None = None) -> Starlette:
    """Return the application over a server's services."""
    routes: list[BaseRoute] = [
        Route(endpoint.path, endpoint.answer, methods=[endpoint.method]) for endpoint in ENDPOINTS
    ]
    routes += [WebSocketRoute(path, endpoint) for path, endpoint in SOCKETS.items()]
    app = Starlette(
        routes=routes,
        middleware=middleware or [],
        exception_handlers={HTTPException: _http_error, ServerError: _domain_error},
    )
    app.state.services = services
    return app


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code in (204, 304):
        return nothing(error.status_code)
    return reply({"detail": error.detail}, error.status_code, error.headers)


async def _domain_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ServerError)
    status = next(_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES)
    return reply({"detail": error.detail}, status)
