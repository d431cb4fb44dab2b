"""Runs: start, wait for, stream, list, cancel and delete them."""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Literal, overload

from langgraph_client._async.pages import iterate, with_key
from langgraph_client._async.resource import Resource
from langgraph_client._async.stream import AsyncRunStream
from langgraph_client._core.addresses import Created
from langgraph_client._core.call import (
    ANY,
    NOTHING,
    ReplyReader,
    at_least,
    call,
    one_of,
    optional_id,
    path,
    texts,
    word,
)
from langgraph_client._core.events import same_part, typed_part
from langgraph_client._core.failure import run_failure
from langgraph_client._core.requests import (
    STREAM_HEADERS,
    batch_body,
    boolean,
    cancel_many_body,
    event_id,
    joined_modes,
    run_body,
    run_path,
)
from langgraph_client._core.starts import starting
from langgraph_client._core.stream_session import StreamSession
from langgraph_client.models.events import StreamPart, StreamPartV2
from langgraph_client.models.fields import JSON
from langgraph_client.models.params import (
    All,
    BulkCancelRunsStatus,
    CancelAction,
    CheckpointParam,
    Command,
    ConfigParam,
    Context,
    DisconnectMode,
    Durability,
    Headers,
    IfNotExists,
    Input,
    LangSmithTracing,
    Metadata,
    MultitaskStrategy,
    OnCompletionBehavior,
    QueryParams,
    RunCreate,
    RunSelectField,
    RunStatus,
    StreamMode,
    StreamVersion,
)
from langgraph_client.models.runs import Run, RunCreateMetadata, run_output

_RUN = ReplyReader(Run)
_RUNS = ReplyReader(list[Run])
_RUN_PATH = "/threads/{thread_id}/runs/{run_id}"


