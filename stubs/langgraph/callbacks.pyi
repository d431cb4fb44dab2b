from typing import Any
from uuid import UUID

from langchain_core.runnables.config import RunnableConfig
from langgraph.types import Interrupt

class GraphCallbackHandler:
    run_inline: bool
    def on_interrupt(self, event: GraphInterruptEvent) -> Any: ...
    def on_resume(self, event: GraphResumeEvent) -> Any: ...

class GraphInterruptEvent:
    run_id: UUID | None
    status: Any
    checkpoint_id: str
    checkpoint_ns: tuple[str, ...]
    interrupts: tuple[Interrupt, ...]
    def __init__(
        self,
        run_id: UUID | None,
        status: Any,
        checkpoint_id: str,
        checkpoint_ns: tuple[str, ...],
        interrupts: tuple[Interrupt, ...],
    ) -> None: ...

class GraphResumeEvent:
    run_id: UUID | None
    status: Any
    checkpoint_id: str
    checkpoint_ns: tuple[str, ...]
    def __init__(
        self,
        run_id: UUID | None,
        status: Any,
        checkpoint_id: str,
        checkpoint_ns: tuple[str, ...],
    ) -> None: ...

def get_sync_graph_callback_manager_for_config(
    config: RunnableConfig, *, run_id: UUID | None = None
) -> Any: ...
def get_async_graph_callback_manager_for_config(
    config: RunnableConfig, *, run_id: UUID | None = None
) -> Any: ...
