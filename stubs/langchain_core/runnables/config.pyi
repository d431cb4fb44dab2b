import uuid
from contextvars import ContextVar
from typing import Any, TypedDict

class RunnableConfig(TypedDict, total=False):
    tags: list[str]
    metadata: dict[str, Any]
    callbacks: Any
    run_name: str
    max_concurrency: int | None
    recursion_limit: int
    configurable: dict[str, Any]
    run_id: uuid.UUID | None

var_child_runnable_config: ContextVar[RunnableConfig | None]
