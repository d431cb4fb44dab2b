"""Record the messages that nodes get, for the stream of a graph around the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage

_HIDDEN = "langsmith:hidden"


class SeenMessages(BaseCallbackHandler):
    """Records the ids of the messages in the inputs of a run's nodes, of subgraphs as well.

    langgraph's mode "messages" does not stream them again if a node returns them (seen in 1.2.24).
    """

    run_inline = True
    #: A RemoteGraph inside the graph adds the ids that it gets; see `remote.compat`.
    notes_seen_messages = True

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._taken: set[str] = set()

    def take(self) -> list[str]:
        """Return the ids since the last call."""
        if len(self.seen) == len(self._taken):
            return []
        new = self.seen - self._taken
        self._taken |= new
        return sorted(new)

    def on_chain_start(self, serialized: object, inputs: object, **kwargs: Any) -> None:
        """Record the messages that a node gets."""
        node = (kwargs.get("metadata") or {}).get("langgraph_node")
        if node is None or kwargs.get("name") != node or _HIDDEN in (kwargs.get("tags") or ()):
            return
        for value in _values(inputs):
            for item in value if isinstance(value, list | tuple) else [value]:
                if isinstance(item, BaseMessage) and item.id is not None:
                    self.seen.add(item.id)


def _values(state: object) -> Iterable[object]:
    # Models and dataclasses keep their fields in `__dict__`.
    return state.values() if isinstance(state, Mapping) else getattr(state, "__dict__", {}).values()
