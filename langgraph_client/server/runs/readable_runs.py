"""Read stored runs of which some may be damaged."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from langgraph_client.server.storage.protocol import Document, Documents

logger = logging.getLogger("langgraph_client.server")


async def readable_runs(runs: Documents, where: Mapping[str, object]) -> list[Document]:
    """Return runs, oldest first, without those whose documents cannot be read.

    One damaged document must not keep the server from starting, nor a thread from being used.
    """
    try:
        return await runs.search(where=where, order_by="created_at")
    except ValueError:  # One of them is not JSON that can be read.
        count = await runs.count(where=where)
        return await readable_page(runs, where, offset=0, limit=count)


async def readable_page(
    runs: Documents,
    where: Mapping[str, object],
    *,
    offset: int,
    limit: int,
    descending: bool = False,
) -> list[Document]:
    """Return some runs without those that cannot be read, which count for the page nevertheless.

    Args:
        runs: The runs.
        where: Values that fields must equal.
        offset: How many runs to skip.
        limit: The size of the page.
        descending: Whether the newest is the first.
    """
    try:
        return await runs.search(
            where=where,
            order_by="created_at",
            descending=descending,
            offset=offset,
            limit=limit,
        )
    except ValueError as error:
        if limit == 1:
            logger.error("a stored run cannot be read, and is left out: %s", error)
            return []
    # By halves: most halves are undamaged. No larger than what there is, as a client sets the size.
    size = min(limit, max(await runs.count(where=where) - offset, 1))
    half = max(size // 2, 1)
    pages = [(offset, half), (offset + half, size - half)]
    found: list[Document] = []
    for start, count in pages:
        if count:
            found += await readable_page(
                runs, where, offset=start, limit=count, descending=descending
            )
    return found
