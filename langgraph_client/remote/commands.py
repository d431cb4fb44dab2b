"""`Command`, in both directions: as a run's request, and read back from a run's end.

A node that returns `Command(graph=Command.PARENT, ...)` ends a run on a server with an error called
`ParentCommand`, since there the graph has no parent. The bundled server sends the command as JSON
beside it; others only the text of its `repr`, which is read as far as it consists of literals
(seen in langgraph-api 0.16.7).
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.remote.aliases import JSON, GraphValue, JsonObject
from langgraph_client.remote.compat import Command, Send

# --- to the server ---


def input_or_command(input: GraphValue) -> JsonObject:
    """Return the part of a run's request that says what to begin with.

    Raises:
        InvalidArgumentError: A command that the protocol cannot say.
    """
    if not isinstance(input, Command):
        return {"input": input}
    if input.graph is not None:
        raise InvalidArgumentError(
            "input.graph",
            f"is {input.graph!r}: a command from outside acts on the remote graph itself, "
            "leave `graph` out",
        )
    command: JsonObject = {}
    if input.update is not None:
        command["update"] = input.update
    if input.resume is not None:
        command["resume"] = input.resume
    if input.goto:
        goto = [input.goto] if isinstance(input.goto, str | Send) else list(input.goto)
        command["goto"] = _goto(goto)
    return {"command": command}


def _goto(targets: Sequence[object]) -> JSON:
    """Return one name or send, or a list of them."""
    sent: list[JSON] = []
    for target in targets:
        if isinstance(target, Send):
            sent.append({"node": target.node, "input": target.arg})
        elif isinstance(target, str):
            sent.append(target)
        else:
            raise InvalidArgumentError(
                "input.goto", f"must be node names or Send objects, not {target!r}"
            )
    return sent[0] if len(sent) == 1 else sent


def plain_update(values: GraphValue) -> GraphValue:
    """Return the values of a state update for a server that reads plain JSON only.

    Raises:
        NotImplementedError: A `Command` that does more than update.
    """
    if not isinstance(values, Command):
        return values
    if values.goto or values.resume is not None or values.graph is not None:
        raise NotImplementedError(
            "values: the protocol's state update has no `goto`, `resume` or `graph`; "
            "only the bundled server takes a Command there"
        )
    return values.update


# --- from the server ---


def parent_command(data: JSON, namespace: tuple[str, ...]) -> Command[str] | None:
    """Return the command in the data of an `error` event; None if there is none to be read.

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


def _command(graph: str, update: JSON, goto: JSON) -> Command[str]:
    if isinstance(goto, list | tuple):
        return Command(graph=graph, update=update, goto=[_target(target) for target in goto])
    return Command(graph=graph, update=update, goto=_target(goto) if goto else ())


def _target(target: JSON) -> Send | str:
    if isinstance(target, Send):
        return target
    if isinstance(target, Mapping):
        return Send(target["node"], target["arg"] if "arg" in target else target.get("args"))
    return str(target)


def _keywords(node: ast.expr, name: str) -> JsonObject:
    if not (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    ):
        raise ValueError(name)
    return {str(keyword.arg): _literal(keyword.value) for keyword in node.keywords}


def _literal(node: ast.expr) -> JSON:
    if isinstance(node, ast.Call):
        return _keywords(node, "Send")
    if isinstance(node, ast.List | ast.Tuple):
        return [_literal(item) for item in node.elts]
    return ast.literal_eval(node)
