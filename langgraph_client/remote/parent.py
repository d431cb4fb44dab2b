"""A `Command` for the parent graph, read back from the end of a remote run.

A node that returns `Command(graph=Command.PARENT, ...)` ends a run on a server with an error called
`ParentCommand`, since there the graph has no parent. The bundled server says the command as JSON
beside it; others only as the text of its `repr`, which is read as far as it consists of literals
(seen in langgraph-api 0.16.7).
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from langgraph_client.remote.seam import Command, Send


def parent_command(data: Any, namespace: tuple[str, ...]) -> Command[Any] | None:
    """The command in the data of an `error` event; None if there is none to be read.

    It is addressed to the task at `namespace`, as a local subgraph addresses its parent's.
    """
    graph = "|".join(namespace)
    if not isinstance(data, Mapping) or data.get("error") != "ParentCommand":
        return None
    command = data.get("command")
    if isinstance(command, Mapping):
        return _command(graph, command.get("update"), command.get("goto"))
    try:
        parsed = ast.parse(str(data.get("message")), mode="eval").body
        fields = _keywords(parsed, "Command")
        return _command(graph, fields.get("update"), fields.get("goto"))
    except (SyntaxError, ValueError):
        return None


def _command(graph: str, update: Any, goto: Any) -> Command[Any]:
    targets = goto if isinstance(goto, list | tuple) else [goto] if goto else []
    return Command(
        graph=graph,
        update=update,
        goto=[_target(target) for target in targets],
    )


def _target(target: Any) -> Any:
    if isinstance(target, Mapping):
        return Send(target["node"], target["arg"] if "arg" in target else target.get("args"))
    return target


def _keywords(node: ast.expr, name: str) -> dict[str, Any]:
    if not (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    ):
        raise ValueError(name)
    return {str(keyword.arg): _value(keyword.value) for keyword in node.keywords}


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Call):
        return _keywords(node, "Send")
    if isinstance(node, ast.List | ast.Tuple):
        return [_value(item) for item in node.elts]
    return ast.literal_eval(node)
