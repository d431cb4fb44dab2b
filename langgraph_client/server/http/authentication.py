"""Authenticate requests with the application's `Auth`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.authentication import AuthCredentials
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from langgraph_client.current_server import current_server
from langgraph_client.server.auth.authorization import Authorization, Caller
from langgraph_client.server.errors import Denied, Invalid
from langgraph_client.server.http.client_json import decode_limited
from langgraph_client.server.http.in_process import as_caller
from langgraph_client.server.http.replies import REQUEST_BODY, read_body, refuse

CALLER = "langgraph.caller"
"""The key of a request's ASGI scope for its caller. For a request of a hosted graph, it is set from
the beginning, to the caller of the run. A client cannot set it.
"""


async def authenticate(
    authorization: Authorization | None, connection: HTTPConnection
) -> Caller | None:
    """Return the caller of a request; None without an `Auth`.

    Args:
        authorization: The server's authorization; None if it has no `Auth`.
        connection: The request. The user is added to its scope.

    Raises:
        Denied: `Auth` refuses the request.
    """
    if authorization is None:
        return None
    scope = connection.scope
    if CALLER in scope:
        caller: Caller | None = scope[CALLER]
    elif authorization.is_from_studio(connection.headers.get("x-auth-scheme")):
        caller = authorization.studio()
    else:
        arguments = await _arguments(authorization.parameters, connection)
        caller = await authorization.authenticate(arguments)
    # With `auth_first`, the middleware authenticates, and then the endpoint finds this caller.
    scope[CALLER] = caller
    hosting = current_server.get()
    if caller is not None and hosting is not None:
        # Requests of an application's own route to this server are made for the route's user.
        current_server.set(as_caller(hosting, {CALLER: caller}))
    if caller is not None:
        scope["user"] = caller.user
        scope["auth"] = AuthCredentials(caller.user.permissions)
    return caller


async def _arguments(names: tuple[str, ...], connection: HTTPConnection) -> Mapping[str, object]:
    scope = connection.scope
    arguments: dict[str, object] = {
        "path": scope["path"],
        "method": scope.get("method", "GET"),
        "path_params": scope.get("path_params") or {},
        "query_params": connection.query_params,
        "headers": dict(scope["headers"]),
        "authorization": connection.headers.get("authorization"),
        "scope": scope,
    }
    if "request" in names:
        if not isinstance(connection, Request):
            raise Denied(
                403,
                "@auth.authenticate has the parameter request, which a WebSocket does not have; use"
                " headers, authorization or scope instead",
            )
        arguments["request"] = connection
    if "body" in names:
        arguments["body"] = await _body(connection)
    return {name: arguments[name] for name in names}


async def _body(connection: HTTPConnection) -> object:
    """Return the body that the endpoint will read; None if there is none or it is not JSON.

    Raises:
        Denied: The body cannot be read, so `@auth.authenticate` cannot decide about it.
    """
    if not isinstance(connection, Request):
        return None
    try:
        sent, body = await read_body(connection)
    except HTTPException as error:
        raise Denied(error.status_code, error.detail, error.headers) from None
    connection._body = sent  # Starlette's cache, so that the body can be read again.
    try:
        return decode_limited(body, REQUEST_BODY) if body else None
    except ValueError:
        return None
    except Invalid as error:
        raise Denied(422, error.detail) from None


class Authentication:
    """Middleware that authenticates requests for an application's own routes.

    Args:
        app: The application. It finds the user as `request.user`.
        authorization: The server's authorization.
    """

    def __init__(self, app: ASGIApp, authorization: Authorization) -> None:
        self._app = app
        self._authorization = authorization

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http":
            connection: HTTPConnection = Request(scope, receive)
        elif scope["type"] == "websocket":
            connection = HTTPConnection(scope)
        else:
            await self._app(scope, receive, send)
            return
        try:
            await authenticate(self._authorization, connection)
        except Denied as error:
            await refuse(scope, receive, send, error.status, error.detail, error.headers)
            return
        if isinstance(connection, Request) and hasattr(connection, "_body"):
            receive = _replayed(await connection.body(), receive)
        await self._app(scope, receive, send)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that repeats a body that was read already."""
    was_repeated = False

    async def receive_again() -> Any:
        nonlocal was_repeated
        if was_repeated:
            return await receive()
        was_repeated = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again
