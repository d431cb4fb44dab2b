"""The arguments of `invoke` and `stream`, checked. No I/O."""

from __future__ import annotations

import inspect
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Literal, Protocol, Self, runtime_checkable

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.models.params import (
    All,
    DisconnectMode,
    Durability,
    IfNotExists,
    MultitaskStrategy,
    OnCompletionBehavior,
)
from langgraph_client.remote.aliases import JSON, Config, GraphValue, Reply
from langgraph_client.remote.compat import langgraph_deprecation
from langgraph_client.remote.stream_modes import Modes, mode_list
from langgraph_client.values import OUTPUT_HEADER


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Options of `client.runs.stream` that a local graph does not have. None is not sent."""

    after_seconds: float | None = None
    feedback_keys: Sequence[str] | None = None
    if_not_exists: IfNotExists | None = None
    langsmith_tracing: Reply | None = None
    metadata: Reply | None = None
    multitask_strategy: MultitaskStrategy | None = None
    on_completion: OnCompletionBehavior | None = None
    on_disconnect: DisconnectMode | None = None
    on_run_created: Callable[[JSON], object] | None = None
    stream_resumable: bool | None = None
    strict_resume: bool | None = None
    webhook: str | None = None


@runtime_checkable
class Control(Protocol):
    """The part of langgraph's `RunControl` that a remote run uses."""

    @property
    def drain_reason(self) -> str | None:
        """The reason why the run must drain; None if it must not."""
        ...


@dataclass(frozen=True, kw_only=True)
class RunArguments:
    """The arguments of `invoke` and `stream`, where they are documented."""

    input: GraphValue
    config: Config | None = None
    context: GraphValue = None
    stream_mode: Modes | None = None
    print_mode: Modes = ()
    output_keys: str | Sequence[str] | None = None
    interrupt_before: All | Sequence[str] | None = None
    interrupt_after: All | Sequence[str] | None = None
    durability: Durability | None = None
    control: Control | None = None
    subgraphs: bool = False
    debug: bool | None = None
    headers: Mapping[str, str] | None = None
    params: Mapping[str, object] | None = None
    version: Literal["v1", "v2"] = "v1"
    options: RunOptions = field(default_factory=RunOptions)
    #: Whether to show all channels of the state, as `stream` does; `invoke` shows the output's.
    whole_state: bool = False
    #: Whether to yield langchain's events, as `astream_events` does.
    events: bool = False
    #: Whether to yield the parts for a run stream of version "v3": for messages the events of their
    #: blocks, if the server has them.
    run_stream: bool = False

    @classmethod
    def collect(
        cls, arguments: Mapping[str, JSON], *, whole_state: bool, events: bool = False
    ) -> Self:
        """Return the arguments of a method from its `locals()`.

        Args:
            arguments: The local variables. `kwargs` among them are more options of the run.
            whole_state: Whether to show all channels of the state.
            events: Whether to yield langchain's events.

        Raises:
            TypeError: `kwargs` has a keyword that is not an option.
            InvalidArgumentError: Both `durability` and `checkpoint_during` are passed.
        """
        given = {name: value for name, value in arguments.items() if name not in ("self", "kwargs")}
        kwargs = dict(arguments.get("kwargs") or {})
        public = inspect.signature(RunOptions).parameters
        # As in a local graph, other methods accept the arguments of `stream`: `invoke(debug=True)`.
        for name in _ARGUMENTS & kwargs.keys() - given.keys():
            given[name] = kwargs.pop(name)
        if not whole_state and given.get("stream_mode") == "values":
            given["subgraphs"] = False  # The output of `invoke` is the root graph's alone.
        if (during := kwargs.pop("checkpoint_during", None)) is not None:
            given["durability"] = _durability(during, given.get("durability"))
        for name in kwargs:
            if name not in public:
                raise TypeError(f"got an unexpected keyword argument {name!r}")
        return cls(**given, options=RunOptions(**kwargs), whole_state=whole_state, events=events)

    def checked(self) -> Self:
        """Return the arguments after checking their values.

        Raises:
            InvalidArgumentError: A value is not allowed.
        """
        if not isinstance(self.control, Control | None):
            raise InvalidArgumentError(
                "control", f"must be a langgraph.runtime.RunControl, not {self.control!r}"
            )
        if self.version not in ("v1", "v2"):
            raise InvalidArgumentError("version", f'must be "v1" or "v2", not {self.version!r}')
        return self

    @property
    def print_modes(self) -> list[str]:
        """The modes to print."""
        return ["updates", "values"] if self.debug else mode_list(self.print_mode)

    def channel_headers(self) -> dict[str, str]:
        """Return the header with the channels to show, for a server that reads it."""
        if self.output_keys is not None:
            return {OUTPUT_HEADER: json.dumps(mode_list(self.output_keys))}
        return {OUTPUT_HEADER: "*"} if self.whole_state else {}


_ARGUMENTS = frozenset(field.name for field in fields(RunArguments)) - {
    "options",
    "whole_state",
    "events",
    "run_stream",
    "input",
    "config",
}


def _durability(checkpoint_during: bool, durability: Durability | None) -> Durability:
    """Return the durability for `checkpoint_during`, and warn as a local graph does."""
    warnings.warn(
        "`checkpoint_during` is deprecated and will be removed. Please use `durability` instead.",
        langgraph_deprecation(),
        stacklevel=4,
    )
    if durability is not None:
        raise InvalidArgumentError(
            "checkpoint_during", "is the older form of durability: pass only one of them"
        )
    return "async" if checkpoint_during else "exit"
