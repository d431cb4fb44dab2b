"""The adapter of scripted graphs."""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import aclosing
from dataclasses import replace
from itertools import pairwise
from typing import Any

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.models.fields import JsonMapping
from langgraph_client.server.errors import Refused, ServerError
from langgraph_client.server.graphs.protocol import (
    Config,
    GraphRun,
    Item,
    Schemas,
    StateUpdate,
)
from langgraph_client.server.graphs.protocol_events import PROTOCOL, RAW
from langgraph_client.server.graphs.script_player import Player, PlayerServices
from langgraph_client.server.graphs.script_snapshots import (
    ATTEMPT,
    ScriptChunk,
    ScriptState,
    checkpoint_config,
    raw_message,
    snapshot,
    without_own_keys,
)
from langgraph_client.server.graphs.script_steps import merge, step_name
from langgraph_client.server.graphs.scripted import ScriptedGraph
from langgraph_client.server.graphs.stream_events import MessageEvents, event_data
from langgraph_client.server.storage.protocol import Document
from langgraph_client.server.storage.script_states import Saved, ScriptStates
from langgraph_client.values import ANSWERED_EVENT, PARENT

_MODES = ("values", "updates", "custom", "messages", "messages-tuple", "tasks", "checkpoints")
_REFUSED = ("interrupt_before", "interrupt_after")
_AT_ONCE = 100
"""How many events of a message are sent before the next check for slow readers."""
_ANYTHING: Document = {"type": "object", "additionalProperties": True}


