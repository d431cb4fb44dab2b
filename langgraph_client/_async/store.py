"""The key-value store of a server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Literal

from langgraph_client._async.pages import iterate
from langgraph_client._async.resource import Resource
from langgraph_client._core.call import (
    NOTHING,
    Nullable,
    ReplyReader,
    at_least,
    body,
    call,
    check_id,
    texts,
)
from langgraph_client._core.requests import boolean, item_body, namespace_labels, page_body
from langgraph_client.models.params import Headers, QueryParams
from langgraph_client.models.store import (
    Item,
    ListNamespaceResponse,
    SearchItem,
    SearchItemsResponse,
)

_ITEM = Nullable(Item)
_FOUND = ReplyReader(SearchItemsResponse)
_NAMESPACES = ReplyReader(ListNamespaceResponse)


class StoreClient(Resource):
    """Items under a namespace and a key, shared by all threads.

    Every method raises `InvalidArgumentError` for an argument that no server accepts, and
    `APIError` if the server cannot be reached or refuses the request.
    """

    async def put_item(
        self,
        namespace: Sequence[str],
        /,
        key: str,
        value: Mapping[str, Any],
        index: Literal[False] | Sequence[str] | None = None,
        ttl: float | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> None:
        """Store an item. It replaces an existing item with the same namespace and key.

        Args:
            namespace: A sequence of labels. A label must not be empty or contain a dot.
            key: The item's key within its namespace.
            value: The item's value: a dict of JSON values.
            index: The fields that `search_items(query=...)` searches; False for none. Default: the
                server's setting.
            ttl: Minutes until the item is deleted. Default: the server's setting.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Raises:
            BadRequestError: The namespace is reserved.

        Example:
            await client.store.put_item(("users", "bob"), "profile", {"likes": "tea"})

        PUT /store/items
        """
        await self._transport.send(
            call(
                "PUT",
                "/store/items",
                NOTHING,
                body=item_body(namespace, key, value, index, ttl),
                headers=headers,
                params=params,
                safe=True,
            )
        )

    async def get_item(
        self,
        namespace: Sequence[str],
        /,
        key: str,
        *,
        refresh_ttl: bool | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> Item | None:
        """Get an item.

        Args:
            namespace: The item's namespace: a sequence of labels.
            key: The item's key within its namespace.
            refresh_ttl: Whether reading restarts the item's time to live. Default: the server's
                setting.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Returns:
            The item; None if it does not exist.

        Example:
            item = await client.store.get_item(("users", "bob"), "profile")

        GET /store/items
        """
        return await self._transport.send(
            call(
                "GET",
                "/store/items",
                _ITEM,
                query={
                    "namespace": ".".join(namespace_labels("namespace", namespace)),
                    "key": check_id("key", key),
                    "refresh_ttl": boolean("refresh_ttl", refresh_ttl),
                },
                headers=headers,
                params=params,
            )
        )

    async def delete_item(
        self,
        namespace: Sequence[str],
        /,
        key: str,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> None:
        """Delete an item. There is no error if it does not exist.

        Args:
            namespace: The item's namespace: a sequence of labels.
            key: The item's key within its namespace.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Example:
            await client.store.delete_item(("users", "bob"), "profile")

        DELETE /store/items
        """
        await self._transport.send(
            call(
                "DELETE",
                "/store/items",
                NOTHING,
                body={
                    "namespace": namespace_labels("namespace", namespace),
                    "key": check_id("key", key),
                },
                headers=headers,
                params=params,
                safe=True,
            )
        )

    async def search_items(
        self,
        namespace_prefix: Sequence[str],
        /,
        filter: Mapping[str, Any] | None = None,
        limit: int = 10,
        offset: int = 0,
        query: str | None = None,
        refresh_ttl: bool | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> SearchItemsResponse:
        """Search items.

        Args:
            namespace_prefix: Only items whose namespace begins with these labels; `()` for all.
            filter: Only items whose fields equal these values or meet these comparisons, such as
                `{"age": {"$gte": 40}}`. Operators are `$eq $ne $gt $gte $lt $lte`. An object
                without operators is a filter for the object there: `{"address": {"city": "Ulm"}}`.
            limit: The most items to return, at least 1. Default: 10. `iter_items` returns all.
            offset: How many to skip. Default: 0.
            query: A text to search for by meaning, if the server has an index.
            refresh_ttl: Whether reading restarts the items' time to live. Default: the server's
                setting.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Returns:
            One page, in `items`, which may be empty.

        Example:
            found = await client.store.search_items(("users",), filter={"likes": "tea"})
            print([item["key"] for item in found["items"]])

        POST /store/items/search
        """
        return await self._transport.send(
            call(
                "POST",
                "/store/items/search",
                _FOUND,
                body={
                    "namespace_prefix": namespace_labels("namespace_prefix", namespace_prefix),
                    **page_body(
                        limit,
                        offset,
                        most=None,
                        filter=filter,
                        query=query,
                        refresh_ttl=boolean("refresh_ttl", refresh_ttl),
                    ),
                },
                headers=headers,
                params=params,
                safe=True,
            )
        )

    def iter_items(
        self,
        namespace_prefix: Sequence[str],
        /,
        *,
        filter: Mapping[str, Any] | None = None,
        query: str | None = None,
        limit: int | None = None,
        page_size: int = 100,
        refresh_ttl: bool | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> AsyncIterator[SearchItem]:
        """Iterate over all items that `search_items` would find, page by page.

        Args:
            namespace_prefix: Only items whose namespace begins with these labels; `()` for all.
            filter: Only items whose fields equal these values or meet these comparisons; see
                `search_items`.
            query: A text to search for by meaning, if the server has an index.
            limit: The most items to return. Default: all.
            page_size: Items per request, at least 1. Default: 100.
            refresh_ttl: Whether reading restarts the items' time to live. Default: the server's
                setting.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Example:
            async for item in client.store.iter_items(("users",)):
                print(item["value"])

        POST /store/items/search
        """

        async def fetch(size: int, offset: int, _: SearchItem | None) -> list[SearchItem]:
            found = await self.search_items(
                namespace_prefix,
                filter=filter,
                query=query,
                limit=size,
                offset=offset,
                refresh_ttl=refresh_ttl,
                headers=headers,
                params=params,
            )
            return found.items

        return iterate(fetch, limit, page_size, key="key")

    async def list_namespaces(
        self,
        prefix: Sequence[str] | None = None,
        suffix: Sequence[str] | None = None,
        max_depth: int | None = None,
        limit: int = 100,
        offset: int = 0,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> ListNamespaceResponse:
        """List the namespaces that contain items.

        Args:
            prefix: Only namespaces that begin with these labels; `"*"` matches any one label.
            suffix: Only namespaces that end with these labels; `"*"` matches any one label.
            max_depth: Shorten namespaces to this many labels; equal results are listed once.
            limit: The most namespaces to return, at least 1. Default: 100.
            offset: How many to skip. Default: 0.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Returns:
            One page, in `namespaces`, which may be empty.

        Example:
            found = await client.store.list_namespaces(prefix=["users"])

        POST /store/namespaces
        """
        conditions = body(
            prefix=texts("prefix", prefix),
            suffix=texts("suffix", suffix),
            max_depth=at_least("max_depth", max_depth, 1),
        )
        return await self._transport.send(
            call(
                "POST",
                "/store/namespaces",
                _NAMESPACES,
                body={**conditions, **page_body(limit, offset, most=None)},
                headers=headers,
                params=params,
                safe=True,
            )
        )
