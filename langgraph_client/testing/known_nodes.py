"""Which nodes hosted graphs have, so that a hold before a misspelt node is noticed."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable
from typing import Any

from langgraph_client.server.graphs.scripted import ScriptedGraph


def problem_with_node(node: str, graphs: Iterable[Any]) -> str | None:
    """Return what is wrong with the name of a node; None if some graph has or may have it.

    A graph can have nodes that only a run shows: subgraphs that its code calls, tasks, the graph of
    a factory. So beside such graphs only a name that is almost that of a known node is wrong.

    Args:
        node: The name.
        graphs: Graphs as a server gets them.
    """
    known: set[str] = set()
    are_all_known = True
    # By `sys.modules`: a server with scripted graphs only does not import langgraph.
    state = sys.modules.get("langgraph.graph.state")
    for graph in graphs:
        if isinstance(graph, ScriptedGraph):
            names = graph.all_node_names()
            known |= names or set()
            are_all_known = are_all_known and names is not None
        else:
            are_all_known = False
            if state is not None and isinstance(graph, state.StateGraph | state.CompiledStateGraph):
                known.update(name for name in graph.nodes if not name.startswith("__"))
    if node in known:
        return None
    close = difflib.get_close_matches(node, known, n=1, cutoff=0.8)
    if close:
        return f"there is no node {node!r}; did you mean {close[0]!r}?"
    return f"there is no node {node!r}, only {sorted(known)}" if are_all_known else None
