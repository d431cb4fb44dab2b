"""Stand-ins for the few classes of langgraph and langchain-core that RemoteGraph hands out.

Same names, fields and order as the originals, so that code reading them runs unchanged. Nothing
here is used where the originals are installed (see `compat.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import ClassVar, Literal, NamedTuple

from langgraph_client.remote.aliases import JSON, GraphValue, JsonObject


@dataclass
class Interrupt:
    """A question that a paused graph asks; `id` addresses it when resuming."""

    value: GraphValue
    id: str = "placeholder-id"
    response_schema: JsonObject | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class Send:
    """Run `node` next, with `arg` as its input."""

    node: str
    arg: GraphValue


@dataclass(frozen=True, kw_only=True)
class Command:
    """An input that resumes, updates or redirects a graph."""

    graph: str | None = None
    update: GraphValue | None = None
    resume: GraphValue | None = None
    goto: Send | Sequence[Send | str] | str = ()

    PARENT: ClassVar[Literal["__parent__"]] = "__parent__"


@dataclass
class Overwrite:
    """A value that takes the place of what a channel's reducer has gathered."""

    value: GraphValue
    type: Literal["__overwrite__"] = "__overwrite__"


@dataclass(frozen=True)
class GraphOutput:
    """What `invoke(version="v2")` gives: the output and the interrupts, apart."""

    value: GraphValue
    interrupts: tuple[Interrupt, ...] = ()


class StateUpdate(NamedTuple):
    """One update of the state, as `node` would write it."""

    values: JsonObject | None
    as_node: str | None = None
    task_id: str | None = None


class PregelTask(NamedTuple):
    """A node to run in the next step, or one that ran in a past step."""

    id: str
    name: str
    path: tuple[GraphValue, ...]
    error: GraphValue = None
    interrupts: tuple[Interrupt, ...] = ()
    state: GraphValue = None
    result: GraphValue = None


class StateSnapshot(NamedTuple):
    """The state of a thread at one checkpoint."""

    values: GraphValue
    next: tuple[str, ...]
    config: JsonObject
    metadata: JsonObject | None
    created_at: str | None
    parent_config: JsonObject | None
    tasks: tuple[PregelTask, ...]
    interrupts: tuple[Interrupt, ...]


class Edge(NamedTuple):
    """An arrow of a drawing."""

    source: str
    target: str
    data: GraphValue = None
    conditional: bool = False


class Node(NamedTuple):
    """A box of a drawing."""

    id: str
    name: str
    data: GraphValue
    metadata: JsonObject | None


@dataclass
class Graph:
    """The drawing of a graph: `nodes` by id, and `edges`."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)

    def draw_mermaid(self) -> str:
        """Draw the graph as the text of a Mermaid flowchart."""
        keys = {node: f"n{number}" for number, node in enumerate(self.nodes)}
        lines = ["graph TD;"]
        lines += [f'\t{keys[node.id]}["{node.name}"];' for node in self.nodes.values()]
        for edge in self.edges:
            arrow = "-.->" if edge.conditional else "-->"
            label = f'|"{edge.data}"|' if edge.data is not None else ""
            lines.append(f"\t{keys[edge.source]} {arrow}{label} {keys[edge.target]};")
        return "\n".join(lines) + "\n"

    def draw_ascii(self) -> str:
        """Draw the graph as plain text: each node, and below it where its arrows lead."""
        lines = []
        for node in self.nodes.values():
            lines.append(f"[{node.name}]")
            leading = [edge for edge in self.edges if edge.source == node.id]
            for edge in leading:
                arrow = "..>" if edge.conditional else "-->"
                label = "" if edge.data is None else f" ({edge.data})"
                lines.append(f"  +{arrow} {self.nodes[edge.target].name}{label}")
        return "\n".join(lines)


class BatchBase:
    """What langchain-core's `Runnable` brings where it is installed: names and batches."""

    name: str | None

    def get_name(self, suffix: str | None = None, *, name: str | None = None) -> str:
        """What the graph is called, with a suffix where one is given."""
        return f"{name or self.name or ''}{suffix or ''}"

    def invoke(self, input: GraphValue, config: JSON = None, **kwargs: GraphValue) -> GraphValue:
        """Run the graph; RemoteGraph defines it."""
        raise NotImplementedError

    async def ainvoke(
        self, input: GraphValue, config: JSON = None, **kwargs: GraphValue
    ) -> GraphValue:
        """Async twin of `invoke`; RemoteGraph defines it."""
        raise NotImplementedError

    def batch(
        self,
        inputs: Sequence[GraphValue],
        config: JSON = None,
        *,
        return_exceptions: bool = False,
        **kwargs: GraphValue,
    ) -> list[GraphValue]:
        """Invoke once for each input, side by side, and return the outputs in their order.

        Args:
            inputs: One input for each run.
            config: One config for all, or a list with one for each. `max_concurrency` in the
                first says how many run at the same time.
            return_exceptions: Return the exception of a failed run in its place.
            **kwargs: What `invoke` takes, for each run.
        """
        configs = _configs(config, len(inputs))

        def run(input: GraphValue, config: JSON) -> GraphValue:
            try:
                return self.invoke(input, config, **kwargs)
            except Exception as error:
                if return_exceptions:
                    return error
                raise

        if not inputs:
            return []
        with ThreadPoolExecutor(_width(configs)) as pool:
            return list(pool.map(run, inputs, configs))

    async def abatch(
        self,
        inputs: Sequence[GraphValue],
        config: JSON = None,
        *,
        return_exceptions: bool = False,
        **kwargs: GraphValue,
    ) -> list[GraphValue]:
        """Async twin of `batch`."""
        configs = _configs(config, len(inputs))
        free = asyncio.Semaphore(_width(configs) or len(inputs) or 1)

        async def run(input: GraphValue, config: JSON) -> GraphValue:
            async with free:
                return await self.ainvoke(input, config, **kwargs)

        runs = [run(*pair) for pair in zip(inputs, configs, strict=True)]
        return await asyncio.gather(*runs, return_exceptions=return_exceptions)


def _configs(config: JSON, count: int) -> list[JSON]:
    if not isinstance(config, list):
        return [config] * count
    if len(config) != count:
        raise ValueError(f"config: {len(config)} configs for {count} inputs")
    return config


def _width(configs: list[JSON]) -> int | None:
    width: int | None = (configs[0] or {}).get("max_concurrency") if configs else None
    return width


class GraphBase(BatchBase):
    """Stands for langgraph's `PregelProtocol`, the base of RemoteGraph."""

    def __class_getitem__(cls, _parameters: GraphValue) -> type[GraphBase]:
        return cls
