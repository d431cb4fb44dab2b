"""A subgraph of a remote graph, as `get_subgraphs` returns it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING, NoReturn, Self

from pydantic import BaseModel

from langgraph_client.remote.aliases import JSON, Config, GraphValue, JsonObject, Reply
from langgraph_client.remote.attributes import nodes_of
from langgraph_client.remote.compat import (
    Graph,
    GraphBase,
    Node,
    RunnableConfig,
    StateSnapshot,
    StateUpdate,
)
from langgraph_client.remote.drawing import drawing_inside
from langgraph_client.remote.schemas import model_from

if TYPE_CHECKING:
    from langgraph_client.remote.graph import RemoteGraph


class RemoteSubgraph(GraphBase[JSON, JSON, JSON, JSON]):
    """A subgraph of a remote graph: its drawing, its schemas and its state.

    The config of a state method names the thread and, in `checkpoint_ns`, the subgraph.
    `get_state(config, subgraphs=True)` of the whole graph returns such configs. A subgraph cannot
    be run by itself, because the protocol runs whole graphs.
    """

    def __init__(self, whole: RemoteGraph, namespace: str, schemas: Reply) -> None:
        self._whole = whole
        self.namespace = namespace
        self.name = schemas.get("graph_id") or namespace.rpartition("|")[2]
        self._schemas = schemas

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._whole.assistant_id!r}, {self.namespace!r})"

    def with_config(self, config: Config | None = None, **kwargs: JSON) -> Self:
        """Return a copy whose config is merged with this one."""
        return type(self)(self._whole.with_config(config, **kwargs), self.namespace, self._schemas)

    # --- drawing and schemas ---

    def get_subgraphs(
        self, *, namespace: str | None = None, recurse: bool = False
    ) -> Iterator[tuple[str, RemoteSubgraph]]:
        """Yield the subgraphs of this subgraph, as `RemoteGraph.get_subgraphs` does.

        Args:
            namespace: Only the subgraph at this namespace inside this one. Default: all.
            recurse: Whether to include the subgraphs of subgraphs. Default: False.

        Yields:
            The namespace inside this subgraph, and the subgraph.
        """
        whole = self._whole.get_subgraphs(namespace=self._place(namespace), recurse=True)
        for name, subgraph in whole:
            if (inside := self._inside(name, recurse)) is not None:
                yield inside, subgraph

    async def aget_subgraphs(
        self, *, namespace: str | None = None, recurse: bool = False
    ) -> AsyncIterator[tuple[str, RemoteSubgraph]]:
        """Async twin of `get_subgraphs`."""
        whole = self._whole.aget_subgraphs(namespace=self._place(namespace), recurse=True)
        async for name, subgraph in whole:
            if (inside := self._inside(name, recurse)) is not None:
                yield inside, subgraph

    def _place(self, namespace: str | None) -> str | None:
        return None if namespace is None else f"{self.namespace}|{namespace}"

    def _inside(self, namespace: str, recurse: bool) -> str | None:
        """Return a namespace of the whole graph as one of this subgraph; None if it is not."""
        inside = namespace.removeprefix(f"{self.namespace}|")
        return inside if inside != namespace and (recurse or "|" not in inside) else None

    @property
    def nodes(self) -> dict[str, Node]:
        """The nodes of the subgraph's drawing, by name. Each access sends a request."""
        return nodes_of(self.get_graph())

    def get_graph(self, config: Config | None = None, *, xray: int | bool = False) -> Graph:
        """Read the subgraph's nodes and edges from the drawing of the whole graph.

        Args:
            config: Ignored.
            xray: How many levels of its own subgraphs to include; False for none, True for all.

        GET /assistants/{assistant_id}/graph
        """
        return drawing_inside(self._whole.get_graph(config, xray=self._depth(xray)), self.namespace)

    async def aget_graph(self, config: Config | None = None, *, xray: int | bool = False) -> Graph:
        """Async twin of `get_graph`."""
        drawn = await self._whole.aget_graph(config, xray=self._depth(xray))
        return drawing_inside(drawn, self.namespace)

    def _depth(self, xray: int | bool) -> int | bool:
        # The drawing of the whole graph must be deep enough to contain the subgraph.
        return True if xray is True else int(xray) + self.namespace.count("|") + 1

    def get_input_schema(self, config: Config | None = None) -> type[BaseModel]:
        """Return the schema of the subgraph's input as a pydantic model."""
        return model_from(f"{self.name}Input", self.get_input_jsonschema())

    def get_output_schema(self, config: Config | None = None) -> type[BaseModel]:
        """Return the schema of the subgraph's output as a pydantic model."""
        return model_from(f"{self.name}Output", self.get_output_jsonschema())

    def get_input_jsonschema(self, config: Config | None = None) -> JsonObject:
        """Return the JSON schema of the subgraph's input; `{}` if the server has none."""
        return self._schemas.get("input_schema") or {}

    def get_output_jsonschema(self, config: Config | None = None) -> JsonObject:
        """Return the JSON schema of the subgraph's output; `{}` if the server has none."""
        return self._schemas.get("output_schema") or {}

    @property
    def InputType(self) -> type[BaseModel]:  # noqa: N802  # langchain's name.
        """The schema of the subgraph's input as a pydantic model."""
        return self.get_input_schema()

    @property
    def OutputType(self) -> type[BaseModel]:  # noqa: N802
        """The schema of the subgraph's output as a pydantic model."""
        return self.get_output_schema()

    # --- state: that of the whole graph, at the namespace in the config ---

    def get_state(self, config: Config, *, subgraphs: bool = False) -> StateSnapshot:
        """Read the subgraph's state, as `RemoteGraph.get_state` does.

        Args:
            config: Names the thread and, in `checkpoint_ns`, the subgraph.
            subgraphs: Whether the tasks contain the states of its own subgraphs.
        """
        return self._whole.get_state(config, subgraphs=subgraphs)

    async def aget_state(self, config: Config, *, subgraphs: bool = False) -> StateSnapshot:
        """Async twin of `get_state`."""
        return await self._whole.aget_state(config, subgraphs=subgraphs)

    def get_state_history(
        self,
        config: Config,
        *,
        filter: JsonObject | None = None,
        before: Config | None = None,
        limit: int | None = None,
    ) -> Iterator[StateSnapshot]:
        """Yield the subgraph's states, the newest first, as `RemoteGraph.get_state_history` does.

        Args:
            config: Names the thread and, in `checkpoint_ns`, the subgraph.
            filter: Only checkpoints whose metadata contains this. Default: all.
            before: Only checkpoints before the one of this config. Default: all.
            limit: The most states. Default: all.
        """
        return self._whole.get_state_history(config, filter=filter, before=before, limit=limit)

    def aget_state_history(
        self,
        config: Config,
        *,
        filter: JsonObject | None = None,
        before: Config | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[StateSnapshot]:
        """Async twin of `get_state_history`."""
        return self._whole.aget_state_history(config, filter=filter, before=before, limit=limit)

    def update_state(
        self, config: Config, values: GraphValue, as_node: str | None = None
    ) -> RunnableConfig:
        """Write to the subgraph's state, as `RemoteGraph.update_state` does.

        Args:
            config: Names the thread and, in `checkpoint_ns`, the subgraph.
            values: The update, as a node would return it.
            as_node: The node that the update counts as. Default: the node that ran last.

        Returns:
            The config of the new checkpoint.
        """
        return self._whole.update_state(config, values, as_node)

    async def aupdate_state(
        self, config: Config, values: GraphValue, as_node: str | None = None
    ) -> RunnableConfig:
        """Async twin of `update_state`."""
        return await self._whole.aupdate_state(config, values, as_node)

    def bulk_update_state(
        self, config: Config, supersteps: Sequence[Sequence[StateUpdate]]
    ) -> RunnableConfig:
        """Write supersteps to the subgraph's state, as `RemoteGraph.bulk_update_state` does.

        Args:
            config: Names the thread and, in `checkpoint_ns`, the subgraph.
            supersteps: The supersteps; each is a list of updates.

        Returns:
            The config of the last checkpoint.
        """
        return self._whole.bulk_update_state(config, supersteps)

    async def abulk_update_state(
        self, config: Config, supersteps: Sequence[Sequence[StateUpdate]]
    ) -> RunnableConfig:
        """Async twin of `bulk_update_state`."""
        return await self._whole.abulk_update_state(config, supersteps)

    # --- not supported ---

    def invoke(self, *args: object, **kwargs: object) -> NoReturn:
        """Refuse: the protocol runs whole graphs.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(
            f"{self!r} cannot be run by itself: the protocol runs whole graphs"
        )

    def stream(self, *args: object, **kwargs: object) -> NoReturn:
        """Refuse, as `invoke` does."""
        self.invoke()

    async def ainvoke(self, *args: object, **kwargs: object) -> NoReturn:
        """Refuse, as `invoke` does."""
        self.invoke()

    def astream(self, *args: object, **kwargs: object) -> NoReturn:
        """Refuse, as `invoke` does."""
        self.invoke()
