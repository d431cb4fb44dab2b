"""Which nodes hosted graphs have, so that a hold before a node that does not exist is noticed."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable
from typing import Any

from langgraph_client.server.graphs.scripted import ScriptedGraph

_TASK = "_TaskFunction"
"""The class of what langgraph's `@task` returns. Tasks are held like nodes."""


def nodes_instead_of(node: str, graphs: Iterable[Any]) -> set[str] | None:
    """Return the names of the nodes of graphs if none of them has this one; None if one may have.

    Some graphs have nodes that only a run shows: factories, scripts that depend on the input, and
    those with tasks (`entrypoint`).

    Args:
        node: The name of a node.
        graphs: Graphs as a server gets them.
    """
    known: set[str] = set()
    calls_others = False
    # By `sys.modules`: a server with scripted graphs only does not import langgraph.
    state = sys.modules.get("langgraph.graph.state")
    for graph in graphs:
        if isinstance(graph, ScriptedGraph):
            names = graph.all_node_names()
            if names is None:
                return None
            known |= names
        elif state is not None and isinstance(graph, state.StateGraph | state.CompiledStateGraph):
            known.update(name for name in graph.nodes if not name.startswith("__"))
            calls_others = True
        else:
            return None
    return None if node in known or (calls_others and _is_anywhere(node)) else known


def _is_anywhere(name: str) -> bool:
    """Return whether any graph in this process has a node or a task of a name.

    Nodes call graphs and tasks wherever their code has them: in a closure, an attribute, a tool.
    So all that exist count.
    """
    graphs = getattr(sys.modules.get("langgraph.pregel"), "Pregel", ())
    tasks = getattr(sys.modules.get("langgraph.func"), _TASK, ())
    for thing in gc.get_objects():
        # By the type: `isinstance` asks the object, which may be anything, such as a mock.
        if issubclass(type(thing), graphs) and name in getattr(thing, "nodes", ()):
            return True
        if issubclass(type(thing), tasks) and getattr(thing, "__name__", None) == name:
            return True
    return False
