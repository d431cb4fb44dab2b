"""RemoteGraph's runs: `invoke` and `stream`, and their async twins.

The blocking method of a pair is documented; the other behaves the same.
"""

from __future__ import annotations

import contextlib
import json
import warnings
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, Literal

from langgraph_client.errors import LangGraphError
from langgraph_client.models.params import All, Durability
from langgraph_client.remote.asking import GraphMode
from langgraph_client.remote.callbacks import Watched
from langgraph_client.remote.invocation import Invocation
from langgraph_client.remote.nested import TASK_ID
from langgraph_client.remote.output import Output
from langgraph_client.remote.state import Stateful
from langgraph_client.values import OUTPUT_HEADER


class Running(Stateful):
    """A graph that can be run."""

    def invoke(
        self,
        input: Any,
        config: Mapping[str, Any] | None = None,
        *,
        context: Any = None,
        stream_mode: GraphMode | Sequence[GraphMode] = "values",
        print_mode: GraphMode | Sequence[GraphMode] = (),
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        durability: Durability | None = None,
        control: object | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        version: Literal["v1", "v2"] = "v1",
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
        items = self._stream(
            input,
            config,
            whole_state=False,
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
        config: Mapping[str, Any] | None = None,
        *,
        context: Any = None,
        stream_mode: GraphMode | Sequence[GraphMode] = "values",
        print_mode: GraphMode | Sequence[GraphMode] = (),
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        durability: Durability | None = None,
        control: object | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        version: Literal["v1", "v2"] = "v1",
        **kwargs: Any,
    ) -> Any:
        """Async twin of `invoke`."""
        items = self._astream(
            input,
            config,
            whole_state=False,
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
        config: Mapping[str, Any] | None = None,
        *,
        context: Any = None,
        stream_mode: GraphMode | Sequence[GraphMode] | None = None,
        print_mode: GraphMode | Sequence[GraphMode] = (),
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        durability: Durability | None = None,
        control: object | None = None,
        subgraphs: bool = False,
        debug: bool | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        version: Literal["v1", "v2"] = "v1",
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
        return self._stream(
            input,
            config,
            whole_state=True,
            context=context,
            stream_mode=stream_mode,
            print_mode=print_mode,
            output_keys=output_keys,
            interrupt_before=interrupt_before,
            interrupt_after=interrupt_after,
            durability=durability,
            control=control,
            subgraphs=subgraphs,
            debug=debug,
            headers=headers,
            params=params,
            version=version,
            **kwargs,
        )

    def astream(
        self,
        input: Any,
        config: Mapping[str, Any] | None = None,
        *,
        context: Any = None,
        stream_mode: GraphMode | Sequence[GraphMode] | None = None,
        print_mode: GraphMode | Sequence[GraphMode] = (),
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        durability: Durability | None = None,
        control: object | None = None,
        subgraphs: bool = False,
        debug: bool | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        version: Literal["v1", "v2"] = "v1",
        **kwargs: Any,
    ) -> AsyncIterator[Any]:
        """Async twin of `stream`."""
        return self._astream(
            input,
            config,
            whole_state=True,
            context=context,
            stream_mode=stream_mode,
            print_mode=print_mode,
            output_keys=output_keys,
            interrupt_before=interrupt_before,
            interrupt_after=interrupt_after,
            durability=durability,
            control=control,
            subgraphs=subgraphs,
            debug=debug,
            headers=headers,
            params=params,
            version=version,
            **kwargs,
        )

    def _stream(
        self, input: Any, config: Mapping[str, Any] | None, *, whole_state: bool, **options: Any
    ) -> Iterator[Any]:
        merged = self._merged(config)
        with Watched(merged, input, self.get_name()) as watched:
            options["wants_output"] = watched.wants_output
            options["wants_messages"] = watched.wants_messages
            invocation = self._invocation(input, merged, whole_state=whole_state, **options)
            yield from self._run(invocation, watched)
            watched.output = invocation.output

    async def _astream(
        self, input: Any, config: Mapping[str, Any] | None, *, whole_state: bool, **options: Any
    ) -> AsyncGenerator[Any, None]:
        merged = self._merged(config)
        async with Watched(merged, input, self.get_name()) as watched:
            options["wants_output"] = watched.wants_output
            options["wants_messages"] = watched.wants_messages
            invocation = self._invocation(input, merged, whole_state=whole_state, **options)
            # Closed with this generator, not when it happens to be collected.
            async with contextlib.aclosing(self._arun(invocation, watched)) as items:
                async for item in items:
                    yield item
            watched.output = invocation.output

    def _invocation(
        self,
        input: Any,
        merged: dict[str, Any],
        *,
        whole_state: bool,
        control: object | None = None,
        stream_mode: GraphMode | Sequence[GraphMode] | None = None,
        print_mode: GraphMode | Sequence[GraphMode] = (),
        output_keys: str | Sequence[str] | None = None,
        headers: Mapping[str, str] | None = None,
        debug: bool | None = None,
        **options: Any,
    ) -> Invocation:
        if control is not None:
            raise NotImplementedError(
                "control: a RunControl acts inside the process that runs the graph; "
                "use client.runs.cancel() to stop a remote run"
            )
        if stream_mode is None:
            stream_mode = "values" if TASK_ID in merged["configurable"] else "updates"
        invocation = Invocation(
            input,
            merged,
            self._address(merged, calling=True),
            stream_mode=stream_mode,
            print_mode=["updates", "values"] if debug else print_mode,
            output_keys=output_keys,
            headers={**self._headers(headers), **_told(output_keys, whole_state)},
            decode_messages=self.decode_messages,
            strict_config=self.strict_config,
            allowed=self._allowed,
            **options,
        )
        if new := [path for path in invocation.left_out if path not in self._warned]:
            self._warned.update(new)
            warnings.warn(
                f"not sent, since it cannot be JSON: {', '.join(new)}", UserWarning, stacklevel=4
            )
        return invocation

    def _run(self, invocation: Invocation, watched: Watched) -> Iterator[Any]:
        client, address = self.sync_client, invocation.address
        for thread in self._threads.to_announce(address):
            client.threads.create(**thread)
            self._threads.announced(address)
        if invocation.needs_state:
            invocation.go_on(self._read_state(address))
        if invocation.goes_beyond and self._clients.read_envelopes():
            invocation.enclose_input()
        else:
            invocation.must_be_plain()
        with client.runs.stream(
            address.thread_id, self.assistant_id, **invocation.request
        ) as events:
            try:
                for part in events:
                    yield from invocation.read(part.event, part.data)
                    watched.hear(invocation.heard())
            except LangGraphError:
                raise
            except BaseException:  # The caller left: stop the run, as leaving a local graph does.
                if run_id := invocation.run_to_cancel(events.run_id):
                    # What made the caller leave matters more than a cancel that came too late.
                    with contextlib.suppress(LangGraphError):
                        client.runs.cancel(*run_id)
                raise
        invocation.finish()

    async def _arun(self, invocation: Invocation, watched: Watched) -> AsyncGenerator[Any, None]:
        client, address = self.client, invocation.address
        for thread in self._threads.to_announce(address):
            await client.threads.create(**thread)
            self._threads.announced(address)
        if invocation.needs_state:
            invocation.go_on(await self._aread_state(address))
        if invocation.goes_beyond and await self._clients.aread_envelopes():
            invocation.enclose_input()
        else:
            invocation.must_be_plain()
        async with client.runs.stream(
            address.thread_id, self.assistant_id, **invocation.request
        ) as events:
            try:
                async for part in events:
                    for item in invocation.read(part.event, part.data):
                        yield item
                    await watched.ahear(invocation.heard())
            except LangGraphError:
                raise
            except BaseException:  # See `stream`.
                if run_id := invocation.run_to_cancel(events.run_id):
                    with contextlib.suppress(LangGraphError):
                        await client.runs.cancel(*run_id)
                raise
        invocation.finish()


def _told(output_keys: str | Sequence[str] | None, whole_state: bool) -> dict[str, str]:
    """The header that says which channels to tell of: `stream` shows all, `invoke` the output."""
    if output_keys is not None:
        names = [output_keys] if isinstance(output_keys, str) else list(output_keys)
        return {OUTPUT_HEADER: json.dumps(names)}
    return {OUTPUT_HEADER: "*"} if whole_state else {}
