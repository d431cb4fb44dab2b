from dataclasses import dataclass, field
from typing import Any, NamedTuple

class Edge(NamedTuple):
    source: str
    target: str
    data: Any = None
    conditional: bool = False

class Node(NamedTuple):
    id: str
    name: str
    data: Any
    metadata: dict[str, Any] | None

@dataclass
class Graph:
    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
