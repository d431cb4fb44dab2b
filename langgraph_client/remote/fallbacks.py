"""Replacements for the classes of langgraph and langchain-core that RemoteGraph returns.

They have the names, fields and field order of the originals, so that code which reads them works
unchanged. They are used only if the originals are not installed (see `compat.py`).
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
    """A value that a node passed to `interrupt()`; `id` identifies it when the run is resumed."""

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
    """A value that replaces the channel's value; its reducer is not called."""

    value: GraphValue
    type: Literal["__overwrite__"] = "__overwrite__"


@dataclass(frozen=True)
class GraphOutput:
    """The result of `invoke(version="v2")`: the output, and the interrupts beside it."""

    value: GraphValue
    interrupts: tuple[Interrupt, ...] = ()


class StateUpdate(NamedTuple):
    """One update of the state, written as the node `as_node`."""

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
    """An edge of a drawing."""

    source: str
    target: str
    data: GraphValue = None
    conditional: bool = False


class Node(NamedTuple):
    """A node of a drawing."""

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
        """Draw the graph as plain text: each node, and below it the targets of its edges."""
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
    """The methods for names and batches, which langchain-core's `Runnable` has."""

    name: str | None

    def get_name(self, suffix: str | None = None, *, name: str | None = None) -> str:
        """Return the graph's name, with a suffix if one is passed."""
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
        """Invoke the graph once for each input, concurrently; return the outputs in input order.

        Args:
            inputs: One input for each run.
            config: One config for all runs, or a list with one for each. `max_concurrency` in the
                first one limits how many runs go on at the same time.
            return_exceptions: Whether to return the exception of a failed run in its place.
            **kwargs: More arguments of `invoke`, for each run.

        Raises:
            ValueError: The list of configs has another length than `inputs`.
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
    """Replaces langgraph's `PregelProtocol` as the base class of RemoteGraph."""

    def __class_getitem__(cls, _parameters: GraphValue) -> type[GraphBase]:
        return cls
