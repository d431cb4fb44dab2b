"""The ids of messages that nodes have written: the same in an update and in the state.

`add_messages` gives an id to each message that has none. A graph that streams eagerly tells what a
node has written before the reducer sees it, so the message would have no id there, and readers
could not tell that it is the one they find in the state. The reducer keeps an id that is there.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from langchain_core.messages import BaseMessage
from langgraph.graph import add_messages

_ROOT = "__root__"


def message_channels(graph: Any) -> frozenset[str]:
    """Return the names of a compiled graph's channels that `add_messages` reduces."""
    return frozenset(
        name
        for name, channel in graph.channels.items()
        if getattr(channel, "operator", None) is add_messages
    )


def give_ids(update: object, channels: frozenset[str]) -> None:
    """Give ids to the messages without one in what the nodes of a step have written.

    Args:
        update: The data of an `updates` event: by node, what it has written, or a list of that.
        channels: The channels that `add_messages` reduces.
    """
    if not channels or not isinstance(update, Mapping):
        return
    for written in update.values():
        if _ROOT in channels:
            _give(written)
            continue
        for one in written if isinstance(written, list) else [written]:
            for name in channels & one.keys() if isinstance(one, Mapping) else ():
                _give(one[name])


def _give(value: object) -> None:
    for message in value if isinstance(value, list | tuple) else [value]:
        if isinstance(message, BaseMessage) and message.id is None:
            message.id = str(uuid.uuid4())
