"""What a RemoteGraph tells of the graph itself: its drawing, its schemas, its subgraphs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.models.assistants import Assistant, GraphSchema
from langgraph_client.remote.decode import understanding
from langgraph_client.remote.drawing import drawing_from
from langgraph_client.remote.eventful import Eventful
from langgraph_client.remote.schemas import model_from
from langgraph_client.remote.seam import Graph
from langgraph_client.remote.subgraph import RemoteSubgraph


class Described(Eventful):
    """A graph that can be asked what it is made of."""

    def get_graph(
        self,
        config: Mapping[str, Any] | None = None,
        *,
        xray: int | bool = False,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Graph:
        """Read the graph's nodes and edges, ready to be drawn.

        Args:
            config: Accepted as locally; a drawing does not depend on it.
            xray: Open subgraphs: True for all, a number for so many levels.
            headers: Sent with this call.
            params: Query parameters, sent with this call.
        """
        drawn = self.sync_client.assistants.get_graph(
            self.assistant_id, xray=xray, headers=self._headers(headers), params=params
        )
        with understanding("a drawing", drawn):
            return drawing_from(drawn)

    async def aget_graph(
        self,
        config: Mapping[str, Any] | None = None,
        *,
        xray: int | bool = False,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Graph:
        """Async twin of `get_graph`."""
        drawn = await self.client.assistants.get_graph(
            self.assistant_id, xray=xray, headers=self._headers(headers), params=params
        )
        with understanding("a drawing", drawn):
            return drawing_from(drawn)

    def get_subgraphs(
        self, *, namespace: str | None = None, recurse: bool = False
    ) -> Iterator[tuple[str, RemoteSubgraph]]:
        """Yield the graph's subgraphs with their namespaces, such as `"child"`.

        Args:
            namespace: Only the subgraph there. One inside another, `"child|grandchild"`, needs
                `recurse`.
            recurse: Those inside others, too.

        Yields:
            Namespace and subgraph. A subgraph tells its drawing, schemas and state; it cannot be
            run by itself, since the protocol runs whole graphs.
        """
        found = self.sync_client.assistants.get_subgraphs(
            self._assistant(), namespace, recurse=recurse
        )
        for name, schema in found.items():
            yield name, RemoteSubgraph(self, name, schema)

    async def aget_subgraphs(
        self, *, namespace: str | None = None, recurse: bool = False
    ) -> AsyncIterator[tuple[str, RemoteSubgraph]]:
        """Async twin of `get_subgraphs`."""
        found = await self.client.assistants.get_subgraphs(
            await self._aassistant(), namespace, recurse=recurse
        )
        for name, schema in found.items():
            yield name, RemoteSubgraph(self, name, schema)

    def get_input_schema(self, config: Mapping[str, Any] | None = None) -> type[BaseModel]:
        """Read the schema of the graph's input, as a pydantic model."""
        return model_from(self.get_name("Input"), self.get_input_jsonschema())

    def get_output_schema(self, config: Mapping[str, Any] | None = None) -> type[BaseModel]:
        """Read the schema of the graph's output, as a pydantic model."""
        return model_from(self.get_name("Output"), self.get_output_jsonschema())

    def get_input_jsonschema(self, config: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Read the JSON schema of the graph's input; `{}` where the server cannot make one."""
        return self._schemas().input_schema or {}

    def get_output_jsonschema(self, config: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Read the JSON schema of the graph's output; `{}` where the server cannot make one."""
        return self._schemas().output_schema or {}

    def get_context_jsonschema(self) -> dict[str, Any] | None:
        """Read the JSON schema of the graph's context; None for a graph without one."""
        return self._schemas().context_schema

    def _schemas(self) -> GraphSchema:
        return self.sync_client.assistants.get_schemas(self._assistant())

    def _assistant(self) -> str:
        """The id of the graph's assistant, for endpoints that take no name.

        Every graph has an assistant that stands for it.
        """
        graph_id = self._threads.graph_id
        if graph_id is None:  # The name is an assistant's id.
            return self.assistant_id
        return self._only(self.sync_client.assistants.search(**_standing_for(graph_id)))

    async def _aassistant(self) -> str:
        graph_id = self._threads.graph_id
        if graph_id is None:
            return self.assistant_id
        return self._only(await self.client.assistants.search(**_standing_for(graph_id)))

    def _only(self, found: Sequence[Assistant]) -> str:
        if not found:
            raise InvalidArgumentError(
                "assistant_id", f"the server has no assistant for the graph {self.assistant_id!r}"
            )
        return found[0].assistant_id


def _standing_for(graph_id: str) -> dict[str, Any]:
    return {"graph_id": graph_id, "metadata": {"created_by": "system"}, "limit": 1}
