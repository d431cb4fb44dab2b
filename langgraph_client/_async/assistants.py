"""Assistants: their documents, versions and graphs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Literal, overload

from langgraph_client._async.pages import iterate, with_key
from langgraph_client._async.resource import Resource
from langgraph_client._core.call import (
    NOTHING,
    ReplyReader,
    at_least,
    body,
    call,
    mapping,
    one_of,
    optional_id,
    path,
    word,
)
from langgraph_client._core.requests import NextPage, boolean, page_body, xray_level
from langgraph_client.models.assistants import (
    Assistant,
    AssistantsSearchResponse,
    AssistantVersion,
    Drawing,
    GraphSchema,
)
from langgraph_client.models.params import (
    AssistantSelectField,
    AssistantSortBy,
    ConfigParam,
    Context,
    Headers,
    Metadata,
    OnConflictBehavior,
    QueryParams,
    SortOrder,
)

_DRAWING = ReplyReader(Drawing)
_SCHEMAS = ReplyReader(GraphSchema)
_SUBGRAPHS = ReplyReader(dict[str, GraphSchema])
_PATH = "/assistants/{assistant_id}"
_ASSISTANT = ReplyReader(Assistant)
_ASSISTANTS = ReplyReader(list[Assistant])
_VERSIONS = ReplyReader(list[AssistantVersion])
_COUNT = ReplyReader(int)


class AssistantsClient(Resource):
    """Assistants: graphs with a configuration. Each graph has a default assistant.

    Every method raises `InvalidArgumentError` for an argument that no server accepts, and
    `APIError` if the server cannot be reached or refuses the request.
    """

    async def get(
        self,
        assistant_id: str,
        *,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> Assistant:
        """Get an assistant by its id, not by the name of its graph.

        Args:
            assistant_id: The assistant's id.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: The assistant does not exist.

        Example:
            assistant = await client.assistants.get(assistant_id)

        GET /assistants/{assistant_id}
        """
        return await self._transport.send(
            call(
                "GET",
                path(_PATH, assistant_id=assistant_id),
                _ASSISTANT,
                headers=headers,
                params=params,
            )
        )

    async def create(
        self,
        graph_id: str,
        config: ConfigParam | None = None,
        *,
        context: Context | None = None,
        metadata: Metadata | None = None,
        assistant_id: str | None = None,
        if_exists: OnConflictBehavior | None = None,
        name: str | None = None,
        headers: Headers | None = None,
        description: str | None = None,
        params: QueryParams | None = None,
    ) -> Assistant:
        """Create an assistant.

        Args:
            graph_id: The graph that the assistant runs.
            config: Tags, recursion limit and `configurable` of its runs.
            context: The static context of its runs. Not together with `configurable`.
            metadata: Metadata to keep with the assistant.
            assistant_id: The new assistant's id, a UUID. Default: the server makes one.
            if_exists: What to do if the assistant exists: `"raise"` (the default), or
                `"do_nothing"`, which returns the existing assistant.
            name: A name to show. Default: "Untitled".
            headers: Headers of this request. They replace the client's headers of the same name.
            description: A description to show.
            params: Query parameters to add to this request.

        Raises:
            ConflictError: The assistant exists already.
            NotFoundError: The graph does not exist.

        Example:
            assistant = await client.assistants.create(
                "agent", config={"configurable": {"tone": "friendly"}}, name="Friendly"
            )

        POST /assistants
        """
        return await self._transport.send(
            call(
                "POST",
                "/assistants",
                _ASSISTANT,
                body=body(
                    graph_id=optional_id("graph_id", graph_id or None),
                    config=mapping("config", config),
                    context=mapping("context", context),
                    metadata=mapping("metadata", metadata),
                    assistant_id=optional_id("assistant_id", assistant_id),
                    if_exists=word("if_exists", if_exists),
                    name=name or None,
                    description=description or None,
                ),
                headers=headers,
                params=params,
                safe=assistant_id is not None and if_exists == "do_nothing",
            )
        )

    async def update(
        self,
        assistant_id: str,
        *,
        graph_id: str | None = None,
        config: ConfigParam | None = None,
        context: Context | None = None,
        metadata: Metadata | None = None,
        name: str | None = None,
        headers: Headers | None = None,
        description: str | None = None,
        params: QueryParams | None = None,
    ) -> Assistant:
        """Change an assistant, which creates a new version of it.

        Args:
            assistant_id: The assistant's id.
            graph_id: The graph to use from now on. None keeps it.
            config: The new config. None or an empty one keeps the old config.
            context: The new static context. None keeps it.
            metadata: Metadata to merge into the assistant's, one level deep.
            name: The new name. None keeps it.
            headers: Headers of this request. They replace the client's headers of the same name.
            description: The new description. None keeps it.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: The assistant or the graph does not exist.

        Example:
            await client.assistants.update(assistant_id, name="Friendly")

        PATCH /assistants/{assistant_id}
        """
        return await self._transport.send(
            call(
                "PATCH",
                path(_PATH, assistant_id=assistant_id),
                _ASSISTANT,
                body=body(
                    graph_id=optional_id("graph_id", graph_id or None),
                    config=mapping("config", config),
                    context=mapping("context", context),
                    metadata=mapping("metadata", metadata),
                    name=name or None,
                    description=description or None,
                ),
                headers=headers,
                params=params,
            )
        )

    async def delete(
        self,
        assistant_id: str,
        *,
        delete_threads: bool = False,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> None:
        """Delete an assistant with its versions and crons; its runs are cancelled.

        Args:
            assistant_id: The assistant's id.
            delete_threads: Whether to delete the threads that it ran on too. Default: False.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: The assistant does not exist.

        Example:
            await client.assistants.delete(assistant_id)

        DELETE /assistants/{assistant_id}
        """
        await self._transport.send(
            call(
                "DELETE",
                path(_PATH, assistant_id=assistant_id),
                NOTHING,
                query={"delete_threads": boolean("delete_threads", delete_threads) or None},
                headers=headers,
                params=params,
            )
        )

    @overload
    async def search(
        self,
        *,
        metadata: Metadata | None = None,
        graph_id: str | None = None,
        name: str | None = None,
        limit: int = 10,
        offset: int = 0,
        sort_by: AssistantSortBy | None = None,
        sort_order: SortOrder | None = None,
        select: Sequence[AssistantSelectField] | None = None,
        response_format: Literal["array"] = "array",
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> list[Assistant]: ...
    @overload
    async def search(
        self,
        *,
        metadata: Metadata | None = None,
        graph_id: str | None = None,
        name: str | None = None,
        limit: int = 10,
        offset: int = 0,
        sort_by: AssistantSortBy | None = None,
        sort_order: SortOrder | None = None,
        select: Sequence[AssistantSelectField] | None = None,
        response_format: Literal["object"],
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> AssistantsSearchResponse: ...
    async def search(
        self,
        *,
        metadata: Metadata | None = None,
        graph_id: str | None = None,
        name: str | None = None,
        limit: int = 10,
        offset: int = 0,
        sort_by: AssistantSortBy | None = None,
        sort_order: SortOrder | None = None,
        select: Sequence[AssistantSelectField] | None = None,
        response_format: Literal["array", "object"] = "array",
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> list[Assistant] | AssistantsSearchResponse:
        """Search assistants, the newest first. An assistant must meet all conditions.

        Args:
            metadata: Only assistants whose metadata contains this.
            graph_id: Only assistants of this graph.
            name: Only assistants whose name contains this, in upper or lower case.
            limit: The most items to return, 1 to 1000. Default: 10. `iter` returns all.
            offset: How many to skip. Default: 0.
            sort_by: The field to sort by. Default: the server's.
            sort_order: `"asc"` or `"desc"`, the default.
            select: The fields to return; reading another one raises AttributeError. Default: all.
            response_format: `"array"` (the default) returns a list; `"object"` returns an object
                with `assistants` and with `next`, the offset of the next page or None.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Returns:
            One page, which may be empty.

        Raises:
            NotFoundError: The graph does not exist.

        Example:
            assistants = await client.assistants.search(graph_id="agent", limit=100)

        POST /assistants/search
        """
        one_of("response_format", response_format, ("array", "object"))
        page = NextPage()
        found = await self._transport.send(
            call(
                "POST",
                "/assistants/search",
                _ASSISTANTS,
                body=page_body(
                    limit,
                    offset,
                    metadata=metadata,
                    graph_id=optional_id("graph_id", graph_id or None),
                    name=name,
                    sort_by=sort_by,
                    sort_order=sort_order,
                    select=select,
                ),
                headers=headers,
                params=params,
                safe=True,
                on_headers=page.opened,
            )
        )
        if response_format == "array":
            return found
        return AssistantsSearchResponse(assistants=found, next=page.next)

    def iter(
        self,
        *,
        limit: int | None = None,
        page_size: int = 100,
        metadata: Metadata | None = None,
        graph_id: str | None = None,
        name: str | None = None,
        sort_by: AssistantSortBy | None = None,
        sort_order: SortOrder | None = None,
        select: Sequence[AssistantSelectField] | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> AsyncIterator[Assistant]:
        """Iterate over all assistants that `search` would find, page by page.

        Args:
            limit: The most items to return. Default: all.
            page_size: Assistants per request, 1 to 1000. Default: 100.
            metadata: Only assistants whose metadata contains this.
            graph_id: Only assistants of this graph.
            name: Only assistants whose name contains this, in upper or lower case.
            sort_by: The field to sort by. Default: the server's.
            sort_order: `"asc"` or `"desc"`, the default.
            select: The fields to return. Default: all.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Example:
            async for assistant in client.assistants.iter(graph_id="agent"):
                print(assistant["name"])

        POST /assistants/search
        """
        return iterate(
            lambda size, offset, _: self.search(
                metadata=metadata,
                graph_id=graph_id,
                name=name,
                sort_by=sort_by,
                sort_order=sort_order,
                select=with_key(select, "assistant_id"),
                headers=headers,
                params=params,
                limit=size,
                offset=offset,
            ),
            limit,
            page_size,
            key="assistant_id",
            select=select,
        )

    async def count(
        self,
        *,
        metadata: Metadata | None = None,
        graph_id: str | None = None,
        name: str | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> int:
        """Count the assistants that `search` would find.

        Args:
            metadata: Only assistants whose metadata contains this.
            graph_id: Only assistants of this graph.
            name: Only assistants whose name contains this, in upper or lower case.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Example:
            number = await client.assistants.count(graph_id="agent")

        POST /assistants/count
        """
        conditions = body(
            metadata=mapping("metadata", metadata),
            graph_id=optional_id("graph_id", graph_id or None),
            name=name,
        )
        return await self._transport.send(
            call(
                "POST",
                "/assistants/count",
                _COUNT,
                body=conditions,
                headers=headers,
                params=params,
                safe=True,
            )
        )

    async def get_versions(
        self,
        assistant_id: str,
        metadata: Metadata | None = None,
        limit: int = 10,
        offset: int = 0,
        *,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> list[AssistantVersion]:
        """Get an assistant's versions, the newest first.

        Args:
            assistant_id: The assistant's id.
            metadata: Only versions whose metadata contains this.
            limit: The most versions to return, 1 to 1000. Default: 10.
            offset: How many to skip. Default: 0.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: The assistant does not exist, or no version is found.

        Example:
            versions = await client.assistants.get_versions(assistant_id)

        POST /assistants/{assistant_id}/versions
        """
        return await self._transport.send(
            call(
                "POST",
                path(_PATH, assistant_id=assistant_id) + "/versions",
                _VERSIONS,
                body=page_body(limit, offset, metadata=metadata),
                headers=headers,
                params=params,
                safe=True,
            )
        )

    async def set_latest(
        self,
        assistant_id: str,
        version: int,
        *,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> Assistant:
        """Choose the version that an assistant's runs use.

        Args:
            assistant_id: The assistant's id.
            version: The number of the version to make the current one.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: The assistant or the version does not exist.

        Example:
            await client.assistants.set_latest(assistant_id, version=1)

        POST /assistants/{assistant_id}/latest
        """
        return await self._transport.send(
            call(
                "POST",
                path(_PATH, assistant_id=assistant_id) + "/latest",
                _ASSISTANT,
                body={"version": at_least("version", version, 0)},
                headers=headers,
                params=params,
                safe=True,
            )
        )

    async def get_graph(
        self,
        assistant_id: str,
        *,
        xray: int | bool = False,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> Drawing:
        """Get the nodes and edges of an assistant's graph.

        Args:
            assistant_id: An assistant's id, or the name of a graph.
            xray: How many levels of subgraphs to include; False (the default) for none, True for
                all.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: The assistant does not exist.

        Example:
            drawing = await client.assistants.get_graph("agent", xray=True)

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
        """Get the JSON schemas of a graph's input, output, state, config and context.

        Args:
            assistant_id: The assistant's id.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: The assistant does not exist.

        Example:
            schemas = await client.assistants.get_schemas(assistant_id)
            print(schemas["input_schema"])

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
        """Get the JSON schemas of a graph's subgraphs, by namespace.

        Args:
            assistant_id: The assistant's id.
            namespace: Only the subgraph at this namespace: `"child"`, or `"child|grandchild"`.
            recurse: Whether to include the subgraphs of subgraphs. Default: False.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Returns:
            Schemas by namespace. The dict is empty if there are no subgraphs or the namespace does
            not exist.

        Raises:
            NotFoundError: The assistant does not exist.

        Example:
            subgraphs = await client.assistants.get_subgraphs(assistant_id)

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
