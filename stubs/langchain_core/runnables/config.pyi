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

def get_callback_manager_for_config(config: Any) -> Any: ...
def get_async_callback_manager_for_config(config: Any) -> Any: ...

var_child_runnable_config: ContextVar[RunnableConfig | None]
