"""The stream modes of a local graph, and their names in the protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.remote.aliases import GraphValue

#: The stream modes of a local graph.
GraphMode: TypeAlias = Literal[
    "values", "updates", "custom", "messages", "tasks", "checkpoints", "debug", "tools"
]

#: One stream mode, or several.
Modes: TypeAlias = GraphMode | Sequence[GraphMode]

#: The protocol's names of the stream modes.
WIRE_MODES = {
    "values": "values",
    "updates": "updates",
    "custom": "custom",
    "messages": "messages-tuple",
    "tasks": "tasks",
    "checkpoints": "checkpoints",
    "debug": "debug",
}


#: Modes that the protocol does not have. The bundled server supports them.
MORE_MODES = ("tools",)


def wire_modes(modes: Sequence[str]) -> list[str]:
    """Return the protocol's names of stream modes, each once; others than its own are left out.

    Raises:
        InvalidArgumentError: A name is not a stream mode.
    """
    for mode in modes:
        if mode not in WIRE_MODES and mode not in MORE_MODES:
            raise InvalidArgumentError(
                "stream_mode",
                f"{mode!r} is not one of {', '.join(map(repr, (*WIRE_MODES, *MORE_MODES)))}",
            )
    return [WIRE_MODES[mode] for mode in dict.fromkeys(modes) if mode in WIRE_MODES]


def mode_list(mode: str | Sequence[str]) -> list[str]:
    """Return one mode or several as a list."""
    return [mode] if isinstance(mode, str) else list(mode)


class ModePair(tuple[str, GraphValue]):
    """A part of a stream with several modes: `(mode, data)`, as a local graph yields it.

    It also has `event` and `data`, for code that was written for langgraph's RemoteGraph, which
    yields the client's stream parts here.
    """

    __slots__ = ()

    @property
    def event(self) -> str:
        """The mode."""
        return self[0]

    @property
    def data(self) -> GraphValue:
        """The data of the mode."""
        return self[1]
