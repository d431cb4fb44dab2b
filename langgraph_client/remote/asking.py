"""What a caller asks of a graph, in the words of a run request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.remote.seam import Command, Send

#: The stream modes of a local graph.
GraphMode: TypeAlias = Literal[
    "values", "updates", "custom", "messages", "tasks", "checkpoints", "debug"
]

#: What the protocol calls them.
WIRE_MODES = {
    "values": "values",
    "updates": "updates",
    "custom": "custom",
    "messages": "messages-tuple",
    "tasks": "tasks",
    "checkpoints": "checkpoints",
    "debug": "debug",
}


def input_or_command(input: Any) -> dict[str, Any]:
    if not isinstance(input, Command):
        return {"input": input}
    if input.graph is not None:
        raise InvalidArgumentError(
            "input.graph",
            f"is {input.graph!r}: a command from outside acts on the remote graph itself, "
            "leave `graph` out",
        )
    command: dict[str, Any] = {}
    if input.update is not None:
        command["update"] = input.update
    if input.resume is not None:
        command["resume"] = input.resume
    if input.goto:
        goto = [input.goto] if isinstance(input.goto, str | Send) else list(input.goto)
        command["goto"] = _goto(goto)
    return {"command": command}


def _goto(targets: Sequence[Any]) -> Any:
    """One name or send, or a list of them."""
    for target in targets:
        if not isinstance(target, str | Send):
            raise InvalidArgumentError(
                "input.goto", f"must be node names or Send objects, not {target!r}"
            )
    made = [
        target if isinstance(target, str) else {"node": target.node, "input": target.arg}
        for target in targets
    ]
    return made[0] if len(made) == 1 else made


def wire_modes(modes: Sequence[str]) -> list[Any]:
    for mode in modes:
        if mode == "tools":
            raise NotImplementedError(
                'stream_mode="tools": the protocol sends no tool events for a run'
            )
        if mode not in WIRE_MODES:
            raise InvalidArgumentError(
                "stream_mode", f"{mode!r} is not one of {', '.join(map(repr, WIRE_MODES))}"
            )
    return [WIRE_MODES[mode] for mode in dict.fromkeys(modes)]


def nodes_named(name: str, nodes: str | Sequence[str] | None) -> Any:
    if nodes is None or nodes == "*":
        return nodes
    if isinstance(nodes, str):
        raise InvalidArgumentError(name, f'must be "*" or a list of node names, not {nodes!r}')
    return list(nodes)
