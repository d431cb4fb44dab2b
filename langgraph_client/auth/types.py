"""Users, contexts, filters, and the values that the handlers of an `Auth` are given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Required, TypeAlias, TypedDict, final, runtime_checkable

from langgraph_client.auth.values import (
    AssistantsCreate,
    AssistantsDelete,
    AssistantsRead,
    AssistantsSearch,
    AssistantsUpdate,
    CronsCreate,
    CronsDelete,
    CronsRead,
    CronsSearch,
    CronsUpdate,
    IfNotExists,
    MetadataInput,
    MultitaskStrategy,
    OnConflictBehavior,
    RunsCreate,
    RunStatus,
    StoreDelete,
    StoreGet,
    StoreListNamespaces,
    StorePut,
    StoreSearch,
    ThreadsCreate,
    ThreadsDelete,
    ThreadsRead,
    ThreadsSearch,
    ThreadStatus,
    ThreadsUpdate,
    ThreadTTL,
    on,
)

FilterType: TypeAlias = dict[str, Any]
"""What the metadata of a thing must be like, so that the user may have it.

- `{"owner": "ann"}` or `{"owner": {"$eq": "ann"}}`: equal;
- `{"members": {"$contains": "ann"}}`: a list that has it; `["ann", "bob"]`: that has both;
- several keys: all of them;
- `{"$or": [filter, filter]}`, `{"$and": [filter, filter]}`: nested up to two deep.
"""
HandlerResult: TypeAlias = FilterType | bool | None
"""None or True accepts the request, False refuses it (403), a filter restricts it."""
Handler: TypeAlias = Callable[..., Awaitable[HandlerResult]]
"""A handler: an async function with the parameters `ctx` and `value`."""


@runtime_checkable
class MinimalUser(Protocol):
    """The least that a user has."""

    @property
    def identity(self) -> str:
        """What tells this user from all others."""
        ...


class MinimalUserDict(TypedDict, total=False):
    """A user as a dictionary, as `@auth.authenticate` may return it; further keys are kept."""

    identity: Required[str]
    display_name: str
    is_authenticated: bool
    permissions: Sequence[str]


@runtime_checkable
class BaseUser(Protocol):
    """A user as handlers, nodes and factories get it: attributes and keys alike."""

    @property
    def is_authenticated(self) -> bool:
        """Whether the user is known; True by default."""
        ...

    @property
    def display_name(self) -> str:
        """The name to show; the identity by default."""
        ...

    @property
    def identity(self) -> str:
        """What tells this user from all others."""
        ...

    @property
    def permissions(self) -> Sequence[str]:
        """What `@auth.authenticate` has returned as permissions."""
        ...

    def __getitem__(self, key: str) -> Any: ...

    def __contains__(self, key: object) -> bool: ...

    def __iter__(self) -> Iterator[str]: ...


class StudioUser:
    """The user of a request from LangGraph Studio, on a server that lets Studio in.

    Args:
        username: The identity.
        is_authenticated: Whether it is known.
    """

    __slots__ = ("_is_authenticated", "_permissions", "username")

    def __init__(self, username: str, is_authenticated: bool = False) -> None:
        self.username = username
        self._is_authenticated = is_authenticated
        self._permissions = ["authenticated"] if is_authenticated else []

    @property
    def is_authenticated(self) -> bool:
        """Whether the user is known."""
        return self._is_authenticated

    @property
    def display_name(self) -> str:
        """The name to show."""
        return self.username

    @property
    def identity(self) -> str:
        """What tells this user from all others."""
        return self.username

    @property
    def permissions(self) -> Sequence[str]:
        """`["authenticated"]`, or nothing."""
        return self._permissions


Authenticator: TypeAlias = Callable[
    ..., Awaitable[MinimalUser | BaseUser | MinimalUserDict | Mapping[str, Any] | str]
]
"""Tells who sends a request; see `Auth.authenticate` for the parameters it may have."""


@dataclass(slots=True)
class BaseAuthContext:
    """Who asks.

    Attributes:
        permissions: The user's permissions.
        user: The user.
    """

    permissions: Sequence[str]
    user: BaseUser


@final
@dataclass(slots=True)
class AuthContext(BaseAuthContext):
    """Who asks for what.

    Attributes:
        resource: What kind of thing.
        action: What is to be done: `create`, `read`, `update`, `delete`, `search`, for threads
            `create_run`, too; for the store `put`, `get`, `search`, `delete`, `list_namespaces`.
    """

    resource: Literal["runs", "threads", "crons", "assistants", "store"]
    action: Literal[
        "create",
        "read",
        "update",
        "delete",
        "search",
        "create_run",
        "put",
        "get",
        "list_namespaces",
    ]


__all__ = [
    "AssistantsCreate",
    "AssistantsDelete",
    "AssistantsRead",
    "AssistantsSearch",
    "AssistantsUpdate",
    "AuthContext",
    "Authenticator",
    "BaseAuthContext",
    "BaseUser",
    "CronsCreate",
    "CronsDelete",
    "CronsRead",
    "CronsSearch",
    "CronsUpdate",
    "FilterType",
    "Handler",
    "HandlerResult",
    "IfNotExists",
    "MetadataInput",
    "MinimalUser",
    "MinimalUserDict",
    "MultitaskStrategy",
    "OnConflictBehavior",
    "RunStatus",
    "RunsCreate",
    "StoreDelete",
    "StoreGet",
    "StoreListNamespaces",
    "StorePut",
    "StoreSearch",
    "StudioUser",
    "ThreadStatus",
    "ThreadTTL",
    "ThreadsCreate",
    "ThreadsDelete",
    "ThreadsRead",
    "ThreadsSearch",
    "ThreadsUpdate",
    "on",
]
