"""Threads. (What is in them: see `states`.)"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, get_args

from langgraph_client._async.pages import iterate
from langgraph_client._async.states import ThreadStates
from langgraph_client._core.call import (
    NOTHING,
    Nullable,
    Reply,
    body,
    call,
    mapping,
    one_of,
    optional_id,
    path,
    texts,
)
from langgraph_client._core.requests import (
    boolean,
    page_body,
    supersteps_body,
    ttl_body,
)
from langgraph_client.models.params import (
    Headers,
    Metadata,
    OnConflictBehavior,
    PruneStrategy,
    QueryParams,
    SortOrder,
    Superstep,
    ThreadSelectField,
    ThreadSortBy,
    ThreadStatus,
    Values,
)
from langgraph_client.models.threads import (
    PruneResult,
    Thread,
)

_THREAD = Reply(Thread)
_MAYBE_THREAD = Nullable(Thread)
_THREADS = Reply(list[Thread])
_PRUNED = Reply(PruneResult)
_COUNT = Reply(int)


class ThreadsClient(ThreadStates):
    """Threads: what keeps its state from run to run."""

    async def get(
        self,
        thread_id: str,
        *,
        include: Sequence[str] | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> Thread:
        """Get a thread.

        Args:
            include: Further fields to be answered, such as `"ttl"`.

        Raises:
            NotFoundError: there is no such thread.

        GET /threads/{thread_id}
        """
        included = texts("include", include)
        return await self._transport.send(
            call(
                "GET",
                path("/threads/{thread_id}", thread_id=thread_id),
                _THREAD,
                query={"include": ",".join(included) if included else None},
                headers=headers,
                params=params,
            )
        )

    async def create(
        self,
        *,
        metadata: Metadata | None = None,
        thread_id: str | None = None,
        if_exists: OnConflictBehavior | None = None,
        supersteps: Sequence[Superstep | Mapping[str, Any]] | None = None,
        graph_id: str | None = None,
        ttl: float | Mapping[str, Any] | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> Thread:
        """Create a thread.

        Args:
            thread_id: A UUID; the server makes one where it is left out.
            if_exists: What to do if there is a thread of that id: `"raise"` (the default) or
                `"do_nothing"`, which answers the existing one.
            supersteps: State updates to begin with, step by step. Needs `graph_id`.
            graph_id: The graph whose state this is; kept in the metadata.
            ttl: Minutes until the thread is deleted, or `{"ttl": minutes, "strategy": ...}`.

        Raises:
            ConflictError: the thread exists.

        POST /threads
        """
        mapping("metadata", metadata)
        if optional_id("graph_id", graph_id) is not None:
            metadata = {**(metadata or {}), "graph_id": graph_id}
        return await self._transport.send(
            call(
                "POST",
                "/threads",
                _THREAD,
                body=body(
                    thread_id=optional_id("thread_id", thread_id),
                    metadata=metadata,
                    if_exists=one_of("if_exists", if_exists, get_args(OnConflictBehavior)),
                    supersteps=supersteps_body(supersteps),
                    ttl=ttl_body(ttl),
                ),
                headers=headers,
                params=params,
                # With an id of ours, a second attempt finds what the first one made.
                safe=thread_id is not None and if_exists == "do_nothing" and not supersteps,
            )
        )

    async def update(
        self,
        thread_id: str,
        *,
        metadata: Metadata,
        ttl: float | Mapping[str, Any] | None = None,
        return_minimal: bool = False,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> Thread | None:
        """Merge metadata into a thread's, one level deep.

        Args:
            ttl: As for `create`.
            return_minimal: Spare the server the answer; None is returned.

        Raises:
            NotFoundError: there is no such thread.

        PATCH /threads/{thread_id}
        """
        return await self._transport.send(
            call(
                "PATCH",
                path("/threads/{thread_id}", thread_id=thread_id),
                _MAYBE_THREAD,
                body=body(metadata=mapping("metadata", metadata), ttl=ttl_body(ttl)),
                headers=headers,
                params=params,
                extra_headers={"prefer": "return=minimal"}
                if boolean("return_minimal", return_minimal)
                else None,
            )
        )

    async def delete(
        self,
        thread_id: str,
        *,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> None:
        """Delete a thread with its runs, checkpoints and crons.

        Raises:
            NotFoundError: there is no such thread.

        DELETE /threads/{thread_id}
        """
        await self._transport.send(
            call(
                "DELETE",
                path("/threads/{thread_id}", thread_id=thread_id),
                NOTHING,
                headers=headers,
                params=params,
            )
        )

    async def search(
        self,
        *,
        metadata: Metadata | None = None,
        values: Values | None = None,
        ids: Sequence[str] | None = None,
        status: ThreadStatus | None = None,
        limit: int = 10,
        offset: int = 0,
        sort_by: ThreadSortBy | None = None,
        sort_order: SortOrder | None = None,
        select: Sequence[ThreadSelectField] | None = None,
        extract: Mapping[str, str] | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> list[Thread]:
        """Search threads, the most recently updated first. All conditions must hold.

        Args:
            metadata: Must be contained in the thread's metadata.
            values: Must be contained in the thread's values.
            limit: At most so many, 1 to 1000. `iter` goes on to the end.
            select: The fields to answer; reading any other raises AttributeError.
            extract: Alias -> path (`"values.messages[-1].content"`), answered in `extracted`.

        Returns:
            One page, which may be empty.

        POST /threads/search
        """
        return await self._transport.send(
            call(
                "POST",
                "/threads/search",
                _THREADS,
                body=page_body(
                    limit,
                    offset,
                    metadata=metadata,
                    values=values,
                    ids=ids,
                    status=status,
                    sort_by=sort_by,
                    sort_order=sort_order,
                    select=select,
                    extract=extract,
                ),
                headers=headers,
                params=params,
                safe=True,
            )
        )

    def iter(
        self,
        *,
        limit: int | None = None,
        page_size: int = 100,
        metadata: Metadata | None = None,
        values: Values | None = None,
        ids: Sequence[str] | None = None,
        status: ThreadStatus | None = None,
        sort_by: ThreadSortBy | None = None,
        sort_order: SortOrder | None = None,
        select: Sequence[ThreadSelectField] | None = None,
        extract: Mapping[str, str] | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> AsyncIterator[Thread]:
        """Iterate over all threads that `search` would find, page by page.

        Args:
            limit: Stop after so many; to the end where it is left out.
            page_size: Threads per request, 1 to 1000.

        POST /threads/search
        """
        conditions = {
            "metadata": metadata,
            "values": values,
            "ids": ids,
            "status": status,
            "sort_by": sort_by,
            "sort_order": sort_order,
            "select": select,
            "extract": extract,
            "headers": headers,
            "params": params,
        }
        return iterate(self.search, limit, page_size, conditions)

    async def count(
        self,
        *,
        metadata: Metadata | None = None,
        values: Values | None = None,
        status: ThreadStatus | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> int:
        """Count the threads that `search` would find.

        POST /threads/count
        """
        conditions = body(
            metadata=mapping("metadata", metadata), values=mapping("values", values), status=status
        )
        return await self._transport.send(
            call(
                "POST",
                "/threads/count",
                _COUNT,
                body=conditions,
                headers=headers,
                params=params,
                safe=True,
            )
        )

    async def copy(
        self,
        thread_id: str,
        *,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> Thread:
        """Copy a thread, with its state and history, under a new id.

        Raises:
            ConflictError: there is no such thread (so langgraph-api 0.16 puts it).

        POST /threads/{thread_id}/copy
        """
        return await self._transport.send(
            call(
                "POST",
                path("/threads/{thread_id}/copy", thread_id=thread_id),
                _THREAD,
                headers=headers,
                params=params,
            )
        )

    async def prune(
        self,
        thread_ids: Sequence[str],
        *,
        strategy: PruneStrategy = "delete",
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> PruneResult:
        """Delete threads, or all but their latest state (`strategy="keep_latest"`).

        Unknown threads are passed over and not counted.

        POST /threads/prune
        """
        return await self._transport.send(
            call(
                "POST",
                "/threads/prune",
                _PRUNED,
                body={
                    "thread_ids": texts("thread_ids", thread_ids) or [],
                    "strategy": one_of("strategy", strategy, get_args(PruneStrategy)),
                },
                headers=headers,
                params=params,
            )
        )
