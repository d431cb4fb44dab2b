"""Give messages the same ids in an update, in a task's result and in the state.

`add_messages` gives an id to each message without one. A graph yields a task's result, and if it
streams eagerly also a node's update, before the reducer runs. So the message would have no id
there, and readers could not recognise it in the state. Ids that are given here are kept by the
reducer.
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
    """Give ids to messages without one in the updates of a step's nodes.

    Args:
        update: The data of an `updates` event: by node, its update or a list of updates.
        channels: The channels that `add_messages` reduces.
    """
    if not channels or not isinstance(update, Mapping):
        return
    for written in update.values():
        if _ROOT in channels:
            _give(written)
            continue
        for node_update in written if isinstance(written, list) else [written]:
            for name in channels & node_update.keys() if isinstance(node_update, Mapping) else ():
                _give(node_update[name])


def _give(value: object) -> None:
    for message in value if isinstance(value, list | tuple) else [value]:
        if isinstance(message, BaseMessage) and message.id is None:
            message.id = str(uuid.uuid4())
