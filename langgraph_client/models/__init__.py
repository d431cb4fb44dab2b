"""The nouns: what the server answers, and the shapes of what it is told."""

from __future__ import annotations

from langgraph_client.models.assistants import (
    Assistant,
    AssistantsSearchResponse,
    AssistantVersion,
    Drawing,
    DrawnEdge,
    DrawnNode,
    GraphSchema,
)
from langgraph_client.models.crons import Cron
from langgraph_client.models.events import StreamPart, StreamPartV2
from langgraph_client.models.params import Command, Config, RunCreate, Send
from langgraph_client.models.runs import Run, RunCreateMetadata, RunOutput, RunOutputList
from langgraph_client.models.store import (
    Item,
    ListNamespaceResponse,
    SearchItem,
    SearchItemsResponse,
)
from langgraph_client.models.system import ServerInfo
from langgraph_client.models.threads import (
    Checkpoint,
    Interrupt,
    PruneResult,
    RunError,
    Thread,
    ThreadState,
    ThreadTask,
    ThreadUpdateStateResponse,
)

__all__ = [
    "Assistant",
    "AssistantVersion",
    "AssistantsSearchResponse",
    "Checkpoint",
    "Command",
    "Config",
    "Cron",
    "Drawing",
    "DrawnEdge",
    "DrawnNode",
    "GraphSchema",
    "Interrupt",
    "Item",
    "ListNamespaceResponse",
    "PruneResult",
    "Run",
    "RunCreate",
    "RunCreateMetadata",
    "RunError",
    "RunOutput",
    "RunOutputList",
    "SearchItem",
    "SearchItemsResponse",
    "Send",
    "ServerInfo",
    "StreamPart",
    "StreamPartV2",
    "Thread",
    "ThreadState",
    "ThreadTask",
    "ThreadUpdateStateResponse",
]
