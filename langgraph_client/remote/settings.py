"""The settings of a RemoteGraph, and how they affect its calls. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Self

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.remote.aliases import JSON, Config, JsonObject, MergedConfig
from langgraph_client.remote.compat import ambient_config, graph_classes, message_classes
from langgraph_client.remote.config import Address, inherited, merge, with_ambient
from langgraph_client.remote.decode import Decoder
from langgraph_client.remote.event_streams import Transformer
from langgraph_client.remote.nested import nested_address
from langgraph_client.remote.stream_modes import Modes
from langgraph_client.values import Allowed, classes_in, name_of


@dataclass(frozen=True)
class GraphSettings:
    """The parameters of `RemoteGraph` that `copy` can change; that class documents them."""

    assistant_id: str
    config: Config | None = None
    name: str = ""
    decode_messages: bool = True
    checkpointer: bool | None = None
    strict_config: bool = True
    distributed_tracing: bool = False
    allow_types: Iterable[type] = ()
    stream_mode: Modes = "updates"
    transformers: Sequence[Transformer] = ()
    #: The classes of which objects may be created, by name.
    allowed: Allowed = field(init=False)

    def __post_init__(self) -> None:
        if not isinstance(self.assistant_id, str) or not self.assistant_id:
            raise InvalidArgumentError(
                "assistant_id",
                f"must be a graph's name or an assistant's id, not {self.assistant_id!r}",
            )
        if self.checkpointer not in (True, False, None):
            raise InvalidArgumentError(
                "checkpointer",
                f"must be True, False or None, not {self.checkpointer!r}: a remote graph's state is"
                " kept by its server",
            )
        # The dataclass is frozen, so derived values are set with `object.__setattr__`.
        object.__setattr__(self, "transformers", _callables(self.transformers))
        types = _types(self.allow_types)
        allowed = classes_in(*types, *graph_classes())
        allowed.update({name_of(kind): kind for kind in types if issubclass(kind, Exception)})
        for kind in message_classes().values():
            if self.decode_messages:
                allowed[name_of(kind)] = kind
            else:  # A schema among `allow_types` names them, too.
                allowed.pop(name_of(kind), None)
        object.__setattr__(self, "name", self.name or self.assistant_id)
        object.__setattr__(self, "allow_types", types)
        object.__setattr__(self, "allowed", allowed)

    def changed(self, update: Mapping[str, JSON]) -> Self:
        """Return a copy with some settings changed.

        Raises:
            InvalidArgumentError: `update` has a key that is not a setting.
        """
        known = {setting.name for setting in fields(self) if setting.init}
        if unknown := update.keys() - known:
            raise InvalidArgumentError("update", f"has unknown keys: {sorted(unknown)}")
        return replace(self, **update)

    def merged(self, config: Config | None) -> MergedConfig:
        """Merge a call's config onto this graph's own, and both onto the surrounding node's."""
        return with_ambient(ambient_config(), self.config, config)

    def inherited(self, config: Config | None, sent: JsonObject, *, events: bool) -> JsonObject:
        """Say what a sent config has from the surrounding node, and not from the call.

        Args:
            config: The call's config.
            sent: The config that is sent.
            events: Whether the call is `astream_events`. There langchain passes what the call's
                config lacks to the graph as if the call named it (seen in langchain-core 1.8).
        """
        ambient = ambient_config() or {}
        if events:
            named = {name for name, value in (config or {}).items() if value is not None} | {"tags"}
            ambient = {name: value for name, value in ambient.items() if name in named}
        return inherited(ambient, merge(self.config, config), sent)

    def address(self, merged: MergedConfig, *, calling: bool = False) -> Address:
        """Return the thread, checkpoint and namespace of a call."""
        nested = nested_address(merged, self.checkpointer, calling=calling)
        return nested or Address.of(merged)

    def decoder(self, address: Address) -> Decoder:
        """Return the decoder for the values of one call."""
        return Decoder(address, self.decode_messages, allowed=self.allowed)


def _types(types: Iterable[type]) -> tuple[type, ...]:
    """Return the classes as a tuple, as they are read more than once.

    Raises:
        InvalidArgumentError: They are no list of classes.
    """
    # A class that can be iterated over, such as an enum, is not meant to be a list of its members.
    is_list = isinstance(types, Iterable) and not isinstance(types, type)
    found = tuple(types) if is_list else ()
    if not is_list or not all(isinstance(kind, type) for kind in found):
        raise InvalidArgumentError("allow_types", f"must be a list of classes, not {types!r}")
    return found


def _callables(transformers: Iterable[Transformer]) -> tuple[Transformer, ...]:
    """Return the transformers as a tuple, as they are read more than once.

    Raises:
        InvalidArgumentError: They are no list of classes or factories.
    """
    found = tuple(transformers) if isinstance(transformers, Iterable) else None
    if found is None or not all(map(callable, found)):
        raise InvalidArgumentError(
            "transformers", f"must be a list of classes or factories, not {transformers!r}"
        )
    return found
