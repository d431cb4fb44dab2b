# Generated from langgraph_client/_async/store.py by .ci/unasync.py; do not edit.
"""The key-value store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from langgraph_client._core.call import (
    NOTHING,
    Nullable,
    Reply,
    at_least,
    body,
    call,
    check_id,
    texts,
)
from langgraph_client._core.requests import boolean, item_body, namespace_labels, page_body
from langgraph_client._sync.pages import iterate
from langgraph_client._sync.transport import Transport
from langgraph_client.models.params import Headers, QueryParams
from langgraph_client.models.store import (
    Item,
    ListNamespaceResponse,
    SearchItem,
    SearchItemsResponse,
)

_ITEM = Nullable(Item)
_FOUND = Reply(SearchItemsResponse)
_NAMESPACES = Reply(ListNamespaceResponse)


class SyncStoreClient:
    """Documents under a namespace and a key, which all threads can read."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def put_item(
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
        """Store a document, in place of the one that was there.

        Args:
            namespace: Labels, which are neither empty nor have dots.
            key: The item's key within its namespace.
            value: The item: a dict of JSON values.
            index: The fields that can be searched by meaning; False for none.
            ttl: Minutes until it is deleted.
            headers: Headers of this request. They win over the client's.
            params: Query parameters to add to this request.

        Raises:
            BadRequestError: the namespace is reserved.

        Example:
            client.store.put_item(("users", "bob"), "profile", {"likes": "tea"})

        PUT /store/items
        """
        self._transport.send(
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

    def get_item(
        self,
        namespace: Sequence[str],
        /,
        key: str,
        *,
        refresh_ttl: bool | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> Item | None:
        """Get a document; None if there is none.

        Args:
            namespace: The item's namespace: a sequence of names.
            key: The item's key within its namespace.
            refresh_ttl: Whether reading restarts its time to live.
            headers: Headers of this request. They win over the client's.
            params: Query parameters to add to this request.

        Example:
            item = client.store.get_item(("users", "bob"), "profile")

        GET /store/items
        """
        return self._transport.send(
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

    def delete_item(
        self,
        namespace: Sequence[str],
        /,
        key: str,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> None:
        """Delete a document, if there is one.

        Args:
            namespace: The item's namespace: a sequence of names.
            key: The item's key within its namespace.
            headers: Headers of this request. They win over the client's.
            params: Query parameters to add to this request.

        Example:
            client.store.delete_item(("users", "bob"), "profile")

        DELETE /store/items
        """
        self._transport.send(
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

    def search_items(
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
        """Search documents.

        Args:
            namespace_prefix: Where to look; an empty list is everywhere.
            filter: What their fields must equal, or compare with: `{"age": {"$gte": 40}}`.
                Operators are `$eq $ne $gt $gte $lt $lte`.
            limit: At most so many. `iter_items` goes on to the end.
            offset: How many to skip. Default: 0.
            query: What they should be about, on servers that can search by meaning.
            refresh_ttl: Whether reading restarts their time to live.
            headers: Headers of this request. They win over the client's.
            params: Query parameters to add to this request.

        Returns:
            One page, in `items`, which may be empty.

        Example:
            found = client.store.search_items(("users",), filter={"likes": "tea"})
            print([item["key"] for item in found["items"]])

        POST /store/items/search
        """
        return self._transport.send(
            call(
                "POST",
                "/store/items/search",
                _FOUND,
                body={
                    "namespace_prefix": namespace_labels("namespace_prefix", namespace_prefix),
                    **page_body(
                        limit,
                        offset,
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
    ) -> Iterator[SearchItem]:
        """Iterate over all documents that `search_items` would find, page by page.

        Args:
            namespace_prefix: Only items of namespaces that begin so.
            filter: Only items whose values match this.
            query: Words to search by meaning for, where the store has an index.
            limit: Stop after so many; to the end where it is left out.
            page_size: Documents per request, 1 to 1000.
            refresh_ttl: Whether reading extends the items' time to live.
            headers: Headers of this request. They win over the client's.
            params: Query parameters to add to this request.

        Example:
            for item in client.store.iter_items(("users",)):
                print(item["value"])

        POST /store/items/search
        """

        def fetch(size: int, offset: int, _: SearchItem | None) -> list[SearchItem]:
            found = self.search_items(
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

        return iterate(fetch, limit, page_size)

    def list_namespaces(
        self,
        prefix: Sequence[str] | None = None,
        suffix: Sequence[str] | None = None,
        max_depth: int | None = None,
        limit: int = 100,
        offset: int = 0,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> ListNamespaceResponse:
        """List the namespaces that have documents.

        Args:
            prefix: How they begin; `"*"` stands for any one label.
            suffix: How they end, likewise.
            max_depth: Cut them to so many labels; each is then listed once.
            limit: How many to return at most. Default: 100.
            offset: How many to skip. Default: 0.
            headers: Headers of this request. They win over the client's.
            params: Query parameters to add to this request.

        Returns:
            One page, in `namespaces`, which may be empty.

        Example:
            found = client.store.list_namespaces(prefix=["users"])

        POST /store/namespaces
        """
        conditions = body(
            prefix=texts("prefix", prefix),
            suffix=texts("suffix", suffix),
            max_depth=at_least("max_depth", max_depth, 1),
        )
        return self._transport.send(
            call(
                "POST",
                "/store/namespaces",
                _NAMESPACES,
                body={**conditions, **page_body(limit, offset)},
                headers=headers,
                params=params,
                safe=True,
            )
        )
