# Generated from langgraph_client/_async/pages.py by .ci/unasync.py; do not edit.
"""Iteration over everything that is answered page by page."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeVar

from langgraph_client._core.call import at_least
from langgraph_client.errors import APIResponseValidationError

T = TypeVar("T")


def iterate(
    fetch: Callable[[int, int, T | None], list[T]], limit: int | None, page_size: int
) -> Generator[T, None, None]:
    """Iterate over all items, or the first `limit` of them. Nothing is sent before the first.

    Args:
        fetch: Called for each page with its size, the number of items before it, and the last of
            those, None for the first page.
        limit: Stop after so many; None for all.
        page_size: Items per page.
    """
    at_least("limit", limit, 0)
    at_least("page_size", page_size, 1)
    return _iterate(fetch, limit, page_size)


def _iterate(
    fetch: Callable[[int, int, T | None], list[T]], limit: int | None, page_size: int
) -> Generator[T, None, None]:
    done = 0
    last: T | None = None
    before: list[T] = []
    while limit is None or done < limit:
        size = page_size if limit is None else min(page_size, limit - done)
        page = fetch(size, done, last)
        if page and page == before:
            # A server that does not understand where a page begins would be asked for ever.
            raise APIResponseValidationError("the server answers the same page again")
        for item in page:
            yield item
        if len(page) < size:
            return
        done += len(page)
        before, last = page, page[-1]
