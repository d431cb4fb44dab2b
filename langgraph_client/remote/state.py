"""RemoteGraph's state methods: read, walk through, and write a thread's state; and async twins.

The blocking method of a pair is documented; the other behaves the same.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, cast

from langgraph_client.errors import APIStatusError, InvalidArgumentError, NotFoundError
from langgraph_client.remote.base import Connected
from langgraph_client.remote.config import Address
from langgraph_client.remote.rich import enclosed_values
from langgraph_client.remote.seam import RunnableConfig, StateSnapshot, StateUpdate, run_error
from langgraph_client.remote.snapshot import HistoryPages, empty_snapshot, snapshot_from
from langgraph_client.values import ERROR_HEADER


class Stateful(Connected):
    """A graph whose threads have a state."""

    def get_state(
        self,
        config: Mapping[str, Any],
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
        merged = self._merged(config)
        address = self._address(merged)
        address.require_thread("get_state")
        return self._read_state(
            address,
            _asked(merged),
            subgraphs=subgraphs,
            headers=self._headers(headers),
            params=params,
        )

    def _read_state(
        self, address: Address, asked: RunnableConfig | None = None, **options: Any
    ) -> StateSnapshot:
        assert address.thread_id is not None
        asked = asked if asked is not None else {"configurable": address.configurable({})}
        try:
            with graph_errors(address):
                state = self.sync_client.threads.get_state(
                    address.thread_id, address.checkpoint or None, **options
                )
        except NotFoundError:
            return empty_snapshot(asked)
        return snapshot_from(state, self._decoder(address), asked)

    async def aget_state(
        self,
        config: Mapping[str, Any],
        *,
        subgraphs: bool = False,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> StateSnapshot:
        """Async twin of `get_state`."""
        merged = self._merged(config)
        address = self._address(merged)
        address.require_thread("aget_state")
        return await self._aread_state(
            address,
            _asked(merged),
            subgraphs=subgraphs,
            headers=self._headers(headers),
            params=params,
        )

    async def _aread_state(
        self, address: Address, asked: RunnableConfig | None = None, **options: Any
    ) -> StateSnapshot:
        assert address.thread_id is not None
        asked = asked if asked is not None else {"configurable": address.configurable({})}
        try:
            with graph_errors(address):
                state = await self.client.threads.get_state(
                    address.thread_id, address.checkpoint or None, **options
                )
        except NotFoundError:
            return empty_snapshot(asked)
        return snapshot_from(state, self._decoder(address), asked)

    def get_state_history(
        self,
        config: Mapping[str, Any],
        *,
        filter: dict[str, Any] | None = None,
        before: Mapping[str, Any] | None = None,
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
        merged = self._merged(config)
        address, asked = self._address(merged), _asked(merged)
        decoder = self._decoder(address)
        thread_id = address.require_thread("get_state_history")
        pages = HistoryPages(address, filter, before, limit)
        while pages.wanted:
            try:
                with graph_errors(address):
                    states = self.sync_client.threads.get_history(
                        thread_id, **pages.request(), headers=self._headers(headers), params=params
                    )
            except NotFoundError:
                return
            yield from (snapshot_from(state, decoder, asked) for state in states)
            pages.took(states)

    async def aget_state_history(
        self,
        config: Mapping[str, Any],
        *,
        filter: dict[str, Any] | None = None,
        before: Mapping[str, Any] | None = None,
        limit: int | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> AsyncIterator[StateSnapshot]:
        """Async twin of `get_state_history`."""
        merged = self._merged(config)
        address, asked = self._address(merged), _asked(merged)
        decoder = self._decoder(address)
        thread_id = address.require_thread("aget_state_history")
        pages = HistoryPages(address, filter, before, limit)
        while pages.wanted:
            try:
                with graph_errors(address):
                    states = await self.client.threads.get_history(
                        thread_id, **pages.request(), headers=self._headers(headers), params=params
                    )
            except NotFoundError:
                return
            for state in states:
                yield snapshot_from(state, decoder, asked)
            pages.took(states)

    def update_state(
        self,
        config: Mapping[str, Any],
        values: Any,
        as_node: str | None = None,
        task_id: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> RunnableConfig:
        """Write to the state of a thread, through its reducers.

        Args:
            config: Names the thread; with a `checkpoint_id`, the update forks from there.
            values: What to write; None writes nothing but moves on as `as_node` would.
            as_node: The node to write as; default the one that ran last.
            task_id: Not to be had: the protocol's state update has no such field.
            headers: Sent with this call.
            params: Query parameters, sent with this call.

        Returns:
            The config of the new checkpoint.

        Raises:
            NotImplementedError: A `task_id` was given.
        """
        _refuse_task_id(task_id)
        address = self._address(self._merged(config))
        thread_id = address.require_thread("update_state")
        client = self.sync_client
        if self._threads.needs_graph(address):
            graph_id = self._threads.graph_id or client.assistants.get(self.assistant_id).graph_id
            thread = client.threads.create(**self._threads.with_graph(address, graph_id))
            if not (thread.metadata or {}).get("graph_id"):
                client.threads.update(thread_id, metadata={"graph_id": graph_id})
            self._threads.has_graph(address, graph_id)
        rich = enclosed_values(values)
        with graph_errors(address):
            updated = client.threads.update_state(
                thread_id,
                rich if rich is not None and self._clients.read_envelopes() else values,
                as_node=as_node,
                checkpoint=address.checkpoint or None,
                headers=self._headers(headers),
                params=params,
            )
        return {"configurable": address.configurable(updated.checkpoint)}

    async def aupdate_state(
        self,
        config: Mapping[str, Any],
        values: Any,
        as_node: str | None = None,
        task_id: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> RunnableConfig:
        """Async twin of `update_state`."""
        _refuse_task_id(task_id)
        address = self._address(self._merged(config))
        thread_id = address.require_thread("aupdate_state")
        client = self.client
        if self._threads.needs_graph(address):
            graph_id = self._threads.graph_id
            if graph_id is None:
                graph_id = (await client.assistants.get(self.assistant_id)).graph_id
            thread = await client.threads.create(**self._threads.with_graph(address, graph_id))
            if not (thread.metadata or {}).get("graph_id"):
                await client.threads.update(thread_id, metadata={"graph_id": graph_id})
            self._threads.has_graph(address, graph_id)
        rich = enclosed_values(values)
        with graph_errors(address):
            updated = await client.threads.update_state(
                thread_id,
                rich if rich is not None and await self._clients.aread_envelopes() else values,
                as_node=as_node,
                checkpoint=address.checkpoint or None,
                headers=self._headers(headers),
                params=params,
            )
        return {"configurable": address.configurable(updated.checkpoint)}

    def bulk_update_state(
        self,
        config: Mapping[str, Any],
        supersteps: Sequence[Sequence[StateUpdate]],
    ) -> RunnableConfig:
        """Write several supersteps to the state of a thread, one after the other.

        A superstep of one update works on any thread, as `update_state` does. One of several
        updates exists in the protocol only where a thread is made with its supersteps.

        Args:
            config: Names the thread.
            supersteps: The supersteps, each a list of `StateUpdate(values, as_node)`.

        Returns:
            The config of the last checkpoint.

        Raises:
            NotImplementedError: A superstep has several updates and the thread exists, or an
                update has a `task_id`.
        """
        address = self._address(self._merged(config))
        thread_id = address.require_thread("bulk_update_state")
        steps = _supersteps(supersteps)
        client = self.sync_client
        if all(len(step) == 1 for step in steps):
            for (update,) in steps:
                config = self.update_state(config, update["values"], update["as_node"])
            return cast(RunnableConfig, config)
        with contextlib.suppress(NotFoundError):
            client.threads.get(thread_id)
            raise _several_updates()
        graph_id = self._threads.graph_id or client.assistants.get(self.assistant_id).graph_id
        thread = self._threads.with_graph(address, graph_id)
        client.threads.create(**{**thread, "if_exists": "raise", "supersteps": _named(steps)})
        self._threads.has_graph(address, graph_id)
        return self.get_state(config).config

    async def abulk_update_state(
        self,
        config: Mapping[str, Any],
        supersteps: Sequence[Sequence[StateUpdate]],
    ) -> RunnableConfig:
        """Async twin of `bulk_update_state`."""
        address = self._address(self._merged(config))
        thread_id = address.require_thread("abulk_update_state")
        steps = _supersteps(supersteps)
        client = self.client
        if all(len(step) == 1 for step in steps):
            for (update,) in steps:
                config = await self.aupdate_state(config, update["values"], update["as_node"])
            return cast(RunnableConfig, config)
        with contextlib.suppress(NotFoundError):
            await client.threads.get(thread_id)
            raise _several_updates()
        graph_id = self._threads.graph_id
        if graph_id is None:
            graph_id = (await client.assistants.get(self.assistant_id)).graph_id
        thread = self._threads.with_graph(address, graph_id)
        await client.threads.create(**{**thread, "if_exists": "raise", "supersteps": _named(steps)})
        self._threads.has_graph(address, graph_id)
        return (await self.aget_state(config)).config


def _asked(merged: Mapping[str, Any]) -> RunnableConfig:
    """The config of a state call, as a local graph gives it back for an empty thread."""
    return cast(RunnableConfig, {key: value for key, value in merged.items() if value})


@contextlib.contextmanager
def graph_errors(address: Address) -> Iterator[None]:
    """A state call, within which a graph's refusal is raised as the local exception, too.

    The bundled server says its class; of others the answer is raised as it is.
    """
    try:
        yield
    except APIStatusError as error:
        name = error.headers.get(ERROR_HEADER)
        if name is None:
            raise
        raise run_error(name, error.message, thread_id=address.given) from error


def _refuse_task_id(task_id: str | None) -> None:
    if task_id is not None:
        raise NotImplementedError("task_id: the protocol's state update has no such field")


def _supersteps(updates: Sequence[Sequence[StateUpdate]]) -> list[list[dict[str, Any]]]:
    steps = []
    for step in updates:
        for update in step:
            _refuse_task_id(update.task_id)
        steps.append([{"values": one.values, "as_node": one.as_node} for one in step])
    if not steps or not all(steps):
        raise InvalidArgumentError(
            "supersteps", "must have a superstep, and each of them an update"
        )
    return steps


def _named(supersteps: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    for step in supersteps:
        for update in step:
            if update["as_node"] is None:
                raise InvalidArgumentError(
                    "supersteps", "several updates in one superstep must each say `as_node`"
                )
    return [{"updates": step} for step in supersteps]


def _several_updates() -> NotImplementedError:
    return NotImplementedError(
        "bulk_update_state: the thread exists, and the protocol takes a superstep of several "
        "updates only together with a new thread"
    )
