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
    """Return the documents that a search's body asks for, with the headers of a page.

    Args:
        documents: What is searched.
        body: The body, with `limit`, `offset`, `sort_by`, `sort_order` and `select`.
        filters: What the documents must be like, as `Documents.search` takes it.
        order_by: The field to sort by if the body names none.
        also_read: Fields that `shown` needs.
        shown: Returns what is added to a document.
    """
    limit, offset = int(body.get("limit", 10)), int(body.get("offset", 0))
    selected = None if body.get("select") is None else frozenset(body["select"])
    found = await documents.search(
        **filters,
        order_by=body.get("sort_by", order_by),
        descending=body.get("sort_order") != "asc",
        limit=limit + 1,  # One more tells whether there is a next page.
        offset=offset,
        fields=None if selected is None else selected | also_read,
    )
    answer = [
        {
            **{k: v for k, v in document.items() if selected is None or k in selected},
            **shown(document),
        }
        for document in found[:limit]
    ]
    return reply(answer, headers=page(offset, limit, len(answer), len(found) > limit))
