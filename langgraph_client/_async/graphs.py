"""The graphs behind assistants: the part of `AssistantsClient` that looks into them."""

from __future__ import annotations

from langgraph_client._async.transport import AsyncTransport
from langgraph_client._core.call import (
    Reply,
    call,
    path,
)
from langgraph_client._core.requests import boolean, xray_level
from langgraph_client.models.assistants import (
    Drawing,
    GraphSchema,
)
from langgraph_client.models.params import (
    Headers,
    QueryParams,
)

_DRAWING = Reply(Drawing)
_SCHEMAS = Reply(GraphSchema)
_SUBGRAPHS = Reply(dict[str, GraphSchema])
_PATH = "/assistants/{assistant_id}"


class AssistantGraphs:
    """Drawing and schemas of an assistant's graph."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def get_graph(
        self,
        assistant_id: str,
        *,
        xray: int | bool = False,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> Drawing:
        """Get the graph's nodes and edges.

        Args:
            assistant_id: An assistant's id, or the name of a graph.
            xray: Open subgraphs: True for all of them, a number for so many levels.

        Raises:
            NotFoundError: there is no such assistant.

        GET /assistants/{assistant_id}/graph
        """
        return await self._transport.send(
            call(
                "GET",
                path(_PATH, assistant_id=assistant_id) + "/graph",
                _DRAWING,
                query={"xray": xray_level(xray)},
                headers=headers,
                params=params,
            )
        )

    async def get_schemas(
        self,
        assistant_id: str,
        *,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> GraphSchema:
        """Get the JSON schemas of the graph's input, output, state, config and context.

        Raises:
            NotFoundError: there is no such assistant.

        GET /assistants/{assistant_id}/schemas
        """
        return await self._transport.send(
            call(
                "GET",
                path(_PATH, assistant_id=assistant_id) + "/schemas",
                _SCHEMAS,
                headers=headers,
                params=params,
            )
        )

    async def get_subgraphs(
        self,
        assistant_id: str,
        namespace: str | None = None,
        recurse: bool = False,
        *,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> dict[str, GraphSchema]:
        """Get the schemas of the graph's subgraphs, by namespace.

        Args:
            namespace: Only this one: `"child"`, or `"child|grandchild"`.
            recurse: Those of subgraphs, too.

        Returns:
            May be empty, also for a namespace that does not exist.

        Raises:
            NotFoundError: there is no such assistant.

        GET /assistants/{assistant_id}/subgraphs, GET .../subgraphs/{namespace}
        """
        where = path(_PATH, assistant_id=assistant_id) + "/subgraphs"
        if namespace is not None:
            where = path(f"{where}/{{namespace}}", namespace=namespace)
        return await self._transport.send(
            call(
                "GET",
                where,
                _SUBGRAPHS,
                query={"recurse": boolean("recurse", recurse) or None},
                headers=headers,
                params=params,
            )
        )
