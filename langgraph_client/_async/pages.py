"""Iteration over searches, page by page."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any, TypeVar

from langgraph_client._core.call import at_least
from langgraph_client.errors import APIResponseValidationError, InvalidArgumentError

T = TypeVar("T")


def iterate(
    search: Callable[..., Awaitable[list[T]]],
    limit: int | None,
    page_size: int,
    conditions: Mapping[str, Any],
) -> AsyncGenerator[T, None]:
    """All that `search` finds under these conditions, or the first `limit` of it.

    Nothing is asked before the first item is.
    """
    at_least("limit", limit, 0)
    at_least("page_size", page_size, 1)
    if "offset" in conditions:
        raise InvalidArgumentError("offset", "iteration begins at the beginning")
    return _iterate(search, limit, page_size, conditions)


async def _iterate(
    search: Callable[..., Awaitable[list[T]]],
    limit: int | None,
    page_size: int,
    conditions: Mapping[str, Any],
) -> AsyncGenerator[T, None]:
    done = 0
    last: list[T] | None = None
    while limit is None or done < limit:
        size = page_size if limit is None else min(page_size, limit - done)
        page = await search(**conditions, limit=size, offset=done)
        for item in page:
            yield item
        done += len(page)
        if len(page) < size:
            return
        if page == last:
            raise APIResponseValidationError(f"the server answers the same page for offset {done}")
        last = page
