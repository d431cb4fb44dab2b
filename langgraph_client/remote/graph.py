"""RemoteGraph: the graph on a server, with the methods of a compiled graph."""

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
from langgraph_client.remote.clients import Clients
from langgraph_client.remote.compat import (
    Graph,
    GraphBase,
    Node,
    RunnableConfig,
    StateSnapshot,
    StateUpdate,
    tracing_headers,
)
from langgraph_client.remote.config import merge
from langgraph_client.remote.event_filter import (
    EventFilter,
    Names,
    filtered,
    refuse_filters,
    refuse_other_versions,
)
from langgraph_client.remote.event_reader import EventReader
from langgraph_client.remote.event_streams import EventStreaming, Transformer
from langgraph_client.remote.first_events import first_events, warn_of_first_events
from langgraph_client.remote.flow import Flow, adrive, drive
from langgraph_client.remote.flows import introspection, runs, state
from langgraph_client.remote.leaving import (
    AsyncBatches,
    Batches,
    GraphStream,
    afollowed,
    followed,
)
from langgraph_client.remote.output import aresult_of, result_of
from langgraph_client.remote.run_request import Control, RunArguments, RunRequest
from langgraph_client.remote.schemas import model_from
from langgraph_client.remote.settings import GraphSettings
from langgraph_client.remote.snapshot import HistoryPages
from langgraph_client.remote.stand_ins import ClientLike
from langgraph_client.remote.stream_modes import Modes
from langgraph_client.remote.subgraph import RemoteSubgraph
from langgraph_client.remote.threads import KnownThreads
from langgraph_client.values import CONTROL_EVENT

if TYPE_CHECKING:
    from langgraph_client.remote.compat import AsyncGraphRunStream, GraphRunStream

Headers = Mapping[str, str]
Params = Mapping[str, object]