class HostedScript:
    """The adapter of a scripted graph; see `protocol.HostedGraph`.

    Args:
        graph: The graph.
        states: Stores its states.
        durable: Whether to store its states.
        write_events: Stores pending events.
    """

    classes: Mapping[str, type] = {}
    #: `Say` writes one, as scripts do without langchain-core.
    has_message_documents = True

    def __init__(
        self,
        graph: ScriptedGraph,
        states: ScriptStates,
        *,
        durable: bool,
        write_events: Callable[[], Awaitable[None]],
    ) -> None:
        self._graph = graph
        self._states = states if durable else None
        self._services = PlayerServices(
            steps=graph.steps,
            states=self._states,
            sleep=states.clock.sleep,
            new_id=states.clock.uuid4,
            write_events=write_events,
        )

    @property
    def keeps_states(self) -> bool:
        """Whether a thread has a state."""
        return self._states is not None

    @property
    def own_saver(self) -> None:
        """None: the server stores its states."""

    # Running.

    async def events(self, run: GraphRun) -> AsyncGenerator[Item, None]:
        """Play the script and yield its events, in the run's stream modes.

        Raises:
            ValueError: The run has a mode or an option that scripts do not support.
        """
        modes: Sequence[str] = run.kwargs["stream_mode"]
        unsupported = [mode for mode in modes if mode not in _MODES]
        unsupported += [name for name in _REFUSED if run.kwargs[name]]
        if unsupported:
            raise ValueError(f"a ScriptedGraph does not support {', '.join(unsupported)}")
        is_raw = bool(run.kwargs.get(PROTOCOL))
        if is_raw:
            modes = _MODES  # As of compiled graphs: its readers choose the channels.
        player = Player(replace(self._services, before_node=run.before_node), run.config)
        _start(player, run)
        messages = MessageEvents(ScriptChunk.as_message)
        async with aclosing(player.events()) as events:
            async for mode, data in events:
                if mode == "messages" and is_raw:
                    for item in _raw_items(data[0]):
                        yield item
                elif mode == "messages":
                    chunks, metadata = data
                    for item in _message_items(messages, chunks, metadata, modes):
                        yield item
                elif mode in modes:
                    yield mode, event_data(mode, data)
        if "answer" in (run.kwargs.get(PARENT) or {}) and not player.has_answer:
            yield ANSWERED_EVENT, True

    async def continued(self, run: GraphRun) -> GraphRun:
        """Return a run without the input that an earlier attempt has stored already."""
        saved = None if self._states is None else self._states.get(run.thread_id)
        begun = saved is not None and saved.metadata.get("run_id") == run.run_id
        return run.continuing() if begun else run

    # States.

    async def aget_state(self, config: Config, *, subgraphs: bool = False) -> ScriptState:
        """Return the state of a thread, the latest or that of a checkpoint."""
        where = config["configurable"]
        saved = None
        if self._states is not None:
            saved = self._states.get(where["thread_id"], where.get("checkpoint_id"))
        return self._snapshot(where["thread_id"], saved)

    async def aget_state_history(
        self,
        config: Config,
        *,
        limit: int | None = None,
        before: Config | None = None,
        filter: Mapping[str, object] | None = None,
    ) -> AsyncIterator[ScriptState]:
        """Yield the states of a thread, newest first."""
        if self._states is None:
            return
        thread_id = config["configurable"]["thread_id"]
        end = before["configurable"]["checkpoint_id"] if before else None
        count = 0
        for saved in self._states.history(thread_id, end):
            if filter and any(saved.metadata.get(k) != v for k, v in filter.items()):
                continue
            if limit is not None and count >= limit:
                return
            count += 1
            yield self._snapshot(thread_id, saved)

    async def aupdate_state(
        self, config: Config, values: Any, as_node: str | None = None
    ) -> Config:
        """Write to a thread's state. The place in the script stays."""
        last = self._last(config)
        if as_node is not None and as_node not in self._names(last):
            raise ValueError(f"Node {as_node} does not exist")
        return await self._write(config, last, values or {}, last.at if last else None)

    async def abulk_update_state(
        self, config: Config, supersteps: Sequence[Sequence[StateUpdate]]
    ) -> None:
        """Write to the state, one update after the other.

        Raises:
            ValueError: An update is a command.
        """
        for update in (update for step in supersteps for update in step):
            if update.command:
                raise ValueError("a ScriptedGraph does not take commands as updates")
            await self.aupdate_state(config, update.values, update.as_node)

    async def awrite_history(
        self, thread_id: str, histories: Mapping[str, Sequence[Document]]
    ) -> list[str]:
        """Refuse the states of a thread of another server: they do not belong to a script."""
        raise Refused("a thread cannot be copied to a ScriptedGraph")

    async def atake_back(self, config: Config, run_id: str) -> None:
        """Do nothing: the server stores the states."""

    async def place(
        self, config: Config, values: JsonMapping, wanted: Sequence[str] | None
    ) -> None:
        """Put a thread before one of the script's steps, or after all of them.

        Raises:
            ValueError: The script does not have the step.
        """
        last = self._last(config)
        at: int | None = None
        if wanted:
            steps = self._graph.steps(merge(last.values if last else {}, values), _attempt(last))
            names = [step_name(number, step) for number, step in enumerate(steps)]
            if len(wanted) != 1 or wanted[0] not in names:
                raise ValueError(f"the script has no step {list(wanted)}; its steps are {names}")
            at = names.index(wanted[0])
        await self._write(config, last, values, at)

    def _last(self, config: Config) -> Saved | None:
        where = config["configurable"]
        if self._states is None:
            raise ValueError("a graph without checkpoints has no state to update")
        return self._states.get(where["thread_id"], where.get("checkpoint_id"))

    async def _write(
        self, config: Config, last: Saved | None, values: JsonMapping, at: int | None
    ) -> Config:
        assert self._states is not None
        thread_id = config["configurable"]["thread_id"]
        step = last.metadata["step"] + 1 if last else 0
        given = without_own_keys(config.get("metadata", {}))
        metadata = {**given, "source": "update", "step": step}
        if last is not None and ATTEMPT in last.metadata:
            metadata[ATTEMPT] = last.metadata[ATTEMPT]
        merged = merge(last.values if last else {}, values)
        parent = last.id if last else None
        saved = await self._states.put(thread_id, Saved(parent, merged, at, metadata))
        return checkpoint_config(thread_id, saved.id)

    def _names(self, saved: Saved | None) -> list[str]:
        steps = self._graph.steps(saved.values if saved else {}, _attempt(saved))
        return [step_name(number, step) for number, step in enumerate(steps)]

    def _snapshot(self, thread_id: str, saved: Saved | None) -> ScriptState:
        if saved is None or saved.at is None:
            return snapshot(thread_id, saved, ())
        try:
            steps = self._graph.steps(saved.values, _attempt(saved))
        except Exception as error:  # Whatever the function of a script raises.
            # The text of an application's exception is for the log only.
            reason = error if isinstance(error, InvalidArgumentError) else type(error).__name__
            raise ServerError(f"the script of thread {thread_id}: {reason}") from error
        return snapshot(thread_id, saved, steps)

    # Drawing and schemas.

    def node_names(self) -> list[str]:
        """Return the names of the steps; empty if the script depends on the input."""
        return self._graph.node_names()

    async def drawing(self, xray: bool | int) -> Document:
        """Return the steps in a line."""
        names = self.node_names()
        nodes: list[Document] = [
            {"id": name, "type": "runnable", "data": {"name": name}}
            for name in ["__start__", *names]
        ]
        ids = ["__start__", *names, "__end__"]
        edges = [{"source": a, "target": b} for a, b in pairwise(ids)]
        return {"nodes": [*nodes, {"id": "__end__"}], "edges": edges}

    def schemas(self) -> Schemas:
        """Return schemas that allow any value."""
        return Schemas(input=_ANYTHING, output=_ANYTHING, state=_ANYTHING, context=None)

    async def subgraphs(self, namespace: str | None, recurse: bool) -> dict[str, Schemas]:
        """Return nothing: a script has no subgraphs."""
        return {}


def _attempt(saved: Saved | None) -> int:
    attempt: int = 1 if saved is None else saved.metadata.get(ATTEMPT, 1)
    return attempt


def _start(player: Player, run: GraphRun) -> None:
    """Put a player where a run begins or goes on."""
    command = run.kwargs.get("command")
    parent = run.kwargs.get(PARENT) or {}
    if "answer" in parent:
        player.answer(parent["answer"])
    if parent.get("resuming") and player.has_state:
        player.resume_as_subgraph(parent.get("answers") or {})
    elif command:
        player.obey(command)
    else:
        player.begin(run.kwargs.get("input"))


def _raw_items(chunks: Sequence[ScriptChunk]) -> Iterator[Item]:
    """Yield the events of a message for the event protocol."""
    raw = raw_message(chunks)
    for at in range(0, len(raw), _AT_ONCE):
        yield RAW, raw[at : at + _AT_ONCE]


def _message_items(
    messages: MessageEvents,
    chunks: Sequence[ScriptChunk],
    metadata: object,
    modes: Sequence[str],
) -> Iterator[Item]:
    """Yield the events of a message in the run's stream modes."""
    for chunk in chunks:
        if "messages-tuple" in modes:
            yield "messages", (chunk, metadata)
        elif "messages" in modes:
            yield from messages.events(chunk, metadata)
