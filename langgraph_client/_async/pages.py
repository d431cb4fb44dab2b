"""Iterate over all items of a search, page by page."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TypeVar

from langgraph_client._core.call import at_least
from langgraph_client.errors import APIResponseValidationError

T = TypeVar("T")


def iterate(
    fetch: Callable[[int, int, T | None], Awaitable[list[T]]], limit: int | None, page_size: int
) -> AsyncGenerator[T, None]:
    """Iterate over all items, or over the first `limit`. No request is sent before iteration.

    Args:
        fetch: Called for each page with its size, the number of items before it, and the last of
            these items (None for the first page).
        limit: The most items; None for all.
        page_size: The number of items per page.

    Raises:
        InvalidArgumentError: `limit` is below 0, or `page_size` below 1.
    """
    at_least("limit", limit, 0)
    at_least("page_size", page_size, 1)
    return _iterate(fetch, limit, page_size)


async def _iterate(
    fetch: Callable[[int, int, T | None], Awaitable[list[T]]], limit: int | None, page_size: int
) -> AsyncGenerator[T, None]:
    done = 0
    last: T | None = None
    before: list[T] = []
    while limit is None or done < limit:
        size = page_size if limit is None else min(page_size, limit - done)
        page = await fetch(size, done, last)
        if page and page == before:
            # A server that ignores `offset` would make this loop endless.
            raise APIResponseValidationError(
                "the server sent the same page twice: it seems to ignore where a page begins"
            )
        for item in page:
            yield item
        if len(page) < size:
            return
        done += len(page)
        before, last = page, page[-1]