class RemoteGraph(GraphBase[JSON, JSON, JSON, JSON]):
    """A graph that runs on a server and behaves as the same graph compiled locally.

    A thread id may be any string: `{"configurable": {"thread_id": "user-1"}}`, or flat,
    `{"thread_id": "user-1"}`. One that is not a UUID is known to the server as
    `uuid5(THREAD_NAMESPACE, thread_id)`; the thread is made on first use and keeps the given id
    in its metadata under `given_thread_id`. Results name the thread as the caller did.

    Without a thread id a run keeps nothing.

    The first call asks the server once (`GET /info`) whether it is the bundled one, which reads
    and writes more than the protocol has: Python's types, whole states, causes of failures.

    Args:
        assistant_id: Name of the graph on the server, or the UUID of an assistant.
        url: Where the server is. Default: `LANGGRAPH_URL`, else `http://localhost:8123`.
        api_key: Sent to the server. Default: read from the environment, as `get_client` does;
            None sends none.
        headers: Sent with every request.
        client: Used by the async methods in place of one made from `url`; never closed here. It
            may be one of this package or of `langgraph_sdk`, or anything of that shape, such as a
            mock: that one gets thread ids as they are written, by keyword.
        sync_client: The same for the blocking methods.
        config: Merged under the config of every call, as `with_config` does.
        name: What this graph is called in drawings and parent graphs. Default: `assistant_id`.
        decode_messages: Give messages as langchain-core's message objects, where it is installed.
            False leaves them the dicts they are on the wire.
        checkpointer: What this graph keeps as a node of a local parent graph, with the meaning
            that `compile(checkpointer=...)` has for a local subgraph: None the state of one task
            of the parent, so that it can resume; True that of the node, across the parent's
            invocations; False nothing.
        strict_config: Refuse a config with values that cannot be sent. False leaves them out, and
            warns of each once.
        allow_types: Dataclasses, pydantic models, enums and named tuples that results may be made
            of, their fields' classes included, where the server is the bundled one; exceptions
            that failures may be instances of. Others stay dicts. Nothing is imported by name.
        distributed_tracing: Send with every call the headers of the current LangSmith run, and of
            the active OpenTelemetry span (W3C `traceparent`), so that the server's traces join.
        stream_mode: What `stream` yields where the call does not say it. Default: "updates", as a
            compiled graph; `server.remote_graph` knows the mode that its graph was made with.
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
        )
        self._begin(settings, Clients(url, api_key, headers, client, sync_client))

    def _begin(self, settings: GraphSettings, clients: Clients) -> None:
        self._settings = settings
        self._clients = clients
        self._threads = KnownThreads(settings.assistant_id)
        self._warned: set[str] = set()
        self.name = settings.name

    # --- what it was made with ---

    @property
    def assistant_id(self) -> str:
        """The graph's name on the server, or an assistant's id."""
        return self._settings.assistant_id

    @property
    def config(self) -> Config | None:
        """What is merged under the config of every call."""
        return self._settings.config

    @property
    def checkpointer(self) -> bool | None:
        """What this graph keeps as a node of a local parent graph."""
        return self._settings.checkpointer

    @property
    def stream_mode(self) -> Modes:
        """What `stream` yields where the call does not say it."""
        return self._settings.stream_mode

    @property
    def client(self) -> LangGraphClient:
        """The async client; made on first use, if none was given."""
        return self._clients.client

    @property
    def sync_client(self) -> SyncLangGraphClient:
        """The blocking client; made on first use, if none was given."""
        return self._clients.sync_client

    # The names by which users' code (deepagents-code 0.1.88, for one) takes the clients of
    # langgraph's RemoteGraph.

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
        """Close the blocking client, if this graph made it. It is made again when needed."""
        self._clients.close()

    async def aclose(self) -> None:
        """Close both clients, where this graph made them. They are made again when needed."""
        await self._clients.aclose()

    def with_config(self, config: Config | None = None, **kwargs: JSON) -> Self:
        """Return a copy of this graph whose config is merged with this one."""
        return self.copy({"config": merge(self.config, config, kwargs)})

    def copy(self, update: Mapping[str, JSON] | None = None) -> Self:
        """Return a copy that shares this graph's clients.

        Args:
            update: New values for `assistant_id`, `config`, `name`, `decode_messages`,
                `checkpointer`, `strict_config`, `distributed_tracing`, `allow_types` or
                `stream_mode`.
        """
        copied = type(self).__new__(type(self))
        copied._begin(self._settings.changed({"name": self.name, **(update or {})}), self._clients)
        return copied

    def _repr_html_(self) -> str:
        # Notebooks ask for it on their own: an error would hide the value that is shown.
        try:
            drawn = self.get_graph()
        except (LangGraphError, RuntimeError) as error:
            return table([(repr(self), text(f"no drawing: {error}"))])
        edges = [(edge.source, edge.target, edge.conditional) for edge in drawn.edges]
        return drawing_svg(list(drawn.nodes), edges)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.assistant_id!r})"

    def _headers(self, headers: Headers | None) -> Headers:
        """Return the headers of one call: the caller's, over those of the current trace."""
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
        """Run the graph to its end, or to where it stops, and return its output.

        Args:
            input: The graph's input; None goes on with the thread's state; a `Command` resumes,
                updates or redirects.
            config: `configurable.thread_id` names the thread; `checkpoint_id` there goes on from
                that checkpoint. `tags`, `metadata`, `recursion_limit` and further `configurable`
                values reach the graph.
            context: Static context, as the graph's `context_schema` has it.
            stream_mode: "values" returns the output; any other mode returns the list of what
                `stream` would have yielded.
            print_mode: Modes to print as they come.
            output_keys: Which parts of the state to return.
            interrupt_before: Nodes to stop before; "*" is all.
            interrupt_after: Nodes to stop after; "*" is all.
            durability: When checkpoints are written: "sync", "async" or "exit".
            control: A `RunControl`: after `request_drain()` the run stops before its next
                superstep and raises `GraphDrained`; the thread goes on from there. Only the bundled
                server takes it.
            headers: Sent with this call.
            params: Query parameters, sent with this call.
            version: "v2" returns a `GraphOutput`.
            **kwargs: Options of `client.runs.stream` that a local graph does not have, such as
                `multitask_strategy`; `RunOptions` lists them.

        Returns:
            The output, as the local graph's. A graph stopped by `interrupt()` has its
            interrupts under `__interrupt__`.

        Raises:
            RemoteException: The graph raised; also an instance of the local class of that name.
            LangGraphError: The server could not be asked, or said no.
            TypeError: `kwargs` has a keyword that is no option.
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
        """Run the graph and yield what it does, as it happens.

        Leaving early, by `break` or an exception, cancels the run.

        Args:
            input: The graph's input; None goes on with the thread's state; a `Command` resumes,
                updates or redirects.
            config: As for `invoke`: the thread and what reaches the graph.
            context: Static context, as the graph's `context_schema` has it.
            stream_mode: One of "values", "updates" (the default), "custom", "messages", "tasks",
                "checkpoints", "debug", or a list of them.
            print_mode: Modes to print as they come.
            output_keys: Which parts of the state to yield.
            interrupt_before: Nodes to stop before; "*" is all.
            interrupt_after: Nodes to stop after; "*" is all.
            durability: When checkpoints are written: "sync", "async" or "exit".
            control: A `RunControl`: after `request_drain()` the run stops before its next
                superstep and raises `GraphDrained`; the thread goes on from there. Only the bundled
                server takes it.
            subgraphs: Yield what subgraphs do, too.
            debug: Print updates and values as they come.
            headers: Sent with this call.
            params: Query parameters, sent with this call.
            version: "v2" yields dicts, see below.
            **kwargs: Options of `client.runs.stream` that a local graph does not have, such as
                `multitask_strategy`; `RunOptions` lists them.

        Yields:
            The data of one mode; `(mode, data)` for a list of modes; with `subgraphs` the
            namespace in front; `{"type", "ns", "data"}` for `version="v2"`.

        Raises:
            RemoteException: The graph raised; also an instance of the local class of that name.
            LangGraphError: The server could not be asked, or said no.
            TypeError: `kwargs` has a keyword that is no option.
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
        """Run the graph and give its events: langchain's, or langgraph's run stream.

        For "v2" the server sends langchain's events of nodes, models and tools, as the mode
        "events" of a stream; for "v1" they are converted here. For "v3" the result is awaited for a
        run stream with projections, the same object that a local graph gives.

        Args:
            input: The graph's input; None goes on with the thread's state; a `Command` resumes,
                updates or redirects.
            config: As for `invoke`: the thread and what reaches the graph.
            version: "v2" or "v3"; "v1" is deprecated, and warns.
            transformers: Only for "v3": further projections, classes or factories of a scope. They
                run here, not on the server. What those push that the graph was compiled with there
                is in `extensions[key]`, of the root graph, if the server is this package's.
            include_names: Only events of runs of these names; see below. For "v2", as all of these.
            include_types: Only events of these kinds of runs: "chain", "chat_model", "llm",
                "tool", "retriever", "prompt", "parser".
            include_tags: Only events of runs with one of these tags. Of several `include_...` one
                has to fit.
            exclude_names: No events of runs of these names.
            exclude_types: No events of these kinds of runs.
            exclude_tags: No events of runs with one of these tags.
            **kwargs: Further arguments of `stream`.

        Returns:
            For "v1" and "v2" an async iterator of `{"event", "name", "run_id", "parent_ids",
            "tags", "metadata", "data"}`; for "v3" a coroutine that returns an
            `AsyncGraphRunStream`.

        Raises:
            NotImplementedError: `transformers` for another version than "v3".
            MissingExtraError: "v3" without langgraph.
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
        wanted = EventFilter(
            input,
            {name: pair[0] for name, pair in filters.items()},
            {name: pair[1] for name, pair in filters.items()},
        )
        given = {"input": input, "config": config, "kwargs": kwargs}
        events = self._arun(RunArguments.collect(given, whole_state=True, events=True))
        if version == "v1":
            warn_of_first_events()
            events = first_events(events, self._settings.merged(config))
        return filtered(events, wanted)

    async def _arun_stream(
        self,
        input: GraphValue,
        config: Config | None,
        transformers: Sequence[Transformer] | None,
        options: JsonObject,
    ) -> AsyncGraphRunStream:
        merged = self._settings.merged(config)
        streaming = EventStreaming(transformers, is_async=True, options=options, config=merged)
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
            input: The graph's input; None goes on with the thread's state; a `Command` resumes,
                updates or redirects.
            config: As for `invoke`: the thread and what reaches the graph.
            version: "v3"; the other versions are async only, locally too.
            transformers: Further projections, classes or factories of a scope. They run here, not
                on the server. What those push that the graph was compiled with there is in
                `extensions[key]`, of the root graph, if the server is this package's.
            **kwargs: Further arguments of `stream`.

        Returns:
            A run stream with `values`, `messages`, `lifecycle`, `subgraphs` and `output`. Nothing
            runs before something of it is read.

        Raises:
            NotImplementedError: Another version; use `astream_events`.
            MissingExtraError: langgraph is not installed.
        """
        if version != "v3":
            refuse_other_versions(version, transformers)
            raise NotImplementedError(
                f'stream_events(version="{version}"): is async only, locally too; use'
                " astream_events"
            )
        merged = self._settings.merged(config)
        streaming = EventStreaming(transformers, is_async=False, options=kwargs, config=merged)
        return streaming.run_stream(
            self._run(RunArguments.collect(streaming.arguments(input, config), whole_state=True))
        )

    def _run(self, arguments: RunArguments) -> Generator[GraphValue, None, None]:
        merged = self._settings.merged(arguments.config)
        with RunCallbacks(merged, arguments.input, self.get_name()) as callbacks:
            request, reader, call = self._prepared(arguments, merged, callbacks)
            client = self.sync_client
            drive(runs.prepare(request, call), client)
            sent = request.arguments_for(reader.created)
            parts = self._clients.stream(call.address.thread_id, self.assistant_id, sent)
            with followed(parts, lambda: drive(runs.cancel(reader), client)) as events:
                direct, read_direct = reader.direct, reader.read_direct
                for batch in Batches(events):
                    for part in batch:
                        event = part.event
                        if event in direct:  # Most events of most streams.
                            yield read_direct(event, part.data)
                            continue
                        if event == CONTROL_EVENT:
                            drive(runs.answer_control(arguments.control, part.data), client)
                            continue
                        yield from reader.read(event, part.data)
                        if callbacks.wants_more:
                            callbacks.hear(reader.news())
            reader.finish()
            callbacks.output = reader.output

    async def _arun(self, arguments: RunArguments) -> AsyncGenerator[GraphValue, None]:
        merged = self._settings.merged(arguments.config)
        async with RunCallbacks(merged, arguments.input, self.get_name()) as callbacks:
            request, reader, call = self._prepared(arguments, merged, callbacks)
            client = self.client
            await adrive(runs.prepare(request, call), client)
            sent = request.arguments_for(reader.created)
            parts = self._clients.astream(call.address.thread_id, self.assistant_id, sent)
            async with afollowed(
                parts, lambda: adrive(runs.cancel(reader, wait=True), client)
            ) as events:
                direct, read_direct = reader.direct, reader.read_direct
                async for batch in AsyncBatches(events):
                    for part in batch:
                        event = part.event
                        if event in direct:
                            yield read_direct(event, part.data)
                            continue
                        if event == CONTROL_EVENT:
                            await adrive(runs.answer_control(arguments.control, part.data), client)
                            continue
                        for item in reader.read(event, part.data):
                            yield item
                        if callbacks.wants_more:
                            await callbacks.ahear(reader.news())
            reader.finish()
            callbacks.output = reader.output

    def _prepared(
        self, arguments: RunArguments, merged: JsonObject, callbacks: RunCallbacks
    ) -> tuple[RunRequest, EventReader, state.StateCall]:
        settings = self._settings
        call = self._call(arguments.config, arguments.headers, None, calling=merged)
        request = RunRequest(
            arguments,
            merged,
            call.address,
            headers=call.headers,
            strict_config=settings.strict_config,
            stream_mode=settings.stream_mode,
            wants_output=callbacks.wants_output,
            wants_messages=callbacks.wants_messages,
            asides=callbacks.asides,
        )
        if new := [path for path in request.left_out if path not in self._warned]:
            self._warned.update(new)
            warnings.warn(
                f"not sent, since it cannot be JSON: {', '.join(new)}", UserWarning, stacklevel=4
            )
        return request, EventReader(request, call.decoder), call

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

        Args:
            config: Names the thread.
            subgraphs: Put the states of interrupted subgraphs into `tasks[].state`.
            headers: Sent with this call.
            params: Query parameters, sent with this call.

        Returns:
            A snapshot; an empty one for a thread that does not exist or never ran.

        Raises:
            InvalidArgumentError: The config names no thread.
        """
        call = self._call(config, headers, params, "get_state")
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
        call = self._call(config, headers, params, "aget_state")
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
        """Yield the states of a thread, newest first, reading a page whenever one is needed.

        Args:
            config: Names the thread.
            filter: Only checkpoints whose metadata has these values.
            before: Only what is older than this config's checkpoint.
            limit: How many at most; default all.
            headers: Sent with each page's request.
            params: Query parameters, sent with each page's request.
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
        """Write to the state of a thread, through its reducers.

        Args:
            config: Names the thread; with a `checkpoint_id`, the update forks from there.
            values: What to write; None writes nothing but moves on as `as_node` would. A `Command`
                acts as if the node had returned it; servers other than the bundled one take its
                `update` only.
            as_node: The node to write as; default the one that ran last.
            task_id: The id of the task that is said to have written it, with `as_node` and at the
                latest state; only the bundled server takes it.
            headers: Sent with this call.
            params: Query parameters, sent with this call.

        Returns:
            The config of the new checkpoint.

        Raises:
            NotImplementedError: A `task_id` or a command that the server cannot take was given.
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

        A superstep of one update works on any thread, as `update_state` does. One of several
        updates exists in the protocol only where a thread is made with its supersteps.

        Args:
            config: Names the thread.
            supersteps: The supersteps, each a list of `StateUpdate(values, as_node, task_id)`.

        Returns:
            The config of the last checkpoint.

        Raises:
            NotImplementedError: An update has a `task_id`, or a superstep has several updates, and
                the config has a `checkpoint_id`, or the server is not the bundled one. Others take
                several updates where the thread does not exist yet.
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
        calling: JsonObject | None = None,
    ) -> state.StateCall:
        """Return where a call takes place and what goes along with it.

        Args:
            config: The caller's.
            headers: The caller's.
            params: The caller's.
            method: The method, where it needs a thread.
            calling: The merged config of a run.
        """
        merged = self._settings.merged(config) if calling is None else calling
        address = self._settings.address(merged, calling=calling is not None)
        if self._clients.keeps_thread_ids:
            address = address.as_written()
        if method is not None:
            address.require_thread(method)
        asked = state.asked_config(merged)
        return state.StateCall(
            assistant_id=self.assistant_id,
            address=address,
            decoder=self._settings.decoder(address),
            clients=self._clients,
            threads=self._threads,
            asked=asked if calling is None else {"configurable": address.configurable({})},
            headers=self._headers(headers),
            params=params,
        )

    # --- what the graph is made of ---

    def get_graph(
        self,
        config: Config | None = None,
        *,
        xray: int | bool = False,
        headers: Headers | None = None,
        params: Params | None = None,
    ) -> Graph:
        """Read the graph's nodes and edges, ready to be drawn.

        Args:
            config: Accepted as locally; a drawing does not depend on it.
            xray: Open subgraphs: True for all, a number for so many levels.
            headers: Sent with this call.
            params: Query parameters, sent with this call.
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

        Args:
            namespace: Only the subgraph there. One inside another, `"child|grandchild"`, needs
                `recurse`.
            recurse: Those inside others, too.

        Yields:
            Namespace and subgraph. A subgraph tells its drawing, schemas and state; it cannot be
            run by itself, since the protocol runs whole graphs.
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
        return introspection.get_subgraphs(self.assistant_id, graph_id, namespace, recurse)

    def get_input_schema(self, config: Config | None = None) -> type[BaseModel]:
        """Read the schema of the graph's input, as a pydantic model."""
        return model_from(self.get_name("Input"), self.get_input_jsonschema())

    def get_output_schema(self, config: Config | None = None) -> type[BaseModel]:
        """Read the schema of the graph's output, as a pydantic model."""
        return model_from(self.get_name("Output"), self.get_output_jsonschema())

    def get_input_jsonschema(self, config: Config | None = None) -> JsonObject:
        """Read the JSON schema of the graph's input; `{}` where the server cannot make one."""
        return self._schemas().get("input_schema") or {}

    def get_output_jsonschema(self, config: Config | None = None) -> JsonObject:
        """Read the JSON schema of the graph's output; `{}` where the server cannot make one."""
        return self._schemas().get("output_schema") or {}

    def get_context_jsonschema(self) -> JsonObject | None:
        """Read the JSON schema of the graph's context; None for a graph without one."""
        return self._schemas().get("context_schema")

    def _schemas(self) -> Reply:
        reading = introspection.get_schemas(self.assistant_id, self._threads.graph_id)
        return drive(reading, self.sync_client)

    # --- attributes of a compiled graph that adapters read; each asks the server ---

    @property
    def nodes(self) -> dict[str, Node]:
        """The graph's nodes by name, as its drawing has them; read from the server each time."""
        return nodes_of(self.get_graph())

    @property
    def channels(self) -> dict[str, JsonObject]:
        """The JSON schemas of the state's channels, as far as input and output show them."""
        return channels_of(self._schemas())

    @property
    def input_channels(self) -> str:
        """The channel that takes the input."""
        return "__start__"

    @property
    def output_channels(self) -> list[str]:
        """The names of the channels of the output."""
        return list(self.get_output_jsonschema().get("properties") or {})

    @property
    def context_schema(self) -> type[BaseModel] | None:
        """The schema of the context, as a pydantic model; None for a graph without one."""
        schema = self.get_context_jsonschema()
        return None if schema is None else model_from(self.get_name("Context"), schema)

    def __getattr__(self, name: str) -> NoReturn:
        raise no_attribute(type(self).__name__, name)

    def clear_cache(self, nodes: Sequence[str] | None = None) -> None:
        """Refuse: the protocol has no call that empties a graph's cache.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError("clear_cache: the protocol has no call that empties a cache")

    async def aclear_cache(self, nodes: Sequence[str] | None = None) -> None:
        """Async twin of `clear_cache`."""
        self.clear_cache(nodes)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """Return what a notebook shows: the name, and the drawing where it can be had."""
        shown = {"text/plain": repr(self)}
        # Showing a value must not fail because the server is away.
        with contextlib.suppress(LangGraphError):
            shown["text/vnd.mermaid"] = self.get_graph().draw_mermaid()
            shown["text/markdown"] = f"```mermaid\n{shown['text/vnd.mermaid']}```"
        return shown
