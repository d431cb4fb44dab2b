"""Iterate over all items of a search, page by page."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import TypeVar

from langgraph_client._core.call import at_least
from langgraph_client.errors import APIResponseValidationError
from langgraph_client.models.record import Record

T = TypeVar("T", bound=Record)
Name = TypeVar("Name", bound=str)


def iterate(
    fetch: Callable[[int, int, T | None], Awaitable[list[T]]],
    limit: int | None,
    page_size: int,
    *,
    key: str,
    select: Sequence[str] | None = None,
) -> AsyncGenerator[T, None]:
    """Iterate over all items, or over the first `limit`. No request is sent before iteration.

    Args:
        fetch: Called for each page with its size, the number of items before it, and the last of
            these items (None for the first page).
        limit: The most items; None for all.
        page_size: The number of items per page.
        key: The field that tells one item from another.
        select: The fields that the caller wants; `fetch` asks for `with_key(select, key)`.

    Raises:
        InvalidArgumentError: `limit` is below 0, or `page_size` below 1.
    """
    at_least("limit", limit, 0)
    at_least("page_size", page_size, 1)
    is_hidden = with_key(select, key) is not select
    return _iterate(fetch, limit, page_size, key if is_hidden else None)


def with_key(select: Sequence[Name] | None, key: Name) -> Sequence[Name] | None:
    """Return the fields to ask for: without the key, pages of other items may be equal."""
    return select if not select or key in select else [*select, key]


async def _iterate(
    fetch: Callable[[int, int, T | None], Awaitable[list[T]]],
    limit: int | None,
    page_size: int,
    hidden: str | None,
) -> AsyncGenerator[T, None]:
    done = 0
    last: T | None = None
    before: list[T] = []
    while limit is None or done < limit:
        size = page_size if limit is None else min(page_size, limit - done)
        page = await fetch(size, done, last)
        # A server that ignores `offset` would make this loop endless.
        if page and page == before:
            raise APIResponseValidationError(
                "the server sent the same page twice: it seems to ignore offset= or before="
            )
        # A copy with the key, because the items are handed out without it.
        before = [type(item)(item) for item in page] if hidden else page
        for item in page:
            if hidden:
                item.pop(hidden, None)
            yield item
        if len(page) < size:
            return
        done += len(page)
        last = page[-1]
