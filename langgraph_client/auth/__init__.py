"""Authentication and authorization for a server that hosts an application: `Auth` and its types.

Handlers are registered on an `Auth`. A server with it, by `Server(graphs, auth=auth)` or by the
`auth` key of `langgraph.json`, calls them for every request. Nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from langgraph_client.auth import exceptions, types
from langgraph_client.auth.registration import On

_Authenticator = TypeVar("_Authenticator", bound=Callable[..., Any])


class Auth:
    """The handlers that authenticate requests and authorize their users.

        auth = Auth()

        @auth.authenticate
        async def authenticate(authorization: str | None) -> str:
            user = USERS.get(authorization)
            if user is None:
                raise Auth.exceptions.HTTPException(401, "who are you?")
            return user

        @auth.on
        async def own_things_only(ctx: Auth.types.AuthContext, value: dict) -> dict:
            value.setdefault("metadata", {})["owner"] = ctx.user.identity
            return {"owner": ctx.user.identity}

    The handler for a request is the one for its resource and action (`@auth.on.threads.create`),
    else the one for the resource (`@auth.on.threads`), else the one for the action
    (`@auth.on(actions="create")`), else the one for everything (`@auth.on`). If there is none,
    every authenticated request is accepted. So start with an `@auth.on` that returns False.
    """

    __slots__ = ("_authenticate_handler", "_global_handlers", "_handler_cache", "_handlers", "on")

    types = types
    """The types; see `langgraph_client.auth.types`."""
    exceptions = exceptions
    """The exceptions; see `langgraph_client.auth.exceptions`."""

    def __init__(self) -> None:
        self.on = On(self)
        # Servers read these attributes, which langgraph_sdk's class has as well.
        self._handlers: dict[tuple[str, str], list[types.Handler]] = {}
        self._global_handlers: list[types.Handler] = []
        self._authenticate_handler: Callable[..., Any] | None = None
        self._handler_cache: dict[tuple[str, str], types.Handler] = {}

    def authenticate(self, fn: _Authenticator) -> _Authenticator:
        """Register the function that returns the user of a request, and return the function.

        Args:
            fn: An async or plain function, called for every request. Its parameters are, by name:
                `request` (Starlette's), `body` (the decoded JSON), `path`, `method`,
                `path_params`, `query_params`, `headers` (names and values as bytes),
                `authorization` (that header, or None), `scope` (ASGI's). It returns the user: an
                identity, a dict with `identity` and maybe `permissions` and others, or an object
                with such attributes; or raises `HTTPException`, which is the answer.

        Raises:
            ValueError: Such a function is registered already.
        """
        if self._authenticate_handler is not None:
            raise ValueError(f"Authentication handler already set as {self._authenticate_handler}.")
        self._authenticate_handler = fn
        return fn


def is_studio_user(user: types.MinimalUser | types.BaseUser | types.MinimalUserDict) -> bool:
    """Return whether a request comes from LangGraph Studio, by its user."""
    return isinstance(user, types.StudioUser) or (
        isinstance(user, dict) and user.get("kind") == "StudioUser"
    )


__all__ = ["Auth", "exceptions", "is_studio_user", "types"]