class RunsClient(Resource):
    """Runs: executions of an assistant, on a thread or without one.

    Every method raises `InvalidArgumentError` for an argument that no server accepts, and
    `APIError` if the server cannot be reached or refuses the request.
    """

    async def create(
        self,
        thread_id: str | None,
        assistant_id: str,
        *,
        input: Input | None = None,
        command: Command | JSON | None = None,
        stream_mode: StreamMode | Sequence[StreamMode] = "values",
        stream_subgraphs: bool = False,
        stream_resumable: bool = False,
        metadata: Metadata | None = None,
        config: ConfigParam | None = None,
        context: Context | JSON | None = None,
        checkpoint: CheckpointParam | Mapping[str, Any] | None = None,
        checkpoint_id: str | None = None,
        checkpoint_during: bool | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        webhook: str | None = None,
        multitask_strategy: MultitaskStrategy | None = None,
        if_not_exists: IfNotExists | None = None,
        on_completion: OnCompletionBehavior | None = None,
        after_seconds: float | None = None,
        langsmith_tracing: LangSmithTracing | Mapping[str, Any] | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
        on_run_created: Callable[[RunCreateMetadata], None] | None = None,
        durability: Durability | None = None,
        strict_resume: bool | None = None,
    ) -> Run:
        """Start a run in the background.

        Args:
            thread_id: The thread to run on. None for a stateless run (see `on_completion`).
            assistant_id: The name of a graph, or the id of an assistant.
            input: The graph's input. None continues from the thread's state; `{}` is an empty
                input.
            command: Resume, update or redirect the graph instead of giving it an input: a
                `Command`, or a dict with `resume`, `update` or `goto`.
            stream_mode: The stream modes that `join_stream` can show. Default: `"values"`.
            stream_subgraphs: Whether to stream events of subgraphs too. Default: False.
            stream_resumable: Whether the server keeps the events, so that streams can be continued
                and joined late. Default: False.
            metadata: Metadata to keep with the run.
            config: The graph's config: `configurable`, `tags` and `recursion_limit`.
            context: The graph's static context. Not together with `configurable`.
            checkpoint: The checkpoint to start from. Default: the thread's latest.
            checkpoint_id: The id of the checkpoint to start from.
            checkpoint_during: The older form of `durability`: True is `"async"`, False is `"exit"`.
            interrupt_before: Nodes to stop before. `"*"` means every node.
            interrupt_after: Nodes to stop after. `"*"` means every node.
            webhook: The URL to which the server posts the run when it is over.
            multitask_strategy: What to do if the thread is busy: `"enqueue"` (the default of
                servers), `"reject"`, `"interrupt"` or `"rollback"`.
            if_not_exists: `"create"` creates a missing thread. `"reject"`, the default, raises
                `NotFoundError`.
            on_completion: For a stateless run: `"delete"` (the default) or `"keep"` its thread when
                it is over.
            after_seconds: Seconds to wait before the run starts. Default: 0.
            langsmith_tracing: The LangSmith project and example to trace the run to.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.
            on_run_created: Called once with the ids of the run and its thread, as soon as the
                server has sent them.
            durability: When checkpoints are written: `"sync"`, `"async"` (the default) or `"exit"`.
            strict_resume: Whether the server refuses a resume that matches no pending interrupt.
                Default: False. Servers without this option ignore it.

        Raises:
            NotFoundError: The thread or the assistant does not exist.
            ConflictError: The thread is busy, with `multitask_strategy="reject"`.

        Example:
            question = {"messages": [{"role": "user", "content": "Hello!"}]}
            run = await client.runs.create(thread_id, "agent", input=question)

        POST /threads/{thread_id}/runs, POST /runs
        """
        created = Created(on_run_created, thread_id)
        fields = run_body(
            assistant_id,
            input=input,
            command=command,
            stream_mode=stream_mode,
            stream_subgraphs=stream_subgraphs,
            stream_resumable=stream_resumable,
            metadata=metadata,
            config=config,
            context=context,
            checkpoint=checkpoint,
            checkpoint_id=checkpoint_id,
            checkpoint_during=checkpoint_during,
            interrupt_before=interrupt_before,
            interrupt_after=interrupt_after,
            webhook=webhook,
            multitask_strategy=multitask_strategy,
            if_not_exists=if_not_exists,
            on_completion=on_completion,
            after_seconds=after_seconds,
            langsmith_tracing=langsmith_tracing,
            durability=durability,
            strict_resume=strict_resume,
        )
        return await self._transport.send(
            starting(
                call(
                    "POST",
                    run_path(thread_id),
                    _RUN,
                    body=fields,
                    headers=headers,
                    params=params,
                    on_headers=created.opened,
                )
            )
        )

    async def wait(
        self,
        thread_id: str | None,
        assistant_id: str,
        *,
        input: Input | None = None,
        command: Command | JSON | None = None,
        metadata: Metadata | None = None,
        config: ConfigParam | None = None,
        context: Context | JSON | None = None,
        checkpoint: CheckpointParam | Mapping[str, Any] | None = None,
        checkpoint_id: str | None = None,
        checkpoint_during: bool | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        webhook: str | None = None,
        on_disconnect: DisconnectMode | None = None,
        on_completion: OnCompletionBehavior | None = None,
        multitask_strategy: MultitaskStrategy | None = None,
        if_not_exists: IfNotExists | None = None,
        after_seconds: float | None = None,
        langsmith_tracing: LangSmithTracing | Mapping[str, Any] | None = None,
        raise_error: bool = True,
        headers: Headers | None = None,
        params: QueryParams | None = None,
        on_run_created: Callable[[RunCreateMetadata], None] | None = None,
        durability: Durability | None = None,
        strict_resume: bool | None = None,
        stream_mode: StreamMode | Sequence[StreamMode] | None = None,
        stream_subgraphs: bool | None = None,
        feedback_keys: Sequence[str] | None = None,
    ) -> JSON:
        """Start a run, wait until it is over, and return its result.

        Args:
            thread_id: The thread to run on. None for a stateless run (see `on_completion`).
            assistant_id: The name of a graph, or the id of an assistant.
            input: The graph's input. None continues from the thread's state; `{}` is an empty
                input.
            command: Resume, update or redirect the graph instead of giving it an input: a
                `Command`, or a dict with `resume`, `update` or `goto`.
            metadata: Metadata to keep with the run.
            config: The graph's config: `configurable`, `tags` and `recursion_limit`.
            context: The graph's static context. Not together with `configurable`.
            checkpoint: The checkpoint to start from. Default: the thread's latest.
            checkpoint_id: The id of the checkpoint to start from.
            checkpoint_during: The older form of `durability`: True is `"async"`, False is `"exit"`.
            interrupt_before: Nodes to stop before. `"*"` means every node.
            interrupt_after: Nodes to stop after. `"*"` means every node.
            webhook: The URL to which the server posts the run when it is over.
            on_disconnect: What happens to the run if the connection is closed before its end:
                `"cancel"` or `"continue"` (the default).
            on_completion: For a stateless run: `"delete"` (the default) or `"keep"` its thread when
                it is over.
            multitask_strategy: What to do if the thread is busy: `"enqueue"` (the default of
                servers), `"reject"`, `"interrupt"` or `"rollback"`.
            if_not_exists: `"create"` creates a missing thread. `"reject"`, the default, raises
                `NotFoundError`.
            after_seconds: Seconds to wait before the run starts. Default: 0.
            langsmith_tracing: The LangSmith project and example to trace the run to.
            raise_error: Whether to raise if the run fails (the default). False returns
                `{"__error__": {"error": ..., "message": ...}}` instead.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.
            on_run_created: Called once with the ids of the run and its thread, as soon as the
                server has sent them.
            durability: When checkpoints are written: `"sync"`, `"async"` (the default) or `"exit"`.
            strict_resume: Whether the server refuses a resume that matches no pending interrupt.
                Default: False. Servers without this option ignore it.
            stream_mode: The stream modes that `join_stream` can show. Without `"values"` among
                them, the result is the thread's values.
            stream_subgraphs: Whether to stream events of subgraphs too. Default: False.
            feedback_keys: Keys for which the result has feedback URLs, in `__feedback__`.

        Returns:
            The graph's output, with `__interrupt__` if the graph stopped at an `interrupt()`. If
            the run was cancelled: the state so far. A dict or list has `run_id` and `thread_id` as
            attributes.

        Raises:
            RemoteException: The run failed.
            NotFoundError: The thread or the assistant does not exist.

        Example:
            question = {"messages": [{"role": "user", "content": "Hello!"}]}
            state = await client.runs.wait(thread_id, "agent", input=question)
            print(state["messages"][-1]["content"])

        POST /threads/{thread_id}/runs/wait, POST /runs/wait
        """
        created = Created(on_run_created, thread_id)
        fields = run_body(
            assistant_id,
            input=input,
            command=command,
            metadata=metadata,
            config=config,
            context=context,
            checkpoint=checkpoint,
            checkpoint_id=checkpoint_id,
            checkpoint_during=checkpoint_during,
            interrupt_before=interrupt_before,
            interrupt_after=interrupt_after,
            webhook=webhook,
            on_disconnect=on_disconnect,
            on_completion=on_completion,
            multitask_strategy=multitask_strategy,
            if_not_exists=if_not_exists,
            after_seconds=after_seconds,
            langsmith_tracing=langsmith_tracing,
            durability=durability,
            strict_resume=strict_resume,
            stream_mode=stream_mode,
            stream_subgraphs=stream_subgraphs,
            feedback_keys=feedback_keys,
        )
        result = await self._transport.wait(
            starting(
                call(
                    "POST",
                    run_path(thread_id, "/wait"),
                    ANY,
                    body=fields,
                    headers=headers,
                    params=params,
                    on_headers=created.opened,
                )
            )
        )
        failure = run_failure(result, created.run_id, created.thread_id)
        if failure is not None and raise_error:
            raise failure
        return run_output(result, created.run_id, created.thread_id)

    @overload
    def stream(
        self,
        thread_id: str | None,
        assistant_id: str,
        *,
        input: Input | None = None,
        command: Command | JSON | None = None,
        stream_mode: StreamMode | Sequence[StreamMode] = "values",
        stream_subgraphs: bool = False,
        stream_resumable: bool = False,
        metadata: Metadata | None = None,
        config: ConfigParam | None = None,
        context: Context | JSON | None = None,
        checkpoint: CheckpointParam | Mapping[str, Any] | None = None,
        checkpoint_id: str | None = None,
        checkpoint_during: bool | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        feedback_keys: Sequence[str] | None = None,
        on_disconnect: DisconnectMode | None = None,
        on_completion: OnCompletionBehavior | None = None,
        webhook: str | None = None,
        multitask_strategy: MultitaskStrategy | None = None,
        if_not_exists: IfNotExists | None = None,
        after_seconds: float | None = None,
        langsmith_tracing: LangSmithTracing | Mapping[str, Any] | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
        on_run_created: Callable[[RunCreateMetadata], None] | None = None,
        durability: Durability | None = None,
        strict_resume: bool | None = None,
        version: Literal["v1"] = "v1",
    ) -> AsyncRunStream[StreamPart]: ...
    @overload
    def stream(
        self,
        thread_id: str | None,
        assistant_id: str,
        *,
        input: Input | None = None,
        command: Command | JSON | None = None,
        stream_mode: StreamMode | Sequence[StreamMode] = "values",
        stream_subgraphs: bool = False,
        stream_resumable: bool = False,
        metadata: Metadata | None = None,
        config: ConfigParam | None = None,
        context: Context | JSON | None = None,
        checkpoint: CheckpointParam | Mapping[str, Any] | None = None,
        checkpoint_id: str | None = None,
        checkpoint_during: bool | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        feedback_keys: Sequence[str] | None = None,
        on_disconnect: DisconnectMode | None = None,
        on_completion: OnCompletionBehavior | None = None,
        webhook: str | None = None,
        multitask_strategy: MultitaskStrategy | None = None,
        if_not_exists: IfNotExists | None = None,
        after_seconds: float | None = None,
        langsmith_tracing: LangSmithTracing | Mapping[str, Any] | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
        on_run_created: Callable[[RunCreateMetadata], None] | None = None,
        durability: Durability | None = None,
        strict_resume: bool | None = None,
        version: Literal["v2"],
    ) -> AsyncRunStream[StreamPartV2]: ...
    def stream(
        self,
        thread_id: str | None,
        assistant_id: str,
        *,
        input: Input | None = None,
        command: Command | Any | None = None,
        stream_mode: StreamMode | Sequence[StreamMode] = "values",
        stream_subgraphs: bool = False,
        stream_resumable: bool = False,
        metadata: Metadata | None = None,
        config: ConfigParam | None = None,
        context: Context | Any | None = None,
        checkpoint: CheckpointParam | Mapping[str, Any] | None = None,
        checkpoint_id: str | None = None,
        checkpoint_during: bool | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        feedback_keys: Sequence[str] | None = None,
        on_disconnect: DisconnectMode | None = None,
        on_completion: OnCompletionBehavior | None = None,
        webhook: str | None = None,
        multitask_strategy: MultitaskStrategy | None = None,
        if_not_exists: IfNotExists | None = None,
        after_seconds: float | None = None,
        langsmith_tracing: LangSmithTracing | Mapping[str, Any] | None = None,
        headers: Headers | None = None,
        params: QueryParams | None = None,
        on_run_created: Callable[[RunCreateMetadata], None] | None = None,
        durability: Durability | None = None,
        strict_resume: bool | None = None,
        version: StreamVersion = "v1",
    ) -> AsyncRunStream[StreamPart] | AsyncRunStream[StreamPartV2]:
        """Start a run and stream its events.

        Args:
            thread_id: The thread to run on. None for a stateless run (see `on_completion`).
            assistant_id: The name of a graph, or the id of an assistant.
            input: The graph's input. None continues from the thread's state; `{}` is an empty
                input.
            command: Resume, update or redirect the graph instead of giving it an input: a
                `Command`, or a dict with `resume`, `update` or `goto`.
            stream_mode: The stream modes to send: one, or a list. Default: `"values"`.
            stream_subgraphs: Whether to stream events of subgraphs too. Default: False.
            stream_resumable: Whether the server keeps the events, so that the stream continues
                after a lost connection. Default: False.
            metadata: Metadata to keep with the run.
            config: The graph's config: `configurable`, `tags` and `recursion_limit`.
            context: The graph's static context. Not together with `configurable`.
            checkpoint: The checkpoint to start from. Default: the thread's latest.
            checkpoint_id: The id of the checkpoint to start from.
            checkpoint_during: The older form of `durability`: True is `"async"`, False is `"exit"`.
            interrupt_before: Nodes to stop before. `"*"` means every node.
            interrupt_after: Nodes to stop after. `"*"` means every node.
            feedback_keys: Keys for which a last event has feedback URLs.
            on_disconnect: What happens to the run if the stream is closed before its end:
                `"cancel"` or `"continue"` (the default).
            on_completion: For a stateless run: `"delete"` (the default) or `"keep"` its thread when
                it is over.
            webhook: The URL to which the server posts the run when it is over.
            multitask_strategy: What to do if the thread is busy: `"enqueue"` (the default of
                servers), `"reject"`, `"interrupt"` or `"rollback"`.
            if_not_exists: `"create"` creates a missing thread. `"reject"`, the default, raises
                `NotFoundError`.
            after_seconds: Seconds to wait before the run starts. Default: 0.
            langsmith_tracing: The LangSmith project and example to trace the run to.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.
            on_run_created: Called once with the ids of the run and its thread, as soon as the
                server has sent them.
            durability: When checkpoints are written: `"sync"`, `"async"` (the default) or `"exit"`.
            strict_resume: Whether the server refuses a resume that matches no pending interrupt.
                Default: False. Servers without this option ignore it.
            version: `"v1"` yields `StreamPart(event, data, id)`, `"v2"` dicts with `type`, `ns`,
                `data` and `interrupts`.

        Returns:
            The stream. No request is sent before it is iterated over or entered. If the run fails,
            the last part is an `error`. The protocol has no event for the end, so a stream of a run
            on a thread requests the run's status at the end: this is one more request.

        Raises:
            NotFoundError: On opening: the thread or the assistant does not exist.
            StreamIncomplete: While iterating: the stream was cut and could not be continued.

        Example:
            question = {"messages": [{"role": "user", "content": "Hello!"}]}
            async with client.runs.stream(
                thread_id, "agent", input=question, stream_mode=["updates", "messages-tuple"]
            ) as stream:
                async for event, data, event_id in stream:
                    print(event, data)

        POST /threads/{thread_id}/runs/stream, POST /runs/stream
        """
        one_of("version", version, ("v1", "v2"))
        fields = run_body(
            assistant_id,
            input=input,
            command=command,
            stream_mode=stream_mode,
            stream_subgraphs=stream_subgraphs,
            stream_resumable=stream_resumable,
            metadata=metadata,
            config=config,
            context=context,
            checkpoint=checkpoint,
            checkpoint_id=checkpoint_id,
            checkpoint_during=checkpoint_during,
            interrupt_before=interrupt_before,
            interrupt_after=interrupt_after,
            feedback_keys=feedback_keys,
            on_disconnect=on_disconnect,
            on_completion=on_completion,
            webhook=webhook,
            multitask_strategy=multitask_strategy,
            if_not_exists=if_not_exists,
            after_seconds=after_seconds,
            langsmith_tracing=langsmith_tracing,
            durability=durability,
            strict_resume=strict_resume,
        )
        first = call(
            "POST",
            run_path(thread_id, "/stream"),
            ANY,
            body=fields,
            headers=headers,
            params=params,
            extra_headers=STREAM_HEADERS,
        )
        session = StreamSession(
            starting(first),
            policy=self._transport.reconnect,
            thread_id=optional_id("thread_id", thread_id),
            resumable=stream_resumable,
            on_run_created=on_run_created,
        )
        if version == "v2":
            typed: AsyncRunStream[StreamPartV2]
            typed = AsyncRunStream(self._transport, session, typed_part)
            return typed
        return AsyncRunStream(self._transport, session, same_part)

    async def create_batch(
        self,
        payloads: Sequence[RunCreate],
        *,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> list[Run]:
        """Start several runs without a thread, in one request.

        Args:
            payloads: For each run, the parameters of `create` as a dict, by name.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Returns:
            The runs, in the order of `payloads`.

        Example:
            payload = {"assistant_id": "agent", "input": {"messages": []}}
            runs = await client.runs.create_batch([payload, payload])

        POST /runs/batch
        """
        return await self._transport.send(
            call(
                "POST",
                "/runs/batch",
                _RUNS,
                body=batch_body(payloads),
                headers=headers,
                params=params,
            )
        )

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
            thread_id: The thread's id.
            limit: The most runs to return. Default: 10. `iter` returns all.
            offset: How many to skip. Default: 0.
            status: Only runs with this status. Default: all.
            select: The fields to return; reading another one raises AttributeError. Default: all.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: The thread does not exist.

        Example:
            runs = await client.runs.list(thread_id, status="success")

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
            thread_id: The thread's id.
            limit: The most items to return. Default: all.
            page_size: Runs per request. Default: 100.
            status: Only runs with this status. Default: all.
            select: The fields to return. Default: all.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: While iterating: the thread does not exist.

        Example:
            async for run in client.runs.iter(thread_id):
                print(run["status"])

        GET /threads/{thread_id}/runs
        """
        return iterate(
            lambda size, offset, _: self.list(
                thread_id,
                status=status,
                select=with_key(select, "run_id"),
                headers=headers,
                params=params,
                limit=size,
                offset=offset,
            ),
            limit,
            page_size,
            key="run_id",
            select=select,
        )

    async def get(
        self,
        thread_id: str,
        run_id: str,
        *,
        headers: Headers | None = None,
        params: QueryParams | None = None,
    ) -> Run:
        """Get a run.

        Args:
            thread_id: The thread's id.
            run_id: The run's id.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: The run or the thread does not exist.

        Example:
            run = await client.runs.get(thread_id, run_id)
            print(run["status"])

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
            thread_id: The thread's id.
            run_id: The run's id.
            wait: Whether to return only when the run has stopped. Default: False.
            action: `"interrupt"` (the default) keeps the run and its checkpoints; `"rollback"`
                deletes both, which restores the thread's previous state.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Returns:
            None. With `wait`, the result of joining the run from now on, usually `{}`.

        Raises:
            NotFoundError: The run does not exist, or is over already.

        Example:
            await client.runs.cancel(thread_id, running_id, wait=True)

        POST /threads/{thread_id}/runs/{run_id}/cancel
        """
        request = call(
            "POST",
            path(_RUN_PATH, thread_id=thread_id, run_id=run_id) + "/cancel",
            ANY,
            query={
                # As a number: another open-source server refuses "true".
                "wait": int(boolean("wait", wait) or False),
                "action": word("action", action),
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
        """Cancel several runs: runs of one thread by id, or all runs with a status.

        Pass either `thread_id` and `run_ids`, or `status`.

        Args:
            thread_id: The thread of the runs, with `run_ids`.
            run_ids: The runs to cancel, with `thread_id`.
            status: Cancel all runs with this status instead: `"pending"`, `"running"` or `"all"`.
            action: `"interrupt"` (the default) keeps the runs and their checkpoints; `"rollback"`
                deletes both.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: No run matches.

        Example:
            await client.runs.cancel_many(thread_id=thread_id, run_ids=[running_id])

        POST /runs/cancel
        """
        await self._transport.send(
            call(
                "POST",
                "/runs/cancel",
                NOTHING,
                query={"action": word("action", action)},
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
        """Delete a run with its checkpoints. This does not stop the run: cancel it first.

        Args:
            thread_id: The thread's id.
            run_id: The run's id.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.

        Raises:
            NotFoundError: The run or the thread does not exist.

        Example:
            await client.runs.delete(thread_id, run_id)

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
    ) -> JSON:
        """Wait until a run is over, and return its result.

        If the run failed or does not exist, no error is raised, but the result is
        `{"__error__": {"error": ..., "message": ...}}`.

        Args:
            thread_id: The thread's id.
            run_id: The run's id.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.
            cancel_on_disconnect: Whether the server cancels the run if this call is cancelled or
                its connection is lost. Default: False.

        Returns:
            The graph's output, with `__interrupt__` if the graph stopped at an `interrupt()`. If
            the run was cancelled: the state so far. A dict or list has `run_id` and `thread_id` as
            attributes.

        Example:
            state = await client.runs.join(thread_id, run_id)

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
        """Stream the events of an existing run.

        Args:
            thread_id: The thread's id.
            run_id: The run's id.
            cancel_on_disconnect: Whether to cancel the run if this stream is closed before its
                end. Default: False.
            stream_mode: Only these of the stream modes that the run was started with. Default: all.
            headers: Headers of this request. They replace the client's headers of the same name.
            params: Query parameters to add to this request.
            last_event_id: Begin after this event of a run with `stream_resumable=True`; `"0"` for
                the run's beginning. Default: only events from now on.
            stream_subgraphs: False drops events of subgraphs in the client. Whether the server
                sends any was decided when the run was started.
            version: `"v1"` yields `StreamPart(event, data, id)`, `"v2"` dicts with `type`, `ns`,
                `data` and `interrupts`.

        Returns:
            The stream. No request is sent before it is iterated over or entered. If the run fails,
            the last part is an `error`.

        Raises:
            NotFoundError: On opening: the run or the thread does not exist.
            StreamIncomplete: While iterating: the stream was cut and could not be continued.

        Example:
            async for part in client.runs.join_stream(thread_id, run_id):
                print(part.event, part.data)

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
        session = StreamSession(
            first,
            policy=self._transport.reconnect,
            thread_id=str(thread_id),
            run_id=str(run_id),
            last_event_id=event_id("last_event_id", last_event_id),
            subgraphs=stream_subgraphs is not False,
        )
        if version == "v2":
            typed: AsyncRunStream[StreamPartV2]
            typed = AsyncRunStream(self._transport, session, typed_part)
            return typed
        return AsyncRunStream(self._transport, session, same_part)
