"""The Starlette application: routes, errors, headers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp

from langgraph_client.server.errors import ServerError
from langgraph_client.server.http.endpoint import answer_socket
from langgraph_client.server.http.endpoints import ENDPOINTS, SOCKETS
from langgraph_client.server.http.groups import is_served
from langgraph_client.server.http.lazy_routes import lazy_routes
from langgraph_client.server.http.middleware import ConfigurableHeaders, CountRequests
from langgraph_client.server.http.openapi import OpenApiDocument
from langgraph_client.server.http.prefix import logged_path
from langgraph_client.server.http.replies import empty, error_reply, reply
from langgraph_client.server.http.user_app import UserApp, wrapped
from langgraph_client.server.options import HttpOptions
from langgraph_client.server.services import Services


def make_app(
    services: Services,
    middleware: Sequence[Middleware],
    options: HttpOptions,
    user_app: UserApp | None,
) -> ASGIApp:
    """Return the application over a server's services.

    Args:
        services: The services.
        middleware: The middleware, the outermost first.
        options: Endpoints to leave out, and other settings.
        user_app: The user's application, which is served too; None for none.
    """
    served = [endpoint for endpoint in ENDPOINTS if is_served(endpoint.path, options.disabled)]
    described = OpenApiDocument(served, user_app.openapi if user_app else dict, options.security)
    routes = lazy_routes(map(described.handled, served))
    routes += [
        WebSocketRoute(path, partial(answer_socket, access, handler))
        for path, (access, handler) in SOCKETS.items()
        if is_served(path, options.disabled)
    ]
    # With an application of the user, which gets the requests first, it is wrapped around both.
    within = [] if user_app else list(middleware)
    within.insert(0, Middleware(CountRequests, metrics=services.engine.metrics))
    within.append(Middleware(ConfigurableHeaders, rules=options.configurable_headers))
    core = Starlette(
        routes=routes,
        middleware=within,
        exception_handlers={
            HTTPException: _http_error,
            ServerError: _domain_error,
            Exception: _unexpected,
        },
    )
    core.state.services = services
    if user_app is None:
        return core
    user_app.attach(core)
    return wrapped(user_app, middleware)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code in (204, 304):
        return empty(error.status_code)
    return reply({"detail": error.detail}, error.status_code, error.headers)


async def _unexpected(request: Request, error: Exception) -> Response:
    # Starlette raises the error again after this response, and uvicorn then closes the connection.
    # A client that is not told would send its next request there.
    return PlainTextResponse("Internal Server Error", 500, {"connection": "close"})


async def _domain_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ServerError)
    return error_reply(error, f"{request.method} {logged_path(request.scope)}")
