"""Threads, states, drawings and runs as HTML, for notebooks. All text is escaped."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from langgraph_client.models.message_text import is_message, message_parts

_MAX_CHARS = 2000
"""Characters of a value that are shown."""
_WIDTH, _HEIGHT, _GAP = 150, 34, 40
"""Pixels: the size of a node in a drawing, and the gap between two."""


def text(value: object) -> str:
    """Return a value as escaped text."""
    return escape(str(value), quote=True)


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Return a table. Names are escaped here; values are HTML already."""
    lines = (
        f'<tr><th style="text-align:left;vertical-align:top">{text(name)}</th>'
        f'<td style="text-align:left">{value}</td></tr>'
        for name, value in rows
    )
    return f"<table>{''.join(lines)}</table>"


def value_html(value: object) -> str:
    """Return a value: messages as a conversation, an object as a table, the rest as JSON."""
    if isinstance(value, list) and value and all(map(is_message, value)):
        return conversation(value)
    if isinstance(value, Mapping) and value:
        return table((str(name), value_html(inner)) for name, inner in value.items())
    try:
        shown = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        shown = repr(value)
    cut = shown if len(shown) <= _MAX_CHARS else f"{shown[:_MAX_CHARS]}… ({len(shown)} characters)"
    return f"<code>{text(cut)}</code>"


def conversation(messages: Sequence[object]) -> str:
    """Return messages, each with its kind before it."""
    return "".join(map(_message, messages))


def _message(message: object) -> str:
    kind, content, _ = message_parts(message)
    calls = message.get("tool_calls") if isinstance(message, Mapping) else None
    called = f"<br>{value_html(calls)}" if calls else ""
    return (
        f'<div style="white-space:pre-wrap;text-align:left"><b>{text(kind)}</b> '
        f"{text(content)}{called}</div>"
    )


def state_html(
    values: object,
    following: Iterable[str],
    questions: Iterable[object],
    created_at: object,
    checkpoint_id: object,
) -> str:
    """Return a thread's state at a checkpoint."""
    rows = [("values", value_html(values)), ("next", text(", ".join(following) or "-"))]
    rows += [("question", value_html(question)) for question in questions]
    rows += [("checkpoint", text(checkpoint_id or "-")), ("created", text(created_at or "-"))]
    return table(rows)


def thread_html(thread: Mapping[str, object]) -> str:
    """Return a thread's document."""
    rows = [("thread", text(thread.get("thread_id"))), ("status", text(thread.get("status")))]
    for name in ("error", "interrupts", "metadata", "values"):
        if thread.get(name):
            rows.append((name, value_html(thread[name])))
    return table([*rows, ("updated", text(thread.get("updated_at")))])


def progress_html(lines: Iterable[tuple[str, str]]) -> str:
    """Return the lines of a run, each a mark and a text."""
    shown = (f"<b>{text(mark)}</b> {text(line)}" for mark, line in lines)
    return f'<div style="white-space:pre-wrap;text-align:left">{"<br>".join(shown)}</div>'


def drawing_svg(names: Sequence[str], edges: Sequence[tuple[str, str, bool]]) -> str:
    """Return a graph, drawn downwards from its start.

    Args:
        names: The nodes.
        edges: Source, target, and whether a condition decides.
    """
    layers = _layers(names, edges)
    widest = max(map(len, layers), default=1)
    places = {}
    for depth, layer in enumerate(layers):
        indent = (widest - len(layer)) * (_WIDTH + _GAP) / 2
        for index, name in enumerate(layer):
            places[name] = (indent + index * (_WIDTH + _GAP) + 1, depth * (_HEIGHT + _GAP) + 1)
    # To the right there is room for the edges that lead upwards.
    width = widest * (_WIDTH + _GAP) + _GAP
    height = len(layers) * (_HEIGHT + _GAP) - _GAP + 2
    parts = [_edge(places[source], places[target], c) for source, target, c in edges]
    parts += [_node(name, *place) for name, place in places.items()]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'role="img" aria-label="graph" font-family="sans-serif" font-size="13" '
        f'stroke="currentColor" fill="none"><defs><marker id="lg-tip" viewBox="0 0 8 8" refX="8" '
        f'refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" '
        f'fill="currentColor" stroke="none"/></marker></defs>{"".join(parts)}</svg>'
    )


def _layers(names: Sequence[str], edges: Sequence[tuple[str, str, bool]]) -> list[list[str]]:
    """Return the nodes by their distance from the start, the end below all others."""
    targets = {target for _, target, _ in edges}
    layer = [name for name in names if name not in targets] or list(names[:1])
    found: list[list[str]] = []
    placed: set[str] = set()
    while len(placed) < len(names):
        layer = layer or [next(name for name in names if name not in placed)]
        found.append(layer)
        placed.update(layer)
        below = (target for source, target, _ in edges if source in layer)
        layer = [name for name in dict.fromkeys(below) if name not in placed]
    last = [name for name in names if name == "__end__"]
    without = [[name for name in layer if name not in last] for layer in found]
    return [*filter(None, without), *([last] if last else [])]


def _node(name: str, x: float, y: float) -> str:
    shown = name if len(name) <= 20 else f"{name[:19]}…"
    return (
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="6"/>'
        f'<text x="{x + _WIDTH / 2}" y="{y + 22}" text-anchor="middle" fill="currentColor" '
        f'stroke="none">{text(shown)}<title>{text(name)}</title></text>'
    )


def _edge(start: tuple[float, float], end: tuple[float, float], is_conditional: bool) -> str:
    dashes = ' stroke-dasharray="4 3"' if is_conditional else ""
    if end[1] > start[1]:
        x, y = start[0] + _WIDTH / 2, start[1] + _HEIGHT
        path = f"M{x} {y}L{end[0] + _WIDTH / 2} {end[1]}"
    else:
        x, y = start[0] + _WIDTH, start[1] + _HEIGHT / 2
        right, top = max(x, end[0] + _WIDTH) + _GAP, end[1] + _HEIGHT / 2
        path = f"M{x} {y}C{right} {y} {right} {top} {end[0] + _WIDTH} {top}"
    return f'<path d="{path}" marker-end="url(#lg-tip)"{dashes}/>'
