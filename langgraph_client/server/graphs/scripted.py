"""`ScriptedGraph`: a graph that plays a list of steps. Needs no langgraph.

It has the methods of `graphs.RunnableGraph`, so that the engine and the routes treat it as any
other. Its checkpoints are rows of one small table, `ScriptStates`.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field, replace
from typing import Any

from langgraph_client.server.graphs.script_states import Saved, ScriptStates

Values = dict[str, Any]


@dataclass(frozen=True)
class Update:
    """Write to the state, as a node that returns this. A bare dict is the same.

    Values replace, but lists under `messages` are appended.
    """

    values: Mapping[str, Any]
    node: str | None = None


@dataclass(frozen=True)
class Say:
    """Stream a message of an AI in chunks, then append it to the state's `messages`."""

    chunks: str | Sequence[str]
    tool_calls: Sequence[Mapping[str, Any]] = ()
    node: str | None = None


@dataclass(frozen=True)
class Emit:
    """Send something in mode `custom`."""

    data: Any


@dataclass(frozen=True)
class Ask:
    """Stop at an interrupt; the answer it is resumed with goes into the state."""

    value: Any
    into: str = "answer"
    node: str | None = None


@dataclass(frozen=True)
class Fail:
    """Fail the run with this exception."""

    error: Exception


@dataclass(frozen=True)
class Wait:
    """Take some seconds."""

    seconds: float


Step = Update | Say | Emit | Ask | Fail | Wait | Mapping[str, Any]
Script = Iterable[Step] | Callable[[Values], Iterable[Step]]


@dataclass(frozen=True)
class Attempts:
    """A script for each try on a thread: the first input plays the first, and so on.

    What resumes a run goes on with that run's. The last is played again and again.
    """

    scripts: tuple[Script, ...]

    def __init__(self, *scripts: Script) -> None:
        if not scripts:
            raise ValueError("Attempts: give at least one script")
        object.__setattr__(self, "scripts", scripts)


@dataclass(frozen=True)
class ScriptInterrupt:
    """What a stopped script waits for."""

    value: Any
    id: str
    response_schema: Any = None


@dataclass(frozen=True)
class ScriptTask:
    """The step that is next."""

    id: str
    name: str
    path: tuple[str, ...]
    error: str | None = None
    interrupts: tuple[ScriptInterrupt, ...] = ()
    state: Any = None
    result: Any = None


@dataclass(frozen=True)
class ScriptState:
    """The state at one checkpoint, in the shape of langgraph's snapshot."""

    values: Values
    next: tuple[str, ...]
    config: dict[str, Any]
    metadata: dict[str, Any] | None
    created_at: str | None
    parent_config: dict[str, Any] | None
    tasks: tuple[ScriptTask, ...]
    interrupts: tuple[ScriptInterrupt, ...]


@dataclass(frozen=True)
class ScriptChunk:
    """One token of a streamed message; adding two gives the text so far."""

    content: str
    additional_kwargs: dict[str, Any] = field(default_factory=dict)
    response_metadata: dict[str, Any] = field(default_factory=dict)
    type: str = "AIMessageChunk"
    name: str | None = None
    id: str = ""
    tool_calls: tuple[Any, ...] = ()
    invalid_tool_calls: tuple[Any, ...] = ()
    usage_metadata: Any = None
    tool_call_chunks: tuple[Any, ...] = ()
    chunk_position: str | None = None

    def __add__(self, more: ScriptChunk) -> ScriptChunk:
        return replace(more, content=self.content + more.content)

    def as_message(self) -> dict[str, Any]:
        """Return the message, as if it were finished."""
        return {
            "content": self.content,
            "additional_kwargs": {},
            "response_metadata": {},
            "type": "ai",
            "name": None,
            "id": self.id,
            "tool_calls": list(self.tool_calls),
            "invalid_tool_calls": [],
            "usage_metadata": None,
        }


#: Where a saved state keeps which try on its thread it belongs to.
_ATTEMPT = "attempt"
_MODES = {"values", "updates", "custom", "messages"}
# Options that ask for nothing a script could do differently: it writes each state at once, and no
# step reads a context.
_HARMLESS = {"durability", "context"}


