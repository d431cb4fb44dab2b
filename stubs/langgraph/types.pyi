from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Generic, Literal, NamedTuple, TypeVar, final

from langchain_core.runnables import RunnableConfig

_N = TypeVar("_N", bound=Hashable)
_Output = TypeVar("_Output")

@final
class Interrupt:
    value: Any
    id: str
    response_schema: dict[str, Any] | type[Any] | None
    def __init__(
        self,
        value: Any,
        id: str = ...,
        *,
        response_schema: dict[str, Any] | type[Any] | None = None,
        **deprecated_kwargs: Any,
    ) -> None: ...

class TimeoutPolicy:
    run_timeout: float | timedelta | None
    idle_timeout: float | timedelta | None
    refresh_on: Literal["auto", "heartbeat"]
    def __init__(
        self,
        *,
        run_timeout: float | timedelta | None = None,
        idle_timeout: float | timedelta | None = None,
        refresh_on: Literal["auto", "heartbeat"] = "auto",
    ) -> None: ...

class Send:
    node: str
    arg: Any
    def __init__(
        self,
        /,
        node: str,
        arg: Any,
        *,
        timeout: float | timedelta | TimeoutPolicy | None = None,
    ) -> None: ...

@dataclass(kw_only=True, slots=True, frozen=True)
class Command(Generic[_N]):
    graph: str | None = None
    update: Any | None = None
    resume: Any | None = None
    goto: Send | Sequence[Send | _N] | _N = ...
    PARENT: ClassVar[Literal["__parent__"]]

@dataclass(frozen=True)
class GraphOutput(Generic[_Output]):
    value: _Output
    interrupts: tuple[Interrupt, ...] = ()

class StateUpdate(NamedTuple):
    values: dict[str, Any] | None
    as_node: str | None = None
    task_id: str | None = None

class PregelTask(NamedTuple):
    id: str
    name: str
    path: tuple[Any, ...]
    error: Any = None
    interrupts: tuple[Interrupt, ...] = ()
    state: Any = None
    result: Any | None = None

class StateSnapshot(NamedTuple):
    values: Any
    next: tuple[str, ...]
    config: RunnableConfig
    metadata: Any
    created_at: str | None
    parent_config: RunnableConfig | None
    tasks: tuple[PregelTask, ...]
    interrupts: tuple[Interrupt, ...]

@dataclass(slots=True)
class Overwrite:
    value: Any
    type: Literal["__overwrite__"] = "__overwrite__"
