"""The steps of a scripted graph."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.models.fields import JsonMapping, JsonObject
from langgraph_client.server.graphs.protocol_events import INTERRUPT

Values: TypeAlias = JsonObject


@dataclass(frozen=True)
class Update:
    """Write to the state, like a node that returns these values. A plain dict means the same.

    Values replace earlier ones; lists under `messages` are appended.
    """

    values: Mapping[str, object]
    node: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.values, Mapping):
            raise InvalidArgumentError("values", f"must be a mapping, not {self.values!r:.80}")


@dataclass(frozen=True)
class Say:
    """Stream a message of an AI in chunks, then append it to the state's `messages`."""

    chunks: str | Sequence[str]
    tool_calls: Sequence[Mapping[str, object]] = ()
    node: str | None = None

    def __post_init__(self) -> None:
        chunks: object = self.chunks
        if not isinstance(chunks, Sequence) or not all(isinstance(chunk, str) for chunk in chunks):
            raise InvalidArgumentError("chunks", f"must be text, or texts, not {chunks!r:.80}")


@dataclass(frozen=True)
class Emit:
    """Send a value in the stream mode `custom`."""

    data: object


@dataclass(frozen=True)
class Ask:
    """Stop at an interrupt. The response with which it is resumed is written to the state."""

    value: object
    into: str = "answer"
    node: str | None = None


@dataclass(frozen=True)
class Fail:
    """Fail the run with this exception."""

    error: Exception

    def __post_init__(self) -> None:
        if not isinstance(self.error, Exception):
            raise InvalidArgumentError("error", f"must be an exception, not {self.error!r:.80}")


@dataclass(frozen=True)
class Wait:
    """Wait for some seconds."""

    seconds: float

    def __post_init__(self) -> None:
        if not 0 <= self.seconds < math.inf:
            raise InvalidArgumentError(
                "seconds", f"must be a number of seconds, 0 or more, not {self.seconds!r}"
            )


PlayedStep = Update | Say | Emit | Ask | Fail | Wait
Step = PlayedStep | JsonMapping
Script = Iterable[Step] | Callable[[Values], Iterable[Step]]


@dataclass(frozen=True)
class Attempts:
    """A script for each attempt on a thread: the first input plays the first script, and so on.

    A resumed run continues its own script. After the last script, that one is repeated.
    """

    scripts: tuple[Script, ...]

    def __init__(self, *scripts: Script) -> None:
        if not scripts:
            raise InvalidArgumentError("scripts", "pass at least one script")
        object.__setattr__(self, "scripts", scripts)


def recorded_steps(events: Iterable[Any]) -> Iterator[Step]:
    """Yield the steps that produce a recorded run's events; see `ScriptedGraph.replaying`."""
    for event in events:
        kind, data = event[:2]
        if kind == "custom":
            yield Emit(data)
        elif kind == "error":
            yield Fail(RuntimeError(f"{data.get('error')}: {data.get('message')}"))
        elif kind == "updates" and isinstance(data, Mapping):
            for node, written in data.items():
                if node == INTERRUPT:
                    for asked in written:
                        yield Ask(asked["value"])
                elif isinstance(written, Mapping):
                    yield Update(written, node)


def merge(state: JsonMapping, update: Mapping[str, object]) -> Values:
    """Return a state with an update written to it."""
    if not isinstance(update, Mapping):
        raise ValueError(f"expected an object to write to the state, got {update!r}")
    merged = {**state, **update}
    if "messages" in update and isinstance(update["messages"], list):
        merged["messages"] = [*state.get("messages", []), *update["messages"]]
    return merged


def step_name(number: int, step: PlayedStep) -> str:
    """Return the node name of a step."""
    node = None if isinstance(step, Emit | Fail | Wait) else step.node
    return node or f"step-{number + 1}"
