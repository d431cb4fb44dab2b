"""One page of a search for documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.responses import Response

from langgraph_client.models.fields import JsonMapping
from langgraph_client.server.http.replies import page, reply
from langgraph_client.server.storage.protocol import Document, Documents


async def search_page(
    documents: Documents,
    body: JsonMapping,
    filters: JsonMapping,
    order_by: str = "created_at",
    also_read: frozenset[str] = frozenset(),
    shown: Callable[[Document], Mapping[str, object]] = lambda document: {},
) -> Response:
    """Return the response to a search, with the headers of a page.

    Args:
        documents: The documents to search.
        body: The request's body, with `limit`, `offset`, `sort_by`, `sort_order` and `select`.
        filters: The arguments of `Documents.search` that select documents.
        order_by: The field to sort by if the body names none.
        also_read: Fields that `shown` needs, besides the selected ones.
        shown: Returns fields to add to a document.
    """
    limit, offset = int(body.get("limit", 10)), int(body.get("offset", 0))
    # As on the real server, an empty list selects all fields.
    selected = frozenset(body["select"]) if body.get("select") else None
    results = await documents.search(
        **filters,
        order_by=body.get("sort_by", order_by),
        descending=body.get("sort_order") != "asc",
        limit=limit + 1,  # One more tells whether there is a next page.
        offset=offset,
        fields=None if selected is None else selected | also_read,
    )
    shown_results = [
        {
            **{k: v for k, v in document.items() if selected is None or k in selected},
            **shown(document),
        }
        for document in results[:limit]
    ]
    return reply(
        shown_results,
        headers=page(offset, limit, len(shown_results), len(results) > limit),
    )
