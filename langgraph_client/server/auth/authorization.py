"""Call the handlers of an application's `Auth`: authenticate a request, authorize an action."""

from __future__ import annotations

import asyncio
import inspect
import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from langgraph_client.auth import Auth, exceptions
from langgraph_client.auth.types import Handler
from langgraph_client.models.fields import JsonMapping, JsonObject
from langgraph_client.server.auth.filters import Conditions, FilterError, conditions_of
from langgraph_client.server.auth.users import NoUserError, User, studio_user, user_of
from langgraph_client.server.errors import Denied

logger = logging.getLogger("langgraph_client.server")

PARAMETERS = (
    "request",
    "body",
    "path",
    "method",
    "path_params",
    "query_params",
    "headers",
    "authorization",
    "scope",
)
"""The allowed parameters of a function with `@auth.authenticate`."""
_ATTRIBUTES = ("_handlers", "_global_handlers", "_authenticate_handler", "types")


@dataclass(frozen=True)
class Caller:
    """An authenticated user, with the server's authorization.

    Attributes:
        user: The user.
        authorization: The server's authorization.
    """

    user: User
    authorization: Authorization

    async def ask(self, resource: str, action: str, value: JsonObject) -> Conditions:
        """Check whether the user may do something.

        Args:
            resource: The kind of resource, such as `threads`.
            action: The action, such as `create`.
            value: The value for the handler, which may change it.

        Returns:
            The conditions for the documents that the user may access; None for all.

        Raises:
            Denied: The user may not.
        """
        return await self.authorization.ask(self.user, resource, action, value)


class Authorization:
    """The handlers of an application's `Auth`, of this package's or langgraph_sdk's.

    Args:
        auth: The `Auth`.
        studio: Whether to accept requests with `x-auth-scheme: langsmith` as Studio's, without
            authentication.

    Raises:
        TypeError: The object is not an `Auth`, or its `authenticate` has an unknown parameter.
        ValueError: It has no `authenticate`.
    """

    def __init__(self, auth: object, *, studio: bool = False) -> None:
        if not all(hasattr(auth, name) for name in _ATTRIBUTES):
            raise TypeError(f"auth must be a langgraph_client.auth.Auth, not {auth!r}")
        # langgraph_sdk's class has the same attributes.
        self._auth = cast(Auth, auth)
        if self._auth._authenticate_handler is None:
            raise ValueError("the Auth has no function that is decorated with @auth.authenticate")
        self._studio = studio
        self._authenticate = self._auth._authenticate_handler
        self.parameters = _parameters_of(self._authenticate)
        self._warn()

    def _warn(self) -> None:
        """Log which resources and actions have no handler: requests for them are accepted."""
        handlers = self._auth._handlers
        if self._auth._global_handlers or not handlers:
            return
        missing = [
            f"{resource}.{action}"
            for resource, actions in _ACTIONS.items()
            for action in actions
            if self._handler(resource, action) is None
        ]
        if missing:
            logger.warning(
                "auth: no handler is registered for %s: such requests of any user are accepted; an"
                " `@auth.on` that returns False would refuse them",
                ", ".join(missing),
            )

    def is_from_studio(self, scheme: str | None) -> bool:
        """Return whether to accept a request as Studio's, by its `x-auth-scheme`."""
        return self._studio and scheme == "langsmith"

    def studio(self) -> Caller:
        """Return Studio's user."""
        return Caller(studio_user(self._auth.types.StudioUser), self)

    def caller_of(self, document: JsonMapping) -> Caller:
        """Return the caller for a user's document that was stored with a run or a cron."""
        if document.get("kind") == "StudioUser":
            return self.studio()
        return Caller(User(document), self)

    async def authenticate(self, arguments: Mapping[str, object]) -> Caller:
        """Authenticate a request.

        Args:
            arguments: The values of `parameters`.

        Raises:
            Denied: The request is refused.
        """
        try:
            if inspect.iscoroutinefunction(self._authenticate):
                returned = await self._authenticate(**arguments)
            else:
                returned = await asyncio.to_thread(self._authenticate, **arguments)
                # An object with an async `__call__` is no coroutine function.
                if inspect.isawaitable(returned):
                    returned = await returned
            return Caller(user_of(returned), self)
        except NoUserError as error:
            logger.error("auth: %s", error)
            raise Denied(400, str(error)) from None  # The status of the real server.
        except Exception as error:
            raise _refusal(error, "@auth.authenticate") from error

    def _handler(self, resource: str, action: str) -> Handler | None:
        for key in ((resource, action), (resource, "*"), ("*", action), ("*", "*")):
            if found := self._auth._handlers.get(key):
                return found[-1]
        return self._auth._global_handlers[-1] if self._auth._global_handlers else None

    async def ask(
        self, user: User, resource: str, action: str, value: dict[str, object]
    ) -> Conditions:
        """Call the handler; see `Caller.ask`."""
        handler = self._handler(resource, action)
        if handler is None:
            return None
        types: Any = self._auth.types  # Of the package that the `Auth` is from.
        context = types.AuthContext(
            permissions=user.permissions, user=user, resource=resource, action=action
        )
        try:
            result = await handler(ctx=context, value=value)
        # As in langgraph-api 0.16.7: a handler may refuse with `assert`.
        except AssertionError as error:
            raise Denied(403, str(error)) from error
        except Exception as error:
            raise _refusal(error, f"the handler of {resource}.{action}") from error
        if result is None or result is True:
            return None
        if result is False:
            raise Denied(403, "Forbidden")
        try:
            if isinstance(result, Mapping):
                return conditions_of(result)
            raise FilterError(f"a handler returns None, a bool or a dict, not {type(result)}")
        except FilterError as error:
            logger.error("auth: the handler of %s.%s: %s", resource, action, error)
            raise Denied(500, f"Auth handler returned an invalid filter: {error}") from error


_ACTIONS = {
    "threads": ("create", "read", "update", "delete", "search", "create_run"),
    "assistants": ("create", "read", "update", "delete", "search"),
    "crons": ("create", "read", "update", "delete", "search"),
    "store": ("put", "get", "search", "delete", "list_namespaces"),
}


def _parameters_of(authenticate: Callable[..., object]) -> tuple[str, ...]:
    names = []
    for parameter in inspect.signature(authenticate).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.name in PARAMETERS:
            names.append(parameter.name)
        elif parameter.default is parameter.empty:
            raise TypeError(
                f"@auth.authenticate has the required parameter {parameter.name!r}; it may take"
                f" {', '.join(PARAMETERS)}"
            )
    return tuple(names)


def _refusal(error: Exception, who: str) -> Exception:
    """Return the refusal for an exception of user code. An error in it never allows access."""
    if isinstance(error, Denied):
        return error
    if _is_http_exception(error):
        known: Any = error
        return Denied(known.status_code, str(known.detail), known.headers)
    logger.error("auth: %s failed", who, exc_info=error)
    return Denied(500, "Internal Server Error")


def _is_http_exception(error: Exception) -> bool:
    """Return whether an error is an HTTP response of this package, langgraph_sdk or Starlette."""
    kinds: list[type[Exception]] = [exceptions.HTTPException]
    for module in ("langgraph_sdk.auth.exceptions", "starlette.exceptions"):
        if module in sys.modules:
            kinds.append(sys.modules[module].HTTPException)
    return isinstance(error, tuple(kinds))