class ScriptedGraph:
    """A graph that plays a script, for tests and for those without langgraph.

        ScriptedGraph([Say(["Hel", "lo"]), Ask("sure?"), {"done": True}])

    A run with an input plays the script from its beginning, on top of the thread's state. Resuming
    goes on behind the `Ask` that stopped it.

    Args:
        script: The steps; a function of the state (the input is in it) that gives them; or
            `Attempts(...)`, with a script for each try on a thread.
        name: The graph's name.
    """

    #: Commands come as the request has them, not as langgraph's.
    plain_commands = True

    def __init__(
        self,
        script: Script | Attempts,
        *,
        name: str = "scripted",
        checkpointer: Any = None,
    ) -> None:
        self.name = name
        self.checkpointer: ScriptStates | None = checkpointer
        self.store = None
        # The server's own: how to wait, how to make ids, and what to wait for before a step.
        self._sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
        self._new_id: Callable[[], str] = lambda: str(uuid.uuid4())
        self._before: Callable[[str], Awaitable[None]] | None = None
        scripts = script.scripts if isinstance(script, Attempts) else (script,)
        self._scripts = [one if callable(one) else list(one) for one in scripts]

    def copy(self, update: Mapping[str, Any]) -> ScriptedGraph:
        """Return the same graph, with another place for its states, or other hooks of a server."""
        made = ScriptedGraph(
            Attempts(*self._scripts),
            name=self.name,
            checkpointer=update.get("checkpointer", self.checkpointer),
        )
        made._sleep = update.get("sleep", self._sleep)
        made._new_id = update.get("new_id", self._new_id)
        made._before = update.get("before", self._before)
        return made

    def _steps(
        self, values: Values, attempt: int = 1
    ) -> list[Update | Say | Emit | Ask | Fail | Wait]:
        script = self._scripts[min(attempt, len(self._scripts)) - 1]
        found = script(dict(values)) if callable(script) else script
        return [Update(step) if isinstance(step, Mapping) else step for step in found]

    @classmethod
    def replaying(cls, events: Iterable[Any], *, name: str = "scripted") -> ScriptedGraph:
        """Return a graph that does what a recorded run did.

        Args:
            events: Its events, as `client.runs.stream(stream_mode=["updates", "custom"])` gives
                them: with `event` and `data`, or pairs of these. Other modes are passed over.
            name: The graph's name.
        """
        return cls(list(recorded_steps(events)), name=name)

    async def astream(
        self,
        input: Any,
        config: Any = None,
        *,
        stream_mode: Sequence[str] = ("values",),
        subgraphs: bool = False,
        **refused: Any,
    ) -> AsyncGenerator[Any, None]:
        """Play the script, giving `(mode, data)`, or `(namespace, mode, data)` for `subgraphs`.

        Raises:
            ValueError: A mode or an option that scripts do not have.
        """
        odd = [mode for mode in stream_mode if mode not in _MODES]
        odd += [name for name, value in refused.items() if value and name not in _HARMLESS]
        if odd:
            raise ValueError(f"a ScriptedGraph does not have {', '.join(odd)}")
        play = _Play(self, config or {}, input)
        async for mode, data in play.events():
            if mode in stream_mode:
                yield ((), mode, data) if subgraphs else (mode, data)

    async def aget_state(self, config: Any, *, subgraphs: bool = False) -> ScriptState:
        """Return the state of a thread, the latest or that of a checkpoint."""
        where = config["configurable"]
        saved = None
        if self.checkpointer is not None:
            saved = self.checkpointer.get(where["thread_id"], where.get("checkpoint_id"))
        return self._state(where["thread_id"], saved)

    async def aget_state_history(
        self, config: Any, *, limit: int | None = None, before: Any = None, filter: Any = None
    ) -> AsyncIterator[ScriptState]:
        """Return the states of a thread, newest first."""
        if self.checkpointer is None:
            return
        thread_id = config["configurable"]["thread_id"]
        end = before["configurable"]["checkpoint_id"] if before else None
        given = 0
        for saved in self.checkpointer.history(thread_id, end):
            if filter and any(saved.metadata.get(k) != v for k, v in filter.items()):
                continue
            if limit is not None and given >= limit:
                return
            given += 1
            yield self._state(thread_id, saved)

    async def aupdate_state(
        self, config: Any, values: Any, as_node: str | None = None
    ) -> dict[str, Any]:
        """Write to a thread's state. The place in the script stays."""
        if self.checkpointer is None:
            raise ValueError("a graph without checkpoints has no state to update")
        where = config["configurable"]
        last = self.checkpointer.get(where["thread_id"], where.get("checkpoint_id"))
        if as_node is not None and as_node not in self._names(last.values if last else {}):
            raise ValueError(f"Node {as_node} does not exist")
        merged = merge(last.values if last else {}, values or {})
        step = (last.metadata["step"] + 1) if last else 0
        made = self.checkpointer.put(
            where["thread_id"],
            Saved(
                parent=last.id if last else None,
                values=merged,
                at=last.at if last else None,
                metadata={**config.get("metadata", {}), "source": "update", "step": step},
            ),
        )
        return _config(where["thread_id"], made.id)

    async def place(
        self, config: Any, values: Mapping[str, Any], wanted: Sequence[str] | None
    ) -> None:
        """Put a thread before one of the script's steps, or behind all of them.

        Raises:
            ValueError: It has no such step.
        """
        if self.checkpointer is None:
            raise ValueError("a graph without checkpoints has no state to seed")
        thread_id = config["configurable"]["thread_id"]
        last = self.checkpointer.get(thread_id)
        merged = merge(last.values if last else {}, values)
        at: int | None = None
        if wanted:
            names = self._names(merged)
            if len(wanted) != 1 or wanted[0] not in names:
                raise ValueError(f"no step of the script is {list(wanted)}, only {names}")
            at = names.index(wanted[0])
        metadata = {
            **config.get("metadata", {}),
            "source": "update",
            "step": (last.metadata["step"] + 1) if last else 0,
        }
        self.checkpointer.put(thread_id, Saved(last.id if last else None, merged, at, metadata))

    def node_names(self) -> list[str]:
        """Return the names of the steps; none where the script depends on the input."""
        return [] if callable(self._scripts[0]) else self._names({})

    def _names(self, values: Values, attempt: int = 1) -> list[str]:
        return [_name(number, step) for number, step in enumerate(self._steps(values, attempt))]

    def _state(self, thread_id: str, saved: Saved | None) -> ScriptState:
        if saved is None:
            config = {"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}}
            return ScriptState({}, (), config, None, None, None, (), ())
        tasks: tuple[ScriptTask, ...] = ()
        if saved.at is not None:
            steps = self._steps(saved.values, saved.metadata.get(_ATTEMPT, 1))
            if saved.at < len(steps):
                name = _name(saved.at, steps[saved.at])
                waiting = _interrupts(thread_id, saved.at, steps[saved.at])
                path = ("script", str(saved.at))
                error = saved.metadata.get("error")
                tasks = (ScriptTask(_task_id(saved.id, saved.at), name, path, error, waiting),)
        return ScriptState(
            values=saved.values,
            next=tuple(task.name for task in tasks),
            config=_config(thread_id, saved.id),
            metadata={
                "parents": {},
                **{key: value for key, value in saved.metadata.items() if key != _ATTEMPT},
            },
            created_at=saved.created_at,
            parent_config=_config(thread_id, saved.parent) if saved.parent else None,
            tasks=tasks,
            interrupts=tuple(found for task in tasks for found in task.interrupts),
        )


class _Play:
    """One run of a script."""

    def __init__(self, graph: ScriptedGraph, config: Any, given: Any) -> None:
        where = config.get("configurable", {})
        self._graph = graph
        self._states = graph.checkpointer
        self._thread_id: str = where.get("thread_id", "")
        keep = ("run_id", "graph_id", "assistant_id")
        self._metadata = {
            **config.get("metadata", {}),
            **{key: where[key] for key in keep if key in where},
        }
        last = None
        if self._states is not None:
            last = self._states.get(self._thread_id, where.get("checkpoint_id"))
        self._last = last
        self._parent = last.id if last else None
        self._number = last.metadata["step"] + 1 if last else -1
        self._values: Values = dict(last.values) if last else {}
        self._at = 0
        self._answer: Any = None
        self._answered = False
        self._attempt: int = last.metadata.get(_ATTEMPT, 1) if last else 0
        self._begin(given)

    def _begin(self, given: Any) -> None:
        """Decide where to start, from an input, a command, or nothing."""
        at = self._last.at if self._last else None
        if isinstance(given, _PlainCommand):
            self._values = merge(self._values, given.get("update") or {})
            goto = given.get("goto")
            if goto is not None:
                self._at = self._graph._names(self._values, self._attempt).index(goto)
            else:
                self._at = self._end() if at is None else at
            if given.get("resume") is not None:
                self._answer, self._answered = given["resume"], True
        elif given is None:
            if self._last is None:
                raise ValueError("no input was given, and the thread has no state to go on from")
            self._at = self._end() if at is None else at
        elif isinstance(given, Mapping):
            self._values = merge(self._values, given)
            self._attempt += 1
        else:
            raise ValueError(f"expected an object as input, got {given!r}")

    def _end(self) -> int:
        return len(self._graph._steps(self._values, self._attempt))

    async def events(self) -> AsyncGenerator[tuple[str, Any], None]:
        self._save("input" if self._at == 0 else "loop", self._at)
        yield "values", dict(self._values)
        steps = self._graph._steps(self._values, self._attempt)
        for at in range(self._at, len(steps)):
            step = steps[at]
            name = _name(at, step)
            if self._graph._before is not None:
                await self._graph._before(name)
            if isinstance(step, Ask) and not self._answered:
                (waiting,) = _interrupts(self._thread_id, at, step)
                self._save("loop", at)
                yield "updates", {"__interrupt__": [waiting]}
                yield "values", {**self._values, "__interrupt__": [waiting]}
                return
            written: Values | None = None
            if isinstance(step, Ask):
                written, self._answered = {step.into: self._answer}, False
            elif isinstance(step, Update):
                written = dict(step.values)
            elif isinstance(step, Emit):
                yield "custom", step.data
            elif isinstance(step, Wait):
                await self._graph._sleep(step.seconds)
            elif isinstance(step, Fail):
                self._save("loop", at, error=repr(step.error))
                raise step.error
            else:
                message = None
                for chunk in _chunks(step, self._graph._new_id()):
                    message = chunk if message is None else message + chunk
                    yield "messages", (chunk, {**self._metadata, "langgraph_node": name})
                written = {"messages": [message.as_message()]} if message else {}
            if written is not None:
                self._values = merge(self._values, written)
                self._save("loop", at + 1 if at + 1 < len(steps) else None)
                yield "updates", {name: written}
                yield "values", dict(self._values)
        self._save("loop", None)

    def _save(self, source: str, at: int | None, error: str | None = None) -> None:
        if self._states is None:
            return
        metadata = {**self._metadata, "source": source, "step": self._number}
        if self._attempt > 1:
            metadata[_ATTEMPT] = self._attempt
        if error is not None:
            metadata["error"] = error
        same = self._last is not None and (self._last.values, self._last.at) == (self._values, at)
        if same and error is None:
            return
        self._last = self._states.put(
            self._thread_id, Saved(self._parent, dict(self._values), at, metadata)
        )
        self._parent = self._last.id
        self._number += 1


def recorded_steps(events: Iterable[Any]) -> Iterator[Step]:
    """The steps that give rise to a recorded run's events; see `ScriptedGraph.replaying`."""
    for event in events:
        kind, data = event[:2]
        if kind == "custom":
            yield Emit(data)
        elif kind == "error":
            yield Fail(RuntimeError(f"{data.get('error')}: {data.get('message')}"))
        elif kind == "updates" and isinstance(data, Mapping):
            for node, written in data.items():
                if node == "__interrupt__":
                    for asked in written:
                        yield Ask(asked["value"])
                elif isinstance(written, Mapping):
                    yield Update(written, node)


class _PlainCommand(dict[str, Any]):
    """A command as the request has it."""


def plain_command(command: Mapping[str, Any]) -> Any:
    """Return a request's command as scripts take it."""
    return _PlainCommand(command)


def merge(state: Mapping[str, Any], update: Mapping[str, Any]) -> Values:
    """Return a state with an update written to it."""
    if not isinstance(update, Mapping):
        raise ValueError(f"expected an object to write to the state, got {update!r}")
    merged = {**state, **update}
    if "messages" in update and isinstance(update["messages"], list):
        merged["messages"] = [*state.get("messages", []), *update["messages"]]
    return merged


def _name(number: int, step: Any) -> str:
    return getattr(step, "node", None) or f"step-{number + 1}"


def _config(thread_id: str, checkpoint_id: str | None) -> dict[str, Any]:
    where = {"thread_id": thread_id, "checkpoint_ns": "", "checkpoint_id": checkpoint_id}
    return {"configurable": where}


def _task_id(checkpoint_id: str, at: int) -> str:
    return str(uuid.uuid5(uuid.UUID(checkpoint_id), str(at)))


def _interrupts(thread_id: str, at: int, step: Any) -> tuple[ScriptInterrupt, ...]:
    if not isinstance(step, Ask):
        return ()
    made = hashlib.blake2b(f"{thread_id}:{at}".encode(), digest_size=16).hexdigest()
    return (ScriptInterrupt(step.value, made),)


def _chunks(step: Say, new_id: str) -> list[ScriptChunk]:
    texts = [step.chunks] if isinstance(step.chunks, str) else list(step.chunks)
    message_id = f"lc_run--{new_id}"
    made = [ScriptChunk(text, id=message_id) for text in texts or [""]]
    calls = tuple(dict(call) for call in step.tool_calls)
    made[-1] = replace(made[-1], tool_calls=calls, chunk_position="last")
    return made
