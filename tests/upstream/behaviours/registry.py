"""The behaviours that a remote graph is compared in, each a few lines on a graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

Graph = Any
"""A compiled graph, or a remote one."""


class Behaviour(NamedTuple):
    """One thing that programs do with a graph.

    Attributes:
        name: What it is.
        build: Makes the graph, once for each side.
        show: Does it, and returns what a program sees.
    """

    name: str
    build: Callable[[], Graph]
    show: Callable[[Graph], Any]


BEHAVIOURS: list[Behaviour] = []


def probe(
    name: str, build: Callable[[], Graph]
) -> Callable[[Callable[[Graph], Any]], Callable[[Graph], Any]]:
    """Add a behaviour; called with the function that shows it, also as its decorator."""

    def add(show: Callable[[Graph], Any]) -> Callable[[Graph], Any]:
        BEHAVIOURS.append(Behaviour(name, build, show))
        return show

    return add
