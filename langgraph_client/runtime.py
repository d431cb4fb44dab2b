"""What the factory of a hosted graph is told about the access that it is called for.

A factory that annotates a parameter with `ServerRuntime` gets one each time the server opens the
graph: to run it, to read or write a thread's state, to show its schemas.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from langgraph_client.auth.types import BaseUser

ContextT = TypeVar("ContextT")

AccessContext: TypeAlias = Literal[
    "threads.create_run", "threads.update", "threads.read", "assistants.read"
]
"""Why a factory is called; only for `threads.create_run` the graph's nodes are run."""


@dataclass(kw_only=True, slots=True, frozen=True)
class _ServerRuntime(Generic[ContextT]):
    """What all accesses have.

    Attributes:
        access_context: Why the factory is called.
        user: Who asks, on a server with an `Auth`; None on others.
        store: The server's store.
    """

    access_context: AccessContext
    user: BaseUser | None = None
    store: Any

    @property
    def execution_runtime(self) -> _ExecutionRuntime[ContextT] | None:
        """This, where the graph is going to be run; else None."""
        return self if isinstance(self, _ExecutionRuntime) else None

    def ensure_user(self) -> BaseUser:
        """Return the user.

        Raises:
            PermissionError: There is none, as the server has no `Auth`.
        """
        if self.user is None:
            raise PermissionError(
                f"nobody is authenticated for {self.access_context}: the server has no Auth"
            )
        return self.user


@dataclass(kw_only=True, slots=True, frozen=True)
class _ExecutionRuntime(_ServerRuntime[ContextT], Generic[ContextT]):
    """What a run has besides.

    Attributes:
        context: The context of the run, as the class that `ServerRuntime[...]` names.
    """

    context: ContextT | None = None


@dataclass(kw_only=True, slots=True, frozen=True)
class _ReadRuntime(_ServerRuntime[ContextT], Generic[ContextT]):
    """What other accesses have: nothing besides."""


ServerRuntime: TypeAlias = _ExecutionRuntime[ContextT] | _ReadRuntime[ContextT]
"""The annotation for factories: `ServerRuntime`, or `ServerRuntime[Context]`."""

__all__ = ["AccessContext", "ServerRuntime"]
