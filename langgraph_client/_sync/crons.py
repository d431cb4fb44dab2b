# Generated from langgraph_client/_async/crons.py by .ci/unasync.py; do not edit.
"""Crons: runs that the server starts on a schedule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo

from langgraph_client._core.call import NOTHING, ReplyReader, body, call, mapping, optional_id, path
from langgraph_client._core.requests import boolean, cron_body, page_body, run_body, run_fields
from langgraph_client._core.unset import UNSET, Unset
from langgraph_client._sync.pages import iterate, with_key
from langgraph_client._sync.resource import Resource
from langgraph_client.models.crons import Cron
from langgraph_client.models.fields import JSON
from langgraph_client.models.params import (
    All,
    ConfigParam,
    Context,
    CronSelectField,
    CronSortBy,
    Durability,
    Headers,
    Input,
    Metadata,
    MultitaskStrategy,
    OnCompletionBehavior,
    QueryParams,
    SortOrder,
    StreamMode,
)

_CRON = ReplyReader(Cron)
_CRONS = ReplyReader(list[Cron])
_COUNT = ReplyReader(int)
_PATH = "/runs/crons/{cron_id}"


class SyncCronClient(Resource):
    """Crons: runs that the server starts on a schedule, on one thread or each on a new one.

    Every method raises `InvalidArgumentError` for an argument that no server accepts, and
    `APIError` if the server cannot be reached or refuses the request.
    """

    def create(
        self,
        assistant_id: str,
        *,
        schedule: str,
        input: Input | None = None,
        metadata: Metadata | None = None,
        config: ConfigParam | None = None,
        context: Context | JSON | None = None,
        checkpoint_during: bool | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        webhook: str | None = None,
        on_run_completed: OnCompletionBehavior | None = None,
        multitask_strategy: MultitaskStrategy | None = None,
        end_time: datetime | None = None,
        enabled: bool | None = None,
        timezone: str | tzinfo | None = None,
        stream_mode: StreamMode | Sequence[StreamMode] | None = None,
        stream_subgraphs: bool | None = None,
        stream_resumable: bool | None = None,
        durability: Durability | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> Cron:
        """Create a cron that starts each run on a new thread.

        Args:
            assistant_id: The name of a graph, or the id of an assistant.
            schedule: When to start runs, in five fields, minute first: `"0 9 * * 1"`; or a word,
                such as `"@daily"`.
            input: The graph's input. A run on a new thread needs one; `{}` is an empty input.
            metadata: Metadata to keep with the cron and its runs.
            config: The graph's config: `configurable`, `tags` and `recursion_limit`.
            context: The graph's static context. Not together with `configurable`.
            checkpoint_during: The older form of `durability`: True is `"async"`, False is `"exit"`.
            interrupt_before: Nodes to stop before. `"*"` means every node.
            interrupt_after: Nodes to stop after. `"*"` means every node.
            webhook: The URL to which the server posts the run when it is over.
            on_run_completed: Whether to `"delete"` (the default) or `"keep"` the thread of each
                run.
            multitask_strategy: What to do if the thread is busy. It has no effect here: each run
                has a new thread.
            end_time: When to stop starting runs. Default: never.
            enabled: False pauses the cron. Default: True.
            timezone: The time zone of the schedule: an IANA name or a `ZoneInfo`. Default: UTC.
            stream_mode: The stream modes of the runs.
            stream_subgraphs: Whether to stream events of subgraphs too. Default: False.
            stream_resumable: Whether the runs keep their events, so that they can be joined late.
            durability: When checkpoints are written: `"sync"`, `"async"` (the default) or `"exit"`.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: The assistant does not exist.
            UnprocessableEntityError: The schedule or the time zone is invalid.

        Example:
            cron = client.crons.create("agent", schedule="0 9 * * 1", input={"messages": []})

        POST /runs/crons
        """
        fields = run_body(
            assistant_id,
            input=input,
            metadata=metadata,
            config=config,
            context=context,
            checkpoint_during=checkpoint_during,
            interrupt_before=interrupt_before,
            interrupt_after=interrupt_after,
            webhook=webhook,
            on_run_completed=on_run_completed,
            multitask_strategy=multitask_strategy,
            stream_mode=stream_mode,
            stream_subgraphs=stream_subgraphs,
            stream_resumable=stream_resumable,
            durability=durability,
        )
        return self._transport.send(
            call(
                "POST",
                "/runs/crons",
                _CRON,
                body={**fields, **cron_body(schedule, end_time, timezone, enabled)},
                headers=headers,
                params=params,
            )
        )

    def create_for_thread(
        self,
        thread_id: str,
        assistant_id: str,
        *,
        schedule: str,
        input: Input | None = None,
        metadata: Metadata | None = None,
        config: ConfigParam | None = None,
        context: Context | JSON | None = None,
        checkpoint_during: bool | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        webhook: str | None = None,
        multitask_strategy: MultitaskStrategy | None = None,
        end_time: datetime | None = None,
        enabled: bool | None = None,
        timezone: str | tzinfo | None = None,
        stream_mode: StreamMode | Sequence[StreamMode] | None = None,
        stream_subgraphs: bool | None = None,
        stream_resumable: bool | None = None,
        durability: Durability | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> Cron:
        """Create a cron that starts all its runs on one thread.

        Args:
            thread_id: The thread to run on.
            assistant_id: The name of a graph, or the id of an assistant.
            schedule: When to start runs, in five fields, minute first: `"0 9 * * 1"`; or a word,
                such as `"@daily"`.
            input: The graph's input. None continues from the thread's state; `{}` is an empty
                input.
            metadata: Metadata to keep with the cron and its runs.
            config: The graph's config: `configurable`, `tags` and `recursion_limit`.
            context: The graph's static context. Not together with `configurable`.
            checkpoint_during: The older form of `durability`: True is `"async"`, False is `"exit"`.
            interrupt_before: Nodes to stop before. `"*"` means every node.
            interrupt_after: Nodes to stop after. `"*"` means every node.
            webhook: The URL to which the server posts the run when it is over.
            multitask_strategy: What to do if the thread is busy: `"enqueue"` (the default of
                servers), `"reject"`, `"interrupt"` or `"rollback"`.
            end_time: When to stop starting runs. Default: never.
            enabled: False pauses the cron. Default: True.
            timezone: The time zone of the schedule: an IANA name or a `ZoneInfo`. Default: UTC.
            stream_mode: The stream modes of the runs.
            stream_subgraphs: Whether to stream events of subgraphs too. Default: False.
            stream_resumable: Whether the runs keep their events, so that they can be joined late.
            durability: When checkpoints are written: `"sync"`, `"async"` (the default) or `"exit"`.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: The thread or the assistant does not exist.
            UnprocessableEntityError: The schedule or the time zone is invalid.

        Example:
            cron = client.crons.create_for_thread(
                thread_id, "agent", schedule="*/30 * * * *", input={"messages": []}
            )

        POST /threads/{thread_id}/runs/crons
        """
        fields = run_body(
            assistant_id,
            input=input,
            metadata=metadata,
            config=config,
            context=context,
            checkpoint_during=checkpoint_during,
            interrupt_before=interrupt_before,
            interrupt_after=interrupt_after,
            webhook=webhook,
            multitask_strategy=multitask_strategy,
            stream_mode=stream_mode,
            stream_subgraphs=stream_subgraphs,
            stream_resumable=stream_resumable,
            durability=durability,
        )
        return self._transport.send(
            call(
                "POST",
                path("/threads/{thread_id}/runs/crons", thread_id=thread_id),
                _CRON,
                body={**fields, **cron_body(schedule, end_time, timezone, enabled)},
                headers=headers,
                params=params,
            )
        )

    def get(
        self,
        cron_id: str,
        *,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> Cron:
        """Get a cron.

        Args:
            cron_id: The cron's id.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: The cron does not exist.

        Example:
            cron = client.crons.get(cron_id)

        GET /runs/crons/{cron_id}
        """
        return self._transport.send(
            call("GET", path(_PATH, cron_id=cron_id), _CRON, headers=headers, params=params)
        )

    def update(
        self,
        cron_id: str,
        *,
        schedule: str | None = None,
        end_time: datetime | Unset | None = UNSET,
        input: Input | None = None,
        metadata: Metadata | None = None,
        config: ConfigParam | None = None,
        context: Context | JSON | None = None,
        webhook: str | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        on_run_completed: OnCompletionBehavior | None = None,
        enabled: bool | None = None,
        timezone: str | tzinfo | None = None,
        stream_mode: StreamMode | Sequence[StreamMode] | None = None,
        stream_subgraphs: bool | None = None,
        stream_resumable: bool | None = None,
        durability: Durability | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> Cron:
        """Change a cron. Parameters that are not passed keep their values.

        Args:
            cron_id: The cron's id.
            schedule: The new schedule, in five fields, minute first.
            end_time: The new end; None removes it.
            input: The new input.
            metadata: Metadata to merge into the cron's.
            config: The new config.
            context: The new static context.
            webhook: The new webhook.
            interrupt_before: Nodes to stop before from now on.
            interrupt_after: Nodes to stop after from now on.
            on_run_completed: `"delete"` or `"keep"` the thread of each run.
            enabled: False pauses the cron, True starts it again.
            timezone: The new time zone of the schedule.
            stream_mode: The new stream modes of the runs.
            stream_subgraphs: Whether to stream events of subgraphs too.
            stream_resumable: Whether the server keeps the events of the runs.
            durability: When checkpoints are written: `"sync"`, `"async"` or `"exit"`.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: The cron does not exist.
            BadRequestError: No field was passed.

        Example:
            client.crons.update(cron_id, enabled=False)

        PATCH /runs/crons/{cron_id}
        """
        fields = run_fields(
            input=input,
            metadata=metadata,
            config=config,
            context=context,
            webhook=webhook,
            interrupt_before=interrupt_before,
            interrupt_after=interrupt_after,
            on_run_completed=on_run_completed,
            stream_mode=stream_mode,
            stream_subgraphs=stream_subgraphs,
            stream_resumable=stream_resumable,
            durability=durability,
        )
        end = UNSET if end_time is None else end_time
        fields |= cron_body(schedule, end, timezone, enabled)
        if end_time is None:
            fields["end_time"] = None
        return self._transport.send(
            call(
                "PATCH",
                path(_PATH, cron_id=cron_id),
                _CRON,
                body=fields,
                headers=headers,
                params=params,
            )
        )

    def delete(
        self,
        cron_id: str,
        *,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> None:
        """Delete a cron. Runs that it has started go on.

        Args:
            cron_id: The cron's id.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: The cron does not exist.

        Example:
            client.crons.delete(cron_id)

        DELETE /runs/crons/{cron_id}
        """
        self._transport.send(
            call("DELETE", path(_PATH, cron_id=cron_id), NOTHING, headers=headers, params=params)
        )

    def search(
        self,
        *,
        assistant_id: str | None = None,
        thread_id: str | None = None,
        enabled: bool | None = None,
        metadata: Metadata | None = None,
        limit: int = 10,
        offset: int = 0,
        sort_by: CronSortBy | None = None,
        sort_order: SortOrder | None = None,
        select: Sequence[CronSelectField] | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> list[Cron]:
        """Search crons, the newest first. A cron must meet all conditions.

        Args:
            assistant_id: Only crons of this assistant. It must be an id, not a graph's name.
            thread_id: Only crons of this thread.
            enabled: Only crons that are enabled (True) or paused (False). Default: both.
            metadata: Only crons whose metadata contains this.
            limit: The most items to return, 1 to 1000. Default: 10. `iter` returns all.
            offset: How many to skip. Default: 0.
            sort_by: The field to sort by. Default: the server's.
            sort_order: `"asc"` or `"desc"`, the default.
            select: The fields to return; reading another one raises AttributeError. Default: all.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Example:
            crons = client.crons.search(thread_id=thread_id)

        POST /runs/crons/search
        """
        conditions = page_body(
            limit,
            offset,
            assistant_id=optional_id("assistant_id", assistant_id),
            thread_id=optional_id("thread_id", thread_id),
            enabled=boolean("enabled", enabled),
            metadata=metadata,
            sort_by=sort_by,
            sort_order=sort_order,
            select=select,
        )
        return self._transport.send(
            call(
                "POST",
                "/runs/crons/search",
                _CRONS,
                body=conditions,
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
        assistant_id: str | None = None,
        thread_id: str | None = None,
        enabled: bool | None = None,
        metadata: Metadata | None = None,
        sort_by: CronSortBy | None = None,
        sort_order: SortOrder | None = None,
        select: Sequence[CronSelectField] | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> Iterator[Cron]:
        """Iterate over all crons that `search` would find, page by page.

        Args:
            limit: The most items to return. Default: all.
            page_size: Crons per request, 1 to 1000. Default: 100.
            assistant_id: Only crons of this assistant. It must be an id, not a graph's name.
            thread_id: Only crons of this thread.
            enabled: Only crons that are enabled (True) or paused (False). Default: both.
            metadata: Only crons whose metadata contains this.
            sort_by: The field to sort by. Default: the server's.
            sort_order: `"asc"` or `"desc"`, the default.
            select: The fields to return. Default: all.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Example:
            for cron in client.crons.iter():
                print(cron["schedule"])

        POST /runs/crons/search
        """
        return iterate(
            lambda size, offset, _: self.search(
                assistant_id=assistant_id,
                thread_id=thread_id,
                enabled=enabled,
                metadata=metadata,
                sort_by=sort_by,
                sort_order=sort_order,
                select=with_key(select, "cron_id"),
                headers=headers,
                params=params,
                limit=size,
                offset=offset,
            ),
            limit,
            page_size,
            key="cron_id",
            select=select,
        )

    def count(
        self,
        *,
        assistant_id: str | None = None,
        thread_id: str | None = None,
        metadata: Metadata | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> int:
        """Count the crons that `search` would find.

        Args:
            assistant_id: Only crons of this assistant. It must be an id, not a graph's name.
            thread_id: Only crons of this thread.
            metadata: Only crons whose metadata contains this.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Example:
            number = client.crons.count()

        POST /runs/crons/count
        """
        conditions = body(
            assistant_id=optional_id("assistant_id", assistant_id),
            thread_id=optional_id("thread_id", thread_id),
            metadata=mapping("metadata", metadata),
        )
        return self._transport.send(
            call(
                "POST",
                "/runs/crons/count",
                _COUNT,
                body=conditions,
                headers=headers,
                params=params,
                safe=True,
            )
        )
