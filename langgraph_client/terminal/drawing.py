"""A graph as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def draw(drawing: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """Return a graph as a tree of ASCII lines, from its start along its edges.

    If a node is drawn already, only its name is shown, with `^`. `?` marks a conditional edge.

    Args:
        drawing: `nodes` and `edges`, as `assistants.get_graph` returns them.
    """
    after: dict[str, list[Mapping[str, Any]]] = {}
    for edge in drawing["edges"]:
        after.setdefault(str(edge["source"]), []).append(edge)
    names = [str(node["id"]) for node in drawing["nodes"]]
    targets = {str(edge["target"]) for edge in drawing["edges"]}
    starts = [name for name in names if name not in targets] or names[:1]
    drawn: set[str] = set()
    lines = [line for start in starts for line in _tree(start, start, "", after, drawn)]
    # Nodes in a circle that nothing leads to.
    for name in names:
        if name not in drawn:
            lines += _tree(name, name, "", after, drawn)
    return lines


def _tree(
    name: str,
    title: str,
    indent: str,
    after: Mapping[str, Sequence[Mapping[str, Any]]],
    drawn: set[str],
) -> Iterator[str]:
    edges = after.get(name, [])
    if name in drawn and edges:
        yield f"{title} ^"
        return
    drawn.add(name)
    yield title
    for number, edge in enumerate(edges):
        is_last = number == len(edges) - 1
        target = str(edge["target"])
        label = f"({edge['data']}) " if edge.get("data") else ""
        below = f"{label}{target}{' ?' if edge.get('conditional') else ''}"
        branch = f"{indent}{'`' if is_last else '|'}-- "
        inner = indent + ("    " if is_last else "|   ")
        lines = _tree(target, below, inner, after, drawn)
        yield branch + next(lines)
        yield from lines
