"""The names by which langgraph talks to its graphs and checkpointers.

langgraph keeps them in a private module, which may move. They are imported at this one place, so
that the server does not start beside a langgraph that has renamed one, instead of going wrong
later. Those used here are the same in langgraph 1.2.20, the oldest supported, and 1.2.24.
Modules that must not import langgraph write the values down: they are also on the wire and in
stored checkpoints.
"""

from __future__ import annotations

from langgraph._internal._constants import (
    CONFIG_KEY_CHECKPOINTER,
    CONFIG_KEY_DURABILITY,
    CONFIG_KEY_REPLAY_STATE,
    CONFIG_KEY_RESUME_MAP,
    CONFIG_KEY_RESUMING,
    CONFIG_KEY_RUNTIME,
    CONFIG_KEY_SCRATCHPAD,
    CONFIG_KEY_STREAM,
    CONFIG_KEY_STREAM_MESSAGES_V2,
    CONFIG_KEY_STRICT_RESUME,
    ERROR,
    INTERRUPT,
    NO_WRITES,
    NULL_TASK_ID,
    PUSH,
    RESUME,
    TASKS,
)
from langgraph.constants import START, TAG_HIDDEN

__all__ = (
    "CONFIG_KEY_CHECKPOINTER",
    "CONFIG_KEY_DURABILITY",
    "CONFIG_KEY_REPLAY_STATE",
    "CONFIG_KEY_RESUME_MAP",
    "CONFIG_KEY_RESUMING",
    "CONFIG_KEY_RUNTIME",
    "CONFIG_KEY_SCRATCHPAD",
    "CONFIG_KEY_STREAM",
    "CONFIG_KEY_STREAM_MESSAGES_V2",
    "CONFIG_KEY_STRICT_RESUME",
    "ERROR",
    "INTERRUPT",
    "NO_WRITES",
    "NULL_TASK_ID",
    "PUSH",
    "RESUME",
    "START",
    "TAG_HIDDEN",
    "TASKS",
)
