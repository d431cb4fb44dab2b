"""`ServerRuntime`: why the factory of a hosted graph is called, and for which user.

A factory that annotates a parameter with `ServerRuntime` gets one each time the server opens the
graph: to run it, to read or write a thread's state, or to return its schemas.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from langgraph_client.auth.types import BaseUser

ContextT = TypeVar("ContextT")

AccessContext: TypeAlias = Literal[
    "threads.create_run", "threads.update", "threads.read", "assistants.read"
]
"""Why a factory is called. The graph's nodes are executed only for `threads.create_run`."""


@dataclass(kw_only=True, slots=True, frozen=True)
class _ServerRuntime(Generic[ContextT]):
    """The common fields of all accesses.

    Attributes:
        access_context: Why the factory is called.
        user: The user of the request; None on a server without an `Auth`.
        store: The server's store.
    """

    access_context: AccessContext
    user: BaseUser | None = None
    store: Any

    @property
    def execution_runtime(self) -> _ExecutionRuntime[ContextT] | None:
        """This object if the factory is called for a run; otherwise None."""
        return self if isinstance(self, _ExecutionRuntime) else None

    def ensure_user(self) -> BaseUser:
        """Return the user.

        Raises:
            PermissionError: There is no user, because the server has no `Auth`.
        """
        if self.user is None:
            raise PermissionError(
                f"nobody is authenticated for {self.access_context}: the server has no Auth"
            )
        return self.user


@dataclass(kw_only=True, slots=True, frozen=True)
class _ExecutionRuntime(_ServerRuntime[ContextT], Generic[ContextT]):
    """The additional fields of a run.

    Attributes:
        context: The context of the run, as the class that `ServerRuntime[...]` names.
    """

    context: ContextT | None = None


@dataclass(kw_only=True, slots=True, frozen=True)
class _ReadRuntime(_ServerRuntime[ContextT], Generic[ContextT]):
    """The fields of other accesses: only the common ones."""


ServerRuntime: TypeAlias = _ExecutionRuntime[ContextT] | _ReadRuntime[ContextT]
"""The annotation for factories: `ServerRuntime`, or `ServerRuntime[Context]`."""

__all__ = ["AccessContext", "ServerRuntime"]
