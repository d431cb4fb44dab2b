"""The values RemoteGraph takes and gives: langgraph's own classes, or stand-ins without langgraph.

With langgraph installed these are the very classes of `langgraph.types`.
"""

from __future__ import annotations

from langgraph_client.remote.compat import (
    Command,
    GraphOutput,
    Interrupt,
    PregelTask,
    Send,
    StateSnapshot,
    StateUpdate,
)

__all__ = [
    "Command",
    "GraphOutput",
    "Interrupt",
    "PregelTask",
    "Send",
    "StateSnapshot",
    "StateUpdate",
]
