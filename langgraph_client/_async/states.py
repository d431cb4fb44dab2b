"""The state of threads: the part of `ThreadsClient` that looks into them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from langgraph_client._async.stream import AsyncRunStream
from langgraph_client._async.transport import AsyncTransport
from langgraph_client._core.call import (
    ANY,
    Reply,
    at_least,
    body,
    call,
    check_id,
    mapping,
    optional_id,
    path,
    texts,
)
from langgraph_client._core.events import same_part
from langgraph_client._core.requests import (
    STREAM_HEADERS,
    THREAD_STREAM_MODES,
    boolean,
    checkpoint_body,
    history_before,
    state_values,
    stream_modes,
)
from langgraph_client._core.resumption import Resumption
from langgraph_client.errors import APIResponseValidationError
from langgraph_client.models.events import StreamPart
from langgraph_client.models.params import (
    CheckpointParam,
    Headers,
    Metadata,
    QueryParams,
    ThreadStateSelectField,
    ThreadStreamMode,
    Values,
)
from langgraph_client.models.threads import (
    ThreadState,
    ThreadUpdateStateResponse,
)

_STATE = Reply(ThreadState)
_STATES = Reply(list[ThreadState])
_UPDATED = Reply(ThreadUpdateStateResponse)


class ThreadStates:
    """State, history and stream of a thread."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

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
        """Get a thread's state, now or at a checkpoint.

        Args:
            checkpoint: The point in history; wins over `checkpoint_id`. With a `checkpoint_ns`
                it is the state of a subgraph.
            subgraphs: Fill `tasks[].state` with the states of subgraphs.
            select: The fields to answer, on servers that know this.

        Raises:
            NotFoundError: there is no such thread. (An unknown checkpoint is an empty state.)

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
                    checkpoint=checkpoint_body(checkpoint), subgraphs=subgraphs, select=fields
                ),
                headers=headers,
                params=params,
                safe=True,
            )
        else:
            point = optional_id("checkpoint_id", checkpoint_id)
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
            values: What the node would return; None writes nothing.
            as_node: The node; its successors are next. Where it is left out, the one that ran
                last.
            checkpoint: Fork from this point of history.
            checkpoint_id: Likewise.

        Raises:
            BadRequestError: no such node, or the thread has no graph.
            ConflictError: a run of the thread is pending or running.
            NotFoundError: there is no such thread.

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
            limit: At most so many, 1 to 1000. `iter_history` goes on to the end.
            before: Only states before this checkpoint: its id, a checkpoint, or a config.
            metadata: Must be contained in the checkpoint's metadata.
            checkpoint: Only this one; with a `checkpoint_ns` alone, a subgraph's history.

        Raises:
            NotFoundError: there is no such thread.

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

    async def iter_history(
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
            limit: Stop after so many; to the beginning where it is left out.
            page_size: States per request, 1 to 1000.

        POST /threads/{thread_id}/history
        """
        left = at_least("limit", limit, 0)
        last: list[ThreadState] | None = None
        at_least("page_size", page_size, 1)
        while left is None or left > 0:
            size = page_size if left is None else min(page_size, left)
            page = await self.get_history(
                thread_id,
                limit=size,
                before=before,
                metadata=metadata,
                checkpoint=checkpoint,
                headers=headers,
                params=params,
            )
            for state in page:
                yield state
            if len(page) < size or page[-1].checkpoint is None:
                return
            if page == last:
                raise APIResponseValidationError("the server pays no heed to before=")
            last = page
            before = {"checkpoint_id": page[-1].checkpoint.checkpoint_id or ""}
            left = None if left is None else left - len(page)

    def join_stream(
        self,
        thread_id: str,
        *,
        last_event_id: str | None = None,
        stream_mode: ThreadStreamMode | Sequence[ThreadStreamMode] = "run_modes",
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> AsyncRunStream[StreamPart]:
        """Follow everything that happens on a thread, run after run. It does not end by itself.

        Args:
            last_event_id: Begin after this event; `"-"` for all that is kept.
            stream_mode: `"run_modes"`: every event of every run; `"lifecycle"`: beginnings and
                ends of runs; `"state_update"`: updates through `update_state`.

        Raises:
            StreamIncomplete: while iterating, if it was cut and could not be continued.

        GET /threads/{thread_id}/stream
        """
        check_id("thread_id", thread_id)
        modes = stream_modes(stream_mode, THREAD_STREAM_MODES)
        first = call(
            "GET",
            path("/threads/{thread_id}/stream", thread_id=thread_id),
            ANY,
            query={"stream_modes": modes if isinstance(modes, str) else ",".join(modes)},
            headers=headers,
            params=params,
            extra_headers=STREAM_HEADERS,
        )
        state = Resumption(
            first,
            policy=self._transport.reconnect,
            thread_id=thread_id,
            last_event_id=optional_id("last_event_id", last_event_id),
            endless=True,
        )
        return AsyncRunStream(self._transport, state, same_part)
