"""RemoteGraph: the graph on a server, with the methods of a compiled graph.

Each method is a pair, blocking and async, over one shared translation (`invocation`, `snapshot`);
the blocking one is documented, its twin behaves the same.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, cast

from langgraph_client._async.client import LangGraphClient
from langgraph_client._sync.client import SyncLangGraphClient
from langgraph_client.errors import InvalidArgumentError, LangGraphError, NotFoundError
from langgraph_client.remote.clients import Clients
from langgraph_client.remote.config import Address, merge
from langgraph_client.remote.decode import Decoder
from langgraph_client.remote.drawing import drawing_from
from langgraph_client.remote.invocation import Invocation, Output
from langgraph_client.remote.seam import (
    Graph,
    GraphBase,
    RunnableConfig,
    StateSnapshot,
    ambient_config,
)
from langgraph_client.remote.snapshot import HistoryPages, empty_snapshot, snapshot_from
from langgraph_client.remote.threads import Threads


class RemoteGraph(GraphBase[Any, Any, Any, Any]):
    """A graph that runs on a server and behaves as the same graph compiled locally.

    A thread id may be any string: `{"configurable": {"thread_id": "user-1"}}`, or flat,
    `{"thread_id": "user-1"}`. One that is not a UUID is known to the server as
    `uuid5(THREAD_NAMESPACE, thread_id)`; the thread is made on first use and keeps the given id
    in its metadata under `given_thread_id`. Results name the thread as the caller did.

    Without a thread id a run keeps nothing.

    Args:
        assistant_id: Name of the graph on the server, or the UUID of an assistant.
        url: Where the server is. Default: `LANGGRAPH_URL`, else `http://localhost:8123`.
        api_key: Sent to the server. Default: read from the environment, as `get_client` does.
        headers: Sent with every request.
        client: Used by the async methods in place of one made from `url`; never closed here.
        sync_client: The same for the blocking methods.
        config: Merged under the config of every call, as `with_config` does.
        name: What this graph is called in drawings and parent graphs. Default: `assistant_id`.
        decode_messages: Give messages as langchain-core's message objects, where it is installed.
            False leaves them the dicts they are on the wire.
    """

    def __init__(
        self,
        assistant_id: str,
        /,
        *,
        url: str | None = None,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        client: LangGraphClient | None = None,
        sync_client: SyncLangGraphClient | None = None,
        config: RunnableConfig | None = None,
        name: str | None = None,
        decode_messages: bool = True,
    ) -> None:
        if not isinstance(assistant_id, str) or not assistant_id:
            raise InvalidArgumentError(
                "assistant_id", f"must be a graph's name or an assistant's id, not {assistant_id!r}"
            )
        self.assistant_id = assistant_id
        self.name = name or assistant_id
        self.config = config
        self.decode_messages = decode_messages
        self._clients = Clients(url, api_key, headers, client, sync_client)
        self._threads = Threads(assistant_id)

    # --- clients, made on first use ---

    @property
    def client(self) -> LangGraphClient:
        """The async client."""
        return self._clients.client

    @property
    def sync_client(self) -> SyncLangGraphClient:
        """The blocking client."""
        return self._clients.sync_client

    def __enter__(self) -> RemoteGraph:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> RemoteGraph:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def close(self) -> None:
        """Close the blocking client, if this graph made it. It is made again when needed."""
        self._clients.close()

    async def aclose(self) -> None:
        """Close both clients, where this graph made them. They are made again when needed."""
        await self._clients.aclose()

    # --- invoke and stream ---

    def invoke(
        self,
        input: Any,
        config: RunnableConfig | None = None,
        *,
        context: Any = None,
        stream_mode: Any = "values",
        print_mode: Any = (),
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: Any = None,
        interrupt_after: Any = None,
        durability: Any = None,
        control: Any = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        version: Any = "v1",
        **kwargs: Any,
    ) -> Any:
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
            headers: Sent with this call.
            params: Query parameters, sent with this call.
            version: "v2" returns a `GraphOutput`.
            **kwargs: Further options of `client.runs.stream`, such as `multitask_strategy`.

        Returns:
            The output, as the local graph's. A graph stopped by `interrupt()` has its
            interrupts under `__interrupt__`.

        Raises:
            RemoteException: The graph raised; also an instance of the local class of that name.
            LangGraphError: The server could not be asked, or said no.
        """
        items = self.stream(
            input,
            config,
            context=context,
            stream_mode=stream_mode,
            print_mode=print_mode,
            output_keys=output_keys,
            interrupt_before=interrupt_before,
            interrupt_after=interrupt_after,
            durability=durability,
            control=control,
            headers=headers,
            params=params,
            version=version,
            **kwargs,
        )
        if stream_mode != "values":
            return list(items)
        output = Output(version)
        for item in items:
            output.add(item)
        return output.result()

    async def ainvoke(
        self,
        input: Any,
        config: RunnableConfig | None = None,
        *,
        context: Any = None,
        stream_mode: Any = "values",
        print_mode: Any = (),
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: Any = None,
        interrupt_after: Any = None,
        durability: Any = None,
        control: Any = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        version: Any = "v1",
        **kwargs: Any,
    ) -> Any:
        """Async twin of `invoke`."""
        items = self.astream(
            input,
            config,
            context=context,
            stream_mode=stream_mode,
            print_mode=print_mode,
            output_keys=output_keys,
            interrupt_before=interrupt_before,
            interrupt_after=interrupt_after,
            durability=durability,
            control=control,
            headers=headers,
            params=params,
            version=version,
            **kwargs,
        )
        if stream_mode != "values":
            return [item async for item in items]
        output = Output(version)
        async for item in items:
            output.add(item)
        return output.result()

    def stream(
        self,
        input: Any,
        config: RunnableConfig | None = None,
        *,
        context: Any = None,
        stream_mode: Any = None,
        print_mode: Any = (),
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: Any = None,
        interrupt_after: Any = None,
        durability: Any = None,
        control: Any = None,
        subgraphs: bool = False,
        debug: bool | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        version: Any = "v1",
        **kwargs: Any,
    ) -> Iterator[Any]:
        """Run the graph and yield what it does, as it happens.

        Args as for `invoke`, and:
            stream_mode: One of "values", "updates" (the default), "custom", "messages", "tasks",
                "checkpoints", "debug", or a list of them.
            subgraphs: Yield what subgraphs do, too.
            debug: Print updates and values as they come.

        Yields:
            The data of one mode; `(mode, data)` for a list of modes; with `subgraphs` the
            namespace in front; `{"type", "ns", "data"}` for `version="v2"`.

        Leaving early, by `break` or an exception, cancels the run.
        """
        invocation = self._invocation(
            input,
            config,
            control=control,
            debug=debug,
            context=context,
            stream_mode=stream_mode,
            print_mode=print_mode,
            output_keys=output_keys,
            interrupt_before=interrupt_before,
            interrupt_after=interrupt_after,
            durability=durability,
            subgraphs=subgraphs,
            headers=headers,
            params=params,
            version=version,
            **kwargs,
        )
        client, address = self.sync_client, invocation.address
        for thread in self._threads.to_announce(address):
            client.threads.create(**thread)
            self._threads.announced(address)
        with client.runs.stream(
            address.thread_id, self.assistant_id, **invocation.request
        ) as events:
            try:
                for part in events:
                    yield from invocation.read(part.event, part.data)
            except LangGraphError:
                raise
            except BaseException:  # The caller left: stop the run, as leaving a local graph does.
                if address.thread_id is not None and events.run_id is not None:
                    # What made the caller leave matters more than a cancel that came too late.
                    with contextlib.suppress(LangGraphError):
                        client.runs.cancel(address.thread_id, events.run_id)
                raise

    async def astream(
        self,
        input: Any,
        config: RunnableConfig | None = None,
        *,
        context: Any = None,
        stream_mode: Any = None,
        print_mode: Any = (),
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: Any = None,
        interrupt_after: Any = None,
        durability: Any = None,
        control: Any = None,
        subgraphs: bool = False,
        debug: bool | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        version: Any = "v1",
        **kwargs: Any,
    ) -> AsyncIterator[Any]:
        """Async twin of `stream`."""
        invocation = self._invocation(
            input,
            config,
            control=control,
            debug=debug,
            context=context,
            stream_mode=stream_mode,
            print_mode=print_mode,
            output_keys=output_keys,
            interrupt_before=interrupt_before,
            interrupt_after=interrupt_after,
            durability=durability,
            subgraphs=subgraphs,
            headers=headers,
            params=params,
            version=version,
            **kwargs,
        )
        client, address = self.client, invocation.address
        for thread in self._threads.to_announce(address):
            await client.threads.create(**thread)
            self._threads.announced(address)
        async with client.runs.stream(
            address.thread_id, self.assistant_id, **invocation.request
        ) as events:
            try:
                async for part in events:
                    for item in invocation.read(part.event, part.data):
                        yield item
            except LangGraphError:
                raise
            except BaseException:  # See `stream`.
                if address.thread_id is not None and events.run_id is not None:
                    with contextlib.suppress(LangGraphError):
                        await client.runs.cancel(address.thread_id, events.run_id)
                raise

    def _invocation(
        self,
        input: Any,
        config: RunnableConfig | None,
        *,
        control: Any,
        debug: bool | None,
        stream_mode: Any,
        print_mode: Any,
        **options: Any,
    ) -> Invocation:
        if control is not None:
            raise NotImplementedError(
                "control: a RunControl acts inside the process that runs the graph; "
                "use client.runs.cancel() to stop a remote run"
            )
        return Invocation(
            input,
            self._merged(config),
            stream_mode="updates" if stream_mode is None else stream_mode,
            print_mode=["updates", "values"] if debug else print_mode,
            decode_messages=self.decode_messages,
            **options,
        )

    def _merged(self, config: Mapping[str, Any] | None) -> dict[str, Any]:
        return merge(ambient_config(), self.config, config)

    # --- state ---

    def get_state(
        self,
        config: RunnableConfig,
        *,
        subgraphs: bool = False,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
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
        address, decoder, asked = self._reading(config, "get_state")
        try:
            state = self.sync_client.threads.get_state(
                address.require_thread("get_state"),
                address.checkpoint or None,
                subgraphs=subgraphs,
                headers=headers,
                params=params,
            )
        except NotFoundError:
            return empty_snapshot(asked)
        return snapshot_from(state, decoder, asked)

    async def aget_state(
        self,
        config: RunnableConfig,
        *,
        subgraphs: bool = False,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> StateSnapshot:
        """Async twin of `get_state`."""
        address, decoder, asked = self._reading(config, "aget_state")
        try:
            state = await self.client.threads.get_state(
                address.require_thread("aget_state"),
                address.checkpoint or None,
                subgraphs=subgraphs,
                headers=headers,
                params=params,
            )
        except NotFoundError:
            return empty_snapshot(asked)
        return snapshot_from(state, decoder, asked)

    def get_state_history(
        self,
        config: RunnableConfig,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
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
        address, decoder, asked = self._reading(config, "get_state_history")
        thread_id = address.require_thread("get_state_history")
        pages = HistoryPages(address, filter, before, limit)
        while pages.wanted:
            try:
                states = self.sync_client.threads.get_history(
                    thread_id, **pages.request(), headers=headers, params=params
                )
            except NotFoundError:
                return
            yield from (snapshot_from(state, decoder, asked) for state in states)
            pages.took(states)

    async def aget_state_history(
        self,
        config: RunnableConfig,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> AsyncIterator[StateSnapshot]:
        """Async twin of `get_state_history`."""
        address, decoder, asked = self._reading(config, "aget_state_history")
        thread_id = address.require_thread("aget_state_history")
        pages = HistoryPages(address, filter, before, limit)
        while pages.wanted:
            try:
                states = await self.client.threads.get_history(
                    thread_id, **pages.request(), headers=headers, params=params
                )
            except NotFoundError:
                return
            for state in states:
                yield snapshot_from(state, decoder, asked)
            pages.took(states)

    def update_state(
        self,
        config: RunnableConfig,
        values: Any,
        as_node: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> RunnableConfig:
        """Write to the state of a thread, through its reducers.

        Args:
            config: Names the thread; with a `checkpoint_id`, the update forks from there.
            values: What to write; None writes nothing but moves on as `as_node` would.
            as_node: The node to write as; default the one that ran last.
            headers: Sent with this call.
            params: Query parameters, sent with this call.

        Returns:
            The config of the new checkpoint.
        """
        address = Address.of(self._merged(config))
        thread_id = address.require_thread("update_state")
        client = self.sync_client
        if self._threads.needs_graph(address):
            graph_id = self._threads.graph_id or client.assistants.get(self.assistant_id).graph_id
            thread = client.threads.create(**self._threads.with_graph(address, graph_id))
            if not thread.metadata.get("graph_id"):
                client.threads.update(thread_id, metadata={"graph_id": graph_id})
            self._threads.has_graph(address, graph_id)
        updated = client.threads.update_state(
            thread_id,
            values,
            as_node=as_node,
            checkpoint=address.checkpoint or None,
            headers=headers,
            params=params,
        )
        return {"configurable": address.configurable(updated["checkpoint"])}

    async def aupdate_state(
        self,
        config: RunnableConfig,
        values: Any,
        as_node: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> RunnableConfig:
        """Async twin of `update_state`."""
        address = Address.of(self._merged(config))
        thread_id = address.require_thread("aupdate_state")
        client = self.client
        if self._threads.needs_graph(address):
            graph_id = self._threads.graph_id
            if graph_id is None:
                graph_id = (await client.assistants.get(self.assistant_id)).graph_id
            thread = await client.threads.create(**self._threads.with_graph(address, graph_id))
            if not thread.metadata.get("graph_id"):
                await client.threads.update(thread_id, metadata={"graph_id": graph_id})
            self._threads.has_graph(address, graph_id)
        updated = await client.threads.update_state(
            thread_id,
            values,
            as_node=as_node,
            checkpoint=address.checkpoint or None,
            headers=headers,
            params=params,
        )
        return {"configurable": address.configurable(updated["checkpoint"])}

    def _reading(
        self, config: RunnableConfig, method: str
    ) -> tuple[Address, Decoder, RunnableConfig]:
        merged = self._merged(config)
        address = Address.of(merged)
        address.require_thread(method)
        asked = cast(RunnableConfig, {key: value for key, value in merged.items() if value})
        return address, Decoder(address, self.decode_messages), asked

    # --- the graph itself ---

    def get_graph(
        self,
        config: RunnableConfig | None = None,
        *,
        xray: int | bool = False,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Graph:
        """Read the graph's nodes and edges, ready to be drawn.

        Args:
            config: Accepted as locally; a drawing does not depend on it.
            xray: Open subgraphs: True for all, a number for so many levels.
            headers: Sent with this call.
            params: Query parameters, sent with this call.
        """
        drawn = self.sync_client.assistants.get_graph(
            self.assistant_id, xray=xray, headers=headers, params=params
        )
        return drawing_from(drawn)

    async def aget_graph(
        self,
        config: RunnableConfig | None = None,
        *,
        xray: int | bool = False,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Graph:
        """Async twin of `get_graph`."""
        drawn = await self.client.assistants.get_graph(
            self.assistant_id, xray=xray, headers=headers, params=params
        )
        return drawing_from(drawn)

    def with_config(self, config: RunnableConfig | None = None, **kwargs: Any) -> RemoteGraph:
        """Return a copy of this graph whose config is merged with this one."""
        return self.copy({"config": merge(self.config, config, kwargs)})

    def copy(self, update: Mapping[str, Any] | None = None) -> RemoteGraph:
        """Return a copy that shares this graph's clients.

        Args:
            update: New values for `assistant_id`, `config`, `name` or `decode_messages`.
        """
        settings = {
            "assistant_id": self.assistant_id,
            "config": self.config,
            "name": self.name,
            "decode_messages": self.decode_messages,
        }
        if unknown := (update or {}).keys() - settings.keys():
            raise InvalidArgumentError("update", f"has unknown keys: {sorted(unknown)}")
        settings.update(update or {})
        copied = type(self)(settings.pop("assistant_id"), **settings)
        copied._clients = self._clients
        return copied

    def __repr__(self) -> str:
        return f"RemoteGraph({self.assistant_id!r})"
