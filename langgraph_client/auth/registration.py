"""The tree of decorators below `Auth.on`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar, overload

from langgraph_client.auth import types

_Function = TypeVar("_Function", bound=types.Handler)

ANY = "*"
"""The name for all resources, or for all actions."""


class Registry(Protocol):
    """Stores handlers: an `Auth`."""

    _handlers: dict[tuple[str, str], list[types.Handler]]
    _global_handlers: list[types.Handler]


def register(auth: Registry, resource: str, action: str, handler: types.Handler) -> None:
    """Store the handler of a resource and an action; either may be `*`.

    Raises:
        ValueError: There is such a handler already, or it is not an async function with the
            parameters `ctx` and `value`.
    """
    _check(handler)
    if (resource, action) == (ANY, ANY):
        if auth._global_handlers:
            raise ValueError("Global handler already set.")
        auth._global_handlers.append(handler)
        return
    if (resource, action) in auth._handlers:
        raise ValueError(f"There is a handler for {resource}.{action} already.")
    auth._handlers[(resource, action)] = [handler]


def _check(handler: Callable[..., Any]) -> None:
    name = getattr(handler, "__name__", repr(handler))
    if not inspect.iscoroutinefunction(handler):
        raise ValueError(f"The auth handler {name!r} must be an async function.")
    parameters = inspect.signature(handler).parameters
    for wanted in ("ctx", "value"):
        if wanted not in parameters:
            raise ValueError(f"The auth handler {name!r} must have a parameter {wanted!r}.")


class ActionOn:
    """Registers the handler of one action of a resource."""

    def __init__(self, auth: Registry, resource: str, action: str, value: Any) -> None:
        self.auth, self.resource, self.action, self.value = auth, resource, action, value

    def __call__(self, fn: _Function) -> _Function:
        """Register a handler, and return it."""
        register(self.auth, self.resource, self.action, fn)
        return fn


class ResourceOn:
    """Registers handlers of a resource: as a decorator itself, for all of its actions."""

    resource: str
    value: Any

    def __init__(self, auth: Registry) -> None:
        self.auth = auth

    def _action(self, name: str) -> ActionOn:
        return ActionOn(self.auth, self.resource, name, getattr(self.value, name).value)

    @overload
    def __call__(self, fn: _Function) -> _Function: ...

    @overload
    def __call__(
        self,
        *,
        resources: str | Sequence[str] | None = None,
        actions: str | Sequence[str] | None = None,
    ) -> Callable[[_Function], _Function]: ...

    def __call__(
        self,
        fn: Any = None,
        *,
        resources: str | Sequence[str] | None = None,
        actions: str | Sequence[str] | None = None,
    ) -> Any:
        """Register a handler for all actions, or for some.

        Args:
            fn: The handler; without it, a decorator is returned.
            resources: This resource, if given.
            actions: The actions; all by default.

        Raises:
            ValueError: Another resource is given, or an action that does not exist, or one twice.
        """
        if _listed(resources, self.resource) != [self.resource]:
            raise ValueError(
                f"auth.on.{self.resource} takes handlers of {self.resource!r}, not of"
                f" {resources!r}; use auth.on(resources=...)"
            )
        chosen = _listed(actions, ANY)
        known = {one.action for one in vars(self).values() if isinstance(one, ActionOn)}
        unknown = [] if actions is None else sorted(set(chosen) - known)
        if unknown:
            raise ValueError(f"Invalid action(s) for {self.resource}: {', '.join(unknown)}")
        if not chosen or len(chosen) != len(set(chosen)):
            raise ValueError("actions must not be empty, nor name one twice")

        def decorate(handler: _Function) -> _Function:
            for action in chosen:
                register(self.auth, self.resource, action, handler)
            return handler

        return decorate if fn is None else decorate(fn)


class AssistantsOn(ResourceOn):
    """`auth.on.assistants`."""

    resource, value = "assistants", types.on.assistants

    def __init__(self, auth: Registry) -> None:
        super().__init__(auth)
        self.create, self.read = self._action("create"), self._action("read")
        self.update, self.delete = self._action("update"), self._action("delete")
        self.search = self._action("search")


class ThreadsOn(ResourceOn):
    """`auth.on.threads`."""

    resource, value = "threads", types.on.threads

    def __init__(self, auth: Registry) -> None:
        super().__init__(auth)
        self.create, self.read = self._action("create"), self._action("read")
        self.update, self.delete = self._action("update"), self._action("delete")
        self.search, self.create_run = self._action("search"), self._action("create_run")


class CronsOn(ResourceOn):
    """`auth.on.crons`."""

    resource, value = "crons", types.on.crons

    def __init__(self, auth: Registry) -> None:
        super().__init__(auth)
        self.create, self.read = self._action("create"), self._action("read")
        self.update, self.delete = self._action("update"), self._action("delete")
        self.search = self._action("search")


class StoreOn(ResourceOn):
    """`auth.on.store`."""

    resource, value = "store", types.on.store

    def __init__(self, auth: Registry) -> None:
        super().__init__(auth)
        self.put, self.get = self._action("put"), self._action("get")
        self.search, self.delete = self._action("search"), self._action("delete")
        self.list_namespaces = self._action("list_namespaces")


class On:
    """`auth.on`: registers handlers for everything, or for some resources and actions."""

    __slots__ = ("_auth", "assistants", "crons", "store", "threads", "value")

    def __init__(self, auth: Registry) -> None:
        self._auth = auth
        self.assistants = AssistantsOn(auth)
        self.threads = ThreadsOn(auth)
        self.crons = CronsOn(auth)
        self.store = StoreOn(auth)
        self.value = types.on.value

    @overload
    def __call__(self, fn: _Function) -> _Function: ...

    @overload
    def __call__(
        self,
        *,
        resources: str | Sequence[str] | None = None,
        actions: str | Sequence[str] | None = None,
    ) -> Callable[[_Function], _Function]: ...

    def __call__(
        self,
        fn: Any = None,
        *,
        resources: str | Sequence[str] | None = None,
        actions: str | Sequence[str] | None = None,
    ) -> Any:
        """Register a handler for everything, or for some resources and actions.

        Args:
            fn: The handler for all requests that have no more specific one; without it, a decorator
                is returned.
            resources: The resources; all by default.
            actions: The actions; all by default.
        """
        if fn is not None:
            register(self._auth, ANY, ANY, fn)
            return fn

        def decorate(handler: _Function) -> _Function:
            for resource in _listed(resources, ANY):
                for action in _listed(actions, ANY):
                    register(self._auth, resource, action, handler)
            return handler

        return decorate


def _listed(given: str | Sequence[str] | None, default: str) -> list[str]:
    if given is None:
        return [default]
    return [given] if isinstance(given, str) else list(given)
