"""Convert `Command` to a run's request, and read it from the end of a run.

If a node returns `Command(graph=Command.PARENT, ...)`, the run on the server fails with the error
`ParentCommand`, because the graph has no parent there. The bundled server also sends the command as
JSON. Other servers send only its `repr` (seen in langgraph-api 0.16.7), which is parsed if it
consists of literals.
"""

from __future__ import annotations

import ast
import dataclasses
import itertools
from collections.abc import Mapping

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.remote.aliases import JSON, GraphValue, JsonObject, Reply
from langgraph_client.remote.compat import Command, Send, new_send
from langgraph_client.values import SEND_TIMEOUT

# --- to the server ---


def input_or_command(input: GraphValue) -> JsonObject:
    """Return the `input` or the `command` of a run's request.

    Raises:
        InvalidArgumentError: The command has a `graph`, or a target that is no node name or Send.
    """
    if not isinstance(input, Command):
        return {"input": input}
    if input.graph is not None:
        raise InvalidArgumentError(
            "input.graph",
            f"must not be set, but is {input.graph!r}: the command goes to the remote graph itself",
        )
    command: JsonObject = {}
    if input.update is not None:
        command["update"] = input.update
    if input.resume is not None:
        command["resume"] = input.resume
    if input.goto:
        # A list of one stays a list: a graph of the functional API gets the command as its input.
        goto = input.goto
        if isinstance(goto, str | Send):
            command["goto"] = _target(goto)
        else:
            command["goto"] = [_target(target) for target in goto]
    return {"command": command}


def _target(target: object) -> JSON:
    """Return a node name, or a Send as JSON."""
    if isinstance(target, str):
        return target
    if isinstance(target, Send):
        sent: JsonObject = {"node": target.node, "input": target.arg}
        if (timeout := getattr(target, "timeout", None)) is not None:  # langgraph 1.2 has it.
            sent[SEND_TIMEOUT] = dataclasses.asdict(timeout)
        return sent
    raise InvalidArgumentError("input.goto", f"must be node names or Send objects, not {target!r}")


def has_timeout(command: Reply) -> bool:
    """Return whether the command of a request sends something to a node with a timeout."""
    goto = command.get("goto")
    targets = goto if isinstance(goto, list) else [goto]
    return any(isinstance(target, Mapping) and SEND_TIMEOUT in target for target in targets)


def plain_update(values: GraphValue) -> GraphValue:
    """Return the values of a state update for a server that reads plain JSON only.

    Raises:
        NotImplementedError: The values are a `Command` with `goto`, `resume` or `graph`.
    """
    if not isinstance(values, Command):
        return values
    if values.goto or values.resume is not None or values.graph is not None:
        raise NotImplementedError(
            "values: the protocol's state update has no `goto`, `resume` or `graph`; "
            "only the bundled server accepts such a Command"
        )
    return values.update


# --- from the server ---


def parent_command(data: JSON, namespace: tuple[str, ...]) -> Command[str] | None:
    """Return the command in the data of an `error` event; None if it has none or it is unreadable.

    Its `graph` is the task of the parent graph, as for a local subgraph: the namespace without the
    number that langgraph adds if the task calls several subgraphs.
    """
    numbers = itertools.takewhile(str.isdigit, reversed(namespace))
    graph = "|".join(namespace[: len(namespace) - len(list(numbers))])
    if not isinstance(data, Mapping) or data.get("error") != "ParentCommand":
        return None
    command = data.get("command")
    if isinstance(command, Mapping):
        return _parent_command(graph, command.get("update"), command.get("goto"))
    try:
        parsed = ast.parse(str(data.get("message")), mode="eval").body
        fields = _keywords(parsed, "Command")
        return _parent_command(graph, fields.get("update"), fields.get("goto"))
    # Parsing a deeply nested text raises the last two.
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return None


def _parent_command(graph: str, update: JSON, goto: JSON) -> Command[str]:
    if isinstance(goto, list | tuple):
        return Command(graph=graph, update=update, goto=[_parent_target(each) for each in goto])
    return Command(graph=graph, update=update, goto=_parent_target(goto) if goto else ())


def _parent_target(target: JSON) -> Send | str:
    if isinstance(target, Send):
        return target
    if isinstance(target, Mapping):
        arg = target["arg"] if "arg" in target else target.get("args")
        return new_send(target["node"], arg, target.get("timeout"))
    return str(target)


def _keywords(node: ast.expr, *names: str) -> JsonObject:
    if not (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names
    ):
        raise ValueError(names)
    return {str(keyword.arg): _literal(keyword.value) for keyword in node.keywords}


def _literal(node: ast.expr) -> JSON:
    if isinstance(node, ast.Call):
        return _keywords(node, "Send", "TimeoutPolicy")
    if isinstance(node, ast.List | ast.Tuple):
        items = [_literal(item) for item in node.elts]
        return items if isinstance(node, ast.List) else tuple(items)
    return ast.literal_eval(node)
