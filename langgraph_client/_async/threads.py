"""Threads: their documents, states, histories and event streams."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Literal

from langgraph_client._async.pages import iterate, with_key
from langgraph_client._async.resource import Resource
from langgraph_client._async.stream import AsyncRunStream
from langgraph_client._async.thread_stream import AsyncThreadStream
from langgraph_client._core.call import (
    ANY,
    NOTHING,
    Nullable,
    ReplyReader,
    at_least,
    body,
    call,
    check_id,
    mapping,
    optional_id,
    path,
    texts,
    word,
)
from langgraph_client._core.events import same_part
from langgraph_client._core.requests import (
    STREAM_HEADERS,
    boolean,
    checkpoint_body,
    event_id,
    history_before,
    page_body,
    plain_mapping,
    state_values,
    stream_modes,
    supersteps_body,
    ttl_body,
)
from langgraph_client._core.settings import check_headers
from langgraph_client._core.stream_session import StreamSession
from langgraph_client._core.web_socket import check_web_sockets
from langgraph_client.models.events import StreamPart
from langgraph_client.models.params import (
    CheckpointParam,
    Headers,
    Metadata,
    OnConflictBehavior,
    PruneStrategy,
    QueryParams,
    SortOrder,
    Superstep,
    ThreadSelectField,
    ThreadSortBy,
    ThreadStateSelectField,
    ThreadStatus,
    ThreadStreamMode,
    Values,
)
from langgraph_client.models.threads import (
    PruneResult,
    Thread,
    ThreadState,
    ThreadUpdateStateResponse,
)

_STATE = ReplyReader(ThreadState)
_STATES = ReplyReader(list[ThreadState])
_UPDATED = ReplyReader(ThreadUpdateStateResponse)
_THREAD = ReplyReader(Thread)
_MAYBE_THREAD = Nullable(Thread)
_THREADS = ReplyReader(list[Thread])
_PRUNED = ReplyReader(PruneResult)
_COUNT = ReplyReader(int)


class ThreadsClient(Resource):
    """Threads, which keep a graph's state from run to run.

    Every method raises `InvalidArgumentError` for an argument that no server accepts, and
    `APIError` if the server cannot be reached or refuses the request.
    """

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
            thread_id: The thread's id.
            include: More fields to return, such as `"ttl"`. Default: none.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: The thread does not exist.

        Example:
            thread = await client.threads.get(thread_id)
            print(thread["status"])

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
            metadata: Metadata to keep with the thread.
            thread_id: The new thread's id, a UUID. Default: the server makes one.
            if_exists: What to do if the thread exists: `"raise"` (the default), or `"do_nothing"`,
                which returns the existing thread.
            supersteps: State updates that make the thread's first history, step by step. They
                need `graph_id`.
            graph_id: The graph whose state the thread keeps. It is added to the metadata.
            ttl: Minutes until the thread is deleted, or `{"ttl": minutes, "strategy": ...}`.
                Default: the server's setting.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Raises:
            ConflictError: The thread exists already.

        Example:
            thread = await client.threads.create(metadata={"user": "bob"})

        POST /threads
        """
        mapping("metadata", metadata)
        if optional_id("graph_id", graph_id) is not None:
            metadata = {**(plain_mapping("metadata", metadata) or {}), "graph_id": graph_id}
        return await self._transport.send(
            call(
                "POST",
                "/threads",
                _THREAD,
                body=body(
                    thread_id=optional_id("thread_id", thread_id),
                    metadata=metadata,
                    if_exists=word("if_exists", if_exists),
                    supersteps=supersteps_body(supersteps),
                    ttl=ttl_body(ttl),
                ),
                headers=headers,
                params=params,
                # With a known id, a second attempt returns the thread that the first one created.
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
            thread_id: The thread's id.
            metadata: Metadata to merge into the thread's.
            ttl: Minutes until the thread is deleted, or `{"ttl": minutes, "strategy": ...}`. None
                keeps the present setting.
            return_minimal: Whether the server leaves the thread out of its response. Default: no.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Returns:
            The changed thread; None with `return_minimal`.

        Raises:
            NotFoundError: The thread does not exist.

        Example:
            await client.threads.update(thread_id, metadata={"topic": "tea"})

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

        Args:
            thread_id: The thread's id.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: The thread does not exist.

        Example:
            await client.threads.delete(thread_id)

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
        """Search threads, the most recently updated first. A thread must meet all conditions.

        Args:
            metadata: Only threads whose metadata contains this.
            values: Only threads whose values contain this.
            ids: Only these threads.
            status: Only threads with this status.
            limit: The most items to return, 1 to 1000. Default: 10. `iter` returns all.
            offset: How many to skip. Default: 0.
            sort_by: The field to sort by. Default: the server's.
            sort_order: `"asc"` or `"desc"`, the default.
            select: The fields to return; reading another one raises AttributeError. Default: all.
            extract: Paths to read from each thread, by a name of your choice, such as
                `{"last": "values.messages[-1].content"}`. Results are in `extracted`.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Returns:
            One page, which may be empty.

        Example:
            threads = await client.threads.search(metadata={"user": "bob"}, status="idle")

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
            limit: The most items to return. Default: all.
            page_size: Threads per request, 1 to 1000. Default: 100.
            metadata: Only threads whose metadata contains this.
            values: Only threads whose values contain this.
            ids: Only these threads.
            status: Only threads with this status.
            sort_by: The field to sort by. Default: the server's.
            sort_order: `"asc"` or `"desc"`, the default.
            select: The fields to return. Default: all.
            extract: Paths to read from each thread, by a name of your choice, such as
                `{"last": "values.messages[-1].content"}`. Results are in `extracted`.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Example:
            async for thread in client.threads.iter(metadata={"user": "bob"}):
                print(thread["thread_id"])

        POST /threads/search
        """
        return iterate(
            lambda size, offset, _: self.search(
                metadata=metadata,
                values=values,
                ids=ids,
                status=status,
                sort_by=sort_by,
                sort_order=sort_order,
                select=with_key(select, "thread_id"),
                extract=extract,
                headers=headers,
                params=params,
                limit=size,
                offset=offset,
            ),
            limit,
            page_size,
            key="thread_id",
            select=select,
        )

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

        Args:
            metadata: Only threads whose metadata contains this.
            values: Only threads whose values contain this.
            status: Only threads with this status.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Example:
            number = await client.threads.count(metadata={"user": "bob"})

        POST /threads/count
        """
        conditions = body(
            metadata=mapping("metadata", metadata),
            values=mapping("values", values),
            status=status or None,
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

        Args:
            thread_id: The thread's id.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Raises:
            ConflictError: The thread does not exist. (langgraph-api 0.16 answers 409, not 404.)

        Example:
            copied = await client.threads.copy(thread_id)

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
        """Delete threads, or their history except the latest state (`strategy="keep_latest"`).

        Unknown threads are ignored and not counted.

        Args:
            thread_ids: The threads to prune.
            strategy: `"delete"` (the default) deletes the threads; `"keep_latest"` keeps the latest
                state of each. The bundled server leaves a thread alone, and does not count it,
                while it has a run that is not over: the run may need an older state.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Returns:
            How many threads were pruned, in `pruned_count`.

        Example:
            result = await client.threads.prune([thread_id], strategy="keep_latest")

        POST /threads/prune
        """
        return await self._transport.send(
            call(
                "POST",
                "/threads/prune",
                _PRUNED,
                body={
                    "thread_ids": texts("thread_ids", thread_ids) or [],
                    "strategy": word("strategy", strategy),
                },
                headers=headers,
                params=params,
            )
        )

    async def get_state(
        self,
        thread_id: str,
        checkpoint: CheckpointParam | Mapping[str, Any] | None = None,
        checkpoint_id: str | None = None,
        *,
        subgraphs: bool = False,
        select: Sequence[ThreadStateSelectField] | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> ThreadState:
        """Get a thread's current state, or its state at a checkpoint.

        Args:
            thread_id: The thread's id.
            checkpoint: The checkpoint to read; it replaces `checkpoint_id`. With a `checkpoint_ns`,
                the state is that of a subgraph.
            checkpoint_id: The id of the checkpoint to read. Default: the latest.
            subgraphs: Whether to fill `tasks[].state` with the states of subgraphs. Default: False.
            select: The fields to return, if the server has this option. Default: all.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: The thread does not exist. (An unknown checkpoint gives an empty state.)

        Example:
            state = await client.threads.get_state(thread_id)
            print(state["values"], state["next"])

        GET /threads/{thread_id}/state, GET /threads/{thread_id}/state/{checkpoint_id},
        POST /threads/{thread_id}/state/checkpoint
        """
        thread = path("/threads/{thread_id}/state", thread_id=thread_id)
        boolean("subgraphs", subgraphs)
        fields = texts("select", select)
        if checkpoint is not None:
            request = call(
                "POST",
                f"{thread}/checkpoint",
                _STATE,
                body=body(
                    checkpoint=mapping("checkpoint", checkpoint),
                    subgraphs=subgraphs,
                    select=fields,
                ),
                headers=headers,
                params=params,
                safe=True,
            )
        else:
            point = optional_id("checkpoint_id", checkpoint_id or None)
            request = call(
                "GET",
                thread if point is None else path(f"{thread}/{{point}}", point=point),
                _STATE,
                query={"subgraphs": subgraphs, "select": fields},
                headers=headers,
                params=params,
            )
        return await self._transport.send(request)

    async def update_state(
        self,
        thread_id: str,
        values: Values | None,
        *,
        as_node: str | None = None,
        checkpoint: CheckpointParam | Mapping[str, Any] | None = None,
        checkpoint_id: str | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> ThreadUpdateStateResponse:
        """Write to a thread's state, as a node of its graph would.

        Args:
            thread_id: The thread's id.
            values: The update, as a node returns it; None writes nothing.
            as_node: The node that the update counts as; its successors run next. Default: the node
                that ran last.
            checkpoint: The checkpoint to fork from. Default: the latest.
            checkpoint_id: The id of the checkpoint to fork from. Default: the latest.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Returns:
            The new checkpoint, in `checkpoint`.

        Raises:
            BadRequestError: The node does not exist, or no graph has run on the thread yet.
            ConflictError: A run of the thread is pending or running.
            NotFoundError: The thread does not exist.

        Example:
            await client.threads.update_state(
                thread_id, {"messages": [{"role": "user", "content": "One more thing."}]}
            )

        POST /threads/{thread_id}/state
        """
        update = body(
            as_node=optional_id("as_node", as_node),
            checkpoint=checkpoint_body(checkpoint),
            checkpoint_id=optional_id("checkpoint_id", checkpoint_id),
        )
        return await self._transport.send(
            call(
                "POST",
                path("/threads/{thread_id}/state", thread_id=thread_id),
                _UPDATED,
                body={"values": state_values(values), **update},
                headers=headers,
                params=params,
            )
        )

    async def get_history(
        self,
        thread_id: str,
        *,
        limit: int = 10,
        before: str | CheckpointParam | Mapping[str, Any] | None = None,
        metadata: Metadata | None = None,
        checkpoint: CheckpointParam | Mapping[str, Any] | None = None,
        select: Sequence[ThreadStateSelectField] | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> list[ThreadState]:
        """Get a thread's past states, the newest first.

        Args:
            thread_id: The thread's id.
            limit: The most states to return, 1 to 1000. Default: 10. `iter_history` returns all.
            before: Only states before this checkpoint: its id, a checkpoint, or a config.
            metadata: Only checkpoints whose metadata contains this.
            checkpoint: Only this checkpoint; with a `checkpoint_ns` alone, a subgraph's history.
            select: The fields to return. Default: all.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: The thread does not exist.

        Example:
            for state in await client.threads.get_history(thread_id, limit=5):
                print(state["checkpoint"]["checkpoint_id"], state["next"])

        POST /threads/{thread_id}/history
        """
        return await self._transport.send(
            call(
                "POST",
                path("/threads/{thread_id}/history", thread_id=thread_id),
                _STATES,
                body=body(
                    limit=at_least("limit", limit, 1),
                    before=history_before(before),
                    metadata=mapping("metadata", metadata),
                    checkpoint=checkpoint_body(checkpoint),
                    select=texts("select", select),
                ),
                headers=headers,
                params=params,
                safe=True,
            )
        )

    def iter_history(
        self,
        thread_id: str,
        *,
        limit: int | None = None,
        page_size: int = 100,
        before: str | CheckpointParam | Mapping[str, Any] | None = None,
        metadata: Metadata | None = None,
        checkpoint: CheckpointParam | Mapping[str, Any] | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> AsyncIterator[ThreadState]:
        """Iterate over a thread's past states, the newest first, page by page.

        Args:
            thread_id: The thread's id.
            limit: The most states to return. Default: all.
            page_size: States per request, 1 to 1000. Default: 100.
            before: Only states before this checkpoint: its id, a checkpoint, or a config.
            metadata: Only checkpoints whose metadata contains this.
            checkpoint: Only this checkpoint; with a `checkpoint_ns` alone, a subgraph's history.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: While iterating: the thread does not exist.

        Example:
            async for state in client.threads.iter_history(thread_id):
                print(state["created_at"])

        POST /threads/{thread_id}/history
        """

        async def fetch(size: int, _: int, last: ThreadState | None) -> list[ThreadState]:
            begin = before
            if last is not None:
                if last.checkpoint is None:
                    return []
                # By checkpoint: the endpoint has no offset, and a run may add states meanwhile.
                begin = {"checkpoint_id": last.checkpoint.checkpoint_id or ""}
            return await self.get_history(
                thread_id,
                limit=size,
                before=begin,
                metadata=metadata,
                checkpoint=checkpoint,
                headers=headers,
                params=params,
            )

        return iterate(fetch, limit, page_size, key="checkpoint")

    def stream(
        self,
        thread_id: str | None = None,
        *,
        assistant_id: str,
        headers: Headers | None = None,
        run_start_timeout: float | None = None,
        transport: Literal["sse", "websocket"] = "sse",
    ) -> AsyncThreadStream:
        """Follow a thread's events, and start and resume its runs.

        No request is sent before the stream is entered and used.

            async with client.threads.stream(assistant_id="agent") as thread:
                await thread.run.start(input={"question": "?"})
                print(await thread.output)

        Args:
            thread_id: The thread, a UUID; it need not exist yet. Default: a new thread.
            assistant_id: The name of a graph, or the id of an assistant.
            headers: Headers of all requests. They replace the client's headers of the same name.
            run_start_timeout: How many seconds a run may take to begin; None (the default) for no
                limit.
            transport: How events are received: `"sse"` (the default) as server-sent events;
                `"websocket"` over a WebSocket, which needs the extra `websocket`
                (`pip install "langgraph-client[websocket]"`) and a server on a port. Commands are
                sent as requests in both cases.

        Returns:
            The thread stream, to be entered with `async with`.

        Raises:
            ValueError: `transport` has another value.
            MissingExtraError: `"websocket"` was passed, but its extra is not installed.

        POST /threads/{thread_id}/stream/events, and POST /threads/{thread_id}/commands
        """
        if transport == "websocket":
            check_web_sockets()
        elif transport != "sse":
            raise ValueError(f'transport must be "sse" or "websocket", not {transport!r}')
        return AsyncThreadStream(
            self._transport,
            thread_id=optional_id("thread_id", thread_id) or str(uuid.uuid4()),
            assistant_id=assistant_id,
            headers=check_headers(headers, may_have_key=True),
            run_start_timeout=run_start_timeout,
            policy=self._transport.reconnect,
            uses_socket=transport == "websocket",
            is_new=thread_id is None,
        )

    def join_stream(
        self,
        thread_id: str,
        *,
        last_event_id: str | None = None,
        stream_mode: ThreadStreamMode | Sequence[ThreadStreamMode] = "run_modes",
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> AsyncRunStream[StreamPart]:
        """Stream the events of a thread, run after run. The stream does not end by itself.

        Args:
            thread_id: The thread's id.
            last_event_id: Begin after this event; `"-"` or `"0"` for all events that were kept.
                Default: only events from now on.
            stream_mode: One mode or a list. `"run_modes"` (the default): every event of every run;
                `"lifecycle"`: the beginnings and ends of runs; `"state_update"`: updates by
                `update_state`.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Returns:
            The stream. No request is sent before it is iterated over or entered.

        Raises:
            StreamIncomplete: While iterating: the stream was cut and could not be continued.

        Example:
            async with client.threads.join_stream(thread_id) as stream:
                await client.runs.create(thread_id, "agent", input={"messages": []})
                async for part in stream:
                    print(part.event)
                    if part.event == "values":
                        break

        GET /threads/{thread_id}/stream
        """
        thread_id = check_id("thread_id", thread_id)
        modes = stream_modes(stream_mode)
        first = call(
            "GET",
            path("/threads/{thread_id}/stream", thread_id=thread_id),
            ANY,
            query={"stream_modes": modes if isinstance(modes, str) else ",".join(modes)},
            headers=headers,
            params=params,
            extra_headers=STREAM_HEADERS,
        )
        session = StreamSession(
            first,
            policy=self._transport.reconnect,
            thread_id=thread_id,
            last_event_id=event_id("last_event_id", last_event_id),
            endless=True,
        )
        return AsyncRunStream(self._transport, session, same_part)
