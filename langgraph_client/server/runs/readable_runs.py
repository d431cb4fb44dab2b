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
        return await _readable_part(runs, where, 0, count)


async def _readable_part(
    runs: Documents, where: Mapping[str, object], offset: int, limit: int
) -> list[Document]:
    """Return those of some runs that can be read, by halves: most halves are undamaged."""
    try:
        return await runs.search(where=where, order_by="created_at", offset=offset, limit=limit)
    except ValueError as error:
        if limit == 1:
            logger.error("a stored run cannot be read, and is not resumed: %s", error)
            return []
    half = limit // 2
    first = await _readable_part(runs, where, offset, half)
    return first + await _readable_part(runs, where, offset + half, limit - half)
