"""The types for the handlers of an `Auth`: users, contexts, filters and values."""

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
"""A condition on the metadata of a document, under which the user may access it.

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
    """The minimal attributes of a user."""

    @property
    def identity(self) -> str:
        """The name that identifies the user."""
        ...


class MinimalUserDict(TypedDict, total=False):
    """A user as a dict, as `@auth.authenticate` may return it. Further keys are allowed."""

    identity: Required[str]
    display_name: str
    is_authenticated: bool
    permissions: Sequence[str]


@runtime_checkable
class BaseUser(Protocol):
    """A user for handlers, nodes and factories. Its fields can be read as attributes and by key."""

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
        """The name that identifies the user."""
        ...

    @property
    def permissions(self) -> Sequence[str]:
        """The permissions that `@auth.authenticate` has returned."""
        ...

    def __getitem__(self, key: str) -> Any: ...

    def __contains__(self, key: object) -> bool: ...

    def __iter__(self) -> Iterator[str]: ...


class StudioUser:
    """The user of a request from LangGraph Studio, on a server that allows Studio.

    Args:
        username: The identity.
        is_authenticated: Whether the user is known.
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
        """The name that identifies the user."""
        return self.username

    @property
    def permissions(self) -> Sequence[str]:
        """`["authenticated"]`, or nothing."""
        return self._permissions


Authenticator: TypeAlias = Callable[
    ..., Awaitable[MinimalUser | BaseUser | MinimalUserDict | Mapping[str, Any] | str]
]
"""A function that returns the user of a request; see `Auth.authenticate` for its parameters."""


@dataclass(slots=True)
class BaseAuthContext:
    """The user of a request.

    Attributes:
        permissions: The user's permissions.
        user: The user.
    """

    permissions: Sequence[str]
    user: BaseUser


@final
@dataclass(slots=True)
class AuthContext(BaseAuthContext):
    """The user of a request, and the resource and action that it requests.

    Attributes:
        resource: The kind of document: `threads`, `assistants`, `crons` or `store`.
        action: The action: `create`, `read`, `update`, `delete`, `search`; for threads also
            `create_run`; for the store `put`, `get`, `search`, `delete`, `list_namespaces`.
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
