"""The values that RemoteGraph takes and returns.

They are langgraph's classes if it is installed, or else replacements.
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
