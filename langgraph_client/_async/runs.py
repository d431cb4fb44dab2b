"""Runs: starting them (see `starting`), and everything after that."""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal, get_args, overload

from langgraph_client._async.pages import iterate
from langgraph_client._async.starting import StartingRuns
from langgraph_client._async.stream import AsyncRunStream
from langgraph_client._core.call import (
    ANY,
    NOTHING,
    Reply,
    at_least,
    call,
    one_of,
    optional_id,
    path,
    texts,
)
from langgraph_client._core.events import same_part, typed_part
from langgraph_client._core.requests import (
    STREAM_HEADERS,
    boolean,
    cancel_many_body,
    joined_modes,
)
from langgraph_client._core.resumption import Created, Resumption
from langgraph_client.models.events import StreamPart, StreamPartV2
from langgraph_client.models.fields import JSON
from langgraph_client.models.params import (
    BulkCancelRunsStatus,
    CancelAction,
    Headers,
    QueryParams,
    RunSelectField,
    RunStatus,
    StreamMode,
    StreamVersion,
)
from langgraph_client.models.runs import Run, run_output

_RUN = Reply(Run)
_RUNS = Reply(list[Run])
_RUN_PATH = "/threads/{thread_id}/runs/{run_id}"


class RunsClient(StartingRuns):
    """Runs: executions of an assistant, on a thread or without one."""

    async def list(
        self,
        thread_id: str,
        *,
        limit: int = 10,
        offset: int = 0,
        status: RunStatus | None = None,
        select: Sequence[RunSelectField] | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> builtins.list[Run]:
        """List a thread's runs, the newest first.

        Args:
            limit: At most so many. `iter` goes on to the end.
            select: The fields to answer; reading any other raises AttributeError.

        Raises:
            NotFoundError: there is no such thread.

        GET /threads/{thread_id}/runs
        """
        return await self._transport.send(
            call(
                "GET",
                path("/threads/{thread_id}/runs", thread_id=thread_id),
                _RUNS,
                query={
                    "limit": at_least("limit", limit, 1),
                    "offset": at_least("offset", offset, 0),
                    "status": status,
                    "select": texts("select", select),
                },
                headers=headers,
                params=params,
            )
        )

    def iter(
        self,
        thread_id: str,
        *,
        limit: int | None = None,
        page_size: int = 100,
        status: RunStatus | None = None,
        select: Sequence[RunSelectField] | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> AsyncIterator[Run]:
        """Iterate over all of a thread's runs, the newest first, page by page.

        Args:
            limit: Stop after so many; to the end where it is left out.
            page_size: Runs per request.

        GET /threads/{thread_id}/runs
        """
        conditions = {
            "thread_id": thread_id,
            "status": status,
            "select": select,
            "headers": headers,
            "params": params,
        }
        return iterate(self.list, limit, page_size, conditions)

    async def get(
        self,
        thread_id: str,
        run_id: str,
        *,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> Run:
        """Get a run.

        Raises:
            NotFoundError: there is no such run, or thread.

        GET /threads/{thread_id}/runs/{run_id}
        """
        return await self._transport.send(
            call(
                "GET",
                path(_RUN_PATH, thread_id=thread_id, run_id=run_id),
                _RUN,
                headers=headers,
                params=params,
            )
        )

    async def cancel(
        self,
        thread_id: str,
        run_id: str,
        *,
        wait: bool = False,
        action: CancelAction = "interrupt",
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> JSON:
        """Cancel a run.

        Args:
            wait: Return only when the run has stopped.
            action: `"interrupt"` keeps the run and what it has done so far, `"rollback"` deletes
                it and restores the state from before.

        Returns:
            None; with `wait` what a join from now on would give, which is mostly `{}`.

        Raises:
            NotFoundError: there is no such run, or it is over.

        POST /threads/{thread_id}/runs/{run_id}/cancel
        """
        request = call(
            "POST",
            path(_RUN_PATH, thread_id=thread_id, run_id=run_id) + "/cancel",
            ANY,
            query={
                "wait": boolean("wait", wait),
                "action": one_of("action", action, get_args(CancelAction)),
            },
            headers=headers,
            params=params,
        )
        return await self._transport.send(request)

    async def cancel_many(
        self,
        *,
        thread_id: str | None = None,
        run_ids: Sequence[str] | None = None,
        status: BulkCancelRunsStatus | None = None,
        action: CancelAction = "interrupt",
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> None:
        """Cancel several runs: those named of one thread, or all of a status.

        Give either `thread_id` and `run_ids`, or `status`.

        Raises:
            NotFoundError: there is nothing to cancel.

        POST /runs/cancel
        """
        await self._transport.send(
            call(
                "POST",
                "/runs/cancel",
                NOTHING,
                query={"action": one_of("action", action, get_args(CancelAction))},
                body=cancel_many_body(thread_id, run_ids, status),
                headers=headers,
                params=params,
            )
        )

    async def delete(
        self,
        thread_id: str,
        run_id: str,
        *,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> None:
        """Delete a run, with its checkpoints. It is not stopped by that: cancel it first.

        Raises:
            NotFoundError: there is no such run, or thread.

        DELETE /threads/{thread_id}/runs/{run_id}
        """
        await self._transport.send(
            call(
                "DELETE",
                path(_RUN_PATH, thread_id=thread_id, run_id=run_id),
                NOTHING,
                headers=headers,
                params=params,
            )
        )

    async def join(
        self,
        thread_id: str,
        run_id: str,
        *,
        headers: Headers | None = None,
        params: QueryParams | None = None,
        cancel_on_disconnect: bool = False,
    ) -> Any:
        """Wait until a run is over, and return its result.

        A failed run does not raise: its result is `{"__error__": {"error", "message"}}`, and so
        is that of a run which does not exist.

        Args:
            cancel_on_disconnect: Cancel the run when this call is given up.

        Returns:
            As of `wait`.

        GET /threads/{thread_id}/runs/{run_id}/join
        """
        created = Created(None, thread_id)
        result = await self._transport.wait(
            call(
                "GET",
                path(_RUN_PATH, thread_id=thread_id, run_id=run_id) + "/join",
                ANY,
                query={
                    "cancel_on_disconnect": boolean("cancel_on_disconnect", cancel_on_disconnect)
                    or None
                },
                headers=headers,
                params=params,
                on_headers=created.opened,
            )
        )
        return run_output(result, created.run_id or str(run_id), created.thread_id)

    @overload
    def join_stream(
        self,
        thread_id: str,
        run_id: str,
        *,
        cancel_on_disconnect: bool = False,
        stream_mode: StreamMode | Sequence[StreamMode] | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
        last_event_id: str | None = None,
        stream_subgraphs: bool | None = None,
        version: Literal["v1"] = "v1",
    ) -> AsyncRunStream[StreamPart]: ...
    @overload
    def join_stream(
        self,
        thread_id: str,
        run_id: str,
        *,
        cancel_on_disconnect: bool = False,
        stream_mode: StreamMode | Sequence[StreamMode] | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
        last_event_id: str | None = None,
        stream_subgraphs: bool | None = None,
        version: Literal["v2"],
    ) -> AsyncRunStream[StreamPartV2]: ...
    def join_stream(
        self,
        thread_id: str,
        run_id: str,
        *,
        cancel_on_disconnect: bool = False,
        stream_mode: StreamMode | Sequence[StreamMode] | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
        last_event_id: str | None = None,
        stream_subgraphs: bool | None = None,
        version: StreamVersion = "v1",
    ) -> AsyncRunStream[StreamPart] | AsyncRunStream[StreamPartV2]:
        """Stream what happens in a run that exists.

        Args:
            cancel_on_disconnect: Cancel the run when this stream is left.
            stream_mode: Show only these, of the modes that the run was started with.
            last_event_id: Begin after this event, of a run with `stream_resumable=True`; `"0"`
                for its beginning. Where it is left out, only what happens from now on is shown.
            stream_subgraphs: False leaves out the events of subgraphs, here, on the way to you:
                whether there are any was decided when the run was started.
            version: As for `stream`.

        Returns:
            As of `stream`.

        Raises:
            StreamIncomplete: while iterating, if it was cut and could not be continued.

        GET /threads/{thread_id}/runs/{run_id}/stream
        """
        one_of("version", version, ("v1", "v2"))
        boolean("stream_subgraphs", stream_subgraphs)
        first = call(
            "GET",
            path(_RUN_PATH, thread_id=thread_id, run_id=run_id) + "/stream",
            ANY,
            query={
                "cancel_on_disconnect": boolean("cancel_on_disconnect", cancel_on_disconnect)
                or None,
                "stream_mode": joined_modes(stream_mode),
            },
            headers=headers,
            params=params,
            extra_headers=STREAM_HEADERS,
        )
        state = Resumption(
            first,
            policy=self._transport.reconnect,
            thread_id=str(thread_id),
            run_id=str(run_id),
            last_event_id=optional_id("last_event_id", last_event_id),
            subgraphs=stream_subgraphs is not False,
        )
        if version == "v2":
            typed: AsyncRunStream[StreamPartV2]
            typed = AsyncRunStream(self._transport, state, typed_part)
            return typed
        return AsyncRunStream(self._transport, state, same_part)
