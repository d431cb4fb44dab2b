"""A subgraph of a remote graph, as `get_subgraphs` gives it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, Self

from pydantic import BaseModel

from langgraph_client.models.assistants import GraphSchema
from langgraph_client.remote.drawing import drawing_inside
from langgraph_client.remote.schemas import model_from
from langgraph_client.remote.seam import (
    Graph,
    GraphBase,
    RunnableConfig,
    StateSnapshot,
    StateUpdate,
)

if TYPE_CHECKING:
    from langgraph_client.remote.described import Described


class RemoteSubgraph(GraphBase[Any, Any, Any, Any]):
    """A part of a remote graph: what it looks like, what it takes and gives, where it stands.

    Its state is that of the config, which names the thread and, in `checkpoint_ns`, the place;
    `get_state(config, subgraphs=True)` of the whole graph gives such configs. It cannot be run by
    itself: the protocol runs whole graphs.
    """

    def __init__(self, whole: Described, namespace: str, schemas: GraphSchema) -> None:
        self._whole = whole
        self.namespace = namespace
        self.name = schemas.graph_id or namespace.rpartition("|")[2]
        self._schemas = schemas

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._whole.assistant_id!r}, {self.namespace!r})"

    def with_config(self, config: Mapping[str, Any] | None = None, **kwargs: Any) -> Self:
        """Return a copy whose config is merged with this one."""
        return type(self)(self._whole.with_config(config, **kwargs), self.namespace, self._schemas)

    # --- what it is ---

    def get_graph(
        self, config: Mapping[str, Any] | None = None, *, xray: int | bool = False
    ) -> Graph:
        """Read the subgraph's nodes and edges, as they stand in the drawing of the whole."""
        return drawing_inside(self._whole.get_graph(config, xray=self._depth(xray)), self.namespace)

    async def aget_graph(
        self, config: Mapping[str, Any] | None = None, *, xray: int | bool = False
    ) -> Graph:
        """Async twin of `get_graph`."""
        drawn = await self._whole.aget_graph(config, xray=self._depth(xray))
        return drawing_inside(drawn, self.namespace)

    def _depth(self, xray: int | bool) -> int | bool:
        return True if xray is True else int(xray) + self.namespace.count("|") + 1

    def get_input_schema(self, config: Mapping[str, Any] | None = None) -> type[BaseModel]:
        """The schema of the subgraph's input, as a pydantic model."""
        return model_from(f"{self.name}Input", self.get_input_jsonschema())

    def get_output_schema(self, config: Mapping[str, Any] | None = None) -> type[BaseModel]:
        """The schema of the subgraph's output, as a pydantic model."""
        return model_from(f"{self.name}Output", self.get_output_jsonschema())

    def get_input_jsonschema(self, config: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The JSON schema of the subgraph's input; `{}` where the server cannot make one."""
        return self._schemas.input_schema or {}

    def get_output_jsonschema(self, config: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The JSON schema of the subgraph's output; `{}` where the server cannot make one."""
        return self._schemas.output_schema or {}

    # --- its state: that of the whole graph, at the place that the config names ---

    def get_state(self, config: Mapping[str, Any], *, subgraphs: bool = False) -> StateSnapshot:
        """Read the state at the config's place; see `RemoteGraph.get_state`."""
        return self._whole.get_state(config, subgraphs=subgraphs)

    async def aget_state(
        self, config: Mapping[str, Any], *, subgraphs: bool = False
    ) -> StateSnapshot:
        """Async twin of `get_state`."""
        return await self._whole.aget_state(config, subgraphs=subgraphs)

    def get_state_history(
        self,
        config: Mapping[str, Any],
        *,
        filter: dict[str, Any] | None = None,
        before: Mapping[str, Any] | None = None,
        limit: int | None = None,
    ) -> Iterator[StateSnapshot]:
        """Yield the states at the config's place; see `RemoteGraph.get_state_history`."""
        return self._whole.get_state_history(config, filter=filter, before=before, limit=limit)

    def aget_state_history(
        self,
        config: Mapping[str, Any],
        *,
        filter: dict[str, Any] | None = None,
        before: Mapping[str, Any] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[StateSnapshot]:
        """Async twin of `get_state_history`."""
        return self._whole.aget_state_history(config, filter=filter, before=before, limit=limit)

    def update_state(
        self, config: Mapping[str, Any], values: Any, as_node: str | None = None
    ) -> RunnableConfig:
        """Write to the state at the config's place; see `RemoteGraph.update_state`."""
        return self._whole.update_state(config, values, as_node)

    async def aupdate_state(
        self, config: Mapping[str, Any], values: Any, as_node: str | None = None
    ) -> RunnableConfig:
        """Async twin of `update_state`."""
        return await self._whole.aupdate_state(config, values, as_node)

    def bulk_update_state(
        self, config: Mapping[str, Any], supersteps: Sequence[Sequence[StateUpdate]]
    ) -> RunnableConfig:
        """Write supersteps at the config's place; see `RemoteGraph.bulk_update_state`."""
        return self._whole.bulk_update_state(config, supersteps)

    async def abulk_update_state(
        self, config: Mapping[str, Any], supersteps: Sequence[Sequence[StateUpdate]]
    ) -> RunnableConfig:
        """Async twin of `bulk_update_state`."""
        return await self._whole.abulk_update_state(config, supersteps)

    # --- what it cannot ---

    def invoke(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: the protocol runs whole graphs.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(
            f"{self!r} cannot be run by itself: the protocol runs whole graphs"
        )

    def stream(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse, as `invoke` does."""
        self.invoke()

    async def ainvoke(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse, as `invoke` does."""
        self.invoke()

    def astream(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse, as `invoke` does."""
        self.invoke()
