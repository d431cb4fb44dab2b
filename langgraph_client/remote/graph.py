"""RemoteGraph: a graph on a server, with the methods of a compiled graph."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from typing import TYPE_CHECKING, Literal, NoReturn, Self, overload

from pydantic import BaseModel

from langgraph_client._async.client import LangGraphClient
from langgraph_client._core.unset import UNSET, Unset
from langgraph_client._sync.client import SyncLangGraphClient
from langgraph_client.errors import LangGraphError
from langgraph_client.models.html_view import drawing_svg, table, text
from langgraph_client.models.params import All, Durability
from langgraph_client.remote.aliases import JSON, Config, GraphValue, JsonObject, Reply
from langgraph_client.remote.attributes import channels_of, no_attribute, nodes_of
from langgraph_client.remote.callbacks import RunCallbacks
from langgraph_client.remote.clients import CLIENT_ERRORS, Clients
from langgraph_client.remote.closing import (
    AsyncBatches,
    AsyncCancelling,
    AsyncConverted,
    Batches,
    GraphStream,
    cancelling,
)
from langgraph_client.remote.compat import (
    Graph,
    GraphBase,
    Node,
    RunnableConfig,
    StateSnapshot,
    StateUpdate,
    tracing_headers,
)
from langgraph_client.remote.config import merged_defaults, state_config
from langgraph_client.remote.event_streams import EventStreaming, Transformer
from langgraph_client.remote.events_v1 import events_v1, warn_of_v1
from langgraph_client.remote.flow import Flow, adrive, drive
from langgraph_client.remote.flows import introspection, runs, state
from langgraph_client.remote.langchain_events import (
    LangchainEventFilter,
    Names,
    refuse_filters,
    refuse_other_versions,
)
from langgraph_client.remote.mock_clients import ClientLike
from langgraph_client.remote.output import aresult_of, result_of
from langgraph_client.remote.run_arguments import Control, RunArguments
from langgraph_client.remote.run_request import RunRequest
from langgraph_client.remote.schemas import model_from
from langgraph_client.remote.settings import GraphSettings
from langgraph_client.remote.snapshot import HistoryPages
from langgraph_client.remote.stream_modes import Modes
from langgraph_client.remote.subgraph import RemoteSubgraph
from langgraph_client.remote.threads import KnownThreads
from langgraph_client.values import CONTROL_EVENT

if TYPE_CHECKING:
    from langgraph_client.remote.compat import AsyncGraphRunStream, GraphRunStream

Headers = Mapping[str, str]
Params = Mapping[str, object]


class RemoteGraph(GraphBase[JSON, JSON, JSON, JSON]):
    """A graph that runs on a server and behaves like the same graph compiled locally.

        graph = RemoteGraph("agent", url="http://localhost:2024")
        result = graph.invoke({"messages": [("user", "Hello!")]}, {"thread_id": "user-1"})

    A thread id may be any string: `{"configurable": {"thread_id": "user-1"}}`, or flat,
    `{"thread_id": "user-1"}`. If it is not a UUID, the thread's id on the server is derived from it
    (`langgraph_client.thread_ids.server_thread_id`). The thread is created on first use, and its
    metadata contains the caller's id as `given_thread_id`. Results contain the caller's id too.

    Without a thread id, a run is stateless: it keeps no state.

    The first call asks the server once (`GET /info`) whether it is the bundled one. That one
    supports more than the protocol: Python's types, whole states, causes of failures.

    Args:
        assistant_id: The name of the graph on the server, or the UUID of an assistant.
        url: The server's URL. Default: the environment variable `LANGGRAPH_URL`, otherwise
            `http://localhost:8123`.
        api_key: The API key of the clients that are made here; None sends none. Default: read from
            the environment, as by `get_client`.
        headers: Headers of every request of the clients that are made here. Default: none.
        client: The client for the async methods; it is never closed here, and gets neither
            `api_key` nor `headers`. It may be a client of
            this package or of `langgraph_sdk`, or an object with the same methods, such as a mock.
            Mocks get the caller's thread ids unchanged, and all arguments by keyword. Default: a
            client for `url`.
        sync_client: Likewise, the client for the blocking methods.
        config: The default config, onto which the config of every call is merged, as by
            `with_config`.
        name: The graph's name in drawings and parent graphs. Default: `assistant_id`.
        decode_messages: Whether to return messages as langchain-core's objects (the default), if
            it is installed. False returns dicts, as sent by the server.
        checkpointer: What this graph keeps as a node of a local parent graph, as for
            `compile(checkpointer=...)` of a local subgraph. None (the default): the state of one
            task of the parent, so that it can resume. True: the state of the node, across
            invocations of the parent. False: nothing. A saver is refused.
        strict_config: Whether to refuse a config with values that cannot be sent (the default).
            False does not send such values, and warns once for each.
        allow_types: Dataclasses, pydantic models, enums and named tuples of which results may
            contain objects, including the classes of their fields, if the server is the bundled
            one; and exceptions that failures may be instances of, beside those of Python, langgraph
            and langchain-core. Values of other classes are dicts. A class name from the server
            never causes an import.
        distributed_tracing: Whether to send the headers of the current LangSmith run and of the
            active OpenTelemetry span (W3C `traceparent`) with every call, so that the server's
            traces are connected to them. Default: False.
        stream_mode: The default mode of `stream`. Default: "updates", as for a compiled graph.
            `server.remote_graph` sets the mode that its graph was compiled with.
        transformers: Transformers of every run stream (`stream_events(version="v3")`), as for
            `compile(transformers=...)` of a local graph: classes or factories. They run in this
            process, and turn events into attributes of the run stream. Name those whose attributes
            are read, such as `ToolCallTransformer` for `run.tool_calls` of an agent. Default: none.

    Raises:
        InvalidArgumentError: An argument is invalid.
    """

    def __init__(
        self,
        assistant_id: str,
        *,
        url: str | None = None,
        api_key: str | Unset | None = UNSET,
        headers: Headers | None = None,
        client: LangGraphClient | ClientLike | None = None,
        sync_client: SyncLangGraphClient | ClientLike | None = None,
        config: Config | None = None,
        name: str | None = None,
        decode_messages: bool = True,
        checkpointer: bool | None = None,
        strict_config: bool = True,
        distributed_tracing: bool = False,
        allow_types: Iterable[type] = (),
        stream_mode: Modes = "updates",
        transformers: Sequence[Transformer] = (),
    ) -> None:
        settings = GraphSettings(
            assistant_id=assistant_id,
            config=config,
            name=name or "",
            decode_messages=decode_messages,
            checkpointer=checkpointer,
            strict_config=strict_config,
            distributed_tracing=distributed_tracing,
            allow_types=allow_types,
            stream_mode=stream_mode,
            transformers=transformers,
        )
        self._begin(settings, Clients(url, api_key, headers, client, sync_client))

    def _begin(self, settings: GraphSettings, clients: Clients) -> None:
        self._settings = settings
        self._clients = clients
        self._threads = KnownThreads(settings.assistant_id)
        self._warned: set[str] = set()
        self.name = settings.name

    # --- settings ---

    @property
    def assistant_id(self) -> str:
        """The graph's name on the server, or the assistant's id."""
        return self._settings.assistant_id

    @property
    def config(self) -> Config | None:
        """The default config, onto which the config of every call is merged."""
        return self._settings.config

    @property
    def checkpointer(self) -> bool | None:
        """What this graph keeps as a node of a local parent graph; see the class."""
        return self._settings.checkpointer

    @property
    def stream_mode(self) -> Modes:
        """The default mode of `stream`."""
        return self._settings.stream_mode

    @property
    def stream_transformers(self) -> tuple[Transformer, ...]:
        """The projections that every run stream of this graph has in addition."""
        return tuple(self._settings.transformers)

    @property
    def client(self) -> LangGraphClient:
        """The async client. It is created on first use, unless one was passed."""
        return self._clients.client

    @client.setter
    def client(self, client: LangGraphClient | ClientLike) -> None:
        self._clients.replace_clients(client=client)
        self._threads = KnownThreads(self.assistant_id)

    @property
    def sync_client(self) -> SyncLangGraphClient:
        """The blocking client. It is created on first use, unless one was passed."""
        return self._clients.sync_client

    @sync_client.setter
    def sync_client(self, sync_client: SyncLangGraphClient | ClientLike) -> None:
        self._clients.replace_clients(sync_client=sync_client)
        self._threads = KnownThreads(self.assistant_id)

    # Private methods of langgraph's RemoteGraph that other packages call, such as deepagents-code
    # 0.1.88.

    def _validate_client(self) -> LangGraphClient:
        return self.client

    def _validate_sync_client(self) -> SyncLangGraphClient:
        return self.sync_client

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def close(self) -> None:
        """Close the blocking client if this graph created it. It is created again when needed."""
        self._clients.close()

    async def aclose(self) -> None:
        """Close both clients if this graph created them. They are created again when needed."""
        await self._clients.aclose()

    def with_config(self, config: Config | None = None, **kwargs: JSON) -> Self:
        """Return a copy of this graph with another default config.

            quick = graph.with_config({"recursion_limit": 5})

        Args:
            config: The config to merge onto this graph's.
            **kwargs: More keys of a config.
        """
        return self.copy({"config": merged_defaults(self.config, config, kwargs)})

    def copy(self, update: Mapping[str, JSON] | None = None) -> Self:
        """Return a copy that shares this graph's clients, with the attributes of a subclass.

        Args:
            update: New values for `assistant_id`, `config`, `name`, `decode_messages`,
                `checkpointer`, `strict_config`, `distributed_tracing`, `allow_types`,
                `stream_mode` or `transformers`. A name that is the `assistant_id` changes with it.

        Raises:
            InvalidArgumentError: `update` has another key, or an invalid value.
        """
        copied = type(self).__new__(type(self))
        vars(copied).update(vars(self))
        name = "" if self.name == self.assistant_id else self.name
        copied._begin(self._settings.changed({"name": name, **(update or {})}), self._clients)
        return copied

    def _repr_html_(self) -> str:
        # Notebooks call this on their own. An error would hide the value of the cell.
        try:
            drawn = self.get_graph()
        except (LangGraphError, RuntimeError) as error:
            return table([(repr(self), text(f"no drawing: {error}"))])
        edges = [(edge.source, edge.target, edge.conditional) for edge in drawn.edges]
        return drawing_svg(list(drawn.nodes), edges)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.assistant_id!r})"

    def _headers(self, headers: Headers | None) -> Headers:
        """Return the headers of one call: the caller's, and those of the current trace."""
        tracing = tracing_headers() if self._settings.distributed_tracing else {}
        return {**tracing, **(headers or {})}

    # --- runs ---

    def invoke(
        self,
        input: GraphValue,
        config: Config | None = None,
        *,
        context: GraphValue = None,
        stream_mode: Modes = "values",
        print_mode: Modes = (),
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        durability: Durability | None = None,
        control: Control | None = None,
        headers: Headers | None = None,
        params: Params | None = None,
        version: Literal["v1", "v2"] = "v1",
        **kwargs: JSON,
    ) -> GraphValue:
        """Run the graph to its end, or to an interrupt, and return its output.

            graph.invoke({"messages": [("user", "Hello!")]}, {"thread_id": "user-1"})

        Args:
            input: The graph's input. None continues from the thread's state; a `Command` resumes,
                updates or redirects.
            config: `configurable.thread_id` names the thread; `checkpoint_id` there continues from
                that checkpoint. `tags`, `metadata`, `recursion_limit` and other `configurable`
                values are passed to the graph.
            context: The static context, of the graph's `context_schema`. Default: none.
            stream_mode: "values" (the default) returns the output; any other mode returns the list
                of items that `stream` yields.
            print_mode: Modes whose items are printed as they come. Default: none.
            output_keys: The parts of the state to return. Default: the graph's output channels.
            interrupt_before: Nodes to stop before; "*" for all. Default: none.
            interrupt_after: Nodes to stop after; "*" for all. Default: none.
            durability: When checkpoints are written: "sync", "async" or "exit". Default: the
                server's, "async".
            control: A `RunControl`. After its `request_drain()`, the run stops before its next
                superstep and raises `GraphDrained`; the thread can be continued from there. It
                works with the bundled server only.
            headers: Headers of this call's requests.
            params: Query parameters of this call's requests.
            version: "v1" (the default) or "v2", which returns a `GraphOutput`.
            **kwargs: Options of `client.runs.stream` that a local graph does not have, such as
                `multitask_strategy`; `RunOptions` lists them.

        Returns:
            The output, like that of a local graph. If the graph was stopped by `interrupt()`, the
            interrupts are in `__interrupt__`. If another client cancels the run: the state so far.

        Raises:
            RemoteException: The graph raised an error. The exception is also an instance of the
                local class with that name.
            LangGraphError: The server cannot be reached or refuses the request.
            InvalidArgumentError: An argument is invalid or cannot be sent.
            NotImplementedError: `control` or the mode "tools" is passed, and the server is not the
                bundled one.
            TypeError: `kwargs` has a keyword that is not an option.

        POST /threads/{thread_id}/runs/stream, or POST /runs/stream
        """
        items = self._run(RunArguments.collect(locals(), whole_state=False))
        return result_of(items, stream_mode, version)

    async def ainvoke(
        self,
        input: GraphValue,
        config: Config | None = None,
        *,
        context: GraphValue = None,
        stream_mode: Modes = "values",
        print_mode: Modes = (),
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        durability: Durability | None = None,
        control: Control | None = None,
        headers: Headers | None = None,
        params: Params | None = None,
        version: Literal["v1", "v2"] = "v1",
        **kwargs: JSON,
    ) -> GraphValue:
        """Async twin of `invoke`."""
        items = self._arun(RunArguments.collect(locals(), whole_state=False))
        async with contextlib.aclosing(items):
            return await aresult_of(items, stream_mode, version)

    def stream(
        self,
        input: GraphValue,
        config: Config | None = None,
        *,
        context: GraphValue = None,
        stream_mode: Modes | None = None,
        print_mode: Modes = (),
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        durability: Durability | None = None,
        control: Control | None = None,
        subgraphs: bool = False,
        debug: bool | None = None,
        headers: Headers | None = None,
        params: Params | None = None,
        version: Literal["v1", "v2"] = "v1",
        **kwargs: JSON,
    ) -> Iterator[GraphValue]:
        """Run the graph and yield its events as they happen.

        If the caller leaves the loop early, by `break` or an exception, the run is cancelled: at
        once if no variable holds the iterator, else when it is closed.

            for update in graph.stream({"messages": [("user", "Hello!")]}):
                print(update)

        Args:
            input: The graph's input. None continues from the thread's state; a `Command` resumes,
                updates or redirects.
            config: `configurable.thread_id` names the thread; `checkpoint_id` there continues from
                that checkpoint. `tags`, `metadata`, `recursion_limit` and other `configurable`
                values are passed to the graph.
            context: The static context, of the graph's `context_schema`. Default: none.
            stream_mode: One of "values", "updates", "custom", "messages", "tasks", "checkpoints",
                "debug", "tools" (the bundled server only), or a list of them. Default: this
                graph's `stream_mode`, usually "updates".
            print_mode: Modes whose items are printed as they come. Default: none.
            output_keys: The parts of the state to yield. Default: all channels.
            interrupt_before: Nodes to stop before; "*" for all. Default: none.
            interrupt_after: Nodes to stop after; "*" for all. Default: none.
            durability: When checkpoints are written: "sync", "async" or "exit". Default: the
                server's, "async".
            control: A `RunControl`. After its `request_drain()`, the run stops before its next
                superstep and raises `GraphDrained`; the thread can be continued from there. It
                works with the bundled server only.
            subgraphs: Whether to yield events of subgraphs too. Default: False.
            debug: Whether to print updates and values as they come. Default: False.
            headers: Headers of this call's requests.
            params: Query parameters of this call's requests.
            version: "v1" (the default) or "v2", which yields dicts; see below.
            **kwargs: Options of `client.runs.stream` that a local graph does not have, such as
                `multitask_strategy`; `RunOptions` lists them.

        Yields:
            The data of one mode; `(mode, data)` for a list of modes. With `subgraphs`, the
            namespace comes first. With `version="v2"`, `{"type": ..., "ns": ..., "data": ...}`.

        Raises:
            RemoteException: The graph raised an error. The exception is also an instance of the
                local class with that name.
            LangGraphError: The server cannot be reached or refuses the request.
            InvalidArgumentError: An argument is invalid or cannot be sent.
            NotImplementedError: `control` or the mode "tools" is passed, and the server is not the
                bundled one.
            TypeError: `kwargs` has a keyword that is not an option.

        POST /threads/{thread_id}/runs/stream, or POST /runs/stream
        """
        return GraphStream(self._run(RunArguments.collect(locals(), whole_state=True)))

    def astream(
        self,
        input: GraphValue,
        config: Config | None = None,
        *,
        context: GraphValue = None,
        stream_mode: Modes | None = None,
        print_mode: Modes = (),
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        durability: Durability | None = None,
        control: Control | None = None,
        subgraphs: bool = False,
        debug: bool | None = None,
        headers: Headers | None = None,
        params: Params | None = None,
        version: Literal["v1", "v2"] = "v1",
        **kwargs: JSON,
    ) -> AsyncIterator[GraphValue]:
        """Async twin of `stream`."""
        return self._arun(RunArguments.collect(locals(), whole_state=True))

    @overload
    def astream_events(
        self,
        input: GraphValue,
        config: Config | None = None,
        *,
        version: Literal["v1", "v2"] = "v2",
        transformers: None = None,
        include_names: Names | None = None,
        include_types: Names | None = None,
        include_tags: Names | None = None,
        exclude_names: Names | None = None,
        exclude_types: Names | None = None,
        exclude_tags: Names | None = None,
        **kwargs: JSON,
    ) -> AsyncIterator[JsonObject]: ...

    @overload
    def astream_events(
        self,
        input: GraphValue,
        config: Config | None = None,
        *,
        version: Literal["v3"],
        transformers: Sequence[Transformer] | None = None,
        **kwargs: JSON,
    ) -> Coroutine[None, None, AsyncGraphRunStream]: ...

    def astream_events(
        self,
        input: GraphValue,
        config: Config | None = None,
        *,
        version: Literal["v1", "v2", "v3"] = "v2",
        transformers: Sequence[Transformer] | None = None,
        include_names: Names | None = None,
        include_types: Names | None = None,
        include_tags: Names | None = None,
        exclude_names: Names | None = None,
        exclude_types: Names | None = None,
        exclude_tags: Names | None = None,
        **kwargs: JSON,
    ) -> AsyncIterator[JsonObject] | Coroutine[None, None, AsyncGraphRunStream]:
        """Run the graph and return its events: langchain's events, or langgraph's run stream.

            async for event in graph.astream_events(question, include_types=["chat_model"]):
                print(event["event"], event["data"])

        For "v2", the server sends langchain's events of nodes, models and tools, in the stream mode
        "events"; for "v1", they are converted in this process. For "v3", `await` the result to get
        a run stream with projections, as from a local graph.

        Args:
            input: The graph's input. None continues from the thread's state; a `Command` resumes,
                updates or redirects.
            config: `configurable.thread_id` names the thread; `checkpoint_id` there continues from
                that checkpoint. `tags`, `metadata`, `recursion_limit` and other `configurable`
                values are passed to the graph.
            version: "v2" (the default), "v3", or "v1", which is deprecated and warns.
            transformers: For "v3" only: projections in addition to those of this graph, as classes
                or factories. They run in this process, not on the server. Items of transformers
                that the server's graph was compiled with are in `extensions[key]` of the root
                graph, if the server is the bundled one.
            include_names: Only events of runs with these names. All filters are for "v1" and "v2"
                only. If several `include_...` are passed, one must match.
            include_types: Only events of runs of these kinds: "chain", "chat_model", "llm",
                "tool", "retriever", "prompt", "parser".
            include_tags: Only events of runs with one of these tags.
            exclude_names: No events of runs with these names.
            exclude_types: No events of runs of these kinds.
            exclude_tags: No events of runs with one of these tags.
            **kwargs: More arguments of `stream`.

        Returns:
            For "v1" and "v2" an async iterator of `{"event", "name", "run_id", "parent_ids",
            "tags", "metadata", "data"}`; for "v3" a coroutine that returns an
            `AsyncGraphRunStream`.

        Raises:
            NotImplementedError: The version is not known, or `transformers` are passed for another
                version than "v3".
            TypeError: Filters are passed for "v3", or `kwargs` has a keyword that is not an option.
            MissingExtraError: The version is "v3", and langgraph is not installed.
            RemoteException: While iterating: the graph raised an error.
            LangGraphError: While iterating: the server cannot be reached or refuses the request.

        POST /threads/{thread_id}/runs/stream, or POST /runs/stream
        """
        filters = {
            "names": (include_names, exclude_names),
            "types": (include_types, exclude_types),
            "tags": (include_tags, exclude_tags),
        }
        if version == "v3":
            refuse_filters(filters)
            return self._arun_stream(input, config, transformers, kwargs)
        refuse_other_versions(version, transformers)
        wanted = LangchainEventFilter(
            input,
            {name: pair[0] for name, pair in filters.items()},
            {name: pair[1] for name, pair in filters.items()},
        )
        given = {"input": input, "config": config, "kwargs": kwargs}
        run = self._arun(RunArguments.collect(given, whole_state=True, events=True))
        if version == "v2":
            return AsyncConverted(run, wanted.select)
        warn_of_v1()
        return AsyncConverted(events_v1(run, self._settings.merged(config)), wanted.select)

    async def _arun_stream(
        self,
        input: GraphValue,
        config: Config | None,
        transformers: Sequence[Transformer] | None,
        options: JsonObject,
    ) -> AsyncGraphRunStream:
        merged = self._settings.merged(config)
        projections = (*self.stream_transformers, *(transformers or ()))
        streaming = EventStreaming(projections, is_async=True, options=options, config=merged)
        return streaming.async_run_stream(
            self._arun(RunArguments.collect(streaming.arguments(input, config), whole_state=True))
        )

    def stream_events(
        self,
        input: GraphValue,
        config: Config | None = None,
        *,
        version: Literal["v1", "v2", "v3"] = "v2",
        transformers: Sequence[Transformer] | None = None,
        **kwargs: JSON,
    ) -> GraphRunStream:
        """Run the graph and return langgraph's run stream, as a local graph does.

            with graph.stream_events({"question": "?"}, version="v3") as run:
                for message in run.messages:
                    print(message.text)

        Args:
            input: The graph's input. None continues from the thread's state; a `Command` resumes,
                updates or redirects.
            config: `configurable.thread_id` names the thread; `checkpoint_id` there continues from
                that checkpoint. `tags`, `metadata`, `recursion_limit` and other `configurable`
                values are passed to the graph.
            version: It must be "v3". As in a local graph, the other versions are async only.
            transformers: Projections in addition to those of this graph, as classes or factories.
                They run in this process, not on the server. Items of transformers that the server's
                graph was compiled with are in `extensions[key]` of the root graph, if the server is
                the bundled one.
            **kwargs: More arguments of `stream`.

        Returns:
            A run stream with `values`, `messages`, `lifecycle`, `subgraphs` and `output`. The run
            starts when one of them is read.

        Raises:
            NotImplementedError: The version is not "v3"; use `astream_events`.
            TypeError: `kwargs` has a keyword that is not an option.
            MissingExtraError: langgraph is not installed.
            RemoteException: While reading: the graph raised an error.
            LangGraphError: While reading: the server cannot be reached or refuses the request.

        POST /threads/{thread_id}/runs/stream, or POST /runs/stream
        """
        if version != "v3":
            refuse_other_versions(version, transformers)
            raise NotImplementedError(
                f'stream_events(version="{version}"): this version is async only, as for a local'
                " graph; use astream_events"
            )
        merged = self._settings.merged(config)
        projections = (*self.stream_transformers, *(transformers or ()))
        streaming = EventStreaming(projections, is_async=False, options=kwargs, config=merged)
        return streaming.run_stream(
            self._run(RunArguments.collect(streaming.arguments(input, config), whole_state=True))
        )

    def _run(self, arguments: RunArguments) -> Generator[GraphValue, None, None]:
        merged = self._settings.merged(arguments.config)
        with RunCallbacks(merged, arguments.input, self.get_name()) as callbacks:
            request, call = self._prepared(arguments, merged, callbacks)
            client = self.sync_client
            reader = drive(runs.prepare(request, call), client)
            # Once more if the thread was deleted since it was remembered, or if the run pauses and
            # the graph around it has an answer for the interrupt.
            while True:
                sent = request.arguments_for(reader.created)
                parts = self._clients.stream(call.address.thread_id, self.assistant_id, sent)
                try:
                    with cancelling(
                        parts,
                        lambda: drive(runs.cancel(reader, call), client),
                        callbacks.is_handler_error,
                    ) as events:
                        direct, read_direct = reader.direct, reader.read_direct
                        for batch in Batches(events):
                            for part in batch:
                                event = part.event
                                # A shortcut for speed, for most events of streams.
                                if event in direct:
                                    yield read_direct(event, part.data)
                                    continue
                                # Answered here and not by the reader, which has no I/O.
                                if event == CONTROL_EVENT:
                                    answer = runs.answer_control(request.control, part.data, call)
                                    drive(answer, client)
                                    continue
                                yield from reader.read(event, part.data)
                                if callbacks.wants_more:
                                    callbacks.dispatch(reader.pending_events())
                    if not reader.goes_on():
                        break
                except CLIENT_ERRORS as error:
                    recreation = runs.recreate_thread(request, reader, call, error)
                    if not drive(recreation, client):
                        raise
            reader.finish()
            callbacks.output = reader.output

    async def _arun(self, arguments: RunArguments) -> AsyncGenerator[GraphValue, None]:
        merged = self._settings.merged(arguments.config)
        async with RunCallbacks(merged, arguments.input, self.get_name()) as callbacks:
            request, call = self._prepared(arguments, merged, callbacks)
            client = self.client
            reader = await adrive(runs.prepare(request, call), client)
            # Once more if the thread was deleted since it was remembered, or if the run pauses and
            # the graph around it has an answer for the interrupt.
            while True:
                sent = request.arguments_for(reader.created)
                parts = self._clients.astream(call.address.thread_id, self.assistant_id, sent)
                try:
                    async with AsyncCancelling(
                        parts,
                        lambda: adrive(runs.cancel(reader, call), client),
                        callbacks.is_handler_error,
                    ) as events:
                        direct, read_direct = reader.direct, reader.read_direct
                        async for batch in AsyncBatches(events):
                            for part in batch:
                                event = part.event
                                if event in direct:
                                    yield read_direct(event, part.data)
                                    continue
                                # Answered here and not by the reader, which has no I/O.
                                if event == CONTROL_EVENT:
                                    answer = runs.answer_control(request.control, part.data, call)
                                    await adrive(answer, client)
                                    continue
                                for item in reader.read(event, part.data):
                                    yield item
                                if callbacks.wants_more:
                                    await callbacks.adispatch(reader.pending_events())
                    if not reader.goes_on():
                        break
                except CLIENT_ERRORS as error:
                    recreation = runs.recreate_thread(request, reader, call, error)
                    if not await adrive(recreation, client):
                        raise
            reader.finish()
            callbacks.output = reader.output

    def _prepared(
        self, arguments: RunArguments, merged: JsonObject, callbacks: RunCallbacks
    ) -> tuple[RunRequest, state.StateCall]:
        settings = self._settings
        call = self._call(arguments.config, arguments.headers, arguments.params, calling=merged)
        request = RunRequest(
            arguments,
            merged,
            call.address,
            headers=call.headers,
            strict_config=settings.strict_config,
            stream_mode=settings.stream_mode,
            wants_output=callbacks.wants_output,
            wants_messages=callbacks.wants_messages,
            streams_models=callbacks.streams_models,
            extra_events=callbacks.extra_events,
        )
        request.inherited = settings.inherited(
            arguments.config, request.sent_config, events=arguments.events
        )
        if new := [path for path in request.left_out if path not in self._warned]:
            self._warned.update(new)
            warnings.warn(
                f"config values are not sent to the server, because they cannot be JSON: "
                f"{', '.join(new)}",
                UserWarning,
                stacklevel=4,
            )
        return request, call

    # --- state ---

    def get_state(
        self,
        config: Config,
        *,
        subgraphs: bool = False,
        headers: Headers | None = None,
        params: Params | None = None,
    ) -> StateSnapshot:
        """Read the state of a thread: the latest, or that of the `checkpoint_id` in the config.

            state = graph.get_state({"configurable": {"thread_id": "user-1"}})

        Args:
            config: `configurable.thread_id` names the thread; `checkpoint_id` there the checkpoint.
            subgraphs: Whether to put the states of interrupted subgraphs into `tasks[].state`.
                Default: False.
            headers: Headers of this call's requests.
            params: Query parameters of this call's requests.

        Returns:
            A snapshot. It is empty if the thread does not exist or has no checkpoint.

        Raises:
            InvalidArgumentError: The config has no thread.
            LangGraphError: The server cannot be reached or refuses the request.

        GET /threads/{thread_id}/state, or POST /threads/{thread_id}/state/checkpoint
        """
        call = self._call(config, headers, params, "get_state", reading=True)
        return drive(state.get_state(call, subgraphs=subgraphs), self.sync_client)

    async def aget_state(
        self,
        config: Config,
        *,
        subgraphs: bool = False,
        headers: Headers | None = None,
        params: Params | None = None,
    ) -> StateSnapshot:
        """Async twin of `get_state`."""
        call = self._call(config, headers, params, "aget_state", reading=True)
        return await adrive(state.get_state(call, subgraphs=subgraphs), self.client)

    def get_state_history(
        self,
        config: Config,
        *,
        filter: JsonObject | None = None,
        before: Config | None = None,
        limit: int | None = None,
        headers: Headers | None = None,
        params: Params | None = None,
    ) -> Iterator[StateSnapshot]:
        """Yield the states of a thread, the newest first. Pages are read when they are needed.

            for snapshot in graph.get_state_history({"thread_id": "user-1"}, limit=5):
                print(snapshot.values)

        Args:
            config: `configurable.thread_id` names the thread.
            filter: Only checkpoints whose metadata contains this. Default: all.
            before: A config; only checkpoints that are older than its checkpoint. Default: all.
            limit: The most states to yield. Default: all.
            headers: Headers of this call's requests.
            params: Query parameters of this call's requests.

        Raises:
            InvalidArgumentError: The config has no thread, or `limit` is negative.
            LangGraphError: The server cannot be reached or refuses the request.

        POST /threads/{thread_id}/history
        """
        call = self._call(config, headers, params, "get_state_history")
        pages = HistoryPages(call.address, filter, before, limit)
        while pages.wanted:
            yield from drive(state.get_history_page(call, pages), self.sync_client)

    async def aget_state_history(
        self,
        config: Config,
        *,
        filter: JsonObject | None = None,
        before: Config | None = None,
        limit: int | None = None,
        headers: Headers | None = None,
        params: Params | None = None,
    ) -> AsyncIterator[StateSnapshot]:
        """Async twin of `get_state_history`."""
        call = self._call(config, headers, params, "aget_state_history")
        pages = HistoryPages(call.address, filter, before, limit)
        while pages.wanted:
            for snapshot in await adrive(state.get_history_page(call, pages), self.client):
                yield snapshot

    def update_state(
        self,
        config: Config,
        values: GraphValue,
        as_node: str | None = None,
        task_id: str | None = None,
        *,
        headers: Headers | None = None,
        params: Params | None = None,
    ) -> RunnableConfig:
        """Write to the state of a thread, through the reducers of its channels.

            graph.update_state({"thread_id": "user-1"}, {"approved": True}, as_node="review")

        Args:
            config: `configurable.thread_id` names the thread; with a `checkpoint_id` there, the
                update forks from that checkpoint.
            values: The update, as a node returns it. None writes nothing, but the successors of
                `as_node` are next. A `Command` acts as if the node had returned it; servers other
                than the bundled one accept only its `update`.
            as_node: The node that the update counts as. Default: the node that ran last.
            task_id: The id of the task that the update counts as. It needs `as_node`, writes to the
                latest state only, and works with the bundled server only.
            headers: Headers of this call's requests.
            params: Query parameters of this call's requests.

        Returns:
            The config of the new checkpoint.

        Raises:
            InvalidArgumentError: The config has no thread.
            NotImplementedError: The server does not support the `task_id` or the command.
            LangGraphError: The server cannot be reached or refuses the request.

        POST /threads/{thread_id}/state
        """
        call = self._call(config, headers, params, "update_state")
        return drive(state.update_state(call, values, as_node, task_id), self.sync_client)

    async def aupdate_state(
        self,
        config: Config,
        values: GraphValue,
        as_node: str | None = None,
        task_id: str | None = None,
        *,
        headers: Headers | None = None,
        params: Params | None = None,
    ) -> RunnableConfig:
        """Async twin of `update_state`."""
        call = self._call(config, headers, params, "aupdate_state")
        return await adrive(state.update_state(call, values, as_node, task_id), self.client)

    def bulk_update_state(
        self, config: Config, supersteps: Sequence[Sequence[StateUpdate]]
    ) -> RunnableConfig:
        """Write several supersteps to the state of a thread, one after the other.

            steps = [[StateUpdate({"n": 1}, "first")], [StateUpdate({"n": 2}, "second")]]
            graph.bulk_update_state({"thread_id": "user-1"}, steps)

        A superstep with one update works on any thread, as `update_state` does. The protocol
        accepts a superstep with several updates only when a thread is created.

        Args:
            config: `configurable.thread_id` names the thread.
            supersteps: The supersteps, each a list of `StateUpdate(values, as_node, task_id)`.

        Returns:
            The config of the last checkpoint.

        Raises:
            InvalidArgumentError: The config has no thread, there is no update, or one of several
                updates has no `as_node`.
            NotImplementedError: A superstep has several updates or an update has a `task_id`, and
                the config has a `checkpoint_id` or the server is not the bundled one. Other servers
                accept several updates if the thread does not exist yet.
            LangGraphError: The server cannot be reached or refuses the request.

        POST /threads/{thread_id}/state, or POST /threads
        """
        call = self._call(config, None, None, "bulk_update_state")
        return drive(state.bulk_update_state(call, supersteps), self.sync_client)

    async def abulk_update_state(
        self, config: Config, supersteps: Sequence[Sequence[StateUpdate]]
    ) -> RunnableConfig:
        """Async twin of `bulk_update_state`."""
        call = self._call(config, None, None, "abulk_update_state")
        return await adrive(state.bulk_update_state(call, supersteps), self.client)

    def _call(
        self,
        config: Config | None,
        headers: Headers | None,
        params: Params | None,
        method: str | None = None,
        *,
        reading: bool = False,
        calling: JsonObject | None = None,
    ) -> state.StateCall:
        """Return the thread, decoder, headers and parameters of a call.

        Args:
            config: The caller's config.
            headers: The caller's headers.
            params: The caller's query parameters.
            method: The method's name, if it needs a thread.
            reading: Whether the method reads one state. A parent graph reads that of each node,
                so a node that keeps none needs no thread.
            calling: The merged config of a run; None for a state method.
        """
        merged = self._settings.merged(config) if calling is None else calling
        address = self._settings.address(merged, calling=calling is not None)
        if self._clients.keeps_thread_ids:
            address = address.as_written()
        if method is not None and not (reading and address.namespace):
            address.require_thread(method)
        asked = state.asked_config(merged, address)
        return state.StateCall(
            assistant_id=self.assistant_id,
            address=address,
            decoder=self._settings.decoder(address),
            clients=self._clients,
            threads=self._threads,
            asked=asked if calling is None else {"configurable": address.configurable({})},
            headers=self._headers(headers),
            params=params,
            config=state_config(merged),
        )

    # --- drawing, subgraphs and schemas ---

    def get_graph(
        self,
        config: Config | None = None,
        *,
        xray: int | bool = False,
        headers: Headers | None = None,
        params: Params | None = None,
    ) -> Graph:
        """Read the graph's nodes and edges as an object that can draw itself.

            print(graph.get_graph().draw_mermaid())

        Args:
            config: Ignored, because the drawing does not depend on it. A local graph has it too.
            xray: How many levels of subgraphs to include; False (the default) for none, True for
                all.
            headers: Headers of this call's requests.
            params: Query parameters of this call's requests.

        Raises:
            NotFoundError: The graph or the assistant does not exist.
            LangGraphError: The server cannot be reached or refuses the request.

        GET /assistants/{assistant_id}/graph
        """
        return drive(self._drawing(xray, headers, params), self.sync_client)

    async def aget_graph(
        self,
        config: Config | None = None,
        *,
        xray: int | bool = False,
        headers: Headers | None = None,
        params: Params | None = None,
    ) -> Graph:
        """Async twin of `get_graph`."""
        return await adrive(self._drawing(xray, headers, params), self.client)

    def _drawing(
        self, xray: int | bool, headers: Headers | None, params: Params | None
    ) -> Flow[Graph]:
        return introspection.get_graph(
            self.assistant_id, self._clients, xray, self._headers(headers), params
        )

    def get_subgraphs(
        self, *, namespace: str | None = None, recurse: bool = False
    ) -> Iterator[tuple[str, RemoteSubgraph]]:
        """Yield the graph's subgraphs with their namespaces, such as `"child"`.

            for namespace, subgraph in graph.get_subgraphs():
                print(namespace, subgraph.get_input_jsonschema())

        Args:
            namespace: Only the subgraph at this namespace. A subgraph of a subgraph, such as
                `"child|grandchild"`, needs `recurse`. Default: all.
            recurse: Whether to include the subgraphs of subgraphs. Default: False.

        Yields:
            Namespace and subgraph. A subgraph has its drawing, schemas and state. It cannot be run
            by itself, because the protocol runs whole graphs.

        Raises:
            LangGraphError: The server cannot be reached or refuses the request.

        GET /assistants/{assistant_id}/subgraphs
        """
        reading = self._subgraphs(namespace, recurse)
        for name, schemas in drive(reading, self.sync_client).items():
            yield name, RemoteSubgraph(self, name, schemas)

    async def aget_subgraphs(
        self, *, namespace: str | None = None, recurse: bool = False
    ) -> AsyncIterator[tuple[str, RemoteSubgraph]]:
        """Async twin of `get_subgraphs`."""
        reading = self._subgraphs(namespace, recurse)
        for name, schemas in (await adrive(reading, self.client)).items():
            yield name, RemoteSubgraph(self, name, schemas)

    def _subgraphs(self, namespace: str | None, recurse: bool) -> Flow[Mapping[str, Reply]]:
        graph_id = self._threads.graph_id
        return introspection.get_subgraphs(
            self.assistant_id, graph_id, namespace, recurse, self._headers(None)
        )

    def get_input_schema(self, config: Config | None = None) -> type[BaseModel]:
        """Read the schema of the graph's input as a pydantic model.

        Args:
            config: Ignored.

        Raises:
            LangGraphError: The server cannot be reached or refuses the request.

        GET /assistants/{assistant_id}/schemas
        """
        return model_from(self.get_name("Input"), self.get_input_jsonschema())

    def get_output_schema(self, config: Config | None = None) -> type[BaseModel]:
        """Read the schema of the graph's output as a pydantic model.

        Args:
            config: Ignored.

        Raises:
            LangGraphError: The server cannot be reached or refuses the request.

        GET /assistants/{assistant_id}/schemas
        """
        return model_from(self.get_name("Output"), self.get_output_jsonschema())

    def get_input_jsonschema(self, config: Config | None = None) -> JsonObject:
        """Read the JSON schema of the graph's input; `{}` if the server has none.

        Args:
            config: Ignored.

        Raises:
            LangGraphError: The server cannot be reached or refuses the request.

        GET /assistants/{assistant_id}/schemas
        """
        return self._schemas().get("input_schema") or {}

    def get_output_jsonschema(self, config: Config | None = None) -> JsonObject:
        """Read the JSON schema of the graph's output; `{}` if the server has none.

        Args:
            config: Ignored.

        Raises:
            LangGraphError: The server cannot be reached or refuses the request.

        GET /assistants/{assistant_id}/schemas
        """
        return self._schemas().get("output_schema") or {}

    def get_context_jsonschema(self) -> JsonObject | None:
        """Read the JSON schema of the graph's context; None if the graph has no context.

        Raises:
            LangGraphError: The server cannot be reached or refuses the request.

        GET /assistants/{assistant_id}/schemas
        """
        return self._schemas().get("context_schema")

    def _schemas(self) -> Reply:
        graph_id = self._threads.graph_id
        reading = introspection.get_schemas(self.assistant_id, graph_id, self._headers(None))
        return drive(reading, self.sync_client)

    # --- attributes of a compiled graph that other libraries read; each sends a request ---

    @property
    def nodes(self) -> dict[str, Node]:
        """The nodes of the graph's drawing, by name. Each access sends a request."""
        return nodes_of(self.get_graph())

    @property
    def channels(self) -> dict[str, JsonObject]:
        """The JSON schemas of the channels in input and output. Each access sends a request."""
        return channels_of(self._schemas())

    @property
    def input_channels(self) -> str:
        """The channel that takes the input."""
        return "__start__"

    @property
    def output_channels(self) -> list[str]:
        """The names of the output's channels. Each access sends a request."""
        return list(self.get_output_jsonschema().get("properties") or {})

    @property
    def InputType(self) -> type[BaseModel]:  # noqa: N802  # langchain's name.
        """The schema of the input as a pydantic model. Each access sends a request."""
        return self.get_input_schema()

    @property
    def OutputType(self) -> type[BaseModel]:  # noqa: N802
        """The schema of the output as a pydantic model. Each access sends a request."""
        return self.get_output_schema()

    @property
    def context_schema(self) -> type[BaseModel] | None:
        """The schema of the context as a pydantic model; None if the graph has no context."""
        schema = self.get_context_jsonschema()
        return None if schema is None else model_from(self.get_name("Context"), schema)

    def __getattr__(self, name: str) -> NoReturn:
        raise no_attribute(type(self).__name__, name)

    def clear_cache(self, nodes: Sequence[str] | None = None) -> None:
        """Refuse: the protocol has no request that clears a graph's cache.

        Args:
            nodes: Ignored.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError("clear_cache: the protocol has no request that clears a cache")

    async def aclear_cache(self, nodes: Sequence[str] | None = None) -> None:
        """Async twin of `clear_cache`."""
        self.clear_cache(nodes)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """Return what a notebook shows: the name, and the drawing if the server can be reached."""
        shown = {"text/plain": repr(self)}
        # A notebook must be able to show the object even if the server cannot be reached.
        with contextlib.suppress(LangGraphError):
            shown["text/vnd.mermaid"] = self.get_graph().draw_mermaid()
            shown["text/markdown"] = f"```mermaid\n{shown['text/vnd.mermaid']}```"
        return shown
