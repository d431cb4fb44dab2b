# Generated from langgraph_client/_async/assistants.py by .ci/unasync.py; do not edit.
"""Assistants, their versions, and the graphs that they run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, overload

from langgraph_client._core.call import (
    NOTHING,
    Reply,
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
from langgraph_client._sync.pages import iterate
from langgraph_client._sync.transport import Transport
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

_DRAWING = Reply(Drawing)
_SCHEMAS = Reply(GraphSchema)
_SUBGRAPHS = Reply(dict[str, GraphSchema])
_PATH = "/assistants/{assistant_id}"
_ASSISTANT = Reply(Assistant)
_ASSISTANTS = Reply(list[Assistant])
_VERSIONS = Reply(list[AssistantVersion])
_COUNT = Reply(int)


class SyncAssistantsClient:
    """Assistants: graphs with a configuration. Each graph has one of its own to begin with."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(
        self,
        assistant_id: str,
        *,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> Assistant:
        """Get an assistant by its id, not by the name of its graph.

        Args:
            assistant_id: The assistant's id.
            headers: Headers of this request. They win over the client's.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: there is no such assistant.

        Example:
            assistant = client.assistants.get(assistant_id)

        GET /assistants/{assistant_id}
        """
        return self._transport.send(
            call(
                "GET",
                path(_PATH, assistant_id=assistant_id),
                _ASSISTANT,
                headers=headers,
                params=params,
            )
        )

    def create(
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
            graph_id: The graph it is to run.
            config: Tags, recursion limit and `configurable` of its runs.
            context: What its nodes get as context. Not together with `configurable`.
            metadata: Metadata to keep with it.
            assistant_id: A UUID; the server makes one where it is left out.
            if_exists: What to do if there is one of that id: `"raise"` (the default) or
                `"do_nothing"`, which answers the existing one.
            name: A name to show. Default: "Untitled".
            headers: Headers of this request. They win over the client's.
            description: A description to show.
            params: Query parameters to add to this request.

        Raises:
            ConflictError: the assistant exists.
            NotFoundError: there is no such graph.

        Example:
            assistant = client.assistants.create(
                "agent", config={"configurable": {"tone": "friendly"}}, name="Friendly"
            )

        POST /assistants
        """
        return self._transport.send(
            call(
                "POST",
                "/assistants",
                _ASSISTANT,
                body=body(
                    graph_id=optional_id("graph_id", graph_id),
                    config=mapping("config", config),
                    context=mapping("context", context),
                    metadata=mapping("metadata", metadata),
                    assistant_id=optional_id("assistant_id", assistant_id),
                    if_exists=word("if_exists", if_exists),
                    name=name,
                    description=description,
                ),
                headers=headers,
                params=params,
                safe=assistant_id is not None and if_exists == "do_nothing",
            )
        )

    def update(
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
        """Change an assistant, which makes a new version of it.

        Args:
            assistant_id: The assistant's id.
            graph_id: The graph to use from now on. None keeps it.
            config: Replaces the old one, unless it is empty.
            context: Replaces the old one.
            metadata: Merged into the old one, one level deep.
            name: The new name. None keeps it.
            headers: Headers of this request. They win over the client's.
            description: The new description. None keeps it.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: there is no such assistant, or graph.

        Example:
            client.assistants.update(assistant_id, name="Friendly")

        PATCH /assistants/{assistant_id}
        """
        return self._transport.send(
            call(
                "PATCH",
                path(_PATH, assistant_id=assistant_id),
                _ASSISTANT,
                body=body(
                    graph_id=optional_id("graph_id", graph_id),
                    config=mapping("config", config),
                    context=mapping("context", context),
                    metadata=mapping("metadata", metadata),
                    name=name,
                    description=description,
                ),
                headers=headers,
                params=params,
            )
        )

    def delete(
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
            delete_threads: Delete the threads that it ran on, too.
            headers: Headers of this request. They win over the client's.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: there is no such assistant.

        Example:
            client.assistants.delete(assistant_id)

        DELETE /assistants/{assistant_id}
        """
        self._transport.send(
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
    def search(
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
    def search(
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
    def search(
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
        """Search assistants, the newest first. All conditions must hold.

        Args:
            metadata: Must be contained in the assistant's metadata.
            graph_id: Only those of this graph.
            name: A part of the name, in upper or lower case.
            limit: At most so many, 1 to 1000. `iter` goes on to the end.
            offset: How many to skip. Default: 0.
            sort_by: The field to sort by. Default: the server's.
            sort_order: `"asc"` or `"desc"`, the default.
            select: The fields to answer; reading any other raises AttributeError.
            response_format: `"object"` answers the assistants with the offset of the next page.
            headers: Headers of this request. They win over the client's.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: there is no such graph.

        Example:
            assistants = client.assistants.search(graph_id="agent", limit=100)

        POST /assistants/search
        """
        one_of("response_format", response_format, ("array", "object"))
        page = NextPage()
        found = self._transport.send(
            call(
                "POST",
                "/assistants/search",
                _ASSISTANTS,
                body=page_body(
                    limit,
                    offset,
                    metadata=metadata,
                    graph_id=optional_id("graph_id", graph_id),
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
    ) -> Iterator[Assistant]:
        """Iterate over all assistants that `search` would find, page by page.

        Args:
            limit: Stop after so many; to the end where it is left out.
            page_size: Assistants per request, 1 to 1000.
            metadata: Only those whose metadata contains this.
            graph_id: Only those of this graph.
            name: Only those whose name contains this.
            sort_by: The field to sort by. Default: the server's.
            sort_order: `"asc"` or `"desc"`, the default.
            select: The fields to return. Default: all.
            headers: Headers of this request. They win over the client's.
            params: Query parameters to add to this request.

        Example:
            for assistant in client.assistants.iter(graph_id="agent"):
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
                select=select,
                headers=headers,
                params=params,
                limit=size,
                offset=offset,
            ),
            limit,
            page_size,
        )

    def count(
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
            metadata: Only those whose metadata contains this.
            graph_id: Only those of this graph.
            name: Only those whose name contains this.
            headers: Headers of this request. They win over the client's.
            params: Query parameters to add to this request.

        Example:
            number = client.assistants.count(graph_id="agent")

        POST /assistants/count
        """
        conditions = body(
            metadata=mapping("metadata", metadata),
            graph_id=optional_id("graph_id", graph_id),
            name=name,
        )
        return self._transport.send(
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

    def get_versions(
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
            metadata: Must be contained in the version's metadata.
            limit: How many to return at most. Default: 10.
            offset: How many to skip. Default: 0.
            headers: Headers of this request. They win over the client's.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: there is no such assistant, or no such version.

        Example:
            versions = client.assistants.get_versions(assistant_id)

        POST /assistants/{assistant_id}/versions
        """
        return self._transport.send(
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

    def set_latest(
        self,
        assistant_id: str,
        version: int,
        *,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> Assistant:
        """Make a version the one that is run.

        Args:
            assistant_id: The assistant's id.
            version: The number of the version to make the current one.
            headers: Headers of this request. They win over the client's.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: there is no such assistant, or version.

        Example:
            client.assistants.set_latest(assistant_id, version=1)

        POST /assistants/{assistant_id}/latest
        """
        return self._transport.send(
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

    def get_graph(
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
            headers: Headers of this request. They win over the client's.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: there is no such assistant.

        Example:
            drawing = client.assistants.get_graph("agent", xray=True)

        GET /assistants/{assistant_id}/graph
        """
        return self._transport.send(
            call(
                "GET",
                path(_PATH, assistant_id=assistant_id) + "/graph",
                _DRAWING,
                query={"xray": xray_level(xray)},
                headers=headers,
                params=params,
            )
        )

    def get_schemas(
        self,
        assistant_id: str,
        *,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> GraphSchema:
        """Get the JSON schemas of the graph's input, output, state, config and context.

        Args:
            assistant_id: The assistant's id.
            headers: Headers of this request. They win over the client's.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: there is no such assistant.

        Example:
            schemas = client.assistants.get_schemas(assistant_id)
            print(schemas["input_schema"])

        GET /assistants/{assistant_id}/schemas
        """
        return self._transport.send(
            call(
                "GET",
                path(_PATH, assistant_id=assistant_id) + "/schemas",
                _SCHEMAS,
                headers=headers,
                params=params,
            )
        )

    def get_subgraphs(
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
            assistant_id: The assistant's id.
            namespace: Only this one: `"child"`, or `"child|grandchild"`.
            recurse: Those of subgraphs, too.
            headers: Headers of this request. They win over the client's.
            params: Query parameters to add to this request.

        Returns:
            May be empty, also for a namespace that does not exist.

        Raises:
            NotFoundError: there is no such assistant.

        Example:
            subgraphs = client.assistants.get_subgraphs(assistant_id)

        GET /assistants/{assistant_id}/subgraphs, GET .../subgraphs/{namespace}
        """
        where = path(_PATH, assistant_id=assistant_id) + "/subgraphs"
        if namespace is not None:
            where = path(f"{where}/{{namespace}}", namespace=namespace)
        return self._transport.send(
            call(
                "GET",
                where,
                _SUBGRAPHS,
                query={"recurse": boolean("recurse", recurse) or None},
                headers=headers,
                params=params,
            )
        )
