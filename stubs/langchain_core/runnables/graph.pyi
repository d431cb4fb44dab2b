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
    def draw_mermaid(
        self,
        *,
        with_styles: bool = True,
        curve_style: Any = ...,
        node_colors: Any = None,
        wrap_label_n_words: int = 9,
        frontmatter_config: dict[str, Any] | None = None,
    ) -> str: ...
